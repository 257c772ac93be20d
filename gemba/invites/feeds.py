"""Secret addresses under which calendars read visits: made, renewed, revoked, found.

Only a secret's hash is kept, so an address can be shown when it is made and never again.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, or_, select, update

from gemba.db import db
from gemba.errors import NotFound
from gemba.invites.models import CalendarFeed
from gemba.people.models import Line, Person, PersonRole
from gemba.people.rules import Role
from gemba.people.service.audit import audit

SEEN_EVERY = timedelta(hours=1)
_BYTES = 32


@dataclass(frozen=True)
class Reader:
    """What a secret opens: a person's own visits, or those of a line they lead; in their language."""

    feed_id: int
    person_id: int
    locale: str
    line_id: int | None
    line_name: str
    seen_at: datetime | None

    def wants_touch(self, now: datetime) -> bool:
        """Whether it was last noted long enough ago that somebody reads here."""
        return self.seen_at is None or now - self.seen_at >= SEEN_EVERY


@dataclass(frozen=True)
class Address:
    """One feed that a person may have; `feed` is None until they make its address."""

    line: Line | None
    feed: CalendarFeed | None


def addresses_of(person: Person) -> list[Address]:
    """The feeds a person may have: their own, and one for each line they lead, by name."""
    made = {
        feed.line_id: feed
        for feed in db.session.scalars(
            select(CalendarFeed)
            .where(CalendarFeed.person_id == person.id, CalendarFeed.revoked_at.is_(None))
            .order_by(CalendarFeed.id)
        )
    }
    return [Address(line, made.get(line.id if line else None)) for line in (None, *_lines_of(person))]


def _lines_of(person: Person) -> Sequence[Line]:
    if not person.has(Role.LEAD):
        return ()
    return db.session.scalars(select(Line).where(Line.lead_id == person.id).order_by(Line.name)).all()


def make_address(person: Person, line_id: int | None, *, now: datetime, address: str = "") -> str:
    """A new secret for a feed of this person, to be shown this once; the one before ends at once.

    Raises NotFound for a line they do not lead.
    """
    if line_id is not None and line_id not in {line.id for line in _lines_of(person)}:
        raise NotFound
    revoke_address(person, line_id, now=now, address=address)
    secret = secrets.token_urlsafe(_BYTES)
    db.session.add(
        CalendarFeed(person_id=person.id, line_id=line_id, secret_hash=secret_hash(secret), created_at=now)
    )
    db.session.flush()
    audit(person, "feed-made", f"person:{person.id}", {"line": line_id}, now, address)
    return secret


def revoke_address(person: Person, line_id: int | None, *, now: datetime, address: str = "") -> bool:
    """Ends a feed, also that of a line they no longer lead. False where there is none."""
    ended = db.session.execute(
        update(CalendarFeed)
        .where(
            CalendarFeed.person_id == person.id,
            CalendarFeed.line_id.is_(None) if line_id is None else CalendarFeed.line_id == line_id,
            CalendarFeed.revoked_at.is_(None),
        )
        .values(revoked_at=now)
        .returning(CalendarFeed.id)
    ).all()
    if ended:
        audit(person, "feed-revoked", f"person:{person.id}", {"line": line_id}, now, address)
    return bool(ended)


def find(secret: str) -> Reader | None:
    """What a secret opens; None where it is unknown or revoked, the person gone or no lead any more."""
    is_lead = exists().where(PersonRole.person_id == Person.id, PersonRole.role == Role.LEAD.value)
    row = db.session.execute(
        select(
            CalendarFeed.id,
            CalendarFeed.person_id,
            Person.locale,
            CalendarFeed.line_id,
            Line.name,
            CalendarFeed.seen_at,
        )
        .join(Person, Person.id == CalendarFeed.person_id)
        .outerjoin(Line, Line.id == CalendarFeed.line_id)
        .where(
            CalendarFeed.secret_hash == secret_hash(secret),
            CalendarFeed.revoked_at.is_(None),
            Person.active,
            or_(CalendarFeed.line_id.is_(None), and_(Line.lead_id == Person.id, is_lead)),
        )
    ).one_or_none()
    return Reader(row[0], row[1], row[2], row[3], row[4] or "", row[5]) if row else None


def touch(feed_id: int, now: datetime) -> None:
    """Notes that a feed is read."""
    db.session.execute(update(CalendarFeed).where(CalendarFeed.id == feed_id).values(seen_at=now))


def secret_hash(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
