"""Databases of some size and the app on them, called without a server in between."""

import gc
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import create_engine, text
from werkzeug.test import EnvironBuilder, run_wsgi_app

from gemba.app import create_app
from gemba.db import db
from gemba.people import service as people
from tests.cast import Cast, let_go, make_cast
from tests.conftest import MONDAY, StandingClock, settings_for
from tests.crowd import add_agents, add_insights, add_visits
from tests.postgres import postgres_url

DATABASES = ("SQLite", "PostgreSQL")
_addresses = count(1)


@dataclass(frozen=True)
class World:
    """The app with its rate limits on, the cast, and the ids of the crowd."""

    app: Flask
    cast: Cast
    agents: list[int]
    visits: list[int]
    insights: list[int]

    def caller(self, person_id: int) -> "Caller":
        """A browser in which this person is signed in."""
        with self.app.test_request_context():
            token = people.begin_sign_in(person_id, method="bench", browser="bench", now=MONDAY)
            db.session.commit()
        return Caller(self.app, _cookie(self.app, {"sign_in": token}))


class Caller:
    """Calls the app as a WSGI server does."""

    def __init__(self, app: Flask, cookie: str = "", token: str = "") -> None:
        self._app, self._cookie, self._token = app, cookie, token

    def get(self, path: str, status: int = 200) -> Callable[[], bytes]:
        """A GET of the path, to be called again and again; another status is an error."""
        return lambda: self._call(path, status, "GET", None)

    def post(
        self, path: str, form: dict[str, str], status: int = 303, fragment: str = ""
    ) -> Callable[[], bytes]:
        """A POST of a form; by a page's script where a `fragment` is asked for."""
        return lambda: self._call(path, status, "POST", form, fragment=fragment)

    def post_json(self, path: str, body: dict[str, Any], status: int = 201) -> Callable[[], bytes]:
        """A POST of JSON, with the caller's token."""
        return lambda: self._call(path, status, "POST", json.dumps(body), "application/json")

    def _call(
        self, path: str, status: int, method: str, data: Any, kind: str | None = None, fragment: str = ""
    ) -> bytes:
        number = next(_addresses)
        environ = EnvironBuilder(path=path, method=method, data=data, content_type=kind).get_environ()
        environ["HTTP_COOKIE"] = self._cookie
        if fragment:
            environ["HTTP_X_FRAGMENT"] = fragment
        if self._token:
            environ["HTTP_AUTHORIZATION"] = f"Bearer {self._token}"
        # Each call from another address: the limits are counted, and never reached.
        environ["REMOTE_ADDR"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        body, line, _headers = run_wsgi_app(self._app, environ)
        content = b"".join(body)
        if not line.startswith(str(status)):
            raise AssertionError(f"{method} {path} answered {line}: {content[:300]!r}")
        return content


def _cookie(app: Flask, values: dict[str, Any]) -> str:
    interface: Any = app.session_interface
    signed = interface.get_signing_serializer(app).dumps(values)
    return f"{app.config['SESSION_COOKIE_NAME']}={signed}"


@contextmanager
def world(
    database: str, folder: Path, *, agents: int, visits: int = 100, insights: int = 80
) -> Iterator[World]:
    """A company of that size on a fresh database."""
    name = f"bench_{secrets.token_hex(4)}"
    folder.mkdir(parents=True, exist_ok=True)
    url = postgres_url(name) if database == "PostgreSQL" else f"sqlite:///{folder / name}.db"
    engine = create_engine(url)
    db.metadata.create_all(engine)
    engine.dispose()
    app = create_app(settings_for(url, folder, testing=False), StandingClock())
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        cast = make_cast(MONDAY)
        ids = add_agents(cast, max(agents - 3, 2), MONDAY)
        booked = add_visits(cast, ids, visits, MONDAY)
        found = add_insights(cast, booked, insights, MONDAY)
        db.session.commit()
        cast = let_go(cast)
        # PostgreSQL does this by itself a minute after so many new rows.
        db.session.execute(text("ANALYZE"))
        db.session.commit()
    gc.collect()
    gc.freeze()  # as gunicorn.conf.py does
    yield World(app, cast, ids, booked, found)
    with app.app_context():
        db.engine.dispose()
