"""The home page: the door for strangers; the next visit and what waits for everyone else."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from gemba.db import db
from gemba.people.models import Person
from gemba.rounds.models import Round
from gemba.schedule.models import Availability
from gemba.visits import service as visits
from gemba.visits.facts import Ask
from tests.cast import Cast
from tests.conftest import Browser, StandingClock

THURSDAY_TEN = datetime(2026, 11, 26, 9, tzinfo=UTC)


@pytest.fixture
def visit_id(site: Flask, site_cast: Cast, clock: StandingClock) -> int:
    with site.app_context():
        visit = visits.book(
            programme=db.session.merge(site_cast.programme),
            visitor=db.session.merge(site_cast.vera),
            start=THURSDAY_TEN,
            ask=Ask(agent_id=site_cast.alice.id),
            now=clock(),
        )
        db.session.commit()
        return visit.id


def test_strangers_see_the_door(browser: Browser) -> None:
    page = browser.anonymous().get("/").text
    assert "Sign in" in page
    assert "Hello" not in page


def test_the_next_visit_stands_on_top_for_both_sides(
    site_cast: Cast, browser: Browser, visit_id: int
) -> None:
    vera = browser.as_(site_cast.vera.id).get("/").text
    alice = browser.as_(site_cast.alice.id).get("/").text
    for page in (vera, alice):
        assert f'href="/visits/{visit_id}"' in page
        assert "Thursday 26 November, 10:00" in page
        assert "in 3 days" in page
    assert "with Alice Agent" in vera
    assert "Vera Visitor visits you" in alice


def test_a_visit_that_is_going_on_leads_to_its_notes(
    site_cast: Cast, browser: Browser, visit_id: int, clock: StandingClock
) -> None:
    clock.at = THURSDAY_TEN + timedelta(minutes=5)
    page = browser.as_(site_cast.vera.id).get("/").text
    assert "Going on now" in page
    assert f'href="/visits/{visit_id}/notes"' in page


def test_nothing_booked_offers_the_first_step(site_cast: Cast, browser: Browser) -> None:
    assert 'href="/visits/book"' in browser.as_(site_cast.eve.id).get("/").text
    assert 'href="/availability"' in browser.as_(site_cast.ada.id).get("/").text


def test_an_unanswered_outcome_waits_until_it_is_answered(
    site_cast: Cast, browser: Browser, visit_id: int, clock: StandingClock
) -> None:
    clock.at = THURSDAY_TEN + timedelta(hours=2)
    vera = browser.as_(site_cast.vera.id)
    assert "Did the visit take place?" in vera.get("/").text
    vera.post(f"/visits/{visit_id}/outcome", data={"took_place": "yes"})
    page = vera.get("/").text
    assert "Did the visit take place?" not in page
    assert "days until the next visit is due" in page


def test_an_agent_without_hours_is_told_so(site: Flask, site_cast: Cast, browser: Browser) -> None:
    assert "Open your first hours" not in browser.as_(site_cast.ada.id).get("/").text
    with site.app_context():
        db.session.delete(db.session.get_one(Availability, site_cast.ada.id))
        db.session.get_one(Person, site_cast.ada.id).timezone_confirmed = False
        db.session.commit()
    page = browser.as_(site_cast.ada.id).get("/").text
    assert "Open your first hours" in page
    assert "Confirm your time zone" in page


def test_an_open_round_waits_and_a_closed_one_does_not(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    with site.app_context():
        db.session.add(
            Round(
                programme_id=site_cast.programme.id,
                name="Autumn",
                opens_at=clock() - timedelta(days=1),
                closes_at=clock() + timedelta(days=1),
            )
        )
        db.session.commit()
    assert "Round “Autumn” is open" in browser.as_(site_cast.vera.id).get("/").text
    clock.forward(days=2)
    assert "Autumn" not in browser.as_(site_cast.vera.id).get("/").text
