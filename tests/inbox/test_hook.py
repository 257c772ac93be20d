"""POST /hooks/mail: signed, fresh, small enough; nothing else gets in."""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from gemba.db import db
from gemba.inbox import hook
from gemba.inbox.hook import signature
from gemba.inbox.rules import Outcome
from tests.conftest import StandingClock, running, settings_for
from tests.inbox import mails
from tests.inbox.conftest import HOOKS_SECRET, Post


@pytest.fixture
def client(app: Flask, post: Post) -> FlaskClient:
    """A caller without cookies or CSRF tokens."""
    app.config["WTF_CSRF_ENABLED"] = True
    return app.test_client()


def send(
    client: FlaskClient,
    raw: bytes,
    at: float,
    *,
    secret: str = HOOKS_SECRET,
    signed: bytes | None = None,
    stamp: str | None = None,
) -> TestResponse:
    """Posts a mail, signed at an instant; `signed` and `stamp` are what the signature is about instead."""
    shown = str(int(at))
    said = signature(secret, stamp if stamp is not None else shown, raw if signed is None else signed)
    db.session.rollback()
    headers = {"X-Gemba-Timestamp": shown, "X-Gemba-Signature": said, "Content-Type": "message/rfc822"}
    return client.post("/hooks/mail", data=raw, headers=headers)


def test_a_signed_mail_counts(client: FlaskClient, post: Post) -> None:
    raw, at = mails.gmail(post.ask), post.clock().timestamp()
    for _time in range(2):
        answer = send(client, raw, at)
        assert (answer.status_code, answer.text) == (202, "accepted\n")
    assert post.vera == ("accepted", "")
    assert [(row.result, row.via) for row in post.rows()] == [(Outcome.COUNTED, "hook")]


def test_a_signature_as_the_documentation_makes_it(client: FlaskClient, post: Post) -> None:
    raw, stamp = mails.apple(post.ask), str(int(post.clock().timestamp()))
    made = hmac.new(HOOKS_SECRET.encode(), f"{stamp}.".encode() + raw, hashlib.sha256).hexdigest()
    db.session.rollback()
    headers = {"X-Gemba-Timestamp": stamp, "X-Gemba-Signature": f"sha256={made}"}
    assert client.post("/hooks/mail", data=raw, headers=headers).status_code == 202
    assert post.vera == ("accepted", "")


@pytest.mark.parametrize("drift", [-299, 299])
def test_clocks_may_differ_a_little(client: FlaskClient, post: Post, drift: int) -> None:
    assert send(client, mails.gmail(post.ask), post.clock().timestamp() + drift).status_code == 202


def test_what_is_not_signed_right_is_refused_with_one_answer(client: FlaskClient, post: Post) -> None:
    raw, at = mails.gmail(post.ask), post.clock().timestamp()
    answers = [
        send(client, raw, at, secret="another-" * 6),
        send(client, raw, at, signed=raw + b" "),
        send(client, raw, at, stamp=str(int(at) - 1)),
        send(client, raw, at - 301),
        send(client, raw, at + 301),
        client.post("/hooks/mail", data=raw),
        client.post("/hooks/mail", data=raw, headers={"X-Gemba-Timestamp": "١٢", "X-Gemba-Signature": "ü"}),
        client.post("/hooks/mail", data=raw, headers={"X-Gemba-Timestamp": "9" * 400}),
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(401, "unauthorized\n")}
    assert post.rows() == []


def test_too_large_a_mail_is_not_read(client: FlaskClient, post: Post) -> None:
    raw = b"x" * (1024 * 1024 + 1)
    assert send(client, raw, post.clock().timestamp()).status_code == 413
    assert post.rows() == []


def test_a_mail_that_says_nothing_is_accepted_and_noted(client: FlaskClient, post: Post) -> None:
    assert send(client, b"\x00\xff", post.clock().timestamp()).status_code == 202
    assert [row.result for row in post.rows()] == [Outcome.NO_ANSWER]


def test_while_the_database_is_away_the_sender_tries_again(
    client: FlaskClient, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_given: object, **_named: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr("gemba.inbox.service.handle_message", away)
    answer = send(client, mails.gmail(post.ask), post.clock().timestamp())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")


def test_without_a_secret_there_is_nothing_here(app: Flask, client: FlaskClient, post: Post) -> None:
    app.extensions["gemba_settings"] = replace(app.extensions["gemba_settings"], hooks_secret=None)
    assert send(client, mails.gmail(post.ask), post.clock().timestamp()).status_code == 404


def test_only_posts_get_in(client: FlaskClient) -> None:
    assert client.get("/hooks/mail").status_code == 405


@pytest.fixture
def limited(sqlite_url: str, tmp_path: Path, clock: StandingClock) -> Iterator[Flask]:
    """An app that counts how often it is asked."""
    settings = settings_for(sqlite_url, tmp_path, hooks_secret=HOOKS_SECRET, testing=False)
    with running(settings, clock) as app:
        yield app


def test_guessing_signatures_comes_to_an_end(limited: Flask) -> None:
    client = limited.test_client()
    most = int(hook.PER_MINUTE.split()[0])
    statuses = [client.post("/hooks/mail", data=b"x").status_code for _n in range(most + 1)]
    assert set(statuses[:most]) == {401}
    assert statuses[most] == 429
