"""The team calendar: whose rows one sees, what fills their days, and the page by week and day."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from flask import Flask

from gemba.db import db
from gemba.people.models import Person
from gemba.schedule.models import Availability, BusySource, QuietHours
from gemba.visits import service, team
from gemba.visits.facts import Ask
from gemba.visits.team import Kind, Row, Scale, Why
from tests.cast import Cast
from tests.conftest import MONDAY, Browser
from tests.crowd import add_agents

WEEK = [date(2026, 11, 23) + timedelta(days=n) for n in range(7)]
THURSDAY = WEEK[3]


def rows(viewer: Person, days: list[date] = WEEK, **more: int) -> dict[str, Row]:
    return {row.agent.name: row for row in team.calendar(viewer, days=days, week=WEEK, **more).rows}


def told(row: Row, day: int = 0) -> list[tuple[str, str]]:
    """The pieces of a day in Berlin, by the wall time they begin at."""
    return [
        ((piece.start + timedelta(hours=1)).strftime("%H:%M"), str(piece.kind))
        for piece in row.days[day].pieces
    ]


def book(cast: Cast, start: datetime, agent: Person) -> None:
    service.book(
        programme=cast.programme, visitor=cast.vera, start=start, ask=Ask(agent_id=agent.id), now=MONDAY
    )


def test_lead_sees_the_line_and_admin_everyone(cast: Cast) -> None:
    assert list(rows(cast.lev)) == ["Alice Agent", "Anton Agent"]
    assert list(rows(cast.lena)) == ["Ada Other"]
    assert list(rows(cast.adam)) == ["Alice Agent", "Anton Agent", "Ada Other"]
    assert list(rows(cast.adam, line_id=cast.other_line.id)) == ["Ada Other"]
    assert list(rows(cast.lena, line_id=cast.line.id)) == []
    assert list(rows(cast.alice)) == []


def test_a_day_has_no_hole_and_the_strongest_kind_wins(cast: Cast) -> None:
    row = db.session.get_one(Availability, cast.alice.id)
    row.buffer_after, row.per_week = 15, 4
    db.session.flush()
    book(cast, datetime(2026, 11, 26, 9, tzinfo=UTC), cast.alice)
    db.session.add(QuietHours(line_id=cast.line.id, timezone="Europe/Berlin", weekly={"3": [[720, 900]]}))
    start = int(datetime(2026, 11, 26, 13, 30, tzinfo=UTC).timestamp()) // 60
    db.session.add(
        BusySource(person_id=cast.alice.id, name="Work", created_at=MONDAY, spans=[[start, start + 60]])
    )
    db.session.flush()
    alice = rows(cast.lev, [THURSDAY])["Alice Agent"]
    assert told(alice) == [
        ("00:00", "closed"),
        ("09:00", "free"),
        ("10:00", "visit"),
        ("11:00", "break"),
        ("11:15", "free"),
        ("12:00", "quiet"),
        ("13:00", "closed"),
        ("14:00", "quiet"),
        ("14:30", "busy"),
        ("15:30", "free"),
        ("18:00", "closed"),
    ]
    pieces = alice.days[0].pieces
    assert all(one.end == two.start for one, two in pairwise(pieces))
    assert (pieces[0].start, pieces[-1].end) == (alice.days[0].span.start, alice.days[0].span.end)
    assert (alice.load, alice.limit) == (1, 4)
    assert [visit.starts_at.hour for visit in alice.days[0].visits] == [9]
    assert alice.days[0].minutes(Kind.FREE) == 60 + 45 + 150


def test_hours_are_in_the_zone_of_who_looks(cast: Cast) -> None:
    """Anton's day in Moscow begins at 22:00 of the evening before in Los Angeles, and is cut at midnight."""
    cast.lev.timezone = "America/Los_Angeles"
    anton = rows(cast.lev)["Anton Agent"]
    free = [piece for piece in anton.days[0].pieces if piece.kind == Kind.FREE]
    assert [(piece.start.isoformat(), piece.end.isoformat()) for piece in free] == [
        ("2026-11-23T08:00:00+00:00", "2026-11-23T10:00:00+00:00"),
        ("2026-11-23T11:00:00+00:00", "2026-11-23T15:00:00+00:00"),
        ("2026-11-24T06:00:00+00:00", "2026-11-24T08:00:00+00:00"),
    ]


def test_why_nothing_is_open(cast: Cast) -> None:
    row = db.session.get_one(Availability, cast.alice.id)
    row.overrides, row.time_off = {"2026-11-24": []}, [["2026-11-25", "2026-11-26"]]
    anton = db.session.get_one(Availability, cast.anton.id)
    anton.holidays, anton.paused = "DE", True
    db.session.delete(db.session.get_one(Availability, cast.ada.id))
    db.session.flush()
    found = rows(cast.adam)
    assert [cell.why for cell in found["Alice Agent"].days] == [
        Why.NONE,
        Why.DAY_OFF,
        Why.AWAY,
        Why.AWAY,
        Why.NONE,
        Why.CLOSED,
        Why.CLOSED,
    ]
    assert {cell.why for cell in found["Ada Other"].days} == {Why.NO_HOURS}
    assert found["Anton Agent"].paused
    assert found["Anton Agent"].free == 0
    christmas = team.calendar(cast.lev, days=[date(2026, 12, 25)], week=[date(2026, 12, 25)]).rows[1]
    assert christmas.days[0].why == Why.HOLIDAY


def test_a_visit_over_midnight_stands_in_both_days_and_is_listed_once(cast: Cast) -> None:
    cast.lev.timezone = "Pacific/Auckland"
    book(cast, datetime(2026, 11, 26, 10, 30, tzinfo=UTC), cast.alice)  # 23:30 in Auckland
    alice = rows(cast.lev)["Alice Agent"]
    assert [cell.minutes(Kind.VISIT) for cell in alice.days[3:5]] == [30, 30]
    assert [len(cell.visits) for cell in alice.days[3:5]] == [1, 0]
    assert alice.load == 1


def test_an_agent_who_visits_another_is_taken(cast: Cast) -> None:
    service.book(
        programme=cast.programme,
        visitor=cast.anton,
        start=datetime(2026, 11, 26, 9, tzinfo=UTC),
        ask=Ask(agent_id=cast.alice.id),
        now=MONDAY,
    )
    found = rows(cast.lev, [THURSDAY])
    assert found["Anton Agent"].days[0].minutes(Kind.VISIT) == 60
    assert (found["Anton Agent"].load, found["Alice Agent"].load) == (0, 1)


def test_the_scale_draws_the_hours_that_matter(cast: Cast) -> None:
    found = team.calendar(cast.lev, days=[THURSDAY], week=WEEK)
    assert found.hours == (7, 18)  # Anton's day begins at seven in Berlin
    scale = Scale.of("Europe/Berlin", THURSDAY, found.hours)
    cell = found.rows[0].days[0]
    assert scale.length == 11 * 12
    assert sum(width for width, _piece in scale.cells(cell)) == scale.length
    assert scale.path(cell, Kind.FREE) == "M24 0h48v10h-48zM84 0h48v10h-48z"
    assert [tick.hour for tick in scale.ticks] == list(range(6, 17))
    long = Scale.of("Europe/Berlin", date(2026, 10, 25), (0, 24))
    assert (long.length, len(long.ticks)) == (25 * 12, 25)


def test_many_agents_come_in_pages(cast: Cast) -> None:
    add_agents(cast, 40, MONDAY)
    first = team.calendar(cast.adam, days=WEEK, week=WEEK)
    last = team.calendar(cast.adam, days=WEEK, week=WEEK, page=2)
    assert (len(first.rows), first.more) == (team.PAGE, True)
    assert (len(last.rows), last.more) == (43 - 2 * team.PAGE, False)


@pytest.fixture
def visit(site: Flask, site_cast: Cast) -> int:
    with site.app_context():
        found = service.book(
            programme=db.session.merge(site_cast.programme),
            visitor=db.session.get_one(Person, site_cast.vera.id),
            start=datetime(2026, 11, 26, 9, tzinfo=UTC),
            ask=Ask(agent_id=site_cast.alice.id),
            now=MONDAY,
        )
        db.session.commit()
        return found.id


@pytest.mark.parametrize("query", ["", "?week=2026-11-26", "?day=2026-11-26"])
def test_the_page(site_cast: Cast, browser: Browser, visit: int, query: str) -> None:
    page = browser.as_(site_cast.lev.id).get(f"/team{query}").text
    assert "Vera Visitor" in page
    assert f'href="/visits/{visit}"' in page
    assert f'href="/visits/{visit}/swap"' in page
    assert f'href="/availability/{site_cast.alice.id}"' in page
    assert f'href="/availability/{site_cast.alice.id}/hours?day=' in page
    assert f'href="/lines/{site_cast.line.id}/quiet-hours"' in page
    assert "Europe/Berlin" in page
    assert "1 visit this week" in page
    assert "Ada Other" not in page
    assert "style=" not in page
    assert browser.as_(site_cast.vera.id).get("/team").status_code == 403


def test_not_now_is_said_in_words(site: Flask, site_cast: Cast, browser: Browser) -> None:
    with site.app_context():
        db.session.get_one(Availability, site_cast.ada.id).paused = True
        db.session.commit()
    for query in ("", "?day=2026-11-26"):
        assert "not now" in browser.as_(site_cast.lena.id).get(f"/team{query}").text


@pytest.mark.parametrize(
    "query",
    [
        "week=nonsense",
        "week=0001-01-01",
        "day=9999-12-31",
        "day=",
        "line=x",
        "line=999",
        "page=-1",
        "page=9" * 9,
    ],
)
def test_odd_addresses(browser: Browser, site_cast: Cast, query: str) -> None:
    assert browser.as_(site_cast.adam.id).get(f"/team?{query}").status_code == 200


def test_weeks_and_days_lead_to_their_neighbours(browser: Browser, site_cast: Cast) -> None:
    lev = browser.as_(site_cast.lev.id)
    week = lev.get("/team?week=2026-12-02").text
    assert "Mon 30 Nov" in week
    for neighbour in ("week=2026-11-25", "week=2026-12-09", "week=2026-11-23", "day=2026-12-03"):
        assert f"/team?{neighbour}" in week
    day = lev.get("/team?day=2026-12-02").text
    for neighbour in ("day=2026-12-01", "day=2026-12-03", "day=2026-11-23", "week=2026-12-02"):
        assert f"/team?{neighbour}" in day
