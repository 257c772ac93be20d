"""The mailbox, on a real Dovecot: mail goes in by LMTP and changes visits within one look."""

import imaplib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from flask import Flask
from imap_tools import AND, BaseMailBox

from gemba.db import db
from gemba.inbox import mailbox
from gemba.inbox.mailbox import Reader, Unreachable, greet, opened
from gemba.inbox.receiving import Away, receive
from gemba.inbox.rules import Outcome
from gemba.invites.rules import Answer
from gemba.visits import service as visits
from gemba.visits.service import Said
from tests.conftest import IN_CI
from tests.fakes.dovecot import Dovecot, dovecot, find_dovecot
from tests.inbox import mails
from tests.inbox.conftest import Post, address_of, answer_of
from tests.inbox.mails import Ask

PATIENCE = 15.0


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    if find_dovecot() is None:
        assert not IN_CI, "CI must have Dovecot"
        pytest.skip("no Dovecot here; Debian: dovecot-imapd dovecot-lmtpd")
    with dovecot() as running:
        yield running


@pytest.fixture
def box(server: Dovecot) -> Dovecot:
    """The server with an empty mailbox."""
    with opened(server.imap) as opened_box:
        opened_box.delete(opened_box.uids())
    return server


def unread(server: Dovecot) -> int:
    with opened(server.imap) as opened_box:
        return len(opened_box.uids(AND(seen=False)))


def until(true: Callable[[], bool], what: str) -> None:
    """Waits; sessions are given back in between, so that nobody waits for this one."""
    end = time.monotonic() + PATIENCE
    while True:
        found = true()
        db.session.rollback()
        if found:
            return
        assert time.monotonic() < end, what
        time.sleep(0.05)


@contextmanager
def reading(app: Flask, server: Dovecot, poll: float = 60) -> Iterator[Reader]:
    """A reader that works; with so long a `poll` it has to be told by the server that something came."""
    db.session.rollback()
    reader = Reader(app, server.imap, poll=poll)
    reader.start()
    try:
        yield reader
    finally:
        reader.stop()
        reader.join(10)
        assert not reader.is_alive()


def results(post: Post) -> list[str]:
    db.session.rollback()
    return [row.result for row in post.rows()]


def test_replies_of_thunderbird_and_exchange_change_visits_once(app: Flask, post: Post, box: Dovecot) -> None:
    visit, vera, alice = post.visit, post.cast.vera, post.cast.alice
    veras = mails.thunderbird(replace(post.ask, answer="tentative", comment="Perhaps"))
    alices = Ask(
        uid=visit.uid,
        to=address_of(visit, alice),
        sender=alice.email,
        attendee=alice.email,
        name="Alice Agent",
        message_id="<alice@exchange.example>",
    )
    addresses = (post.ask.to, alices.to)
    box.deliver(veras, addresses[0])
    with reading(app, box):
        until(lambda: answer_of(visit, vera) == ("tentative", "Perhaps"), "Vera's answer was there before")
        begun = time.monotonic()
        box.deliver(mails.exchange(alices), addresses[1])
        until(lambda: answer_of(visit, alice) == ("accepted", ""), "Alice's answer came while it idled")
        assert time.monotonic() - begun < 5, "the server says by itself that something came"
        until(lambda: unread(box) == 0, "both are marked as read")
        said = Said(Answer.ACCEPTED, "", "web")
        visits.take_answer(visit.id, vera.id, said, now=post.clock())
        db.session.commit()
        box.deliver(veras, addresses[0])
        box.deliver(mails.exchange(alices), addresses[1])
        until(lambda: unread(box) == 0, "copies are marked as read")
    assert answer_of(visit, vera) == ("accepted", ""), "what was said later on the page stays"
    assert results(post) == [Outcome.COUNTED, Outcome.COUNTED]


def test_a_bad_mail_never_holds_up_the_rest(app: Flask, post: Post, box: Dovecot) -> None:
    visit, vera = post.visit, post.cast.vera
    bad = [
        b"\xff\x00\xfe",
        b"From: ((((\r\n\r\n",
        mails.gmail(post.ask)[:900],
        b"Subject: x\r\n\r\n" + b"x\r\n" * 700_000,
    ]
    for raw in [*bad, mails.yandex(post.ask)]:
        box.deliver(raw, post.ask.to)
    with reading(app, box):
        until(lambda: answer_of(visit, vera) is not None, "the last one counts")
        until(lambda: unread(box) == 0, "all are marked as read")
    assert results(post)[-1] == Outcome.COUNTED
    assert Outcome.TOO_LARGE in results(post)


def test_a_mail_that_surprises_is_noted_and_passed(
    app: Flask, post: Post, box: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit, vera, to = post.visit, post.cast.vera, post.ask.to

    def surprise(*_given: object, **_named: object) -> None:
        monkeypatch.undo()
        raise KeyError("nobody thought of that")

    monkeypatch.setattr("gemba.inbox.service.handle_message", surprise)
    box.deliver(b"Subject: surprise\r\n\r\n", to)
    box.deliver(mails.apple(post.ask), to)
    with reading(app, box):
        until(lambda: answer_of(visit, vera) is not None, "the next one counts")
        until(lambda: unread(box) == 0, "both are marked as read")
    assert results(post) == [Outcome.FAILED, Outcome.COUNTED]


def test_a_mail_that_breaks_the_connection_again_and_again_is_passed_over(
    app: Flask, post: Post, box: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit, vera, to = post.visit, post.cast.vera, post.ask.to
    tries: list[str] = []
    real = mailbox._peek

    def peek(opened_box: BaseMailBox, uid: str) -> bytes | None:
        raw = real(opened_box, uid)
        if raw is not None and b"Subject: poison" in raw:
            tries.append(uid)
            raise imaplib.IMAP4.abort("the server went away")
        return raw

    monkeypatch.setattr(mailbox, "_peek", peek)
    monkeypatch.setattr(mailbox, "FIRST_WAIT", 0.1)
    box.deliver(b"Subject: poison\r\n\r\n", to)
    box.deliver(mails.apple(post.ask), to)
    with reading(app, box):
        until(lambda: answer_of(visit, vera) is not None, "the next one counts")
    assert len(tries) == mailbox.MOST_TROUBLES
    assert unread(box) == 1


def test_while_the_database_is_away_mail_stays_unread(
    app: Flask, post: Post, box: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit, vera = post.visit, post.cast.vera
    away, tried = threading.Event(), threading.Event()
    away.set()

    def take(raw: bytes, *, via: str) -> str:
        tried.set()
        if away.is_set():
            raise Away
        return receive(raw, via=via)

    monkeypatch.setattr(mailbox, "receive", take)
    monkeypatch.setattr(mailbox, "FIRST_WAIT", 0.2)
    box.deliver(mails.gmail(post.ask), post.ask.to)
    with reading(app, box):
        assert tried.wait(PATIENCE)
        assert unread(box) == 1
        away.clear()
        until(lambda: answer_of(visit, vera) is not None, "it counts once the database is back")
        until(lambda: unread(box) == 0, "and is marked as read then")


def test_the_reader_comes_back_when_the_server_does(
    app: Flask, post: Post, box: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit, vera = post.visit, post.cast.vera
    monkeypatch.setattr(mailbox, "FIRST_WAIT", 0.2)
    with reading(app, box):
        time.sleep(0.5)
        box.stop()
        time.sleep(0.5)
        box.start()
        box.deliver(mails.gmail(post.ask), post.ask.to)
        until(lambda: answer_of(visit, vera) is not None, "mail after the break counts")


def test_a_server_that_cannot_idle_is_asked_again_and_again(
    app: Flask, post: Post, box: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit, vera = post.visit, post.cast.vera
    monkeypatch.setattr("imaplib.IMAP4.capability", lambda _self: ("OK", [b"IMAP4REV1"]))
    monkeypatch.setattr(Reader, "_idle", lambda *_: pytest.fail("it must not idle"))
    with reading(app, box, poll=0.5):
        time.sleep(0.5)
        box.deliver(mails.gmail(post.ask), post.ask.to)
        until(lambda: answer_of(visit, vera) is not None, "the next look finds it")


def test_the_doctor_can_greet_the_mailbox(box: Dovecot) -> None:
    box.deliver(mails.gmail(Ask()), "gemba@gemba.example")
    assert greet(box.imap) == 1
    assert unread(box) == 1
    with pytest.raises(Unreachable, match="refused user or password"):
        greet(replace(box.imap, password="wrong"))
    with pytest.raises(Unreachable, match="no such folder"):
        greet(replace(box.imap, folder="Nowhere"))
    with pytest.raises(Unreachable, match="cannot be reached"):
        greet(replace(box.imap, port=1))
    with pytest.raises(Unreachable):
        greet(replace(box.imap, security="tls"))


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_protected_mailbox_is_trusted_by_its_certificate_only(
    box: Dovecot, security: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.deliver(mails.gmail(Ask()), "gemba@gemba.example")
    with pytest.raises(Unreachable, match="certificate is not trusted"):
        greet(box.over(security))
    monkeypatch.setenv("SSL_CERT_FILE", str(box.certificate))
    assert greet(box.over(security)) == 1
    with pytest.raises(Unreachable, match="certificate is not trusted"):
        greet(replace(box.over(security), host="127.0.0.1"))


def test_ci_has_dovecot() -> None:
    assert find_dovecot() is not None or os.environ.get("CI") != "true"
