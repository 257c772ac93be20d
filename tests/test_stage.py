"""The stage itself stands: both databases, the cast, the signed-in browser, failing well."""

from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.people.models import Person
from gemba.people.rules import Role
from tests.cast import Cast
from tests.conftest import Browser


def test_cast_stands_on_both_databases(app: Flask, cast: Cast) -> None:
    names = set(db.session.scalars(select(Person.name)))
    assert {"Alice Agent", "Vera Visitor"} <= names
    assert cast.alice.has(Role.AGENT)
    assert cast.line.lead is cast.lev


def test_health_answers_without_sign_in(browser: Browser) -> None:
    answer = browser.anonymous().get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert "script-src 'self' 'nonce-" in answer.headers["Content-Security-Policy"]


def test_unmigrated_database_is_not_ready(browser: Browser) -> None:
    answer = browser.anonymous().get("/readyz")
    assert answer.status_code == 503
    assert "gemba db upgrade" in answer.text
