"""The LMTP listener over a real socket."""

import smtplib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from flask import Flask

from gemba.db import db
from gemba.inbox import lmtp
from gemba.inbox.lmtp import Listener
from gemba.inbox.receiving import Away
from gemba.inbox.rules import Outcome
from tests.inbox import mails
from tests.inbox.conftest import Post, address_of

SENDER = "vera@gemba.example"


@pytest.fixture
def port(app: Flask, post: Post) -> Iterator[int]:
    """Where the listener answers."""
    with listening(app) as port:
        yield port


@contextmanager
def listening(app: Flask) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = int(held.getsockname()[1])
    listener = Listener(app, app.extensions["gemba_settings"], host="127.0.0.1", port=port)
    listener.start()
    try:
        yield port
    finally:
        listener.stop()


@contextmanager
def line_to(port: int) -> Iterator[smtplib.LMTP]:
    db.session.rollback()
    with smtplib.LMTP("127.0.0.1", port, local_hostname="mx.gemba.example") as line:
        line.ehlo()
        yield line


def converse(port: int, raw: bytes, *to: str) -> list[bytes]:
    """Delivers a mail word by word; returns the answers after DATA, one per recipient."""
    db.session.rollback()
    with socket.create_connection(("127.0.0.1", port), 20) as wire, wire.makefile("rwb") as file:

        def ask(words: bytes) -> bytes:
            file.write(words + b"\r\n")
            file.flush()
            answer = file.readline()
            while answer[3:4] == b"-":
                answer = file.readline()
            return answer

        assert file.readline().startswith(b"220")
        assert ask(b"LHLO mx.gemba.example").startswith(b"250")
        assert ask(b"MAIL FROM:<vera@gemba.example>").startswith(b"250")
        for each in to:
            assert ask(f"RCPT TO:<{each}>".encode()).startswith(b"250"), each
        assert ask(b"DATA").startswith(b"354")
        file.write(raw.replace(b"\r\n.", b"\r\n..") + b"\r\n")
        first = ask(b".")
        answers = [first, *(file.readline() for _n in to[1:])]
        assert ask(b"NOOP").startswith(b"250"), "no answer too many"
        return answers


def test_an_answer_counts_at_once(post: Post, port: int) -> None:
    assert converse(port, mails.thunderbird(post.plain_ask), post.ask.to) == [b"250 2.0.0 Taken: counted\r\n"]
    assert post.vera == ("accepted", "")


@pytest.mark.parametrize("client", mails.CLIENTS)
def test_a_library_delivers_as_well(post: Post, port: int, client: str) -> None:
    raw, to = mails.CLIENTS[client](post.plain_ask), post.ask.to
    with line_to(port) as line:
        line.sendmail(SENDER, [to.upper()], raw)
        line.sendmail(SENDER, [to], raw)
    assert post.vera == ("accepted", "")
    assert [row.result for row in post.rows()] == [Outcome.COUNTED]


def test_each_recipient_gets_an_answer(post: Post, port: int) -> None:
    to = (post.ask.to, address_of(post.visit, post.cast.alice), "gemba@gemba.example")
    assert converse(port, mails.gmail(post.plain_ask), *to) == [b"250 2.0.0 Taken: counted\r\n"] * 3


def test_whoever_does_not_live_here_is_refused(post: Post, port: int) -> None:
    own = post.ask.to
    forged = own[: own.index("@") - 1] + ("a" if own[own.index("@") - 1] != "a" else "b") + "@gemba.example"
    with line_to(port) as line:
        line.mail(SENDER)
        for address in ("vera@gemba.example", forged, "gemba+1-2-x@gemba.example", "gemba@elsewhere.example"):
            assert line.rcpt(address)[0] == 550, address
        assert line.rcpt(own)[0] == 250
        assert line.rcpt("Gemba@Gemba.example")[0] == 250


def test_too_many_recipients_are_asked_to_come_again(post: Post, port: int) -> None:
    to = post.ask.to
    with line_to(port) as line:
        line.mail(SENDER)
        codes = [line.rcpt(to)[0] for _n in range(lmtp.MOST_RECIPIENTS + 1)]
    assert set(codes[:-1]) == {250}
    assert codes[-1] == 452


@pytest.mark.parametrize("recipients", [1, 3])
def test_too_large_a_mail_is_refused_for_each(post: Post, port: int, recipients: int) -> None:
    to = [post.ask.to, "gemba@gemba.example", post.ask.to][:recipients]
    answers = converse(port, b"Subject: large\r\n\r\n" + b"x" * 70 + b"\r\n" + b"x\r\n" * 400_000, *to)
    assert [answer[:3] for answer in answers] == [b"552"] * recipients
    assert post.rows() == []


def test_while_the_database_is_away_the_sender_tries_again(
    post: Post, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_given: object, **_named: object) -> str:
        raise Away

    monkeypatch.setattr(lmtp, "receive", away)
    to = (post.ask.to, "gemba@gemba.example")
    answers = converse(port, mails.gmail(post.ask), *to)
    assert [answer[:3] for answer in answers] == [b"451", b"451"]
    monkeypatch.undo()
    assert converse(port, mails.gmail(post.ask), *to)[0].startswith(b"250")
    assert post.vera == ("accepted", "")


def test_the_same_mail_from_many_servers_at_once_counts_once(post: Post, port: int) -> None:
    raw, to = mails.exchange(post.plain_ask), post.ask.to
    db.session.rollback()
    answers: list[bytes] = []
    together = threading.Barrier(6)

    def deliver() -> None:
        together.wait(10)
        with smtplib.LMTP("127.0.0.1", port, local_hostname="mx.gemba.example") as line:
            line.ehlo()
            line.mail(SENDER)
            line.rcpt(to)
            answers.append(line.data(raw)[1])

    threads = [threading.Thread(target=deliver) for _n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == [b"2.0.0 Taken: counted"] * 6
    assert [row.result for row in post.rows()] == [Outcome.COUNTED]


def test_many_answers_at_once_end_with_the_newest(post: Post, port: int) -> None:
    asks = [
        replace(post.plain_ask, answer=answer, stamp=f"20261123T09{minute:02}00Z", message_id=f"<{minute}@x>")
        for minute, answer in enumerate(["accepted", "tentative"] * 4)
    ]
    to = post.ask.to
    db.session.rollback()
    together = threading.Barrier(len(asks))

    def deliver(raw: bytes) -> None:
        together.wait(10)
        with smtplib.LMTP("127.0.0.1", port, local_hostname="mx.gemba.example") as line:
            line.sendmail(SENDER, [to], raw)

    threads = [threading.Thread(target=deliver, args=(mails.exchange(ask),)) for ask in asks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert post.vera == ("tentative", ""), "the newest counts in whichever order they come"
    assert len(post.rows()) == len(asks)


def test_smtp_is_not_spoken(post: Post, port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port) as line:
        assert line.ehlo()[0] == 500
        assert line.helo()[0] == 500
