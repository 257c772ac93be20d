"""The inbox of what came out of visits and nobody sorted yet: kept, added to another, asked about, put off.

Nothing is merged by itself; likeness is shown with its words, and a pair found not to be the same is
remembered.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, func, select

from gemba.db import db, insert_new, table_of
from gemba.errors import Invalid
from gemba.insights.errors import InsightNotFound
from gemba.insights.models import Insight, InsightApart, Observation
from gemba.insights.rules.kinds import REASON_MAX, Triage, _n
from gemba.insights.service.backlog import COUNTED_UP_TO, Detail, get
from gemba.insights.service.edit import locked, merge, patch, remember
from gemba.insights.service.near import Near, near_of
from gemba.insights.service.sight import COUNTED, PUBLIC, readable_insight
from gemba.outbox import service as outbox
from gemba.people.models import Person
from gemba.people.rules import clean_text

SHOWN = 30


@dataclass(frozen=True)
class Inbox:
    """Part of the inbox, oldest first, with one insight opened; `waiting` is counted up to COUNTED_UP_TO."""

    rows: list[Insight]
    waiting: dict[Triage, int]
    current: Detail | None
    near: Near | None

    @property
    def next_id(self) -> int | None:
        """What comes after the opened one, else before it."""
        ids = [row.id for row in self.rows]
        if self.current is None or self.current.item.insight.id not in ids:
            return None
        place = ids.index(self.current.item.insight.id)
        others = ids[place + 1 :] or ids[:place][-1:]
        return others[0] if others else None


def waiting_in(box: Triage) -> tuple[ColumnElement[bool], ...]:
    """SQL, on Insight: it waits in this part of the inbox."""
    return (
        Insight.untouched.is_(True),
        Insight.triage == box,
        Insight.merged_into_id.is_(None),
        PUBLIC,
    )


def inbox(viewer: Person, box: Triage, at: int | None, *, now: datetime) -> Inbox:
    """The inbox as its page shows it, opened at an insight, else at the first."""
    conditions = waiting_in(box)
    rows = list(db.session.scalars(select(Insight).where(*conditions).order_by(Insight.id).limit(SHOWN)))
    if at is not None and at not in {row.id for row in rows}:
        behind = select(Insight).where(*conditions, Insight.id >= at).order_by(Insight.id).limit(SHOWN)
        rows = list(db.session.scalars(behind)) or rows
    chosen = next((row.id for row in rows if row.id == at), rows[0].id if rows else None)
    current = get(chosen, viewer, now=now) if chosen else None
    near = near_of(current, viewer) if current else None
    return Inbox(rows, {each: count(each) for each in Triage}, current, near)


def count(box: Triage) -> int:
    """How many wait, up to COUNTED_UP_TO."""
    part = select(Insight.id).where(*waiting_in(box)).limit(COUNTED_UP_TO).subquery()
    return db.session.scalar(select(func.count()).select_from(part)) or 0


def take(insight_id: int, viewer: Person, title: str, *, now: datetime) -> Insight:
    """Keeps it as an insight of its own, under a better title where one is given.

    Raises InsightNotFound, Forbidden, Invalid.
    """
    insight = _waiting(insight_id, viewer)
    if title.strip():
        patch(insight_id, viewer, {"title": title}, now=now)
    remember(insight, viewer, "triage", insight.triage, "taken", "", now)
    insight.untouched, insight.triage, insight.triage_reason = False, Triage.INBOX, ""
    insight.updated_at = now
    db.session.flush()
    return insight


def same(insight_id: int, viewer: Person, into_id: int, *, now: datetime) -> Insight:
    """Adds its evidence to another insight, which speaks for both; unmerge() takes it out again."""
    _waiting(insight_id, viewer)
    return merge(insight_id, viewer, into_id, now=now)


def later(insight_id: int, viewer: Person, reason: str, *, now: datetime) -> Insight:
    """Puts it off, with a reason. Raises InsightNotFound, Forbidden, Invalid."""
    return _put(insight_id, viewer, Triage.LATER, reason, now)


def back(insight_id: int, viewer: Person, *, now: datetime) -> Insight:
    """Puts it into the inbox again. Raises InsightNotFound, Forbidden."""
    insight = _waiting(insight_id, viewer)
    remember(insight, viewer, "triage", insight.triage, "", "", now)
    insight.triage, insight.triage_reason = Triage.INBOX, ""
    db.session.flush()
    return insight


def ask(insight_id: int, viewer: Person, question: str, *, now: datetime) -> Insight:
    """Mails a question to those who noted it, and waits for them. Raises as later()."""
    insight = _put(insight_id, viewer, Triage.QUESTION, question, now)
    authors = db.session.execute(
        select(Person, func.max(Observation.visit_id))
        .join(Observation, Observation.author_id == Person.id)
        .where(Observation.insight_id == insight.id, COUNTED, Person.active)
        .group_by(Person.id)
    )
    for author, visit_id in authors:
        outbox.queue_mail(
            **outbox.addressed(author),
            template="insight_question",
            context={
                "first_name": author.first_name,
                "title": insight.title,
                "question": insight.triage_reason,
                "by": viewer.name,
                "notes_path": f"/visits/{visit_id}/notes",
            },
            dedup_key=f"insight-question:{insight.id}:{author.id}:{now.astimezone(UTC):%Y%m%dT%H%M%S}",
            group_key=f"insight:{insight.id}",
            now=now,
        )
    return insight


def set_apart(insight_id: int, viewer: Person, other_id: int, *, now: datetime) -> None:
    """Remembers that two insights are not the same. Raises InsightNotFound, Forbidden."""
    one, other = locked(insight_id, viewer), readable_insight(other_id, viewer)
    if one.id == other.id:
        raise InsightNotFound
    row = {"low_id": min(one.id, other.id), "high_id": max(one.id, other.id), "person_id": viewer.id}
    insert = insert_new(table_of(InsightApart), "low_id", "high_id")
    db.session.execute(insert.values(**row, at=now))


def _put(insight_id: int, viewer: Person, box: Triage, reason: str, now: datetime) -> Insight:
    insight, reason = _waiting(insight_id, viewer), clean_text(reason)
    if not reason:
        raise Invalid({"reason": [_n("Write a few words, so that others know what it waits for.")]})
    if len(reason) > REASON_MAX:
        raise Invalid({"reason": [_n("This reason is too long: use at most 500 characters.")]})
    remember(insight, viewer, "triage", insight.triage, box, reason, now)
    insight.triage, insight.triage_reason = box, reason
    db.session.flush()
    return insight


def _waiting(insight_id: int, viewer: Person) -> Insight:
    """An insight of the inbox, locked. Raises InsightNotFound, Forbidden."""
    insight = locked(insight_id, viewer)
    if not insight.untouched or insight.review_visit_id is not None or insight.merged_into_id is not None:
        raise InsightNotFound
    return insight
