"""Calendars at an address that people gave with their wish: read by a worker until the pairs are published.

The address is a secret of whoever gave it. Only busy times are kept, and nothing at all once the round is
over. Nothing here opens a connection.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, Text, and_, cast, delete, func, or_, select, update

from gemba.calendars.copies import Copy, Order, is_stale, note, order_for, sentence_of, wait_after
from gemba.calendars.rules import LONGEST_WAIT, coming
from gemba.db import db
from gemba.errors import Invalid
from gemba.fetch import BadAddress, NotPublic, clean_address
from gemba.outbox import service as outbox
from gemba.people.models import Person
from gemba.rounds.models import USUAL_LENGTH, Round, RoundCalendar, RoundSignUp
from gemba.schedule import sides
from gemba.schedule.rules import Seconds

KIND = "round-calendar"
EVERY = timedelta(hours=6)
"""Thousands may sign up, so theirs are read less often than agents'; once more when sign-up ends."""
STALE_AFTER = timedelta(hours=13)


@dataclass(frozen=True)
class Known:
    """What is known of somebody's calendar, for them alone. `coming` counts busy times from now on;
    `error` is an English sentence, "" where the last try was good; `stale`: what is known may be old."""

    url: str
    host: str
    coming: int
    fetched_at: datetime | None
    tried_at: datetime | None
    error: str
    stale: bool


def of(sign: RoundSignUp | None, now: datetime) -> Known | None:
    """The calendar that somebody gave with their wish, None where they gave none."""
    row = _row(sign) if sign is not None else None
    if row is None:
        return None
    return Known(
        url=row.url,
        host=urlsplit(row.url).hostname or "",
        coming=len(coming(row.spans, now)),
        fetched_at=row.fetched_at,
        tried_at=row.tried_at,
        error=sentence_of(row.error),
        stale=is_stale(row, now, STALE_AFTER),
    )


def checked(url: str) -> str:
    """An address as it is kept, "" for none. Raises Invalid at `calendar_url`."""
    if not url:
        return ""
    try:
        return clean_address(url)
    except (BadAddress, NotPublic) as bad:
        raise Invalid({"calendar_url": [bad.sentence]}) from None


def give(sign: RoundSignUp, address: str, *, now: datetime) -> None:
    """Has this calendar read from now on, in place of any before; "" is none.

    The same address again is read once more where the last try brought nothing.
    """
    # The calendar before what hangs on it, as a worker does: neither waits for the other in a circle.
    row = _row(sign, lock=True)
    if row is not None and row.url == address:
        if row.error:
            outbox.hasten(_chain(row), now)
        return
    if row is not None:
        outbox.drop_superseded(_chain(row), {""}, now)
        outbox.forget(_chain(row))
        db.session.delete(row)
        db.session.flush()
    if address:
        made = RoundCalendar(
            round_id=sign.round_id,
            person_id=sign.person_id,
            url=address,
            created_at=now,
            etag="",
            last_modified="",
            spans=[],
        )
        db.session.add(made)
        db.session.flush()
        _queue(made, now, now)


def order_of(number: int, made: str, now: datetime) -> Order | None:
    """What is to be read, None where the calendar is gone or the pairs are published."""
    row = db.session.get(RoundCalendar, number)
    if row is None or row.created_at.isoformat() != made:
        return None
    chosen = db.session.get_one(Round, row.round_id)
    if chosen.published_at is not None or chosen.window[1] <= now:
        return None
    sign = db.session.get_one(RoundSignUp, (row.round_id, row.person_id))
    person = db.session.get_one(Person, row.person_id)
    return order_for(row.id, row, zone=sign.timezone or person.timezone, active=person.active, now=now)


def take(order: Order, copy: Copy | None, now: datetime) -> None:
    """Writes down what came of an order and queues the next reading; None where its person is not here."""
    row = db.session.get(RoundCalendar, order.source_id, with_for_update=True, populate_existing=True)
    if row is None or (row.created_at, row.url) != (order.made, order.url):
        return
    at = now + LONGEST_WAIT
    if copy is not None:
        note(row, copy, now)
        at = now + wait_after(row, now, EVERY)
    closes = db.session.get_one(Round, row.round_id).closes_at
    outbox.forget(_chain(row))
    if not outbox.is_waiting(_chain(row)):
        _queue(row, min(at, closes) if closes > now else at, now)
    db.session.flush()


def busy_of(chosen: Round, people: Collection[int]) -> dict[int, list[Seconds]]:
    """By person, when their calendars at addresses say busy, from the last good copies: one statement."""
    found: dict[int, list[Seconds]] = defaultdict(list)
    query = select(RoundCalendar.person_id, RoundCalendar.spans).where(
        RoundCalendar.round_id == chosen.id, *sides.among(RoundCalendar.person_id, people)
    )
    for person, spans in db.session.execute(query):
        found[person] = [(start * 60, end * 60) for start, end in spans]
    return found


@dataclass(frozen=True)
class Read:
    """How many calendars of a round are read, and of how many what is known may be old or is nothing yet."""

    calendars: int
    stale: int


def read_of(chosen: Round, now: datetime) -> Read:
    """How a round's calendars stand, in one statement."""
    fresh = and_(RoundCalendar.error == "", RoundCalendar.fetched_at > now - STALE_AFTER)
    query = select(func.count(), func.count().filter(fresh)).where(RoundCalendar.round_id == chosen.id)
    calendars, good = db.session.execute(query).one()
    return Read(calendars, calendars - good)


def forget_old(now: datetime) -> None:
    """Nothing is kept of people's calendars once the visits of a round are over."""
    over = select(Round.id).where(_is_over(now))
    db.session.execute(delete(RoundCalendar).where(RoundCalendar.round_id.in_(over)))
    with_busy = and_(RoundSignUp.round_id.in_(over), cast(RoundSignUp.busy, Text) != "[]")
    db.session.execute(update(RoundSignUp).where(with_busy).values(busy=[]))


def _is_over(now: datetime) -> ColumnElement[bool]:
    usual = and_(Round.visits_until.is_(None), Round.closes_at <= now - USUAL_LENGTH)
    return or_(Round.visits_until <= now, usual)


def _row(sign: RoundSignUp, *, lock: bool = False) -> RoundCalendar | None:
    query = select(RoundCalendar).where(
        RoundCalendar.round_id == sign.round_id, RoundCalendar.person_id == sign.person_id
    )
    return db.session.scalar(query.with_for_update() if lock else query)


def _queue(row: RoundCalendar, run_at: datetime, now: datetime) -> None:
    payload: dict[str, Any] = {"source": row.id, "made": row.created_at.isoformat()}
    outbox.queue(
        KIND,
        dedup_key=f"{_chain(row)}:{run_at.isoformat()}",
        group_key=_chain(row),
        recipient="",
        payload=payload,
        now=now,
        run_at=run_at,
    )


def _chain(row: RoundCalendar) -> str:
    """The outbox's group of a calendar. SQLite gives numbers again, so the moment is part of it."""
    return f"{KIND}:{row.id}:{row.created_at.isoformat()}"
