"""The last ten minutes of a visit and what follows: the three worst, what works well, a promise, thanks.

Ideas have their place here and not before. Only those who sat in the visit read any of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import delete, select

from gemba.db import db
from gemba.errors import Invalid
from gemba.insights.errors import NotesCancelled, WrapTooEarly
from gemba.insights.models import Observation, VisitFeedback, VisitWrap, WrapPick
from gemba.insights.rules.kinds import Frequency, Kind, Standing, _n
from gemba.insights.rules.severity import Persistence, severity_of
from gemba.insights.service import capture, index, sitting
from gemba.people.models import Person
from gemba.visits.models import Visit
from gemba.visits.rules import HAPPENING

LAST_MINUTES = timedelta(minutes=10)
WORST = 3
REST_SHOWN, ASKED_SHOWN, WELL_SHOWN = 12, 4, 4
"""So much of everything stands on the sheet, the worst first: it is one page of paper."""


@dataclass(frozen=True)
class Worst:
    """One of the three worst: the note, three answers or None, and the idea it gave."""

    note_id: int
    frequency: Frequency | None = None
    impact: int | None = None
    persistence: Persistence | None = None
    idea: str = ""


@dataclass(frozen=True)
class WrapFields:
    """What somebody takes along. A promise has a day, and a day a promise."""

    worst: Sequence[Worst] = ()
    works_well: str = ""
    promise: str = ""
    promised_for: date | None = None


@dataclass(frozen=True)
class Picked:
    """One of somebody's worst three, as it was chosen."""

    rank: int
    note: Observation
    idea: str


@dataclass(frozen=True)
class Wrap:
    """What stands on the page: one's own notes to choose from, what was kept, and what the others say."""

    visit: Visit
    notes: list[Observation]
    mine: VisitWrap | None
    picks: list[Picked]
    feedback: VisitFeedback | None
    thanks: list[tuple[Person, str]]


@dataclass(frozen=True)
class Sheet:
    """A visit on one page: what each side found worst, what works well, promises, other notes, questions.

    `more` is how many notes and questions have no room on it.
    """

    visit: Visit
    picks: list[tuple[Person, Picked]]
    works_well: list[str]
    promises: list[tuple[Person, VisitWrap]]
    rest: list[Observation]
    questions: list[Observation]
    more: int
    kept_private: int


def get_wrap(viewer: Person, visit_id: int, *, now: datetime) -> Wrap:
    """One's own wrap-up of a visit. Raises VisitNotFound, WrapTooEarly, NotesCancelled."""
    visit = sitting.visit_for_notes(viewer, visit_id)
    if visit.status not in HAPPENING:
        raise NotesCancelled
    if now < visit.ends_at - LAST_MINUTES:
        raise WrapTooEarly
    notes = [note for note in capture.observations_of(visit, newest_first=False) if not note.is_question]
    own = [note for note in notes if note.author_id == viewer.id]
    said = list(db.session.scalars(select(VisitFeedback).where(VisitFeedback.visit_id == visit.id)))
    people = _people_of(visit)
    return Wrap(
        visit=visit,
        notes=own,
        mine=db.session.get(VisitWrap, (visit.id, viewer.id)),
        picks=[picked for person_id, picked in _picks(visit, notes) if person_id == viewer.id],
        feedback=next((one for one in said if one.person_id == viewer.id), None),
        thanks=[
            (people[one.person_id], one.words)
            for one in said
            if one.person_id != viewer.id and one.words and one.person_id in people
        ],
    )


def _people_of(visit: Visit) -> dict[int, Person]:
    sides = [*visit.visitors, visit.agent, *([visit.lead] if visit.lead else [])]
    return {person.id: person for person in sides}


def _picks(visit: Visit, notes: Sequence[Observation]) -> list[tuple[int, Picked]]:
    by_id = {note.id: note for note in notes}
    rows = db.session.scalars(
        select(WrapPick).where(WrapPick.visit_id == visit.id).order_by(WrapPick.person_id, WrapPick.rank)
    )
    return [
        (row.person_id, Picked(row.rank, by_id[row.observation_id], row.idea))
        for row in rows
        if row.observation_id in by_id
    ]


def save_wrap(viewer: Person, visit_id: int, fields: WrapFields, *, now: datetime) -> Wrap:
    """Keeps somebody's wrap-up in place of the one before. Raises Invalid and as get_wrap()."""
    wrap = get_wrap(viewer, visit_id, now=now)
    own = {note.id: note for note in wrap.notes}
    errors = _wrong(fields, own)
    if errors:
        raise Invalid(errors)
    row = wrap.mine or VisitWrap(visit_id=visit_id, person_id=viewer.id)
    row.works_well, row.promise, row.promised_for = fields.works_well, fields.promise, fields.promised_for
    row.at = now
    db.session.add(row)
    db.session.execute(delete(WrapPick).where(WrapPick.visit_id == visit_id, WrapPick.person_id == viewer.id))
    for rank, worst in enumerate(fields.worst, start=1):
        db.session.add(
            WrapPick(
                visit_id=visit_id,
                person_id=viewer.id,
                rank=rank,
                observation_id=worst.note_id,
                idea=worst.idea,
            )
        )
        _rate(own[worst.note_id], worst)
    db.session.flush()
    return get_wrap(viewer, visit_id, now=now)


def _wrong(fields: WrapFields, own: dict[int, Observation]) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    ids = [worst.note_id for worst in fields.worst]
    if set(ids) - set(own) or len(ids) > WORST:
        errors["worst"] = [_n("Choose up to three of your own notes.")]
    elif len(set(ids)) < len(ids):
        errors["worst"] = [_n("Choose three different notes.")]
    if bool(fields.promise) != bool(fields.promised_for):
        name = "promised_for" if fields.promise else "promise"
        errors[name] = [_n("A promise needs its words and its day.")]
    return errors


def _rate(note: Observation, worst: Worst) -> None:
    """Three answers make the severity, which counts in the backlog; fewer change nothing."""
    if worst.frequency is None or worst.impact is None or worst.persistence is None:
        return
    note.frequency, note.impact, note.persistence = worst.frequency, worst.impact, worst.persistence
    note.severity = severity_of(worst.frequency, worst.impact, worst.persistence)
    db.session.flush()
    if note.insight is not None:
        index.reindex(note.insight.root_id)


def say_thanks(viewer: Person, visit_id: int, worth: str, words: str, *, now: datetime) -> None:
    """Keeps what one side says of the visit; the others read the words. Raises as get_wrap()."""
    wrap = get_wrap(viewer, visit_id, now=now)
    row = wrap.feedback or VisitFeedback(visit_id=visit_id, person_id=viewer.id)
    row.worth, row.words, row.at = worth, words, now
    db.session.add(row)
    db.session.flush()


def get_sheet(viewer: Person, visit_id: int) -> Sheet:
    """The visit on one page, for those who sat in it; without what the agent keeps private."""
    visit = sitting.visit_for_notes(viewer, visit_id)
    every = [note for note in capture.observations_of(visit, newest_first=False) if note.text]
    shown = [note for note in every if note.standing != Standing.PRIVATE]
    people = _people_of(visit)
    wraps = db.session.scalars(
        select(VisitWrap).where(VisitWrap.visit_id == visit.id).order_by(VisitWrap.at)
    ).all()
    picks = [(people[id_], picked) for id_, picked in _picks(visit, shown) if id_ in people]
    picked = {one.note.id for _person, one in picks}
    well = [wrap.works_well for wrap in wraps if wrap.works_well]
    well += [note.text for note in shown if note.kind == Kind.WORKS_WELL]
    asked = [note for note in shown if note.is_question]
    rest = [
        note
        for note in shown
        if note.id not in picked and not note.is_question and note.kind != Kind.WORKS_WELL
    ]
    rest.sort(key=lambda note: -(note.severity or 0))
    return Sheet(
        visit=visit,
        picks=picks,
        works_well=well[:WELL_SHOWN],
        promises=[(people[w.person_id], w) for w in wraps if w.promise and w.person_id in people],
        rest=rest[:REST_SHOWN],
        questions=asked[:ASKED_SHOWN],
        more=len(rest[REST_SHOWN:]) + len(asked[ASKED_SHOWN:]) + len(well[WELL_SHOWN:]),
        kept_private=len(every) - len(shown),
    )
