"""Real workers, killed again and again: nothing is lost, and what comes twice is the same."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.clock import system_clock
from gemba.db import db
from gemba.outbox.models import OutboxItem, OutboxWorker
from gemba.outbox.rules import State
from tests.conftest import StandingClock, running, settings_for
from tests.fakes.smtp import Server, smtp_server
from tests.outbox.conftest import hello
from tests.outbox.gemba import environment, start

KILLS = 7
MAILS_PER_KILL = 43


@pytest.fixture
def slow() -> Iterator[Server]:
    """A mail server that takes a message at once, and is slow to say so."""
    with smtp_server(delay=0.08) as server:
        yield server


@pytest.fixture
def queueing(database_url: str, tmp_path: Path, clock: StandingClock) -> Iterator[Flask]:
    """The app that queues, on both databases."""
    with running(settings_for(database_url, tmp_path), clock) as app:
        yield app


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    """Returns once `condition()` is true; AssertionError after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "that took too long"
        time.sleep(0.02)


def states() -> Counter[str]:
    """How many items stand where."""
    db.session.rollback()
    found = Counter(db.session.scalars(select(OutboxItem.state).where(OutboxItem.kind == "mail")))
    db.session.rollback()
    return found


def is_running(worker: ForkServerProcess) -> bool:
    """Whether the worker has said that it lives."""
    db.session.rollback()
    names = db.session.scalars(select(OutboxWorker.name)).all()
    db.session.rollback()
    return any(name.split(":")[-2] == str(worker.pid) for name in names)


def kill(worker: ForkServerProcess) -> None:
    """kill -9."""
    worker.kill()
    worker.join(10)


def queue_mails(numbers: range) -> None:
    """Queues mails of a hundred visits to forty people."""
    for number in numbers:
        hello(
            system_clock(), number, to=f"person{number % 40}@gemba.example", group_key=f"visit:{number % 100}"
        )
    db.session.commit()


@pytest.mark.load
def test_killed_workers_lose_nothing(
    queueing: Flask, database_url: str, tmp_path: Path, slow: Server
) -> None:
    hello(system_clock(), -1)
    db.session.rollback()
    environ = environment(database_url, tmp_path, slow.url)
    workers = [start(environ, "worker", "--lease", "4") for _ in range(2)]
    try:
        for round_ in range(KILLS):
            wait_until(lambda: is_running(workers[0]), 60)
            queue_mails(range(round_ * MAILS_PER_KILL, (round_ + 1) * MAILS_PER_KILL))
            before = len(slow.received)
            wait_until(lambda: len(slow.received) >= before + 10, 60)  # noqa: B023
            kill(workers.pop(0))
            workers.append(start(environ, "worker", "--lease", "4"))
        wait_until(lambda: states() == {State.DONE: KILLS * MAILS_PER_KILL}, 90)
    finally:
        for worker in workers:
            kill(worker)
    by_message = slow.by_message()
    assert len(by_message) == KILLS * MAILS_PER_KILL
    assert all(len({one.raw for one in same}) == 1 for same in by_message.values())


def test_a_stopped_worker_finishes_what_it_sends_and_gives_back_the_rest(
    queueing: Flask, database_url: str, tmp_path: Path
) -> None:
    for number in range(6):
        hello(system_clock(), number)
    db.session.commit()
    with smtp_server(delay=1.5) as server:
        worker = start(environment(database_url, tmp_path, server.url), "worker", "--threads", "2")
        server.wait_for(2, seconds=30)
        worker.terminate()
        worker.join(10)
        assert worker.exitcode == 0
        assert states() == {State.DONE: 2, State.READY: 4}
        left = db.session.scalars(select(OutboxItem).where(OutboxItem.state == State.READY)).all()
        assert {(item.attempts, item.lease_token) for item in left} == {(0, None)}
        assert len(server.received) == len(server.by_message()) == 2
