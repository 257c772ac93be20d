"""The life of a visit as a visitor's Thunderbird shows it, and the visitor's answer as Gemba takes it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from gemba.db import db
from gemba.inbox.mailbox import Reader
from gemba.invites.rules import Answer
from gemba.outbox.worker import Worker
from gemba.visits import service as visits
from gemba.visits.models import Visit, VisitAnswer
from gemba.visits.rules import Status
from tests.cast import make_cast
from tests.conftest import StandingClock, running, settings_for
from tests.fakes.dovecot import Dovecot, dovecot
from tests.fakes.smtp import Server, smtp_server
from tests.inbox.conftest import book
from tests.thunderbird.program import Program, thunderbird, until

VERA = "vera@gemba.example"


@dataclass
class Post:
    """Between Gemba, its mail server and Vera's Thunderbird."""

    app: Flask
    clock: StandingClock
    server: Dovecot
    out: Server
    answers: Server
    program: Program
    visit: Visit
    _taken: int = 0
    _answered: int = 0

    def send(self) -> EmailMessage:
        """Gemba's worker sends what waits; the mail servers pass Vera's on. Says what she got."""
        db.session.rollback()
        Worker(self.app, clock=self.clock).drain()
        for mail in self.out.received[self._taken :]:
            self.server.deliver(mail.raw, mail.to, sender=mail.sender)
        new = [mail for mail in self.out.received[self._taken :] if mail.to == VERA]
        self._taken = len(self.out.received)
        assert len(new) == 1, [mail.subject for mail in new]
        return message_from_bytes(new[0].raw, policy=default)

    def take_answer(self) -> EmailMessage:
        """What Thunderbird sent goes to Gemba's mailbox, which is read over IMAP."""
        self.answers.wait_for(self._answered + 1, 60)
        sent = self.answers.received[self._answered]
        self._answered += 1
        self.server.deliver(sent.raw, sent.to, sender=sent.sender)
        return message_from_bytes(sent.raw, policy=default)

    def answer(self) -> tuple[str, str] | None:
        """Vera's answer and how it came, as Gemba knows it."""
        vera = next(each for each in self.visit.visitors)
        row = db.session.get(VisitAnswer, (self.visit.id, vera.id), populate_existing=True)
        found = (row.answer, row.via) if row else None
        db.session.rollback()  # nobody waits for this look
        return found

    def status(self) -> str:
        """Where the visit stands."""
        db.session.refresh(self.visit)
        status = self.visit.status
        db.session.rollback()
        return status


ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")


@pytest.fixture(params=ZONES)
def zone(request: pytest.FixtureRequest) -> str:
    """Where Vera's Thunderbird stands."""
    return str(request.param)


@pytest.fixture
def post(sqlite_url: str, tmp_path: Path, clock: StandingClock, zone: str) -> Iterator[Post]:
    folder = tmp_path / "program"
    folder.mkdir()
    with dovecot() as server, smtp_server() as out, smtp_server() as answers:
        settings = settings_for(sqlite_url, tmp_path, smtp=out.settings, imap=server.imap)
        with running(settings, clock) as app:
            cast = make_cast(clock())
            visit = book(cast, clock())
            with thunderbird(folder, VERA, "Vera Visitor", zone, server, answers) as program:
                reader = Reader(app, server.imap, poll=1)
                reader.start()
                yield Post(app, clock, server, out, answers, program, visit)
                reader.stop()
                reader.join(20)


def test_accepted_moved_stale_and_cancelled(post: Post, zone: str) -> None:
    program, uid, start = post.program, post.visit.uid, post.visit.starts_at
    assert program.event(uid) is None

    invite = post.send()
    shown = program.open(str(invite["Message-ID"]))
    assert (shown.action, shown.buttons >= {"Accept", "Decline"}) == ("REQUEST", True)
    program.press("Accept")
    reply = post.take_answer()
    assert reply["To"].addresses[0].addr_spec == invite["From"].addresses[0].addr_spec
    until(lambda: post.answer() == (Answer.ACCEPTED, "mail"), "Gemba did not take the answer")
    stored = until(lambda: program.event(uid), "the event is not in the calendar")
    assert_at(stored, start, zone)
    assert stored["attendees"][f"mailto:{VERA}"] == "ACCEPTED"

    new = start + timedelta(hours=4)
    post.clock.forward(hours=1)
    visits.move(post.visit, post.visit.visitors[0], start=new, now=post.clock())
    db.session.commit()
    assert post.answer() != (Answer.ACCEPTED, "mail"), "the yes to the old hour stays"
    moved = post.send()
    shown = program.open(str(moved["Message-ID"]))
    assert (shown.action, shown.buttons >= {"Accept", "Decline"}) == ("REQUEST:UPDATE", True)
    program.press("Accept")
    post.take_answer()
    until(lambda: post.answer() == (Answer.ACCEPTED, "mail"), "Gemba did not take the second answer")
    until(lambda: (program.event(uid) or {}).get("sequence") == 1, "the event did not move")
    assert_at(program.event(uid), new, zone)

    stale = program.open(str(invite["Message-ID"]))
    assert (stale.action, stale.buttons) == (None, frozenset()), "an old invite can still be acted on"
    assert_at(program.event(uid), new, zone)

    visits.cancel(post.visit, post.visit.visitors[0], reason="", now=post.clock())
    db.session.commit()
    shown = program.open(str(post.send()["Message-ID"]))
    assert (shown.action, shown.buttons) == ("CANCEL", frozenset({"Delete"}))
    program.press("Delete")
    until(lambda: program.event(uid) is None, "the cancelled event stays in the calendar")


@pytest.mark.parametrize("zone", ZONES[:1])
def test_a_maybe_counts(post: Post) -> None:
    post.program.open(str(post.send()["Message-ID"]))
    post.program.press("Maybe")
    post.take_answer()
    until(lambda: post.answer() == (Answer.TENTATIVE, "mail"), "Gemba did not take the maybe")
    assert post.status() == Status.BOOKED


@pytest.mark.parametrize("zone", ZONES[:1])
def test_a_no_cancels(post: Post) -> None:
    post.program.open(str(post.send()["Message-ID"]))
    post.program.press("Decline")
    post.take_answer()
    until(lambda: post.status() == Status.CANCELLED, "a visitor's no did not cancel the visit")


def assert_at(event: dict[str, Any] | None, start: datetime, zone: str) -> None:
    """The calendar has this instant, an hour long, and shows it by its reader's clock."""
    assert event is not None
    assert (event["instant"], event["end"]) == (start.timestamp(), start.timestamp() + 3600)
    wall = start.astimezone(ZoneInfo(zone))
    assert (event["zone"], event["wall"]) == (zone, [wall.hour, wall.minute])
