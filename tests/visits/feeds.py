"""Feeds in tests: an address of somebody, what it answers, and what stands in it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask, has_app_context
from icalendar import Calendar
from werkzeug.test import TestResponse

from gemba.db import db
from gemba.invites import feeds
from gemba.people.models import Person


def address(app: Flask, person_id: int, now: datetime, line_id: int | None = None) -> str:
    """The path of a new feed."""
    if has_app_context():
        db.session.rollback()
    with app.app_context():
        secret = feeds.make_address(db.session.get_one(Person, person_id), line_id, now=now)
        db.session.commit()
    return f"/calendar/{secret}.ics"


@dataclass(frozen=True)
class Feed:
    """A calendar as icalendar reads it."""

    calendar: Any

    @classmethod
    def of(cls, ics: bytes) -> "Feed":
        """Reads one; ValueError where it cannot be."""
        return cls(Calendar.from_ical(ics))

    @property
    def events(self) -> list[Any]:
        """Its events."""
        return list(self.calendar.walk("VEVENT"))

    def said(self, name: str) -> list[str]:
        """A property of each event, as text."""
        return [str(event[name]) for event in self.events]


def get(app: Flask, path: str) -> TestResponse:
    """What a calendar program is answered, after the end of the test's own transaction."""
    db.session.rollback()
    return app.test_client().get(path)


def from_app(app: Flask, path: str) -> Feed:
    """What stands at the address."""
    answer = get(app, path)
    assert answer.status_code == 200, answer.text
    return Feed.of(answer.data)
