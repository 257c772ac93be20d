"""Mail templates of the tests, and helpers to look at the outbox from another transaction."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from jinja2 import ChoiceLoader, DictLoader
from sqlalchemy import select

from gemba.db import db
from gemba.outbox import service as outbox
from gemba.outbox.models import OutboxItem
from tests.conftest import StandingClock, running, settings_for
from tests.fakes.smtp import Server, smtp_server

TEMPLATES = {
    "email/hello.subject": "Hello {{ who }}\n",
    "email/hello.txt": '{{ _("Hello %(name)s,", name=who) }}\n{{ full_date(at, "UTC") }} {{ base_url }}\n',
    "email/hello.html": '<html lang="{{ locale }}"><title>{{ subject }}</title><p>{{ who }}</p></html>\n',
    "email/code.subject": "Your code",
    "email/code.txt": "Code {{ secret }}",
    "email/code.html": "<p>{{ secret }}</p>",
    "email/broken.subject": "Broken",
    "email/broken.txt": "{{ nobody_gave_this }}",
    "email/broken.html": "",
}


@pytest.fixture
def smtp() -> Iterator[Server]:
    """A mail server that behaves until told otherwise."""
    with smtp_server() as server:
        yield server


def add_templates(app: Flask) -> None:
    """Lets the app know the templates above."""
    app.jinja_env.loader = ChoiceLoader([DictLoader(TEMPLATES), app.jinja_env.loader or DictLoader({})])


@pytest.fixture
def mailing(database_url: str, tmp_path: Path, clock: StandingClock, smtp: Server) -> Iterator[Flask]:
    """The app on both databases, mailing to `smtp`, inside its context."""
    with running(settings_for(database_url, tmp_path, smtp=smtp.settings), clock) as app:
        add_templates(app)
        yield app


def hello(now: datetime, number: int = 1, **more: Any) -> OutboxItem:
    """Queues a mail."""
    values: dict[str, Any] = {
        "to": "vera@gemba.example",
        "locale": "en",
        "template": "hello",
        "context": {"who": "Vera", "at": now},
        "dedup_key": f"hello:{number}",
        "now": now,
    }
    asked = {**values, **more}
    outbox.queue_mail(**asked)
    return queued(asked["dedup_key"])


def queued(dedup_key: str) -> OutboxItem:
    """The item under this key."""
    return db.session.scalars(select(OutboxItem).where(OutboxItem.dedup_key == dedup_key)).one()
