"""What a calendar feed shows, and that kept texts never tell what is no longer so; on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from icalendar import Calendar
from sqlalchemy import func, select

from gemba.db import db
from gemba.invites import feeds
from gemba.invites.models import FeedEvent
from gemba.people.models import Person
from gemba.visits import feed, service
from gemba.visits.facts import Ask
from gemba.visits.models import Visit
from gemba.visits.rules import Status
from tests.cast import Cast
from tests.conftest import StandingClock
from tests.crowd import add_agents, add_visits
from tests.readers import counts
from tests.visits.feeds import Feed, address, from_app, get

THURSDAY = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def visit(app: Flask, cast: Cast, clock: StandingClock) -> Visit:
    visit = service.book(
        programme=cast.programme,
        visitor=cast.vera,
        start=THURSDAY,
        ask=Ask(agent_id=cast.alice.id),
        now=clock(),
    )
    db.session.commit()
    return visit


def kept() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(FeedEvent)) or 0


def test_a_feed_says_what_the_invite_says(app: Flask, cast: Cast, visit: Visit, clock: StandingClock) -> None:
    path = address(app, cast.vera.id, clock())
    read = from_app(app, path)
    (event,) = read.events
    assert (str(event["UID"]), event["SEQUENCE"]) == (visit.uid, 0)
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (THURSDAY, THURSDAY + HOUR)
    assert str(event["SUMMARY"]) == "Side by side: Vera Visitor visits Alice Agent"
    assert f"/visits/{visit.id}" in str(event["DESCRIPTION"])
    assert str(event["LOCATION"]) == visit.meeting_url
    assert str(event["STATUS"]) == "CONFIRMED"
    assert str(event["ORGANIZER"]) == "mailto:gemba@gemba.example"
    assert "ATTENDEE" not in event
    assert event.subcomponents == []


def test_the_frame_is_what_calendars_ask_for(
    app: Flask, cast: Cast, visit: Visit, clock: StandingClock
) -> None:
    ics = get(app, address(app, cast.vera.id, clock())).data
    head = ics.partition(b"BEGIN:VEVENT")[0].decode().splitlines()
    assert head == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Gemba//Visits//EN",
        "X-WR-CALNAME:Gemba: my visits",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ]
    assert ics.endswith(b"END:VEVENT\r\nEND:VCALENDAR\r\n")
    assert b"METHOD" not in ics
    assert max(len(line) for line in ics.split(b"\r\n")) <= 75
    assert counts.with_libical(ics) == (1, 0)


def test_nobodys_address_stands_in_it(app: Flask, cast: Cast, visit: Visit, clock: StandingClock) -> None:
    for person in (cast.vera, cast.alice, cast.lev):
        ics = get(app, address(app, person.id, clock())).data.replace(b"\r\n ", b"")
        assert ics.count(b"@gemba.example") == ics.count(b"mailto:gemba@gemba.example") + ics.count(
            visit.uid.encode()
        )


def test_each_sees_their_own(app: Flask, cast: Cast, visit: Visit, clock: StandingClock) -> None:
    seen = {
        person.first_name: len(from_app(app, address(app, person.id, clock())).events)
        for person in (cast.vera, cast.alice, cast.lev, cast.anton, cast.eve, cast.adam)
    }
    assert seen == {"Vera": 1, "Alice": 1, "Lev": 1, "Anton": 0, "Eve": 0, "Adam": 0}


def test_a_line_feed_shows_the_lines_visits_and_takes_no_time(
    app: Flask, cast: Cast, visit: Visit, clock: StandingClock
) -> None:
    visit.lead_id = None
    db.session.commit()
    assert from_app(app, address(app, cast.lev.id, clock())).events == []
    line = from_app(app, address(app, cast.lev.id, clock(), cast.line.id))
    assert line.said("TRANSP") == ["TRANSPARENT"]
    assert str(line.calendar["X-WR-CALNAME"]) == "Gemba: visits of Checkout line"
    assert from_app(app, address(app, cast.vera.id, clock())).said("TRANSP") == ["OPAQUE"]
    assert from_app(app, address(app, cast.lena.id, clock(), cast.other_line.id)).events == []


def test_the_language_is_the_readers(app: Flask, cast: Cast, visit: Visit, clock: StandingClock) -> None:
    paths = [address(app, person.id, clock()) for person in (cast.vera, cast.alice)]
    cast.alice.locale = "ru"
    db.session.commit()
    (english,), (russian,) = (from_app(app, path).said("SUMMARY") for path in paths)
    assert english.startswith("Side by side: Vera")
    assert russian.startswith("Рядом: Vera")
    assert kept() == 2


def set_state(visit: Visit, status: Status, clock: StandingClock) -> None:
    visit.status = status
    db.session.commit()


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (Status.REQUESTED, ["TENTATIVE"]),
        (Status.OFFERED, ["TENTATIVE"]),
        (Status.BOOKED, ["CONFIRMED"]),
        (Status.HELD, ["CONFIRMED"]),
        (Status.NOT_HELD, ["CONFIRMED"]),
        (Status.CANCELLED, ["CANCELLED"]),
        (Status.DECLINED, []),
        (Status.LAPSED, []),
    ],
)
def test_a_status_tells_where_a_visit_stands(
    app: Flask, cast: Cast, visit: Visit, clock: StandingClock, status: Status, shown: list[str]
) -> None:
    path = address(app, cast.vera.id, clock())
    from_app(app, path)
    set_state(visit, status, clock)
    assert from_app(app, path).said("STATUS") == shown


def test_a_cancelled_visit_stays_a_month_and_a_past_one_a_quarter(
    app: Flask, cast: Cast, visit: Visit, clock: StandingClock
) -> None:
    path = address(app, cast.vera.id, clock())
    clock.at = THURSDAY + HOUR + timedelta(days=90)
    assert len(from_app(app, path).events) == 1
    clock.forward(seconds=1)
    assert from_app(app, path).events == []
    clock.at = THURSDAY - 2 * DAY
    service.cancel(visit, cast.vera, reason="", now=clock())
    db.session.commit()
    clock.forward(days=30)
    (event,) = from_app(app, path).events
    assert (str(event["STATUS"]), str(event["TRANSP"]), event["SEQUENCE"]) == ("CANCELLED", "TRANSPARENT", 1)
    clock.forward(seconds=1)
    assert from_app(app, path).events == []


def test_a_move_and_a_rename_are_told_at_once(
    app: Flask, cast: Cast, visit: Visit, clock: StandingClock
) -> None:
    path = address(app, cast.lev.id, clock())
    from_app(app, path)
    assert kept() == 1
    service.move(visit, cast.vera, start=THURSDAY + HOUR, now=clock() + HOUR)
    db.session.commit()
    (event,) = from_app(app, path).events
    assert (event["DTSTART"].dt, event["SEQUENCE"]) == (THURSDAY + HOUR, 1)
    renames: list[tuple[Any, str, str]] = [
        (cast.alice, "Alisa Novikova", "Alisa Novikova"),
        (cast.vera, "Vera Nova", "Vera Nova"),
        (cast.programme, "How to WOW", "How to WOW: "),
    ]
    for each, name, said in renames:
        db.session.get_one(type(each), each.id).name = name
        db.session.commit()
        assert kept() == 0
        assert said in from_app(app, path).said("SUMMARY")[0]
        assert kept() == 1
    db.session.get_one(Person, cast.eve.id).name = "Somebody else"
    db.session.commit()
    assert kept() == 1


def test_other_settings_make_other_texts(app: Flask, cast: Cast, visit: Visit, clock: StandingClock) -> None:
    path = address(app, cast.vera.id, clock())
    from_app(app, path)
    settings = app.extensions["gemba_settings"]
    app.extensions["gemba_settings"] = replace(settings, mail_from="wow@gemba.example")
    assert from_app(app, path).said("ORGANIZER") == ["mailto:wow@gemba.example"]
    app.extensions["gemba_settings"] = settings
    assert from_app(app, path).said("ORGANIZER") == ["mailto:gemba@gemba.example"]


def test_what_changed_while_a_text_was_made_is_not_kept(
    app: Flask, cast: Cast, visit: Visit, clock: StandingClock
) -> None:
    made = feed.make([visit.id], "en")
    assert "Alice Agent" in made[0].text
    cast.alice.name = "Alisa Novikova"
    db.session.commit()
    feed.keep(made, "en")
    db.session.commit()
    assert kept() == 0
    feed.keep(feed.make([visit.id], "en"), "en")
    db.session.commit()
    assert kept() == 1


def test_a_visit_deleted_while_its_text_was_made_harms_nobody(
    app: Flask, cast: Cast, visit: Visit, clock: StandingClock
) -> None:
    made = feed.make([visit.id, 999], "en")
    assert [one.visit_id for one in made] == [visit.id]
    feed.keep([feed.Made(999, "x", "y")], "en")
    db.session.commit()
    assert kept() == 0


def test_joined_texts_are_what_icalendar_would_write(app: Flask, cast: Cast, clock: StandingClock) -> None:
    add_visits(cast, add_agents(cast, 3, clock()), 60, clock())
    db.session.commit()
    path = address(app, cast.vera.id, clock())
    first, second = (get(app, path).data for _ in range(2))
    assert first == second
    whole = Calendar.from_ical(first)
    again = Calendar()
    for name in ("VERSION", "PRODID", "X-WR-CALNAME", "REFRESH-INTERVAL", "X-PUBLISHED-TTL"):
        again.add(name, whole[name], encode=False)
    for event in whole.walk("VEVENT"):
        again.add_component(event)
    assert again.to_ical() == first
    assert Calendar.from_ical(again.to_ical()) == whole


def test_old_texts_are_tidied_away(app: Flask, cast: Cast, visit: Visit, clock: StandingClock) -> None:
    from_app(app, address(app, cast.vera.id, clock()))
    feed.tidy(THURSDAY + 120 * DAY)
    assert kept() == 1
    feed.tidy(THURSDAY + HOUR + 120 * DAY + timedelta(seconds=1))
    db.session.commit()
    assert kept() == 0


def test_a_large_feed_flows_while_it_is_made_and_is_whole_the_next_time(
    app: Flask, cast: Cast, clock: StandingClock
) -> None:
    add_visits(cast, add_agents(cast, 20, clock()), 700, clock())
    db.session.commit()
    path = address(app, cast.lev.id, clock())
    cold = get(app, path)
    assert "Content-Length" not in cold.headers
    assert "ETag" not in cold.headers
    uids = Feed.of(cold.data).said("UID")
    assert len(uids) == len(set(uids)) == kept() > 350
    warm = get(app, path)
    assert int(warm.headers["Content-Length"]) == len(warm.data)
    assert warm.headers["ETag"].startswith('W/"')
    assert sorted(Feed.of(warm.data).said("UID")) == sorted(uids)


def test_only_a_led_line_has_a_feed(app: Flask, cast: Cast, clock: StandingClock) -> None:
    assert [one.line for one in feeds.addresses_of(cast.vera)] == [None]
    assert [one.line and one.line.name for one in feeds.addresses_of(cast.lev)] == [None, "Checkout line"]
