"""The agent's look at the notes of a visit before others read them: true, not quite, private, or struck out.

Only the visit's agent reviews. What is private stays with those who sat in the visit; what is struck out is
erased. Afterwards, and once published, the agent may still strike out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from gemba.db import db
from gemba.errors import Invalid
from gemba.insights.models import Observation, VisitReview
from gemba.insights.rules.kinds import TEXT_MAX, Standing, Verdict, _n
from gemba.insights.rules.sentences import sentences, without
from gemba.insights.service import capture, sitting
from gemba.insights.service.standing import publish, review_row
from gemba.insights.service.striking import Words, rewrite
from gemba.people.models import Person
from gemba.people.rules import MailKind, clean_text
from gemba.people.service import mail_choices
from gemba.visits.errors import VisitNotFound
from gemba.visits.models import Visit

AGAIN = timedelta(hours=20)
"""Agents are asked at most once in so long about a visit, whatever is noted later."""
ASK_MOST = 200


@dataclass(frozen=True)
class Part:
    """Something that can be struck out of a note: one sentence, numbered over the whole note from 0."""

    number: int
    words: str
    where: str


@dataclass(frozen=True)
class Reviewed:
    """A note as its agent sees it. `seen` changes with its words."""

    note: Observation
    parts: list[Part]
    seen: str


@dataclass(frozen=True)
class Review:
    """The notes of a visit to be looked at, oldest first, and until when; None where all are published."""

    visit: Visit
    notes: list[Reviewed]
    until: datetime | None
    done_at: datetime | None


@dataclass(frozen=True)
class Said:
    """What the agent says of one note: `strike` are numbers of parts, `all_of_it` strikes the whole note."""

    seen: str
    verdict: Verdict | None = None
    words: str | None = None
    strike: frozenset[int] = field(default_factory=frozenset)
    all_of_it: bool = False


def get_review(viewer: Person, visit_id: int) -> Review:
    """The review of a visit, for its agent. Raises VisitNotFound."""
    visit = sitting.visit_for_notes(viewer, visit_id)
    if visit.agent_id != viewer.id:
        raise VisitNotFound
    notes = _notes_of(visit)
    waiting = [note.review_until for note in notes if note.review_until is not None]
    row = db.session.get(VisitReview, visit.id)
    shown = [Reviewed(note, parts_of(note), seen_of(note)) for note in notes]
    return Review(visit, shown, min(waiting, default=None), row.done_at if row else None)


def _notes_of(visit: Visit) -> list[Observation]:
    """What can be reviewed: questions for the end go to no backlog."""
    query = (
        select(Observation)
        .where(
            Observation.visit_id == visit.id,
            Observation.removed_at.is_(None),
            Observation.dropped_at.is_(None),
            Observation.is_question.is_(False),
        )
        .options(joinedload(Observation.author), joinedload(Observation.insight))
        .order_by(Observation.at, Observation.id)
    )
    return list(db.session.scalars(query))


def parts_of(note: Observation) -> list[Part]:
    """The sentences of a note's text, its quote and its workaround."""
    texts = (("text", note.text), ("verbatim", note.verbatim), ("workaround", note.workaround))
    found = [(where, words) for where, text in texts for words in sentences(text)]
    return [Part(number, words, where) for number, (where, words) in enumerate(found)]


def seen_of(note: Observation) -> str:
    """What tells whether a note's words changed since they were shown."""
    return (note.edited_at or note.created_at).isoformat()


def save_review(
    viewer: Person, visit_id: int, said: Mapping[int, Said], *, finish: bool, now: datetime
) -> int:
    """Keeps what the agent says by note; with `finish` publishes all that is neither private nor struck out.

    Says how many notes or sentences were struck out. Raises VisitNotFound; Invalid with the field
    `note-<id>` where a note changed meanwhile, or is not quite true and nobody says what would be.
    """
    review = get_review(viewer, visit_id)
    errors: dict[str, list[str]] = {}
    struck = 0
    for one in review.notes:
        word = said.get(one.note.id)
        if word is None:
            continue
        if problem := _problem(one, word):
            errors[f"note-{one.note.id}"] = [problem]
        else:
            struck += _take(one, word, now)
    if errors:
        raise Invalid(errors)
    if finish:
        publish([one.note for one in review.notes], now)
        review_row(review.visit.id).done_at = now
    db.session.flush()
    return struck


def _problem(one: Reviewed, said: Said) -> str:
    if said.seen != one.seen:
        return _n("This note was changed while you read it. Please look at it once more.")
    if said.words is not None and len(said.words) > TEXT_MAX:
        return _n("Use at most 2000 characters.")
    silent = said.words is None or clean_text(said.words) in ("", one.note.text)
    gentle = said.strike or said.all_of_it
    if said.verdict is Verdict.NOT_QUITE and silent and not gentle and one.note.verdict != Verdict.NOT_QUITE:
        return _n("Say in your words how it is, or strike out what is not so.")
    return ""


def _take(one: Reviewed, said: Said, now: datetime) -> int:
    """One note's answer; says how much was struck out."""
    note, words = one.note, _words_after(one, said)
    struck = len(said.strike) or int(said.all_of_it)
    if words != Words.of(note):
        rewrite(note, words, now=now)
    if note.standing == Standing.STRUCK:
        return struck
    if said.verdict is not None and said.verdict != note.verdict:
        note.verdict, note.reviewed_at = said.verdict, now
    if said.verdict is Verdict.PRIVATE and note.standing != Standing.PRIVATE:
        _keep_private(note)
    elif said.verdict in (Verdict.TRUE, Verdict.NOT_QUITE) and note.standing == Standing.PRIVATE:
        _give_back(note, now)
    return struck


def _words_after(one: Reviewed, said: Said) -> Words:
    if said.all_of_it:
        return Words("", "", "")
    note = one.note
    numbers = {
        where: {
            number
            for number, part in enumerate(p for p in one.parts if p.where == where)
            if part.number in said.strike
        }
        for where in ("text", "verbatim", "workaround")
    }
    text = without(note.text, numbers["text"])
    if said.words is not None and clean_text(said.words) not in ("", note.text):
        text = clean_text(said.words)
    return Words(
        text, without(note.verbatim, numbers["verbatim"]), without(note.workaround, numbers["workaround"])
    )


def _keep_private(note: Observation) -> None:
    """The note leaves the backlog: what it supported counts it no more."""
    note.standing, note.review_until = Standing.PRIVATE, None
    capture.leave(note)


def _give_back(note: Observation, now: datetime) -> None:
    """The agent changed their mind: the note may be published after all."""
    note.standing = Standing.FRESH
    capture.support_anew(note, now)


def ask(now: datetime) -> list[tuple[Visit, int, datetime]]:
    """Visits that ended and whose agents are to be asked now: how many notes wait, and until when.

    Notes that are asked for. A visit is asked about again only where something was noted since.
    """
    waiting = (
        select(
            Observation.visit_id,
            func.count(Observation.id).label("notes"),
            func.min(Observation.review_until).label("until"),
        )
        .join(Visit, Visit.id == Observation.visit_id)
        .outerjoin(VisitReview, VisitReview.visit_id == Visit.id)
        .where(
            Observation.review_until > now,
            Observation.removed_at.is_(None),
            Observation.is_question.is_(False),
            Observation.verdict == "",
            Visit.ends_at <= now,
            or_(
                VisitReview.asked_at.is_(None),
                (VisitReview.asked_at < now - AGAIN) & (Observation.created_at > VisitReview.asked_at),
            ),
        )
        .group_by(Observation.visit_id)
        .order_by(Observation.visit_id)
        .limit(ASK_MOST)
    )
    rows = db.session.execute(waiting).all()
    visits = _visits([row.visit_id for row in rows])
    for row in rows:
        review_row(row.visit_id).asked_at = now
    wanted = mail_choices.wants([visit.agent_id for visit in visits.values()], MailKind.REVIEW)
    asked = []
    for row in rows:
        visit, until = visits[row.visit_id], row.until
        if visit.agent.active and visit.agent_id in wanted and until is not None:
            asked.append((visit, row.notes, until))
    return asked


def _visits(ids: Sequence[int]) -> dict[int, Visit]:
    if not ids:
        return {}
    query = (
        select(Visit)
        .where(Visit.id.in_(ids))
        .options(joinedload(Visit.agent), joinedload(Visit.programme), selectinload(Visit.visitors))
    )
    return {visit.id: visit for visit in db.session.scalars(query)}


def to_review(person: Person, now: datetime) -> list[tuple[Visit, datetime]]:
    """Visits whose notes wait for this agent's look, with the last moment for it, soonest first."""
    until = func.min(Observation.review_until)
    rows = db.session.execute(
        select(Visit, until)
        .join(Observation, Observation.visit_id == Visit.id)
        .where(
            Visit.agent_id == person.id,
            Visit.ends_at <= now,
            Observation.review_until > now,
            Observation.removed_at.is_(None),
            Observation.is_question.is_(False),
            Observation.verdict == "",
        )
        .options(selectinload(Visit.visitors))
        .group_by(Visit.id)
        .order_by(until, Visit.id)
        .limit(10)
    )
    return [(visit, moment) for visit, moment in rows if moment is not None]
