"""What those in a visit answer to "is it still there?": a yes is evidence, a "gone" is kept and counted."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import func, or_, select

from gemba.db import db
from gemba.insights.models import Insight, Observation, StillThere
from gemba.insights.rules.kinds import TEXT_MAX, Answered, Kind, Standing
from gemba.insights.service import again, capture
from gemba.insights.service.sight import readable_insight
from gemba.insights.service.sitting import visit_for_notes, why_not
from gemba.people.models import Person
from gemba.visits.models import Visit


@dataclass(frozen=True)
class Answers:
    """In how many visits each answer was given, and when one was last given."""

    yes: int = 0
    gone: int = 0
    not_seen: int = 0
    last: datetime | None = None

    @property
    def visits(self) -> int:
        """In how many visits somebody looked and could tell."""
        return self.yes + self.gone


def answer(
    viewer: Person, visit_id: int, insight_id: int, said: Answered, words: str, *, now: datetime
) -> None:
    """Keeps one person's answer in a visit in place of the one before.

    A yes is a note with these `words` that supports the insight, and opens one that was done; another answer
    takes that note back.
    Raises VisitNotFound, InsightNotFound, and as record() where the visit takes no notes.
    """
    visit = visit_for_notes(viewer, visit_id)
    insight = readable_insight(insight_id, viewer)
    if refusal := why_not(visit, viewer, now):
        raise refusal
    row = db.session.get(StillThere, (visit.id, insight.id, viewer.id), with_for_update=True)
    if row is None:
        row = StillThere(visit_id=visit.id, insight_id=insight.id, person_id=viewer.id)
        db.session.add(row)
    row.answer, row.at = said, now
    db.session.flush()
    _let_the_note_follow(viewer, visit, insight, said, words, now)


def _let_the_note_follow(
    viewer: Person, visit: Visit, insight: Insight, said: Answered, words: str, now: datetime
) -> None:
    client_id = _client_id(visit.id, insight.id, viewer.id)
    note = db.session.scalar(
        select(Observation).where(Observation.visit_id == visit.id, Observation.client_id == client_id)
    )
    if note is None:
        if said is Answered.YES:
            fields = capture.NoteFields(
                words[:TEXT_MAX], kind=Kind(insight.kind), product_id=insight.product_id
            )
            capture.record(visit.id, viewer, client_id, fields, insight_id=insight.id, now=now)
            again.seen_again(insight.id, viewer, now=now)
    elif note.standing == Standing.STRUCK:
        return
    elif said is Answered.YES and note.removed_at is not None:
        capture.restore_note(viewer, note.id, now=now)
        again.seen_again(insight.id, viewer, now=now)
    elif said is not Answered.YES and note.removed_at is None:
        capture.remove_note(viewer, note.id, now=now)


def _client_id(visit_id: int, insight_id: int, person_id: int) -> str:
    """The id of the note that a yes makes: the same however often it is given."""
    return str(uuid5(NAMESPACE_URL, f"gemba:still-there:{visit_id}:{insight_id}:{person_id}"))


def notes_of(insight_ids: Collection[int]) -> list[Observation]:
    """The notes that answers about these insights made: they hold a copy of a title."""
    rows = db.session.scalars(select(StillThere).where(StillThere.insight_id.in_(insight_ids)))
    client_ids = [_client_id(row.visit_id, row.insight_id, row.person_id) for row in rows]
    return list(db.session.scalars(select(Observation).where(Observation.client_id.in_(client_ids))))


def answers_of(visit: Visit, viewer: Person) -> dict[int, str]:
    """What this person answered in a visit, by insight."""
    rows = db.session.execute(
        select(StillThere.insight_id, StillThere.answer).where(
            StillThere.visit_id == visit.id, StillThere.person_id == viewer.id
        )
    )
    return dict(rows.tuples().all())


def answers_to(insight_id: int) -> Answers:
    """What was answered about an insight and all merged into it, counted by visit: one word of each."""
    family = select(Insight.id).where(or_(Insight.id == insight_id, Insight.merged_into_id == insight_id))
    visits = func.count(func.distinct(StillThere.visit_id))
    rows = db.session.execute(
        select(StillThere.answer, visits, func.max(StillThere.at))
        .where(StillThere.insight_id.in_(family))
        .group_by(StillThere.answer)
    ).all()
    counts = {said: count for said, count, _last in rows}
    return Answers(
        counts.get(Answered.YES, 0),
        counts.get(Answered.GONE, 0),
        counts.get(Answered.NOT_SEEN, 0),
        max((last for _said, _count, last in rows), default=None),
    )
