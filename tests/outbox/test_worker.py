"""The worker against a mail server that behaves, and one that does not."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.outbox import claims, kinds, room
from gemba.outbox import service as outbox
from gemba.outbox.models import OutboxItem
from gemba.outbox.rules import Permanent, State
from gemba.outbox.worker import Worker
from tests.conftest import StandingClock, running, settings_for
from tests.fakes.smtp import Server
from tests.outbox.conftest import add_templates, hello


def drain(app: Flask, clock: StandingClock) -> int:
    """Sends what is due by the test's clock."""
    db.session.rollback()  # SQLite: a look at the rows must not stand in the worker's way
    tries = Worker(app, clock=clock).drain()
    db.session.expire_all()
    return tries


def text_of(raw: bytes) -> str:
    """The plain words of a mail."""
    part = message_from_bytes(raw, policy=default).get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def items() -> list[OutboxItem]:
    """All items, oldest first."""
    return list(db.session.scalars(select(OutboxItem).order_by(OutboxItem.id)))


def queue_hello(clock: StandingClock, number: int = 1, **more: Any) -> None:
    """Queues and commits."""
    hello(clock(), number, **more)
    db.session.commit()


def test_a_mail_arrives_and_is_done(mailing: Flask, smtp: Server, clock: StandingClock) -> None:
    queue_hello(clock, name="Vera Visitor")
    assert drain(mailing, clock) == 1
    (got,) = smtp.received
    assert (got.sender, got.to, got.subject) == ("gemba@gemba.example", "vera@gemba.example", "Hello Vera")
    mail = message_from_bytes(got.raw, policy=default)
    assert mail["From"] == "Gemba <gemba@gemba.example>"
    assert mail["To"] == "Vera Visitor <vera@gemba.example>"
    assert mail["Date"].datetime == clock()
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "http://localhost" in text_of(got.raw)
    assert (items()[0].state, items()[0].done_at, items()[0].last_error) == (State.DONE, clock(), "")
    assert drain(mailing, clock) == 0


def test_a_rolled_back_cause_mails_nothing(mailing: Flask, smtp: Server, clock: StandingClock) -> None:
    hello(clock())
    db.session.rollback()
    assert drain(mailing, clock) == 0
    assert smtp.received == []


def test_a_mail_is_written_in_the_language_of_its_reader(
    mailing: Flask, smtp: Server, clock: StandingClock
) -> None:
    queue_hello(clock, 1, locale="ru")
    queue_hello(clock, 2, locale="en")
    queue_hello(clock, 3, locale="xx")
    assert drain(mailing, clock) == 3
    russian, english, unknown = (text_of(one.raw) for one in smtp.received)
    assert "23 ноября 2026" in russian
    assert "23 November 2026" in english
    assert unknown == english


def test_one_connection_serves_several_mails(mailing: Flask, smtp: Server, clock: StandingClock) -> None:
    for number in range(5):
        queue_hello(clock, number)
    smtp.script = ["ok", "550 no", "ok"]
    assert drain(mailing, clock) == 5
    assert len({one.peer for one in smtp.received}) == 1
    assert len(smtp.received) == 4


def test_a_mail_accepted_but_not_confirmed_comes_again_with_the_same_bytes(
    mailing: Flask, smtp: Server, clock: StandingClock
) -> None:
    queue_hello(clock)
    smtp.script = ["drop", "ok"]
    drain(mailing, clock)
    waiting = items()[0]
    assert (waiting.state, waiting.attempts) == (State.READY, 1)
    assert waiting.last_error == "The mail server broke off: it closed the connection."
    clock.forward(minutes=2)
    drain(mailing, clock)
    first, second = smtp.received
    assert first.raw == second.raw
    assert items()[0].state == State.DONE


@pytest.mark.parametrize("line", ["450 4.2.0 busy", "rcpt 451 greylisted", "421 going down"])
def test_a_refusal_for_now_is_tried_later(
    mailing: Flask, smtp: Server, clock: StandingClock, line: str
) -> None:
    queue_hello(clock)
    smtp.script = [line]
    drain(mailing, clock)
    assert items()[0].state == State.READY
    assert items()[0].run_at > clock()
    assert drain(mailing, clock) == 0
    clock.forward(minutes=5)
    drain(mailing, clock)
    assert items()[0].state == State.DONE


@pytest.mark.parametrize("line", ["554 5.7.1 looks like spam", "rcpt 550 5.1.1 no such mailbox"])
def test_a_refusal_for_good_is_dead_at_once(
    mailing: Flask, smtp: Server, clock: StandingClock, line: str
) -> None:
    queue_hello(clock, template="code", context={"secret": "987654"})
    smtp.script = [line]
    drain(mailing, clock)
    item = items()[0]
    assert (item.state, item.attempts) == (State.DEAD, 1)
    assert line.removeprefix("rcpt ") in item.last_error
    assert "987654" not in str(item.payload) + item.last_error


def test_a_mail_server_that_is_away_costs_only_time(
    database_url: str, tmp_path: Path, clock: StandingClock, smtp: Server
) -> None:
    gone = smtp.settings.__class__("127.0.0.1", 1, "none")
    with running(settings_for(database_url, tmp_path, smtp=gone), clock) as app:
        add_templates(app)
        queue_hello(clock)
        drain(app, clock)
        assert items()[0].state == State.READY
        assert items()[0].last_error == "The mail server cannot be used: Connection refused."


def test_a_server_without_the_demanded_protection_gets_nothing(
    sqlite_url: str, tmp_path: Path, clock: StandingClock, smtp: Server
) -> None:
    for security in ("starttls", "tls"):
        asked = smtp.settings.__class__("127.0.0.1", smtp.port, security, "gemba", "hush-hush")
        with running(settings_for(sqlite_url, tmp_path, smtp=asked), clock) as app:
            add_templates(app)
            queue_hello(clock, dedup_key=security)
            drain(app, clock)
            assert {item.state for item in items()} == {State.READY}
            assert "hush-hush" not in "".join(item.last_error for item in items())
    assert smtp.received == []


@pytest.mark.parametrize(
    ("spoiled", "reason"),
    [
        ({"template": "broken"}, "“broken” cannot be filled in: 'nobody_gave_this' is undefined."),
        ({"template": "missing"}, "“email/missing.subject” is missing."),
        ({"to": "nobody"}, "not an address"),
        ({"to": "vera@gemba.example\r\nBcc: eve@gemba.example"}, "not an address"),
        ({"to": ""}, "not an address"),
        ({"kind": "unheard-of"}, "Nothing here knows how to send “unheard-of”."),
    ],
)
def test_what_cannot_be_written_is_dead_and_blocks_nobody(
    mailing: Flask, smtp: Server, clock: StandingClock, spoiled: dict[str, Any], reason: str
) -> None:
    queue_hello(clock, 1, **spoiled)
    queue_hello(clock, 2)
    assert drain(mailing, clock) == 2
    bad, good = items()
    assert (bad.state, good.state) == (State.DEAD, State.DONE)
    assert reason in bad.last_error
    assert len(smtp.received) == 1


def test_a_handler_may_do_it_all_itself_fail_or_surprise(
    mailing: Flask, smtp: Server, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def errand(payload: Any, item: kinds.ItemFacts) -> None:
        errors: dict[str, Exception] = {
            "no": Permanent("It said no."),
            "odd": OSError("odd"),
            "bug": KeyError("x"),
        }
        if error := errors.get(payload["then"]):
            raise error
        assert item.recipient == "somewhere"

    monkeypatch.setitem(kinds._handlers, "errand", errand)
    for then in ("well", "no", "odd", "bug"):
        outbox.queue(
            "errand", dedup_key=then, group_key="", recipient="somewhere", payload={"then": then}, now=clock()
        )
    db.session.commit()
    drain(mailing, clock)
    assert [item.state for item in items()] == [State.DONE, State.DEAD, State.READY, State.DEAD]
    assert [item.last_error for item in items()] == [
        "",
        "It said no.",
        "Something unexpected happened (OSError).",
        "The message could not be made (KeyError).",
    ]
    assert smtp.received == []


def test_a_kind_has_one_handler() -> None:
    def other(_payload: Any, _item: kinds.ItemFacts) -> None:
        """Another one."""

    with pytest.raises(ValueError, match="mail"):
        kinds.register("mail", other)


def test_without_a_server_mail_lands_in_files_once(app: Flask, tmp_path: Path, clock: StandingClock) -> None:
    add_templates(app)
    queue_hello(clock, to="vera+x@gemba.example")
    drain(app, clock)
    (path,) = (tmp_path / "mail").iterdir()
    assert path.name == "20261123T080000Z-000001-vera+x@gemba.example.eml"
    first = path.read_bytes()
    item = items()[0]
    item.state, item.attempts = State.READY.value, 0  # as if the worker had died before it could tell
    db.session.commit()
    drain(app, clock)
    assert [one.read_bytes() for one in (tmp_path / "mail").iterdir()] == [first]
    assert path.stat().st_mode & 0o077 == 0


def test_threads_empty_the_outbox_and_stop(mailing: Flask, smtp: Server, clock: StandingClock) -> None:
    for number in range(20):
        hello(clock(), number)
    db.session.commit()
    worker = Worker(mailing, threads=4, poll=0.05, clock=clock)
    thread = threading.Thread(target=worker.run)
    thread.start()
    smtp.wait_for(20)
    worker.stop()
    thread.join(10)
    assert not thread.is_alive()
    db.session.rollback()
    assert {item.state for item in items() if item.kind == "mail"} == {State.DONE}
    assert len(smtp.by_message()) == len(smtp.received) == 20
    assert outbox.waiting(clock() + timedelta(seconds=5)).silent == timedelta(seconds=5)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_rings_when_something_is_queued(
    mailing: Flask, smtp: Server, clock: StandingClock
) -> None:
    worker = Worker(mailing, threads=1, poll=8.0, clock=clock)
    thread = threading.Thread(target=worker.run)
    thread.start()
    time.sleep(1.0)
    queue_hello(clock)
    smtp.wait_for(1, seconds=4.0)
    worker.stop()
    thread.join(12)
    assert not thread.is_alive()


def _chain(monkeypatch: pytest.MonkeyPatch, clock: StandingClock) -> list[str]:
    """A kind "chain" in the background, whose items write down their name and queue the next one."""
    ran: list[str] = []

    def handler(payload: Any, item: kinds.ItemFacts) -> kinds.Ending:
        def end(now: Any) -> None:
            outbox.forget("chain")
            _queue_chain(payload["number"] + 1, now + timedelta(minutes=30))

        ran.append(item.dedup_key)
        return end

    monkeypatch.setitem(kinds._handlers, "chain", handler)
    monkeypatch.setattr(kinds, "_background", {"chain"})
    _queue_chain(1, clock())
    db.session.commit()
    return ran


def _queue_chain(number: int, at: Any) -> None:
    outbox.queue(
        "chain", dedup_key=f"chain:{number}", group_key="chain", recipient="", payload={"number": number},
        now=at, run_at=at,
    )  # fmt: skip


def test_an_ending_is_written_with_the_end_of_its_item(
    mailing: Flask, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = _chain(monkeypatch, clock)
    assert drain(mailing, clock) == 1
    assert [(item.dedup_key, item.state) for item in items()] == [("chain:2", State.READY)]
    clock.forward(minutes=29)
    assert drain(mailing, clock) == 0
    assert outbox.hasten("chain", clock())
    db.session.commit()
    assert drain(mailing, clock) == 1
    assert ran == ["chain:1", "chain:2"]


def test_the_end_of_someone_elses_lease_writes_nothing(
    mailing: Flask, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def handler(_payload: Any, item: kinds.ItemFacts) -> kinds.Ending:
        row = db.session.get_one(OutboxItem, item.id)
        row.lease_token = "another worker's"
        db.session.commit()
        return lambda now: _queue_chain(2, now)

    _chain(monkeypatch, clock)
    monkeypatch.setitem(kinds._handlers, "chain", handler)
    drain(mailing, clock)
    assert [item.dedup_key for item in items()] == ["chain:1"]


def test_what_runs_in_the_background_is_no_message(
    mailing: Flask, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _chain(monkeypatch, clock)
    queue_hello(clock)
    clock.forward(hours=1)
    assert [item.kind for item in room.find().items] == ["mail"]
    figures = outbox.waiting(clock())
    assert (figures.waiting, figures.overdue) == (1, True)
    held = claims.claim(clock(), timedelta(minutes=1), kinds.background_kinds())
    assert held is not None
    assert held.facts.kind == "mail"
    assert claims.claim(clock(), timedelta(minutes=1), kinds.background_kinds()) is None
