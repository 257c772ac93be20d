"""The app with a worker that may reach this machine, and a server of calendars."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.outbox.models import OutboxItem
from gemba.outbox.worker import Worker
from gemba.schedule.models import BusySource
from tests.conftest import StandingClock, running, settings_for
from tests.fakes.calendars import Server, calendar_server

LOOPBACK = ("127.0.0.0/8",)


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of calendars."""
    with calendar_server() as server:
        yield server


@pytest.fixture
def reading(database_url: str, tmp_path: Path, clock: StandingClock) -> Iterator[Flask]:
    """The app on both databases, inside its context, whose worker may fetch from loopback."""
    with running(settings_for(database_url, tmp_path, fetch_allowed=LOOPBACK), clock) as app:
        yield app


@pytest.fixture
def work(reading: Flask, clock: StandingClock) -> Callable[..., int]:
    """Lets the worker do what is due after so many minutes; answers how many tries that took."""

    def run(minutes: float = 0) -> int:
        db.session.commit()
        clock.at += timedelta(minutes=minutes)
        tries = Worker(reading, clock=clock).drain()
        db.session.expire_all()
        return tries

    return run


def the_source() -> BusySource:
    """The one source there is."""
    return db.session.scalars(select(BusySource).execution_options(populate_existing=True)).one()


def waiting() -> list[OutboxItem]:
    """What the outbox still has to do about calendars."""
    query = select(OutboxItem).where(
        OutboxItem.kind == "busy-fetch", OutboxItem.state.in_(("ready", "leased"))
    )
    return list(db.session.scalars(query.execution_options(populate_existing=True)))
