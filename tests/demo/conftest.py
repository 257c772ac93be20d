"""A database with the demo company, loaded once per test process and copied for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from gemba.app import create_app
from gemba.config import Settings
from gemba.db import db
from gemba.demo import service
from tests.conftest import MONDAY, StandingClock, running, settings_for


@pytest.fixture(scope="session")
def loaded_file(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    """An SQLite file with the demo company, loaded on Monday 23 November 2026, 08:00 UTC."""
    folder = tmp_path_factory.mktemp("demo")
    path = folder / "gemba.db"
    path.write_bytes(sqlite_template.read_bytes())
    with running(settings_for(f"sqlite:///{path}", folder), StandingClock()):
        service.load(MONDAY)
        db.session.commit()
    return path


@pytest.fixture
def settings(loaded_file: Path, tmp_path: Path) -> Settings:
    """Settings of an app on a copy of the loaded database; mail lands in a folder."""
    folder = tmp_path / "demo"
    folder.mkdir()
    path = folder / "gemba.db"
    path.write_bytes(loaded_file.read_bytes())
    return settings_for(f"sqlite:///{path}", folder)


@pytest.fixture
def demo_app(settings: Settings, clock: StandingClock) -> Iterator[Flask]:
    """The app with the demo company, inside its context."""
    with running(settings, clock) as app:
        yield app


@pytest.fixture
def demo(settings: Settings, clock: StandingClock) -> Iterator[Flask]:
    """The app with the demo company, outside of any context and without CSRF tokens: for pages."""
    app = create_app(settings, clock)
    app.config["WTF_CSRF_ENABLED"] = False
    yield app
    with app.app_context():
        db.engine.dispose()
