"""Periodic work: one tick for all workers, none made up for, nothing kept for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.outbox import room, ticks
from gemba.outbox import service as outbox
from gemba.outbox.kinds import Ending
from gemba.outbox.models import OutboxItem
from gemba.outbox.rules import State
from gemba.outbox.worker import Worker
from tests.conftest import StandingClock
from tests.outbox.conftest import hello

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _only_ours(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The periodic work of the product itself, known once the app is made, is left out."""
    monkeypatch.setattr(ticks, "_periodic", {})


def rows() -> list[OutboxItem]:
    """The ticks, oldest first."""
    db.session.expire_all()
    return list(db.session.scalars(select(OutboxItem).where(OutboxItem.kind == ticks.KIND)))


def make(clock: Callable[[], datetime], made: dict[str, datetime] | None = None) -> dict[str, datetime]:
    """What a worker does at each heartbeat."""
    newest = ticks.make_due(clock(), made or {})
    db.session.commit()
    return newest


def drain(app: Flask, clock: StandingClock) -> int:
    """Does what is due."""
    db.session.rollback()
    return Worker(app, clock=clock).drain()


def test_a_tick_is_done_once_each_period(app: Flask, clock: StandingClock) -> None:
    done: list[datetime] = []
    ticks.every("count", MINUTE, done.append)
    clock.forward(seconds=20)
    made = make(clock)
    assert make(clock, made) == made
    make(clock)
    assert [row.dedup_key for row in rows()] == ["tick:count:2026-11-23T08:00:00Z"]
    assert (drain(app, clock), drain(app, clock)) == (1, 0)
    assert done == [clock()]
    clock.forward(seconds=39)
    make(clock)
    assert drain(app, clock) == 0
    clock.forward(seconds=1)
    make(clock)
    assert drain(app, clock) == 1
    assert done[-1] == clock()


def test_what_an_act_writes_is_committed_with_the_end_of_its_tick(app: Flask, clock: StandingClock) -> None:
    def act(now: datetime) -> None:
        hello(now)

    ticks.every("mail", MINUTE, act)
    make(clock)
    assert Worker(app, clock=clock).drain() == 2, "the tick, and the mail it queued, whose words are missing"
    assert {item.kind: item.state for item in db.session.scalars(select(OutboxItem))} == {
        "tick": State.DONE,
        "mail": State.DEAD,
    }


def test_a_plan_runs_with_no_transaction_open_and_says_what_to_write(
    app: Flask, clock: StandingClock
) -> None:
    written: list[datetime] = []

    def plan(now: datetime) -> Ending | None:
        return written.append if now.minute == 0 else None

    ticks.every_planned("look", MINUTE, plan)
    make(clock)
    assert drain(app, clock) == 1
    assert written == [clock()]
    clock.forward(minutes=1)
    make(clock)
    assert drain(app, clock) == 1
    assert len(written) == 1


def test_one_of_many_workers_makes_the_tick(app: Flask, clock: StandingClock) -> None:
    ticks.every("count", MINUTE, lambda _now: None)
    won: list[bool] = []
    ready = threading.Barrier(6)

    def race() -> None:
        ready.wait()
        with app.app_context():
            before = ticks._insert("count", clock(), clock())
            db.session.commit()
            won.append(before)

    threads = [threading.Thread(target=race) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(won) == [False] * 5 + [True]
    assert len(rows()) == 1


def test_after_downtime_only_the_newest_tick_is_done(app: Flask, clock: StandingClock) -> None:
    done: list[datetime] = []
    ticks.every("count", MINUTE, done.append)
    for _ in range(3):
        make(clock)  # nobody works
        clock.forward(minutes=1)
    clock.forward(hours=5)
    make(clock)
    assert len(rows()) == 1
    assert drain(app, clock) == 1
    assert done == [clock()]


def test_a_tick_that_failed_makes_room_for_the_next(app: Flask, clock: StandingClock) -> None:
    def act(now: datetime) -> Ending | None:
        raise RuntimeError("away") if now.minute == 0 else ValueError("bad")

    ticks.every_planned("fragile", MINUTE, act)
    for state in (State.READY, State.DEAD, State.DEAD):
        make(clock)
        drain(app, clock)
        assert [row.state for row in rows()] == [state]
        clock.forward(minutes=1)


def test_a_tick_that_still_runs_is_not_joined_by_the_next(app: Flask, clock: StandingClock) -> None:
    inside, go_on = threading.Event(), threading.Event()
    started: list[datetime] = []

    def slow(now: datetime) -> Ending | None:
        started.append(now)
        inside.set()
        assert go_on.wait(30)
        return None

    ticks.every_planned("slow", MINUTE, slow)
    make(clock)
    db.session.remove()
    first = threading.Thread(target=Worker(app, clock=clock, lease=timedelta(minutes=5)).drain)
    first.start()
    assert inside.wait(30)
    later = StandingClock(clock() + MINUTE)
    make(later)
    db.session.remove()
    assert Worker(app, clock=later).drain() == 0
    assert len(started) == 1
    go_on.set()
    first.join(30)
    assert Worker(app, clock=later).drain() == 1
    assert len(started) == 2


def test_old_ticks_are_deleted_and_others_left_alone(app: Flask, clock: StandingClock) -> None:
    ticks.every("count", MINUTE, lambda _now: None)
    ticks.every("rare", timedelta(days=7), lambda _now: None)
    for _ in range(80):
        make(clock)
        drain(app, clock)
        clock.forward(minutes=1)
    assert len([row for row in rows() if row.payload["name"] == "count"]) == 61
    assert len([row for row in rows() if row.payload["name"] == "rare"]) == 1


def test_ticks_are_no_messages(app: Flask, clock: StandingClock) -> None:
    ticks.every("count", MINUTE, lambda _now: None)
    make(clock)
    clock.forward(hours=1)
    assert room.find().items == []
    assert outbox.waiting(clock()).waiting == 0
    assert not outbox.waiting(clock()).overdue


def test_a_name_is_taken_once() -> None:
    def act(_now: datetime) -> None: ...

    ticks.every("count", MINUTE, act)
    ticks.every("count", MINUTE, act)
    with pytest.raises(ValueError, match="count"):
        ticks.every("count", timedelta(hours=1), act)
    assert ticks.names() == ["count"]


def test_a_running_worker_makes_ticks(app: Flask, clock: StandingClock) -> None:
    done = threading.Event()
    ticks.every("count", MINUTE, lambda _now: done.set())
    worker = Worker(app, clock=clock, threads=1, poll=0.05)
    runner = threading.Thread(target=worker.run)
    runner.start()
    assert done.wait(30)
    worker.stop()
    runner.join(30)
    assert [row.state for row in rows()] == [State.DONE]
