"""The app with a worker that may reach this machine, in a hurry."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from gemba.trackers import errand
from gemba.trackers.adapters import wire
from gemba.trackers.rules import kinds
from tests.cast import Cast, make_cast
from tests.conftest import StandingClock, running, settings_for

LOOPBACK = ("127.0.0.0/8",)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits between two looks at what the threads did."""
    monkeypatch.setattr(errand, "STEP", 0.005)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits fifteen seconds for a tracker that hangs, nor a minute for what it takes in a minute."""
    monkeypatch.setattr(wire, "SECONDS", 0.5)
    for kind, traits in kinds.TRAITS.items():
        monkeypatch.setitem(kinds.TRAITS, kind, replace(traits, per_minute=0))


@pytest.fixture
def exporting(database_url: str, tmp_path: Path, clock: StandingClock) -> Iterator[Flask]:
    """The app on both databases, inside its context."""
    with running(settings_for(database_url, tmp_path, fetch_allowed=LOOPBACK), clock) as app:
        yield app


@pytest.fixture
def exporting_cast(exporting: Flask, clock: StandingClock) -> Cast:
    """The cast on the database of `exporting`."""
    return make_cast(clock())


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path, clock: StandingClock) -> Iterator[Flask]:
    """The app on SQLite alone: for what is about trackers, not databases."""
    with running(settings_for(sqlite_url, tmp_path, fetch_allowed=LOOPBACK), clock) as app:
        yield app


@pytest.fixture
def lite_cast(lite: Flask, clock: StandingClock) -> Cast:
    """The cast on the database of `lite`."""
    return make_cast(clock())
