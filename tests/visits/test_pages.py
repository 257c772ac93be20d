"""The pages of visits: what one can do there, and what one cannot."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from gemba.db import db
from gemba.visits import service
from gemba.visits.facts import Ask
from gemba.visits.models import Visit
from tests.cast import Cast
from tests.conftest import Browser, StandingClock

START = "2026-11-26T09:00:00Z"
THURSDAY_TEN = datetime(2026, 11, 26, 9, tzinfo=UTC)


@pytest.fixture
def visit_id(site: Flask, site_cast: Cast, clock: StandingClock) -> int:
    with site.app_context():
        cast = site_cast
        visit = service.book(
            programme=db.session.merge(cast.programme),
            visitor=db.session.merge(cast.vera),
            start=THURSDAY_TEN,
            ask=Ask(agent_id=cast.alice.id),
            now=clock(),
        )
        db.session.commit()
        return visit.id


def _count(site: Flask) -> int:
    with site.app_context():
        return db.session.query(Visit).count()


def test_an_hour_is_found_chosen_and_booked_in_three_screens(
    site: Flask, site_cast: Cast, browser: Browser
) -> None:
    vera = browser.as_(site_cast.vera.id)
    page = vera.get("/visits/book").text
    assert "Book a visit" in page
    assert "Europe/Berlin (UTC+1)" in page
    chosen = vera.get(f"/visits/book?start={START}").text
    assert "Any of 3 agents" in chosen
    assert "Book 10:00" in chosen
    done = vera.post(f"/visits/book?start={START}", data={"start": START, "agent": ""})
    assert done.status_code == 303
    visit = vera.get(done.location).text
    for words in ("Thursday 26 November, 10:00–11:00", "Europe/Berlin (UTC+1)", "https://meet", "Move it"):
        assert words in visit


def test_a_double_click_books_once(site: Flask, site_cast: Cast, browser: Browser) -> None:
    vera = browser.as_(site_cast.vera.id)
    first = vera.post("/visits/book", data={"start": START})
    second = vera.post("/visits/book", data={"start": START})
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location
    assert _count(site) == 1


def test_a_taken_hour_says_so_and_offers_three_others(
    site_cast: Cast, browser: Browser, visit_id: int
) -> None:
    eve = browser.as_(site_cast.eve.id)
    answer = eve.post("/visits/book", data={"start": START, "agent": site_cast.alice.id})
    assert answer.status_code == 409
    assert "Someone took this hour a moment ago." in answer.text
    offered = answer.text.split("These are the nearest free hours:")[1].split("</ul>")[0]
    assert len(re.findall("<li>", offered)) == 3


@pytest.mark.parametrize("start", ["", "tomorrow", "2026-11-26T09:00:00", "2026-13-45T00:00:00Z", "9" * 400])
def test_a_start_that_is_none_is_refused_in_words(
    site: Flask, site_cast: Cast, browser: Browser, start: str
) -> None:
    answer = browser.as_(site_cast.vera.id).post("/visits/book", data={"start": start})
    assert answer.status_code == 422
    assert "Choose an hour from the list." in answer.text
    assert _count(site) == 0


def test_an_hour_that_is_not_offered_says_why(site: Flask, site_cast: Cast, browser: Browser) -> None:
    sunday = "2026-11-29T09:10:00Z"
    answer = browser.as_(site_cast.vera.id).post(
        "/visits/book", data={"start": sunday, "agent": site_cast.alice.id}
    )
    assert answer.status_code == 422
    assert "Visits do not start at this time of the hour." in answer.text
    assert "Sunday 29 November" in answer.text
    assert _count(site) == 0


@pytest.mark.parametrize(
    "query", ["day=never", "start=x", "product=abc", "agent=-1", "language=xx", "product=99999999999999"]
)
def test_odd_addresses_show_the_page(site_cast: Cast, browser: Browser, query: str) -> None:
    assert browser.as_(site_cast.vera.id).get(f"/visits/book?{query}").status_code == 200


def test_an_unknown_programme_is_nowhere(site_cast: Cast, browser: Browser) -> None:
    assert browser.as_(site_cast.vera.id).get("/visits/book?programme=none").status_code == 404


def test_filters_narrow_and_an_empty_result_shows_the_way_out(site_cast: Cast, browser: Browser) -> None:
    vera = browser.as_(site_cast.vera.id)
    page = vera.get(f"/visits/book?product={site_cast.checkout.id}&language=ru&start={START}").text
    assert "With Anton Agent" in page
    nobody = vera.get(f"/visits/book?agent={site_cast.alice.id}&language=ru").text
    assert "This opens some:" in nobody


def test_a_visit_is_moved(site: Flask, site_cast: Cast, browser: Browser, visit_id: int) -> None:
    vera = browser.as_(site_cast.vera.id)
    page = vera.get(f"/visits/{visit_id}/move?start=2026-11-26T10:00:00Z").text
    assert "Move to 11:00" in page
    done = vera.post(f"/visits/{visit_id}/move", data={"start": "2026-11-26T10:00:00Z"})
    assert done.location.endswith(f"/visits/{visit_id}")
    with site.app_context():
        visit = db.session.get_one(Visit, visit_id)
        assert (visit.starts_at, visit.sequence) == (THURSDAY_TEN + timedelta(hours=1), 1)


def test_a_visit_is_cancelled_with_a_word(
    site: Flask, site_cast: Cast, browser: Browser, visit_id: int
) -> None:
    vera = browser.as_(site_cast.vera.id)
    too_long = vera.post(f"/visits/{visit_id}/cancel", data={"reason": "a clash " * 100})
    assert too_long.status_code == 422
    assert "a clash a clash" in too_long.text
    done = vera.post(f"/visits/{visit_id}/cancel", data={"reason": "a clash"})
    assert "a clash" in vera.get(done.location).text
    again = vera.post(f"/visits/{visit_id}/cancel", data={"reason": "again"})
    assert again.status_code == 303


def test_the_outcome_is_asked_afterwards(
    site_cast: Cast, browser: Browser, visit_id: int, clock: StandingClock
) -> None:
    vera = browser.as_(site_cast.vera.id)
    assert vera.post(f"/visits/{visit_id}/outcome", data={"took_place": "yes"}).status_code == 409
    clock.at = THURSDAY_TEN + timedelta(hours=2)
    assert "Did the visit take place?" in vera.get(f"/visits/{visit_id}").text
    assert vera.post(f"/visits/{visit_id}/outcome", data={"took_place": "perhaps"}).status_code == 422
    vera.post(f"/visits/{visit_id}/outcome", data={"took_place": "yes"})
    assert "It took place on Thursday 26 November." in vera.get(f"/visits/{visit_id}").text


def test_the_calendar_file_downloads(site_cast: Cast, browser: Browser, visit_id: int) -> None:
    answer = browser.as_(site_cast.vera.id).get(f"/visits/{visit_id}/invite.ics")
    assert answer.content_type == "text/calendar; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert b"DTSTART:20261126T090000Z" in answer.data


def test_the_list_shows_coming_and_past(
    site_cast: Cast, browser: Browser, visit_id: int, clock: StandingClock
) -> None:
    vera = browser.as_(site_cast.vera.id)
    assert "1 visit to come." in vera.get("/visits").text
    clock.forward(days=10)
    assert "did it take place?" in vera.get("/visits").text
    assert "No visits yet" in browser.as_(site_cast.eve.id).get("/visits").text


@pytest.mark.parametrize("path", ["", "/move", "/cancel", "/invite.ics"])
def test_strangers_find_nothing_and_guests_the_door(
    site_cast: Cast, browser: Browser, visit_id: int, path: str
) -> None:
    address = f"/visits/{visit_id}{path}"
    for stranger in (site_cast.eve, site_cast.anton, site_cast.olga, site_cast.lena):
        assert browser.as_(stranger.id).get(address).status_code == 404
    guest = browser.anonymous().get(address)
    assert guest.status_code == 303
    assert guest.location.startswith("/sign-in?next=")


@pytest.mark.parametrize("path", ["/move", "/cancel", "/outcome"])
def test_strangers_change_nothing(
    site: Flask, site_cast: Cast, browser: Browser, visit_id: int, path: str
) -> None:
    data = {"start": "2026-11-26T10:00:00Z", "took_place": "no", "reason": "no"}
    assert browser.as_(site_cast.eve.id).post(f"/visits/{visit_id}{path}", data=data).status_code == 404
    with site.app_context():
        assert db.session.get_one(Visit, visit_id).sequence == 0


@pytest.mark.parametrize("path", ["", "/invite.ics"])
def test_reading_addresses_refuse_to_act(site_cast: Cast, browser: Browser, visit_id: int, path: str) -> None:
    assert browser.as_(site_cast.vera.id).post(f"/visits/{visit_id}{path}").status_code == 405
