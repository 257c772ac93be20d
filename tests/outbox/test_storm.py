"""A mail server that fails in every way while people book, move and cancel and workers are killed.

It refuses connections, then says 421, then takes mails and never says so, then is silent, then is fine.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from gemba.clock import system_clock
from gemba.db import db
from gemba.outbox.mime import message_id
from gemba.outbox.models import OutboxItem
from gemba.outbox.rules import State
from gemba.people.models import Person, PersonRole
from gemba.people.rules import Role
from tests.cast import make_cast
from tests.conftest import Browser, running, settings_for
from tests.crowd import add_agents
from tests.fakes.line import Line, Weather, line_to
from tests.fakes.smtp import Received, Server, smtp_server
from tests.outbox.gemba import HURRY, environment, start
from tests.outbox.test_kill import is_running, kill, wait_until
from tests.visits.storm import Storm

ACTS = 8
"""What people do in each weather."""
HOST = "gemba.example"
NO_PAGE_TAKES = 2.0
"""Seconds; a mail server is waited for three in this test, twenty in life. The machine itself may stop for
breath: two pages may take longer, but there are ten that queue mail."""
UNHEARD = "closed the connection"
"""What smtplib makes of a server that says nothing for too long."""


@pytest.fixture
def company(database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """A company with many agents and visitors, on both databases, in real time."""
    with running(settings_for(database_url, tmp_path), system_clock) as app:
        app.config["WTF_CSRF_ENABLED"] = False
        cast = make_cast(system_clock())
        add_agents(cast, 20, system_clock())
        for number in range(10):
            person = Person(
                email=f"v{number}@gemba.example", name=f"Visitor {number}", created_at=system_clock()
            )
            person.role_rows = [PersonRole(role=Role.VISITOR)]
            db.session.add(person)
        db.session.commit()
        yield app


class People:
    """People who book and look at pages; how long each page took."""

    def __init__(self, app: Flask) -> None:
        self.storm = Storm(7)
        admin = self.storm.admin.id
        db.session.rollback()
        self.client: FlaskClient = Browser(app, system_clock).as_(admin)
        self.took: list[float] = []
        self.asked = 0

    def live(self) -> None:
        """Some acts, each followed by a look at pages and a mail asked for on one."""
        for number in range(ACTS):
            self.storm.one()
            db.session.rollback()
            self.look("GET", "/")
            self.look("GET", "/visits")
            if number % 4 == 0:
                self.asked += 1
                self.look("POST", "/sign-in", {"email": f"v{self.asked % 10}@gemba.example"})

    def look(self, method: str, path: str, form: dict[str, str] | None = None) -> None:
        """One page."""
        began = time.monotonic()
        answer = self.client.open(path, method=method, data=form)
        self.took.append(time.monotonic() - began)
        assert answer.status_code in (200, 303), (path, answer.status_code)
        db.session.rollback()


class Workers:
    """Two workers, killed by turns."""

    def __init__(self, database_url: str, folder: Path, url: str) -> None:
        self._environ = {**environment(database_url, folder, url), HURRY: "300"}
        self._running: list[ForkServerProcess] = [self._new(), self._new()]
        wait_until(lambda: is_running(self._running[0]), 60)

    def _new(self) -> ForkServerProcess:
        return start(self._environ, "worker", "--lease", "4")

    def kill_one(self) -> None:
        """kill -9, and another one in its place."""
        kill(self._running.pop(0))
        self._running.append(self._new())

    def end(self) -> None:
        """kill -9 for all."""
        for worker in self._running:
            kill(worker)


def items() -> list[OutboxItem]:
    """All messages as they stand now."""
    db.session.rollback()
    found = list(db.session.scalars(select(OutboxItem).where(OutboxItem.kind.in_(("mail", "invite")))))
    db.session.rollback()
    return found


def states() -> set[str]:
    """Where messages stand."""
    db.session.rollback()
    found = set(
        db.session.scalars(select(OutboxItem.state).where(OutboxItem.kind.in_(("mail", "invite"))).distinct())
    )
    db.session.rollback()
    return found


def sequence_of(mail: Received) -> tuple[str, int] | None:
    """UID and SEQUENCE of an invite; None for other mails."""
    message: Any = message_from_bytes(mail.raw, policy=default)
    for part in message.walk():
        if part.get_content_type() == "text/calendar":
            text = part.get_content()
            return re.findall(r"UID:(\S+)", text)[0], int(re.findall(r"SEQUENCE:(\d+)", text)[0])
    return None


def bad_days(line: Line, server: Server, people: People, workers: Workers) -> None:
    """All weathers, with a worker killed in each."""
    for weather, delay in (
        (Weather.REFUSES, 0.0),
        (Weather.BUSY, 0.0),
        (Weather.FINE, 30.0),  # takes mails, and never says so
        (Weather.SILENT, 0.0),
    ):
        before = line.seen[weather]
        line.weather, server.delay = weather, delay
        people.live()
        workers.kill_one()
        if weather is not Weather.REFUSES:
            wait_until(lambda: line.seen[weather] > before, 30)  # noqa: B023
        if delay or weather is Weather.SILENT:
            known = count_unheard()
            wait_until(lambda: count_unheard() > known, 30)  # noqa: B023


def count_unheard() -> int:
    """How many tries ended because the mail server said nothing."""
    return sum(item.attempts for item in items() if UNHEARD in item.last_error)


@pytest.mark.load
def test_the_mail_server_fails_in_every_way(company: Flask, database_url: str, tmp_path: Path) -> None:
    people = People(company)
    people.look("GET", "/")  # templates are read once
    with smtp_server() as server, line_to(server.port) as line:
        workers = Workers(database_url, tmp_path, f"smtp://127.0.0.1:{line.port}")
        try:
            people.live()
            bad_days(line, server, people, workers)
            line.weather, server.delay = Weather.FINE, 0.0
            workers.kill_one()
            wait_until(lambda: states() <= {State.DONE, State.DROPPED}, 60)
        finally:
            workers.end()
    assert sorted(people.took)[-3] < NO_PAGE_TAKES
    check_what_came(server, items())


def check_what_came(server: Server, queued: list[OutboxItem]) -> None:
    """None lost, what came twice is the same, and no calendar heard of a change before an earlier one."""
    came = server.by_message()
    assert {message_id(one.dedup_key, HOST) for one in queued if one.state == State.DONE} <= came.keys()
    assert all(len({one.raw for one in same}) == 1 for same in came.values())
    heard = defaultdict(list)
    for mail in sorted(server.received, key=lambda one: one.at):
        told = sequence_of(mail)
        if told is not None:
            heard[told[0], mail.to].append(told[1])
    assert all(numbers == sorted(numbers) for numbers in heard.values())
    assert any(numbers[-1] > numbers[0] for numbers in heard.values())
