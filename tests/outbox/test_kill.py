"""Real workers, killed again and again: nothing is lost, and what comes twice is the same."""

from __future__ import annotations

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.clock import system_clock
from gemba.db import db
from gemba.outbox.models import OutboxItem
from gemba.outbox.rules import State
from tests.conftest import StandingClock, running, settings_for
from tests.fakes.smtp import Server, smtp_server
from tests.outbox.conftest import hello
from tests.outbox.gemba import environment, start

MAILS = 300
KILL_AT = (20, 60, 100, 140, 180, 220, 260)
"""After so many messages the older of two workers is killed."""


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


def wait_until(condition: object, seconds: float) -> None:
    """Returns once `condition()` is true; AssertionError after `seconds`."""
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "that took too long"
        time.sleep(0.02)


def states() -> Counter[str]:
    """How many items stand where."""
    db.session.rollback()
    found = Counter(db.session.scalars(select(OutboxItem.state)))
    db.session.rollback()
    return found


def kill(process: subprocess.Popen[bytes]) -> None:
    """kill -9."""
    process.send_signal(signal.SIGKILL)
    process.wait(10)


@pytest.mark.load
def test_killed_workers_lose_nothing(
    queueing: Flask, database_url: str, tmp_path: Path, slow: Server
) -> None:
    hello(system_clock(), 0)
    db.session.rollback()
    for number in range(1, MAILS + 1):
        hello(
            system_clock(), number, to=f"person{number % 40}@gemba.example", group_key=f"visit:{number % 100}"
        )
    db.session.commit()
    environ = environment(database_url, tmp_path, slow.url)
    workers = [start(environ, "worker", "--lease", "3") for _ in range(2)]
    try:
        for count in KILL_AT:
            wait_until(lambda wanted=count: len(slow.received) >= wanted, 30)
            kill(workers.pop(0))
            workers.append(start(environ, "worker", "--lease", "3"))
        wait_until(lambda: states() == {State.DONE: MAILS}, 40)
    finally:
        for worker in workers:
            kill(worker)
    by_message = slow.by_message()
    assert len(by_message) == MAILS
    assert all(len({one.raw for one in same}) == 1 for same in by_message.values())
    # One thread can leave at most one message behind.
    assert len(slow.received) - MAILS <= 4 * len(KILL_AT)


def test_a_stopped_worker_finishes_what_it_sends_and_gives_back_the_rest(
    queueing: Flask, database_url: str, tmp_path: Path
) -> None:
    for number in range(6):
        hello(system_clock(), number)
    db.session.commit()
    with smtp_server(delay=1.5) as server:
        worker = start(environment(database_url, tmp_path, server.url), "worker", "--threads", "2")
        server.wait_for(2, seconds=30)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0
        assert states() == {State.DONE: 2, State.READY: 4}
        left = db.session.scalars(select(OutboxItem).where(OutboxItem.state == State.READY)).all()
        assert {(item.attempts, item.lease_token) for item in left} == {(0, None)}
        assert len(server.received) == len(server.by_message()) == 2
