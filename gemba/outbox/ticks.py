"""Periodic work: a row in the outbox per tick, so that no machine leads and none is needed twice.

Every worker tries to insert the row of the newest tick; its dedup key lets one of them win, on any number of
machines, and whoever is free does it. What was missed while nobody worked is not made up for: only the newest
tick counts, and what is to be done is worked out from the state of things.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, or_

from gemba.clock import now as app_now
from gemba.db import db, insert_new, table_of
from gemba.outbox.kinds import Ending, ItemFacts, register
from gemba.outbox.models import OutboxItem
from gemba.outbox.rules import Permanent, State
from gemba.outbox.service import ring

KIND = "tick"
KEPT = timedelta(hours=1)
"""How long rows of old ticks stay, lest a machine that stood still makes one of them again."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Act = Callable[[datetime], None]
Plan = Callable[[datetime], Ending | None]


@dataclass(frozen=True)
class Periodic:
    """Something done each `period`, counted from 1970 in UTC."""

    name: str
    period: timedelta
    act: Act | None
    plan: Plan | None

    def newest(self, now: datetime) -> datetime:
        """The instant of the tick that is the newest at `now`."""
        return EPOCH + (now - EPOCH) // self.period * self.period


_periodic: dict[str, Periodic] = {}


def every(name: str, period: timedelta, act: Act) -> None:
    """Has `act` done each `period`, given the instant, by one worker of all.

    What it writes is committed together with the end of the tick: both or neither. It must be short, as the
    database is its own the while, and must do no harm when done again. ValueError where the name is taken.
    """
    _add(Periodic(name, period, act, None))


def every_planned(name: str, period: timedelta, plan: Plan) -> None:
    """The same for work that takes its time: `plan` runs with no transaction open, as handlers do.

    It returns what is to be written, committed together with the end of the tick, or None.
    """
    _add(Periodic(name, period, None, plan))


def _add(periodic: Periodic) -> None:
    if _periodic.setdefault(periodic.name, periodic) != periodic:
        raise ValueError(f"{periodic.name!r} is done already")
    register(KIND, handle, background=True)


def names() -> list[str]:
    """What is done periodically."""
    return sorted(_periodic)


def make_due(now: datetime, made: Mapping[str, datetime]) -> dict[str, datetime]:
    """Makes the newest tick of everything that is due, unless `made` says that it was made already.

    Older ticks nobody began are dropped and old rows deleted. Returns the instants of the newest ticks, which
    are `made` once this transaction is committed. One statement per new tick decides who wins.
    """
    newest = {name: periodic.newest(now) for name, periodic in sorted(_periodic.items())}
    for name, at in newest.items():
        if made.get(name) != at and _insert(name, at, now):
            _tidy(name, at)
            ring()
    return newest


def _insert(name: str, at: datetime, now: datetime) -> bool:
    """One winner among all who try."""
    row = {
        "kind": KIND,
        "dedup_key": f"{KIND}:{name}:{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "group_key": f"{KIND}:{name}",
        "recipient": "",
        "payload": {"name": name},
        "state": State.READY.value,
        "run_at": now,
        "attempts": 0,
        "last_error": "",
        "created_at": at,
    }
    insert = insert_new(table_of(OutboxItem), "dedup_key").values(row)
    return db.session.execute(insert.returning(OutboxItem.id)).one_or_none() is not None


def _tidy(name: str, at: datetime) -> None:
    """Takes away ticks that were missed or failed, as the new one does their work, and old rows."""
    overtaken = and_(OutboxItem.state.in_((State.READY, State.DEAD)), OutboxItem.created_at < at)
    forgotten = and_(OutboxItem.state != State.LEASED, OutboxItem.created_at < at - KEPT)
    db.session.execute(
        delete(OutboxItem)
        .where(OutboxItem.kind == KIND, OutboxItem.group_key == f"{KIND}:{name}", or_(overtaken, forgotten))
        .execution_options(synchronize_session=False)
    )


def handle(payload: Mapping[str, Any], _item: ItemFacts) -> Ending | None:
    """Does the work of one tick."""
    periodic = _periodic.get(str(payload["name"]))
    if periodic is None:
        raise Permanent("Nothing here knows this periodic work.")
    return periodic.plan(app_now()) if periodic.plan else periodic.act
