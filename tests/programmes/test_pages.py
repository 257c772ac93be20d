"""Pages of programmes: made, changed, refused; by admins only."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gemba.programmes import service
from tests.cast import Cast
from tests.conftest import Browser

TYPED = {
    "slug": "free-till",
    "name": "Free till",
    "name_ru": "Свободная касса",
    "purpose": "Answer customers yourself.",
    "purpose_ru": "",
    "guide": "What do they ask?",
    "guide_ru": "",
    "format": "hands-on",
    "duration_minutes": "240",
    "slot_step_minutes": "60",
    "min_notice_minutes": "10080",
    "move_notice_minutes": "1440",
    "cancel_notice_minutes": "60",
    "horizon_days": "90",
    "seats": "2",
    "return_after_months": "6",
    "approval": "y",
    "approval_hours": "24",
    "offer_hours": "6",
    "review_hours": "48",
    "keep_months": "24",
    "smallest_group": "5",
    "slot_offset_minutes": "15",
    "visitor_per_day": "1",
    "visitor_per_week": "",
    "visitor_per_month": "4",
    "who": "everyone",
    "opening": "both",
    "goal_share": "",
    "goal_months": "6",
    "goal_visits": "12",
}


@pytest.fixture
def adam(browser: Browser, site_cast: Cast) -> FlaskClient:
    """Adam's browser."""
    return browser.as_(site_cast.adam.id)


def document(site: Flask, slug: str) -> dict[str, Any]:
    """What is saved of a programme."""
    with site.app_context():
        return service.programme_document(service.get_programme(slug))


def test_list_shows_what_runs(adam: FlaskClient) -> None:
    page = adam.get("/programmes")
    assert page.status_code == 200
    assert "1 programme runs." in page.text
    assert 'href="/programmes/shadow"' in page.text


def test_programme_is_made(site: Flask, adam: FlaskClient) -> None:
    assert adam.get("/programmes/new").status_code == 200
    answer = adam.post("/programmes/new", data=TYPED)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/programmes")
    made = document(site, "free-till")
    assert (made["seats"], made["approval"], made["active"]) == (2, True, False)
    assert (made["slot_offset_minutes"], made["approval_hours"], made["offer_hours"]) == (15, 24, 6)
    assert [made[f"visitor_per_{time}"] for time in ("day", "week", "month")] == [1, None, 4]
    assert "Free till is made." in adam.get("/programmes").text


def test_new_programme_starts_with_the_usual_values(site: Flask, adam: FlaskClient) -> None:
    page = adam.get("/programmes/new").text
    for name, value in (("approval_hours", 48), ("offer_hours", 12), ("slot_offset_minutes", 0)):
        assert f'name="{name}" type="text" value="{value}"' in page


def test_limits_of_a_visitor_can_be_taken_back(site: Flask, adam: FlaskClient) -> None:
    adam.post("/programmes/shadow", data={**TYPED, "active": "y"})
    assert document(site, "shadow")["visitor_per_month"] == 4
    assert 'name="visitor_per_week" type="text" value=""' in adam.get("/programmes/shadow").text
    adam.post("/programmes/shadow", data={**TYPED, "visitor_per_month": "", "active": "y"})
    assert document(site, "shadow")["visitor_per_month"] is None


def test_programme_is_changed_and_its_address_is_not(site: Flask, adam: FlaskClient) -> None:
    page = adam.get("/programmes/shadow")
    assert 'value="Side by side"' in page.text
    assert 'name="slug"' not in page.text
    answer = adam.post("/programmes/shadow", data={**TYPED, "active": "y"})
    assert answer.status_code == 303
    changed = document(site, "shadow")
    assert (changed["name"], changed["duration_minutes"], changed["active"]) == ("Free till", 240, True)


@pytest.mark.parametrize("address", ["/programmes/new", "/programmes/shadow"])
@pytest.mark.parametrize(
    ("field", "words", "sentence"),
    [
        ("name", "", "Please give a name of 1 to 120 characters."),
        ("duration_minutes", "61", "Please give whole minutes from 15 to 480, in steps of five."),
        ("duration_minutes", "an hour", "Please give whole minutes from 15 to 480, in steps of five."),
        ("seats", "", "Please give a whole number from 1 to 20."),
        ("horizon_days", "-3", "Please give whole days from 1 to 365."),
        ("return_after_months", "37", "Please give whole months from 0 to 36"),
        ("slot_offset_minutes", "3", "Please give whole minutes from 0 to 475"),
        ("approval_hours", "0", "Please give whole hours from 1 to 336"),
        ("offer_hours", "169", "Please give whole hours from 1 to 168"),
        ("visitor_per_day", "51", "Please give a whole number from 1 to 50"),
        ("visitor_per_week", "two", "Please give a whole number from 1 to 50"),
        ("format", "talk", "Please choose shadow or hands-on."),
        ("guide", "x" * 201, "Please give at most 40 lines"),
    ],
)
def test_bad_words_stay_in_their_field_and_change_nothing(
    site: Flask, adam: FlaskClient, address: str, field: str, words: str, sentence: str
) -> None:
    before = document(site, "shadow")
    answer = adam.post(address, data={**TYPED, field: words})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert (words in answer.text) or field == "format"
    assert "Свободная касса" in answer.text
    assert document(site, "shadow") == before
    assert "free-till" not in adam.get("/programmes").text


def test_taken_address_is_said_at_its_field(adam: FlaskClient) -> None:
    answer = adam.post("/programmes/new", data={**TYPED, "slug": "shadow"})
    assert answer.status_code == 422
    assert "Another programme has this address." in answer.text
    assert 'href="#slug"' in answer.text


def test_missing_programme(adam: FlaskClient) -> None:
    assert adam.get("/programmes/nothing").status_code == 404
    assert adam.post("/programmes/nothing", data=TYPED).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/programmes"),
        ("GET", "/programmes/new"),
        ("POST", "/programmes/new"),
        ("GET", "/programmes/shadow"),
        ("POST", "/programmes/shadow"),
    ],
)
def test_only_admins_come_in(browser: Browser, site_cast: Cast, site: Flask, method: str, path: str) -> None:
    before = document(site, "shadow")
    for person in (site_cast.vera, site_cast.alice, site_cast.lev, site_cast.olga):
        assert browser.as_(person.id).open(path, method=method, data=TYPED).status_code == 403
    assert browser.anonymous().open(path, method=method, data=TYPED).status_code == 303
    assert document(site, "shadow") == before


def test_wrong_method(adam: FlaskClient) -> None:
    assert adam.post("/programmes").status_code == 405
    assert adam.delete("/programmes/shadow").status_code == 405
