"""The mails of a visit as they leave: MIME and iCalendar pass every gate, in both languages, and all
readers see the hour that was booked, on ordinary days and when the clocks change."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.invites.mail import calendar_download, handle
from gemba.outbox.kinds import ItemFacts
from gemba.outbox.models import OutboxItem
from gemba.people.models import Person
from gemba.schedule.models import Availability
from gemba.visits import service
from gemba.visits.facts import Ask
from gemba.visits.models import Visit
from gemba.visits.notices import snapshot
from tests.cast import Cast
from tests.conftest import StandingClock
from tests.invites import libical, strict
from tests.readers import node

ALL_WEEK = {str(day): [[0, 1440]] for day in range(7)}
CHANGES = {
    "Europe/Berlin": (datetime(2027, 3, 28, 1, tzinfo=UTC), datetime(2027, 10, 31, 1, tzinfo=UTC)),
    "America/New_York": (datetime(2027, 3, 14, 7, tzinfo=UTC), datetime(2027, 11, 7, 6, tzinfo=UTC)),
    "Asia/Kolkata": (datetime(2027, 6, 1, 4, 30, tzinfo=UTC),),
    "Europe/Moscow": (datetime(2027, 6, 1, 9, tzinfo=UTC),),
    "Australia/Lord_Howe": (
        datetime(2027, 4, 3, 15, 30, tzinfo=UTC),
        datetime(2027, 10, 2, 15, 30, tzinfo=UTC),
    ),
    "Africa/Casablanca": (datetime(2027, 2, 7, 2, tzinfo=UTC), datetime(2027, 3, 14, 2, tzinfo=UTC)),
}


def facts_of(item: OutboxItem) -> ItemFacts:
    """An outbox row as its handler sees it."""
    return ItemFacts(item.id, item.kind, item.dedup_key, item.group_key, item.recipient, 1, item.created_at)


def sent(visit: Visit, sequence: int) -> list[tuple[OutboxItem, bytes]]:
    """The mails of one state of a visit."""
    rows = db.session.scalars(select(OutboxItem).order_by(OutboxItem.id))
    return [
        (row, handle(row.payload, facts_of(row)))
        for row in rows
        if row.payload["visit"]["visit_id"] == visit.id and row.payload["visit"]["sequence"] == sequence
    ]


def _book(cast: Cast, clock: StandingClock, start: datetime) -> Visit:
    clock.at = start - timedelta(days=2)
    visit = service.book(
        programme=cast.programme,
        visitor=cast.vera,
        start=start,
        ask=Ask(agent_id=cast.alice.id),
        now=clock(),
    )
    db.session.commit()
    return visit


@pytest.mark.parametrize("zone", sorted(CHANGES))
def test_all_readers_see_the_booked_hour_around_each_change(
    app: Flask, cast: Cast, clock: StandingClock, zone: str
) -> None:
    hours = db.session.get_one(Availability, cast.alice.id)
    hours.timezone, hours.weekly = zone, ALL_WEEK
    cast.vera.timezone = cast.alice.timezone = zone
    cast.vera.locale = "ru"
    cast.programme.slot_step_minutes = 30
    db.session.commit()
    calendars, wanted = [], []
    for change in CHANGES[zone]:
        for hours_off in (-20, 20):
            start = change + timedelta(hours=hours_off)
            visit = _book(cast, clock, start)
            calendars += _check(visit, 0, "REQUEST")
            service.move(visit, cast.vera, start=start + timedelta(hours=2), now=clock())
            calendars += _check(visit, 1, "REQUEST")
            service.cancel(visit, cast.vera, reason="Болею", now=clock())
            calendars += _check(visit, 2, "CANCEL")
            wanted += [start] * 3 + [start + timedelta(hours=2)] * 6
            db.session.commit()
    for calendar, start in zip(calendars, wanted, strict=True):
        reading = libical.read(calendar)
        assert (reading.errors, reading.start, reading.end) == (
            [],
            start.timestamp(),
            start.timestamp() + 3600,
        )
    for seen, start in zip(node.read(calendars), wanted, strict=True):
        for reader in (seen["ical_js"], seen["node_ical"]):
            assert (reader["start"], reader["end"]) == (start.timestamp(), start.timestamp() + 3600)


def _check(visit: Visit, sequence: int, method: str) -> list[bytes]:
    calendars = []
    for row, raw in sent(visit, sequence):
        assert strict.problems(raw, method) == []
        assert handle(row.payload, facts_of(row)) == raw
        calendars.append(strict.calendar_of(raw))
    assert len(calendars) == 3
    return calendars


def test_words_are_the_readers_with_both_zones(app: Flask, cast: Cast, clock: StandingClock) -> None:
    cast.vera.locale = "en"
    visit = _book_with(cast, clock, cast.anton)
    mails = {row.recipient: message_from_bytes(raw, policy=default) for row, raw in sent(visit, 0)}
    english, russian = mails[cast.vera.email], mails[cast.anton.email]
    plain = english.get_body(("plain",))
    assert plain is not None
    text = plain.get_content()
    assert "Thursday 26 November, 10:00–11:00" in text
    assert "Europe/Berlin (UTC+1)" in text
    assert "12:00–13:00, Europe/Moscow (UTC+3)" in text
    assert f"http://localhost/visits/{visit.id}" in text
    assert visit.meeting_url in text
    html = english.get_body(("html",))
    assert html is not None
    for words in ("Thursday 26 November", "Europe/Berlin (UTC+1)", "Anton Agent", visit.meeting_url):
        assert words in html.get_content()
    other = russian.get_body(("plain",))
    assert other is not None
    assert "Четверг, 26 ноября, 12:00–13:00" in other.get_content()


def _book_with(cast: Cast, clock: StandingClock, agent: Person) -> Visit:
    visit = service.book(
        programme=cast.programme,
        visitor=cast.vera,
        start=datetime(2026, 11, 26, 9, tzinfo=UTC),
        ask=Ask(agent_id=agent.id),
        now=clock(),
    )
    db.session.commit()
    return visit


def test_a_replaced_agent_alone_is_taken_out(app: Flask, cast: Cast, clock: StandingClock) -> None:
    visit = _book_with(cast, clock, cast.alice)
    service.move(visit, cast.lev, start=visit.starts_at, agent_id=cast.anton.id, now=clock())
    db.session.commit()
    for row, raw in sent(visit, 1):
        method = "CANCEL" if row.recipient == cast.alice.email else "REQUEST"
        assert strict.problems(raw, method) == []
        calendar = strict.calendar_of(raw).decode().replace("\r\n ", "")
        assert calendar.count("\r\nATTENDEE") == (1 if method == "CANCEL" else 3)


def test_who_never_heard_of_it_is_told_of_a_booking(app: Flask, cast: Cast, clock: StandingClock) -> None:
    visit = _book_with(cast, clock, cast.alice)
    service.move(visit, cast.vera, start=visit.starts_at + timedelta(hours=1), now=clock())
    db.session.commit()
    subjects = {message_from_bytes(raw, policy=default)["Subject"] for _row, raw in sent(visit, 1)}
    assert all(subject.startswith("Visit on") for subject in subjects)


def test_calendar_file_is_safe_to_import(app: Flask, cast: Cast, clock: StandingClock) -> None:
    visit = _book_with(cast, clock, cast.alice)
    body = calendar_download(snapshot(visit), locale="ru")
    assert strict.calendar_problems(body, None) == []
    assert b"METHOD" not in body
    assert b"ATTENDEE" not in body
