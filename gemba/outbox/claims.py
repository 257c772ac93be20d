"""Leases: how workers on any number of machines share the outbox without losing or doubling a thing.

A claim counts the try and commits before anything is sent; what a lease's holder reports counts only
while the lease is still its own (fencing). `now` is the database's time, see gemba.outbox.worker.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, delete, func, or_, select, update

from gemba.db import db, table_of
from gemba.outbox.kinds import ItemFacts
from gemba.outbox.models import OutboxItem, OutboxWorker
from gemba.outbox.rules import (
    QUICK,
    TRIES,
    WAITING,
    Failed,
    Permanent,
    State,
    Temporary,
    backoff,
    sentence_of,
    without_secrets,
)

STOPPED_EACH_TIME = "The worker was stopped in the middle of every try."
FORGET_WORKERS_AFTER = timedelta(days=7)
_ITEM, _OLDER = table_of(OutboxItem).alias("item").c, table_of(OutboxItem).alias("older").c


@dataclass(frozen=True)
class Lease:
    """The right to send one item until the lease ends."""

    token: str
    payload: Mapping[str, Any]
    facts: ItemFacts


def database_now() -> datetime | None:
    """PostgreSQL's own clock, the same for all machines; None on SQLite, where all are one machine."""
    if db.engine.dialect.name != "postgresql":
        return None
    moment: datetime | None = db.session.scalar(select(func.clock_timestamp()))
    return moment


def something_due(now: datetime, but: Sequence[str] = ()) -> bool:
    """Whether a claim could find anything; a plain read, for polling."""
    due = or_(
        and_(OutboxItem.state == State.READY, OutboxItem.run_at <= now),
        and_(OutboxItem.state == State.LEASED, OutboxItem.lease_until <= now),
    )
    query = select(OutboxItem.id).where(due, OutboxItem.kind.not_in(but))
    return db.session.scalar(query.limit(1)) is not None


def claim(now: datetime, lease: timedelta, but: Sequence[str] = ()) -> Lease | None:
    """Leases the item that is due first, None where nothing may leave. Commit before sending.

    Items of the kinds in `but` are left to others.
    """
    _reopen_expired(now)
    token = secrets.token_urlsafe(16)
    row = db.session.execute(
        update(OutboxItem)
        .where(OutboxItem.id == _next(now, but).scalar_subquery(), OutboxItem.state == State.READY)
        .values(
            state=State.LEASED.value,
            lease_token=token,
            lease_until=now + lease,
            attempts=OutboxItem.attempts + 1,
        )
        .returning(
            OutboxItem.id,
            OutboxItem.kind,
            OutboxItem.dedup_key,
            OutboxItem.group_key,
            OutboxItem.recipient,
            OutboxItem.attempts,
            OutboxItem.created_at,
            OutboxItem.payload,
        )
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if row is None:
        return None
    return Lease(token, row.payload, ItemFacts(*row[:7]))


def _next(now: datetime, but: Sequence[str]) -> Select[int]:
    waits_its_turn = (
        select(_OLDER.id)
        .where(
            _OLDER.group_key == _ITEM.group_key,
            _OLDER.recipient == _ITEM.recipient,
            _OLDER.id < _ITEM.id,
            _OLDER.state.in_(sorted(WAITING)),
        )
        .exists()
    )
    return (
        select(_ITEM.id)
        .where(
            _ITEM.state == State.READY,
            _ITEM.run_at <= now,
            _ITEM.kind.not_in(but),
            or_(_ITEM.group_key == "", ~waits_its_turn),
        )
        .order_by(_ITEM.run_at, _ITEM.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def _reopen_expired(now: datetime) -> None:
    """Gives back what a killed worker held; what was held at every try is dead, lest it kill for ever."""
    rows = db.session.scalars(
        select(OutboxItem)
        .where(OutboxItem.state == State.LEASED, OutboxItem.lease_until <= now)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for item in rows:
        item.lease_token = item.lease_until = None
        item.state = State.READY.value
        if item.attempts >= TRIES:
            item.state, item.done_at = State.DEAD.value, now
            item.last_error = STOPPED_EACH_TIME
            item.payload = without_secrets(item.payload)
    db.session.flush()


def finish(held: Lease, now: datetime) -> bool:
    """Says that the item has left. False where the lease was no longer the caller's: nothing changed."""
    return _report(held, state=State.DONE, done_at=now, last_error="", payload=without_secrets(held.payload))


def fail(held: Lease, failure: Failed, now: datetime) -> bool:
    """Says that the try failed: another one later, or none. False as in `finish`."""
    reason = sentence_of(str(failure))
    if isinstance(failure, Permanent) or held.facts.attempt >= TRIES:
        return _report(
            held, state=State.DEAD, done_at=now, last_error=reason, payload=without_secrets(held.payload)
        )
    first = failure.wait if isinstance(failure, Temporary) else QUICK
    wait = backoff(held.facts.id, held.facts.attempt, first)
    return _report(held, state=State.READY, run_at=now + wait, last_error=reason)


def release(held: Lease) -> bool:
    """Gives back a lease that was not used; the try does not count. False as in `finish`."""
    return _report(held, state=State.READY, attempts=OutboxItem.attempts - 1)


def _report(held: Lease, *, state: State, **values: Any) -> bool:
    changed = db.session.execute(
        update(OutboxItem)
        .where(
            OutboxItem.id == held.facts.id,
            OutboxItem.state == State.LEASED,
            OutboxItem.lease_token == held.token,
        )
        .values(state=state.value, lease_token=None, lease_until=None, **values)
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def heartbeat(name: str, now: datetime) -> None:
    """Notes that this worker lives, and forgets those long gone."""
    row = db.session.get(OutboxWorker, name)
    if row is None:
        db.session.add(OutboxWorker(name=name, started_at=now, seen_at=now))
        db.session.execute(delete(OutboxWorker).where(OutboxWorker.seen_at < now - FORGET_WORKERS_AFTER))
    else:
        row.seen_at = now
    db.session.flush()
