"""Visits as calendar feeds show them: one kept VEVENT per visit and language, joined.

A kept text is good while its stamp is the visit's own: the recipe (settings and wording), when the visit last
changed and where it stands. The names in it stand in no stamp: whoever renames somebody forgets the texts in
the same transaction. Nothing here commits: a text is made in one transaction and kept in another, and only if
what it was made from is still so.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    String,
    and_,
    cast,
    delete,
    event,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import get_history

from gemba.config import current_settings
from gemba.db import db, table_of
from gemba.invites.feeds import Reader
from gemba.invites.mail import facts_of
from gemba.invites.models import FeedEvent
from gemba.invites.rules import Method, feed_event
from gemba.invites.service import Snapshot, Who
from gemba.outbox.ticks import every
from gemba.people.models import Person, Product
from gemba.programmes.models import Programme
from gemba.visits import notices
from gemba.visits.models import Visit, VisitVisitor
from gemba.visits.rules import Status
from gemba.visits.service.reading import with_people

PAST = timedelta(days=90)
CANCELLED_STAYS = timedelta(days=30)
KEPT = timedelta(days=120)
CHUNK = 100
"""Texts made and kept at once: a writer waits for the keeping of so many at most, some milliseconds."""

SHOWN = {
    Status.REQUESTED: "TENTATIVE",
    Status.OFFERED: "TENTATIVE",
    Status.BOOKED: "CONFIRMED",
    Status.HELD: "CONFIRMED",
    Status.NOT_HELD: "CONFIRMED",
    Status.CANCELLED: "CANCELLED",
}
"""The STATUS of what a feed shows; requests and offers that came to nothing just go."""

_APART = "\x1f"
_AGENT, _LEAD, _MENTOR, _VISITOR = (
    table_of(Person).alias(name) for name in ("agent", "lead", "mentor", "visitor")
)
_NAMES_LOCK = 0x66656564  # "feed"


_SAMPLE = Snapshot(
    visit_id=1,
    uid="sample",
    sequence=0,
    start="2026-11-23T09:00:00Z",
    end="2026-11-23T10:00:00Z",
    changed_at="2026-11-23T08:00:00Z",
    meeting_url="https://meet.example/room",
    programme="Programme",
    programme_ru="Программа",
    product="Product",
    people=tuple(
        Who(number, "somebody@gemba.example", f"Name {number}", "en", "UTC", part)
        for number, part in enumerate(("visitor", "visitor", "agent", "mentor", "lead"))
    ),
    note="A wish",
)


Found = list[tuple[int, str | None]]
"""The visits of a feed by id, each with its text, or None where it has to be made."""


def texts(reader: Reader, *, now: datetime) -> list[str] | None:
    """The texts of a feed by visit, in one statement; None where some have to be made."""
    found = (
        db.session.connection().execute(_query(reader, now).with_only_columns(FeedEvent.text)).scalars().all()
    )
    return None if None in found else list(found)


def read(reader: Reader, *, now: datetime) -> Found:
    """The same with what is missing, which takes half as long again."""
    return list(db.session.connection().execute(_query(reader, now)).tuples())


def _query(reader: Reader, now: datetime) -> Select[int, str | None]:
    current = and_(
        FeedEvent.visit_id == Visit.id,
        FeedEvent.locale == reader.locale,
        FeedEvent.stamp == _stamp(reader.locale),
    )
    return (
        select(Visit.id, FeedEvent.text)
        .select_from(Visit)
        .outerjoin(FeedEvent, current)
        .where(_is_of(reader), *_is_shown(now))
        .order_by(Visit.id)
    )


def _is_of(reader: Reader) -> ColumnElement[bool]:
    if reader.line_id is not None:
        return Visit.agent_id.in_(select(Person.id).where(Person.line_id == reader.line_id))
    me = reader.person_id
    seat = exists().where(VisitVisitor.visit_id == Visit.id, VisitVisitor.person_id == me)
    return or_(Visit.agent_id == me, Visit.lead_id == me, Visit.mentor_id == me, seat)


def _is_shown(now: datetime) -> list[ColumnElement[bool]]:
    return [
        Visit.status.in_(SHOWN),
        Visit.ends_at >= now - PAST,
        or_(Visit.status != Status.CANCELLED, Visit.changed_at >= now - CANCELLED_STAYS),
    ]


def _stamp(locale: str) -> ColumnElement[str]:
    """SQL: what a kept text must be stamped with to be good."""
    settings = current_settings()
    prefix = _recipe(locale, settings.mail_from, settings.base_url)
    return literal(prefix).concat(cast(Visit.changed_at, String)).concat(Visit.status)


@cache
def _recipe(locale: str, organizer: str, base_url: str) -> str:
    """A short name for all that texts are made from beside their visits: when the words or settings change,
    so does what a sample looks like."""
    facts = facts_of(_SAMPLE, Method.REQUEST, locale=locale, organizer=organizer, base_url=base_url)
    return hashlib.sha256(feed_event(facts, "CONFIRMED").encode()).hexdigest()[:16] + _APART


@dataclass(frozen=True)
class Made:
    """A text, what its visit was like when it was made, and the visit."""

    visit_id: int
    text: str
    known: str


def make(visit_ids: Sequence[int], locale: str) -> list[Made]:
    """The texts of these visits, in their order; those that are gone are left out."""
    known = _known(visit_ids, locale)
    visits = {
        visit.id: visit
        for visit in db.session.scalars(with_people(select(Visit)).where(Visit.id.in_(visit_ids)))
    }
    return [
        Made(one, _text(notices.told(visits[one], {}), visits[one].status, locale), known[one]["known"])
        for one in visit_ids
        if one in visits and one in known and visits[one].status in SHOWN
    ]


def _text(snapshot: Snapshot, status: str, locale: str) -> str:
    settings = current_settings()
    facts = facts_of(
        snapshot,
        Method.REQUEST,
        locale=locale,
        organizer=settings.mail_from,
        base_url=settings.base_url,
    )
    return feed_event(facts, SHOWN[Status(status)])


def keep(made: Collection[Made], locale: str) -> None:
    """Keeps texts whose visits and names are as they were when these were made.

    On PostgreSQL, whoever renames somebody at this moment holds a lock and nothing is kept. SQLite has one
    writer at a time.
    """
    postgres = db.engine.dialect.name == "postgresql"
    if postgres and not db.session.scalar(select(func.pg_try_advisory_xact_lock_shared(_NAMES_LOCK))):
        return
    now_known = _known([one.visit_id for one in made], locale)
    rows = [
        {"visit_id": one.visit_id, "locale": locale, "text": one.text, "stamp": found["stamp"]}
        for one in sorted(made, key=lambda one: one.visit_id)
        if (found := now_known.get(one.visit_id)) is not None and found["known"] == one.known
    ]
    if rows:
        insert: Any = (postgresql.insert if postgres else sqlite.insert)(FeedEvent)
        new = {"text": insert.excluded.text, "stamp": insert.excluded.stamp}
        db.session.execute(
            insert.on_conflict_do_update(index_elements=["visit_id", "locale"], set_=new), rows
        )


def _known(visit_ids: Sequence[int], locale: str) -> dict[int, RowMapping]:
    """All that the texts of these visits are made from, as one string each, and the stamps that are due."""
    visitors = (
        select(func.aggregate_strings(_VISITOR.c.name, _APART))
        .select_from(VisitVisitor)
        .join(_VISITOR, _VISITOR.c.id == VisitVisitor.person_id)
        .where(VisitVisitor.visit_id == Visit.id)
        .scalar_subquery()
    )
    parts = (
        Visit.changed_at,
        Visit.sequence,
        Visit.status,
        _AGENT.c.name,
        _LEAD.c.name,
        _MENTOR.c.name,
        visitors,
        Programme.name,
        Programme.name_ru,
        Product.name,
    )
    known: ColumnElement[str] = literal("")
    for part in parts:
        known = known.concat(func.coalesce(cast(part, String), "")).concat(_APART)
    query = (
        select(Visit.id, known.label("known"), _stamp(locale).label("stamp"))
        .join(_AGENT, _AGENT.c.id == Visit.agent_id)
        .join(Programme, Programme.id == Visit.programme_id)
        .outerjoin(_LEAD, _LEAD.c.id == Visit.lead_id)
        .outerjoin(_MENTOR, _MENTOR.c.id == Visit.mentor_id)
        .outerjoin(Product, Product.id == Visit.product_id)
        .where(Visit.id.in_(visit_ids))
    )
    return {row["id"]: row for row in db.session.execute(query).mappings()}


def _forget_names(session: Session, _context: object) -> None:
    """Somebody or something has another name: what tells of the old one goes, in the same transaction."""
    renamed = [each for each in session.dirty if _has_new_name(each)]
    if not renamed:
        return
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_NAMES_LOCK)))
    about = select(Visit.id).where(or_(*(_tells_of(each) for each in renamed)))
    session.execute(
        delete(FeedEvent).where(FeedEvent.visit_id.in_(about)).execution_options(synchronize_session=False)
    )


def _has_new_name(each: object) -> bool:
    if not isinstance(each, Person | Programme | Product):
        return False
    names = ("name", "name_ru") if isinstance(each, Programme) else ("name",)
    return any(get_history(each, name).has_changes() for name in names)


def _tells_of(each: Person | Programme | Product) -> ColumnElement[bool]:
    if isinstance(each, Programme):
        return Visit.programme_id == each.id
    if isinstance(each, Product):
        return Visit.product_id == each.id
    seat = exists().where(VisitVisitor.visit_id == Visit.id, VisitVisitor.person_id == each.id)
    return or_(Visit.agent_id == each.id, Visit.lead_id == each.id, Visit.mentor_id == each.id, seat)


def tidy(now: datetime) -> None:
    """Takes away texts of visits that no feed shows any more."""
    old = select(Visit.id).where(Visit.ends_at < now - KEPT)
    db.session.execute(
        delete(FeedEvent).where(FeedEvent.visit_id.in_(old)).execution_options(synchronize_session=False)
    )


def chunks(visit_ids: Sequence[int]) -> Iterable[Sequence[int]]:
    """So many visits at a time that keeping their texts is short."""
    return (visit_ids[start : start + CHUNK] for start in range(0, len(visit_ids), CHUNK))


def init_app() -> None:
    """Watches renames, and tidies up daily."""
    if not event.contains(Session, "after_flush", _forget_names):
        event.listen(Session, "after_flush", _forget_names)
    every("feed-texts", timedelta(days=1), tidy)
