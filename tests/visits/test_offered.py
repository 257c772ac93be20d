"""What visitors see of an agent: every start of the grid, in runs, each with its reasons; and the page."""

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask

from gemba.db import db
from gemba.errors import NotFound
from gemba.people.models import Person
from gemba.programmes.models import Programme
from gemba.schedule.models import Availability, BusySource, QuietHours
from gemba.schedule.rules import Reason, ReasonCode, Span, discreet
from gemba.visits import service
from gemba.visits.facts import Ask
from gemba.visits.offered import OfferedDay, offered
from tests.cast import Cast
from tests.conftest import MONDAY, Browser

THURSDAY = date(2026, 11, 26)


def told(day: OfferedDay) -> list[tuple[str, str, list[str]]]:
    """The runs as wall times of Berlin and codes."""
    return [
        (
            (run.first + timedelta(hours=1)).strftime("%H:%M"),
            (run.last + timedelta(hours=1)).strftime("%H:%M"),
            [str(reason.code) for reason in run.reasons] if not run.is_offered else ["offered"],
        )
        for run in day.runs
    ]


def book(cast: Cast, start: datetime) -> None:
    service.book(
        programme=cast.programme, visitor=cast.vera, start=start, ask=Ask(agent_id=cast.alice.id), now=MONDAY
    )


def test_a_day_is_told_in_runs(cast: Cast) -> None:
    book(cast, datetime(2026, 11, 26, 9, tzinfo=UTC))
    db.session.add(QuietHours(line_id=cast.line.id, timezone="Europe/Berlin", weekly={"3": [[900, 960]]}))
    minutes = int(datetime(2026, 11, 26, 16, tzinfo=UTC).timestamp()) // 60
    db.session.add(
        BusySource(person_id=cast.alice.id, name="Work", created_at=MONDAY, spans=[[minutes, minutes + 60]])
    )
    db.session.flush()
    [day] = offered(cast.lev, cast.alice.id, cast.programme, [THURSDAY], now=MONDAY).days
    assert told(day) == [
        ("00:00", "08:30", ["outside-hours"]),
        ("09:00", "09:00", ["offered"]),
        ("09:30", "10:30", ["agent-busy"]),
        ("11:00", "12:00", ["offered"]),
        ("12:30", "13:30", ["outside-hours"]),
        ("14:00", "14:00", ["offered"]),
        ("14:30", "15:30", ["quiet-hours"]),
        ("16:00", "16:00", ["offered"]),
        ("16:30", "17:00", ["calendar-busy"]),
        ("17:30", "17:30", ["outside-hours", "calendar-busy"]),
        ("18:00", "23:30", ["outside-hours"]),
    ]
    assert day.free == 6


def test_what_holds_all_day_is_said_once(cast: Cast) -> None:
    row = db.session.get_one(Availability, cast.alice.id)
    row.time_off, row.paused = [["2026-11-26", "2026-11-27"]], True
    db.session.flush()
    [day] = offered(cast.adam, cast.alice.id, cast.programme, [THURSDAY], now=MONDAY).days
    assert [reason.code for reason in day.all_day] == ["not-now", "time-off"]
    assert [(run.is_offered, run.reasons) for run in day.runs] == [(False, ())]
    assert day.free == 0


def test_what_has_begun_is_over_and_nothing_else(cast: Cast) -> None:
    [day] = offered(cast.alice, cast.alice.id, cast.programme, [MONDAY.date()], now=MONDAY).days
    assert told(day)[:2] == [("00:00", "08:30", ["in-the-past"]), ("09:00", "12:00", ["too-soon"])]
    [before] = offered(cast.alice, cast.alice.id, cast.programme, [date(2026, 11, 20)], now=MONDAY).days
    assert [reason.code for reason in before.all_day] == ["in-the-past"]


def test_an_hour_that_comes_twice_and_one_that_is_skipped(cast: Cast) -> None:
    nights = [date(2026, 10, 25), date(2027, 3, 28)]
    now = datetime(2026, 10, 20, tzinfo=UTC)
    for night, count in zip(nights, (50, 46), strict=True):
        [day] = offered(cast.alice, cast.alice.id, cast.programme, [night], now=now).days
        assert sum(len(run.starts) for run in day.runs) == count


def test_the_answers_are_those_of_the_list_of_slots(cast: Cast) -> None:
    days = [THURSDAY + timedelta(days=n) for n in range(7)]
    book(cast, datetime(2026, 11, 30, 9, tzinfo=UTC))
    found = offered(cast.alice, cast.alice.id, cast.programme, days, now=MONDAY)
    shown = [start for day in found.days for run in day.runs if run.is_offered for start in run.starts]
    window = Span(shown[0] - timedelta(days=1), shown[-1] + timedelta(hours=1))
    slots = service.open_slots(
        cast.programme, cast.eve, ask=Ask(agent_id=cast.alice.id), window=window, now=MONDAY
    )
    assert shown == [start for start in slots.starts if start >= shown[0]]


def test_only_who_may_see_the_hours(cast: Cast) -> None:
    for viewer in (cast.vera, cast.lena, cast.anton, cast.olga):
        with pytest.raises(NotFound):
            offered(viewer, cast.alice.id, cast.programme, [THURSDAY], now=MONDAY)


def test_an_agent_who_never_saved_hours(cast: Cast) -> None:
    db.session.delete(db.session.get_one(Availability, cast.alice.id))
    db.session.flush()
    assert not offered(cast.alice, cast.alice.id, cast.programme, [THURSDAY], now=MONDAY).knows_hours


def test_others_hear_only_that_the_agent_is_not_free() -> None:
    soon = Reason(ReasonCode.TOO_SOON, {"earliest": MONDAY})
    away = Reason(ReasonCode.TIME_OFF, {"first": THURSDAY, "last": THURSDAY})
    assert discreet([soon]) == [soon]
    assert discreet([away, soon, Reason(ReasonCode.LIMIT_PER_DAY)]) == [
        soon,
        Reason(ReasonCode.AGENT_NOT_FREE),
    ]


@pytest.mark.parametrize("who", ["alice", "lev", "adam"])
def test_the_page(site: Flask, site_cast: Cast, browser: Browser, who: str) -> None:
    with site.app_context():
        book_on(site, site_cast, datetime(2026, 11, 26, 9, tzinfo=UTC))
    page = browser.as_(getattr(site_cast, who).id).get(
        f"/availability/{site_cast.alice.id}/hours", query_string={"day": "2026-11-26"}
    )
    assert page.status_code == 200
    assert "What visitors see" in page.text
    assert "09:30–10:30" in page.text
    assert "The visit at 10:00" in page.text
    assert 'href="/visits/1"' in page.text
    assert "Europe/Berlin" in page.text
    assert "Change the hours" in page.text


def book_on(site: Flask, cast: Cast, start: datetime) -> None:
    service.book(
        programme=db.session.merge(cast.programme),
        visitor=db.session.get_one(Person, cast.vera.id),
        start=start,
        ask=Ask(agent_id=cast.alice.id),
        now=MONDAY,
    )
    db.session.commit()


def test_the_page_of_a_week_and_of_another_programme(site: Flask, site_cast: Cast, browser: Browser) -> None:
    with site.app_context():
        db.session.add(Programme(slug="long", name="Long", created_at=MONDAY, duration_minutes=240))
        db.session.commit()
    alice = browser.as_(site_cast.alice.id)
    page = alice.get(f"/availability/{site_cast.alice.id}/hours?view=week&programme=long").text
    assert page.count("offered-day") == 7
    assert "programme=long" in page
    assert "14:00" in page
    for bad in ("day=x", "day=0001-01-01", "day=9999-12-31", "programme=none", "view=none"):
        assert alice.get(f"/availability/{site_cast.alice.id}/hours?{bad}").status_code == 200


def test_the_page_without_a_running_programme(site: Flask, site_cast: Cast, browser: Browser) -> None:
    with site.app_context():
        db.session.get_one(Programme, site_cast.programme.id).active = False
        db.session.commit()
    page = browser.as_(site_cast.adam.id).get(f"/availability/{site_cast.alice.id}/hours").text
    assert "No programme runs" in page


def test_a_lead_is_shown_the_way_to_the_quiet_hours(site: Flask, site_cast: Cast, browser: Browser) -> None:
    with site.app_context():
        db.session.add(
            QuietHours(line_id=site_cast.line.id, timezone="Europe/Berlin", weekly={"3": [[900, 960]]})
        )
        db.session.commit()
    address = f"/availability/{site_cast.alice.id}/hours?day=2026-11-26"
    way = f'href="/lines/{site_cast.line.id}/quiet-hours"'
    assert way in browser.as_(site_cast.lev.id).get(address).text
    assert way not in browser.as_(site_cast.alice.id).get(address).text
