"""The stage: databases, the app with a clock that stands still, browsers, and the cast."""

from __future__ import annotations

import gc
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine

from gemba.app import create_app
from gemba.config import Settings
from gemba.db import db
from gemba.people import service as people
from tests import sent
from tests.cast import Cast, let_go, make_cast
from tests.postgres import postgres_url

IN_CI = os.environ.get("CI") == "true"
MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def pytest_collection_finish() -> None:
    """Collected tests stay to the end: to look through them for garbage is a fifteenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


class StandingClock:
    """A clock that moves only when told."""

    def __init__(self, at: datetime = MONDAY) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **step: float) -> None:
        """Moves the hands."""
        self.at += timedelta(**step)


@pytest.fixture
def clock() -> StandingClock:
    """The app's clock: Monday 23 November 2026, 08:00 UTC, until moved."""
    return StandingClock()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database with all tables, to be copied for each test."""
    path = tmp_path_factory.mktemp("template") / "gemba.db"
    engine = create_engine(f"sqlite:///{path}")
    db.metadata.create_all(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[Engine]:
    """A database of this test process's own on a real PostgreSQL, with all tables and wipe()."""
    engine = create_engine(postgres_url(f"test_{secrets.token_hex(4)}"))
    db.metadata.create_all(engine)
    deletes = " ".join(f'DELETE FROM "{table.name}";' for table in db.metadata.sorted_tables)
    with engine.begin() as connection:
        connection.exec_driver_sql(WIPE.replace("{deletes}", deletes))
    yield engine
    engine.dispose()


WIPE = """
CREATE FUNCTION wipe() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  SET LOCAL session_replication_role = replica; -- no foreign keys: the order does not matter
  {deletes}
  PERFORM setval(CAST(quote_ident(sequencename) AS regclass), 1, false)
    FROM pg_sequences WHERE last_value IS NOT NULL;
END
$$
"""
"""Empties what a test filled, ids from 1 again; a TRUNCATE of a few small tables takes a hundred times as
long, for it makes new files."""


def settings_for(url: str, folder: Path, **more: Any) -> Settings:
    """Settings of a test."""
    values: dict[str, Any] = {
        "instance": folder,
        "database_url": url,
        "secret_key": "test-" * 10,
        "base_url": "http://localhost",
        "mail_from": "gemba@gemba.example",
        "testing": True,
    }
    return Settings(**{**values, **more})


@pytest.fixture(scope="session")
def sqlite_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where this process keeps the SQLite database of the current test, in memory where the machine can."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path_factory.mktemp("sqlite") / "gemba.db"
        return
    with tempfile.TemporaryDirectory(prefix="gemba-test-", dir=memory) as folder:
        yield Path(folder) / "gemba.db"


@pytest.fixture
def sqlite_url(sqlite_path: Path, sqlite_template: Path) -> str:
    """A fresh SQLite database."""
    return fresh_sqlite(sqlite_path, sqlite_template.read_bytes())


def fresh_sqlite(path: Path, content: bytes) -> str:
    """The URL of a database with this content; whoever still holds the one before keeps the old file."""
    for name in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        name.unlink(missing_ok=True)
    path.write_bytes(content)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database; the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    engine = request.getfixturevalue("postgres")
    with engine.begin() as connection:
        connection.exec_driver_sql("SELECT wipe()")
    return str(engine.url.render_as_string(hide_password=False))


@contextmanager
def running(settings: Settings, clock: Callable[[], datetime]) -> Iterator[Flask]:
    """An app of the test's own, inside its context; connections are given back at the end."""
    app = create_app(settings, clock)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


_apps: dict[str, tuple[Flask, dict[str, Any]]] = {}


@contextmanager
def shared_app(url: str, folder: Path, clock: Callable[[], datetime]) -> Iterator[Flask]:
    """An app on this database, made once per process: making one costs more than most tests."""
    settings = settings_for(url, folder)
    if url not in _apps:
        made = create_app(settings, clock)
        _apps[url] = made, dict(made.config)
    app, config = _apps[url]
    app.config.clear()
    app.config.update(config)
    app.extensions["gemba_settings"], app.extensions["gemba_clock"] = settings, clock
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def app(database_url: str, tmp_path: Path, clock: StandingClock) -> Iterator[Flask]:
    """The app on both databases, inside its context: for tests of services."""
    with shared_app(database_url, tmp_path, clock) as app, app.app_context():
        yield app
        db.session.remove()


@pytest.fixture
def cast(app: Flask, clock: StandingClock) -> Cast:
    """The cast, on the database of `app`."""
    return make_cast(clock())


class Browser:
    """A test client with manners; `browser.as_(person)` signs in."""

    def __init__(self, app: Flask, clock: Callable[[], datetime]) -> None:
        self.app = app
        self.clock = clock

    def anonymous(self) -> FlaskClient:
        """A browser in which nobody signed in."""
        return self.app.test_client()

    def as_(self, person_id: int) -> FlaskClient:
        """A browser in which this person is signed in."""
        client = self.app.test_client()
        with self.app.app_context():
            token = people.begin_sign_in(person_id, method="test", browser="test", now=self.clock())
            db.session.commit()
        with client.session_transaction() as cookie:
            cookie["sign_in"] = token
        return client


@pytest.fixture
def site(sqlite_url: str, tmp_path: Path, clock: StandingClock) -> Iterator[Flask]:
    """The app on SQLite, outside of any context and without CSRF tokens: for tests of pages and calls."""
    with shared_app(sqlite_url, tmp_path, clock) as app:
        app.config["WTF_CSRF_ENABLED"] = False
        yield app


@pytest.fixture
def site_cast(site: Flask, clock: StandingClock) -> Cast:
    """The cast, on the database of `site`; use their ids and names only."""
    with site.app_context():
        return let_go(make_cast(clock()))


@pytest.fixture
def browser(site: Flask, clock: StandingClock) -> Browser:
    """Browsers of `site`."""
    return Browser(site, clock)


@pytest.fixture
def statements(site: Flask) -> Iterator[list[str]]:
    """The SQL statements that `site` sent."""
    with sent.statements(site) as every:
        yield every
