"""Coming back: who is due, nudges and digests, booking again with one press; streaks of departments."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import func, insert, select

from gemba.db import db
from gemba.errors import Invalid, NotFound
from gemba.outbox.models import OutboxItem
from gemba.people.models import Person, PersonRole
from gemba.people.rules import Role
from gemba.rounds.cadence_rules import Standing, add_months, standing_of, streak
from gemba.rounds.service import cadence
from gemba.rounds.views.edge import SHOWN
from gemba.visits.errors import NotOffered, SlotTaken
from gemba.visits.models import Visit
from gemba.visits.rules import Status
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.crowd import add_visits
from tests.rounds.test_round import add_people, mails

NOON = datetime(2026, 8, 31, 12, tzinfo=UTC)


def test_months_standings_and_streaks() -> None:
    assert add_months(NOON, 6) == datetime(2027, 2, 28, 12, tzinfo=UTC)
    assert add_months(NOON, 4) == datetime(2026, 12, 31, 12, tzinfo=UTC)
    at = {
        Standing.NEVER: None,
        Standing.OVERDUE: NOON,
        Standing.SOON: NOON + timedelta(days=30),
        Standing.FRESH: NOON + timedelta(days=31),
    }
    assert {standing_of(due, booked=False, now=NOON): due for due in at.values()} == at
    assert standing_of(None, booked=True, now=NOON) == Standing.BOOKED
    assert streak({(2026, 12), (2026, 11), (2026, 9)}, date(2027, 1, 5)) == 2
    assert streak({(2027, 1), (2026, 12)}, date(2027, 1, 5)) == 2
    assert streak(set(), date(2027, 1, 5)) == 0


def _held(cast: Cast, person: Person, agent: Person, at: datetime) -> None:
    (number,) = add_visits(cast, [agent.id], 1, at, person.id)
    visit = db.session.get_one(Visit, number)
    visit.starts_at, visit.ends_at, visit.status = at, at + timedelta(hours=1), Status.HELD


def test_nudges_then_the_head_of_the_department(app: Flask, cast: Cast, clock: StandingClock) -> None:
    late, later, fresh = add_people(cast, 3, clock)
    programme = cast.programme
    _held(cast, late, cast.alice, datetime(2026, 5, 20, 9, tzinfo=UTC))  # due three days ago
    _held(cast, later, cast.ada, datetime(2026, 4, 1, 9, tzinfo=UTC))  # due in October
    _held(cast, fresh, cast.alice, datetime(2026, 10, 1, 9, tzinfo=UTC))
    db.session.commit()
    rows = {row.person.id: row for row in cadence.everyone(programme, now=clock())}
    found = [rows[one.id].standing for one in (late, later, fresh, cast.vera)]
    assert found == [Standing.OVERDUE, Standing.OVERDUE, Standing.FRESH, Standing.NEVER]
    (guests,) = [
        each
        for each in cadence.departments(programme, list(rows.values()), now=clock())
        if each.name == "Guests"
    ]
    assert (guests.people, guests.came, guests.overdue, guests.streak, guests.head) == (3, 1, 2, 1, "")
    with pytest.raises(Invalid):
        cadence.set_head(cast.adam, "Guests", "nobody@gemba.example", now=clock())
    with pytest.raises(NotFound):
        cadence.set_head(cast.adam, "No such", cast.lev.email, now=clock())
    cadence.set_head(cast.adam, "Guests", cast.lev.email, now=clock())
    for _twice in range(2):
        cadence.nudge(clock())
    assert mails("round_return") == [("guest0@gemba.example", "en"), ("guest1@gemba.example", "ru")]
    assert mails("round_overdue") == []
    clock.forward(days=10)  # early December
    cadence.nudge(clock())
    cadence.nudge(clock())
    assert mails("round_overdue") == [(cast.lev.email, "en")]
    assert len(mails("round_return")) == 2
    clock.forward(days=25)
    cadence.nudge(clock())
    assert mails("round_return").count(("guest0@gemba.example", "en")) == 2


def _many_came(cast: Cast, count: int, at: datetime, now: datetime) -> None:
    """So many visitors of one department, each of whom was there once, from `at` on."""
    before = db.session.scalar(select(func.count()).select_from(Person)) or 0
    people = [
        {
            "email": f"many{number}@gemba.example",
            "name": f"Many {number}",
            "timezone": "Europe/Berlin",
            "timezone_confirmed": True,
            "locale": "en",
            "active": True,
            "department": "Many",
            "created_at": now,
        }
        for number in range(before, before + count)
    ]
    ids = list(db.session.scalars(insert(Person).returning(Person.id, sort_by_parameter_order=True), people))
    db.session.execute(insert(PersonRole), [{"person_id": one, "role": Role.VISITOR} for one in ids])
    for one in ids:
        _held(cast, db.session.get_one(Person, one), cast.alice, at + timedelta(hours=one))
    db.session.commit()


def test_many_people_are_a_few_statements_pages_and_one_digest(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock, statements: list[str]
) -> None:
    adam, path = browser.as_(site_cast.adam.id), f"/rounds/cadence/{site_cast.programme.slug}"
    counts, nudges = [], []
    for count in (5, 60):
        with site.app_context():
            cast = site_cast
            _many_came(cast, count, datetime(2026, 4, 10, 9, tzinfo=UTC), clock())
            cadence.set_head(cast.adam, "Many", cast.lev.email, now=clock())
            db.session.commit()
        statements.clear()
        assert adam.get(path).status_code == 200
        counts.append(len(statements))
        with site.app_context():
            statements.clear()
            cadence.nudge(clock())
            nudges.append(len(statements))
            db.session.rollback()
    assert counts[0] == counts[1]
    assert nudges[0] == nudges[1]
    first, second = adam.get(path).text, adam.get(f"{path}?page=1").text
    assert (first.count("Many "), second.count("Many ")) == (SHOWN, 65 - SHOWN)
    with site.app_context():
        cadence.nudge(clock())
        assert len(mails("round_return")) == 65
        clock.forward(days=10)  # early in December
        for _twice in range(2):
            cadence.nudge(clock())
        assert len(mails("round_return")) == 65
        assert mails("round_overdue") == [(site_cast.lev.email, "en")]
        (digest,) = (
            item.payload["context"]
            for item in db.session.scalars(select(OutboxItem))
            if item.payload.get("template") == "round_overdue"
        )
        assert (digest["count"], len(digest["names"])) == (65, cadence.DIGEST_NAMES)


def test_booking_again_with_one_press(app: Flask, cast: Cast, clock: StandingClock) -> None:
    first = cadence.coming_back(cast.programme, cast.vera, now=clock())
    assert (first.last, first.due, list(first.same)) == (None, None, [])
    assert len(first.other) == 3
    _held(cast, cast.vera, cast.alice, datetime(2026, 11, 20, 9, tzinfo=UTC))
    db.session.commit()
    again = cadence.coming_back(cast.programme, cast.vera, now=clock())
    assert again.due == datetime(2027, 5, 20, 9, tzinfo=UTC)
    assert {hour.agent for hour in again.same} <= {cast.alice.id, cast.anton.id}
    assert {hour.agent for hour in again.other} == {cast.ada.id}
    hour = again.same[0]
    assert abs(hour.start - again.due) < timedelta(days=8)
    visit = cadence.book_again(cast.programme, cast.vera, hour.agent, hour.start, now=clock())
    assert (visit.agent_id, visit.starts_at, visit.status) == (hour.agent, hour.start, Status.BOOKED)
    with pytest.raises((SlotTaken, NotOffered)):
        cadence.book_again(cast.programme, cast.eve, hour.agent, hour.start, now=clock())
    far = hour.start + timedelta(days=90)
    with pytest.raises((SlotTaken, NotOffered)):
        cadence.book_again(cast.programme, cast.vera, hour.agent, far, now=clock())


def test_the_pages(site: Flask, site_cast: Cast, browser: Browser, statements: list[str]) -> None:
    vera, adam = browser.as_(site_cast.vera.id), browser.as_(site_cast.adam.id)
    path = f"/rounds/coming-back/{site_cast.programme.slug}"
    page = vera.get(path).text
    choice = page.split('name="choice" value="')[1].split('"')[0]
    assert vera.post(path, data={"choice": "x-1"}).status_code == 404
    booked = vera.post(path, data={"choice": choice})
    assert booked.status_code == 303
    assert "/visits/" in booked.location
    assert browser.as_(site_cast.eve.id).post(path, data={"choice": choice}).status_code in (409, 422)
    assert vera.get("/rounds/coming-back/none").status_code == 404
    admin = f"/rounds/cadence/{site_cast.programme.slug}"
    assert "Eve Elsewhere" in adam.get(f"{admin}?show=never").text
    assert "Vera Visitor" in adam.get(f"{admin}?show=booked").text
    wrong = adam.post(admin, data={"department": "Product", "email": "nobody"})
    assert wrong.status_code == 422
    assert 'value="nobody"' in wrong.text
    adam.post(admin, data={"department": "Product", "email": site_cast.lev.email})
    assert "Lev Lead" in adam.get(admin).text
    assert vera.get(admin).status_code == 404
    statements.clear()
    assert adam.get(admin).status_code == 200
    assert len(statements) <= 15


def test_hours_to_come_back_lie_in_the_day_and_on_several_days(
    app: Flask, cast: Cast, clock: StandingClock
) -> None:
    """Eve's nine to six in New York begins when only the last hours of Berlin's agents are open."""
    programme, zone = cast.programme, ZoneInfo("America/New_York")
    found = cadence.coming_back(programme, cast.eve, now=clock())
    locally = [hour.start.astimezone(zone) for hour in found.other]
    assert [each.hour for each in locally[:2]] == [9, 9]
    assert len({each.date() for each in locally}) == len(locally) == 3
    assert len({hour.agent for hour in found.other}) == 3
    cast.eve.timezone = "Asia/Tokyo"
    at_night = cadence.coming_back(programme, cast.eve, now=clock()).other
    assert len(at_night) == 3
