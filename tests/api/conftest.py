"""Callers of the API: everyone of the cast with tokens, on SQLite or on both databases."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from gemba.db import db
from gemba.people import service as people
from gemba.people.models import Person
from gemba.visits import service as visits
from gemba.visits.facts import Ask
from tests.cast import Cast
from tests.conftest import StandingClock

THURSDAY = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)  # 10:00 in Berlin, 12:00 in Moscow
PREFIX = "/api/v1"


class Caller:
    """Someone with a token; addresses are written without /api/v1."""

    def __init__(self, app: Flask, token: str | None) -> None:
        self.client = app.test_client()
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> TestResponse:
        """One request; a `body` goes as JSON."""
        headers = {**self.headers, **more.pop("headers", {})}
        if body is not None:
            more["json"] = body
        full = path if path.startswith("/api") else PREFIX + path
        return self.client.open(full, method=method, headers=headers, **more)

    def get(self, path: str, **query: Any) -> TestResponse:
        """A GET with a query."""
        asked = {name.rstrip("_"): value for name, value in query.items()}
        return self.call("GET", path, **({"query_string": asked} if asked else {}))

    def post(self, path: str, body: Any = None, **more: Any) -> TestResponse:
        """A POST of JSON."""
        return self.call("POST", path, body, **more)

    def patch(self, path: str, body: Any) -> TestResponse:
        """A PATCH of JSON."""
        return self.call("PATCH", path, body)

    def put(self, path: str, body: Any) -> TestResponse:
        """A PUT of JSON."""
        return self.call("PUT", path, body)

    def delete(self, path: str) -> TestResponse:
        """A DELETE."""
        return self.call("DELETE", path)


Callers = Callable[..., Caller]


def token_of(person_id: int, now: datetime, scope: str = "write") -> str:
    """A token of a person, committed."""
    token = people.make_token(db.session.get_one(Person, person_id), "test", scope, now)
    db.session.commit()
    return token


@pytest.fixture
def as_(site: Flask, site_cast: Cast, clock: StandingClock) -> Callers:
    """`as_("vera")`, `as_("vera", "read")`, `as_(None)` for nobody."""

    def make(name: str | None, scope: str = "write") -> Caller:
        if name is None:
            return Caller(site, None)
        with site.app_context():
            return Caller(site, token_of(getattr(site_cast, name).id, clock(), scope))

    return make


@pytest.fixture
def visit_id(site: Flask, site_cast: Cast, clock: StandingClock) -> int:
    """Vera's visit with Alice on Thursday."""
    with site.app_context():
        visit = visits.book(
            programme=db.session.merge(site_cast.programme),
            visitor=db.session.get_one(Person, site_cast.vera.id),
            start=THURSDAY,
            ask=Ask(agent_id=site_cast.alice.id),
            now=clock(),
        )
        db.session.commit()
        return visit.id


@pytest.fixture
def sitting(visit_id: int, clock: StandingClock) -> int:
    """The same visit, ten minutes after it began: notes are open."""
    clock.at = THURSDAY + timedelta(minutes=10)
    return visit_id


def problem_of(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    """The problem document, checked for what every problem has."""
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    body: dict[str, Any] = answer.get_json()
    assert body["type"] == f"http://localhost/problems/{code}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body
