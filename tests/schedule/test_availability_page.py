"""The page of an agent's hours: read, saved, refused, undone; for whom, and for whom not."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gemba.db import db
from gemba.people.models import Person
from gemba.schedule import service
from gemba.schedule.models import Availability
from tests.cast import Cast
from tests.conftest import Browser

TYPED = {
    "version": "1",
    "mon": "9-13, 14:30–18",
    "tue": "",
    "wed": "10:00–12:00",
    "thu": "",
    "fri": "",
    "sat": "",
    "sun": "",
    "dates-0-day": "2026-12-31",
    "dates-0-hours": "",
    "dates-1-day": "2026-12-30",
    "dates-1-hours": "10–12",
    "dates-2-day": "",
    "dates-2-hours": "",
    "per_day": "1",
    "per_week": "3",
    "per_month": "",
    "buffer_before": "5",
    "buffer_after": "10",
    "timezone": "Europe/Berlin",
    "time_off-0-first": "2027-01-04",
    "time_off-0-last": "2027-01-08",
    "time_off-1-first": "2026-12-28",
    "time_off-1-last": "",
    "holidays": "DE",
    "holidays_part": "DE-BY",
    "zone_changes-0-date": "2027-02-01",
    "zone_changes-0-timezone": "Asia/Tbilisi",
    "rest_between": "y",
}
SAVED = {
    "timezone": "Europe/Berlin",
    "weekly": [
        {"weekday": "mon", "start": "09:00", "end": "13:00"},
        {"weekday": "mon", "start": "14:30", "end": "18:00"},
        {"weekday": "wed", "start": "10:00", "end": "12:00"},
    ],
    "overrides": [
        {"date": "2026-12-30", "intervals": [{"start": "10:00", "end": "12:00"}]},
        {"date": "2026-12-31", "intervals": []},
    ],
    "buffer_before": 5,
    "buffer_after": 10,
    "limits": {"per_day": 1, "per_week": 3, "per_month": None},
    "time_off": [
        {"first": "2026-12-28", "last": "2026-12-28"},
        {"first": "2027-01-04", "last": "2027-01-08"},
    ],
    "holidays": "DE-BY",
    "zone_changes": [{"date": "2027-02-01", "timezone": "Asia/Tbilisi"}],
    "rest_between": True,
}


@pytest.fixture
def alice(browser: Browser, site_cast: Cast) -> FlaskClient:
    """Alice's browser."""
    return browser.as_(site_cast.alice.id)


def document(site: Flask, agent: Person) -> dict[str, Any]:
    """What is saved for an agent."""
    with site.app_context():
        return service.availability_document(db.session.get_one(Availability, agent.id))


def row(site: Flask, agent: Person) -> Availability:
    """The saved row of an agent."""
    with site.app_context():
        return db.session.get_one(Availability, agent.id)


def followed(client: FlaskClient, answer: TestResponse) -> str:
    """The page that a redirect leads to."""
    assert answer.status_code == 303
    return client.get(answer.headers["Location"]).text


def test_agent_reads_own_hours(alice: FlaskClient) -> None:
    page = alice.get("/availability")
    assert page.status_code == 200
    assert page.text.count("<h1") == 1
    assert 'value="09:00–13:00, 14:00–18:00"' in page.text
    assert "This opens 160 hours in the next 4 weeks." in page.text
    assert len(page.data) < 60_000


def test_agent_saves_hours(site: Flask, alice: FlaskClient, site_cast: Cast) -> None:
    page = followed(alice, alice.post("/availability", data=TYPED))
    assert document(site, site_cast.alice) == SAVED
    # Four Mondays of 7.5 hours and four Wednesdays of 2; the dates are later.
    assert "Saved. This opens 38 hours in the next 4 weeks." in page
    assert 'value="09:00–13:00, 14:30–18:00"' in page


def test_lead_and_admin_save_an_agents_hours(site: Flask, browser: Browser, site_cast: Cast) -> None:
    for version, person in enumerate((site_cast.lev, site_cast.adam), start=1):
        client = browser.as_(person.id)
        address = f"/availability/{site_cast.alice.id}"
        assert "Availability of Alice Agent" in client.get(address).text
        answer = client.post(address, data={**TYPED, "version": str(version), "thu": f"{version}-5"})
        assert answer.headers["Location"] == address
    assert {"weekday": "thu", "start": "02:00", "end": "05:00"} in document(site, site_cast.alice)["weekly"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("POST", ""),
        ("POST", "/pause"),
        ("POST", "/dates"),
        ("POST", "/put-back"),
        ("GET", "/preview"),
    ],
)
def test_strangers_find_nothing(
    browser: Browser, site_cast: Cast, site: Flask, method: str, path: str
) -> None:
    before = document(site, site_cast.alice)
    address = f"/availability/{site_cast.alice.id}{path}"
    for person in (site_cast.anton, site_cast.lena, site_cast.vera, site_cast.olga, site_cast.eve):
        answer = browser.as_(person.id).open(address, method=method, data=TYPED if method == "POST" else None)
        assert answer.status_code == 404
    assert (
        browser.as_(site_cast.adam.id)
        .open(address.replace(str(site_cast.alice.id), "9999"), method=method)
        .status_code
        == 404
    )
    assert document(site, site_cast.alice) == before
    assert not row(site, site_cast.alice).paused


@pytest.mark.parametrize("path", ["/availability", "/availability/1"])
def test_signed_out_people_are_asked_to_sign_in(browser: Browser, site_cast: Cast, path: str) -> None:
    answer = browser.anonymous().get(path)
    assert answer.status_code == 303
    assert "/sign-in" in answer.headers["Location"] or "sign_in" in answer.headers["Location"]


def test_own_page_is_for_agents(browser: Browser, site_cast: Cast) -> None:
    assert browser.as_(site_cast.vera.id).get("/availability").status_code == 403


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/availability", "DELETE"),
        ("/availability/1/pause", "GET"),
        ("/availability/1/dates", "GET"),
        ("/availability/1/put-back", "GET"),
        ("/lines/1/quiet-hours", "DELETE"),
        ("/availability/1/preview", "POST"),
    ],
)
def test_wrong_method(alice: FlaskClient, path: str, method: str) -> None:
    assert alice.open(path, method=method).status_code == 405


@pytest.mark.parametrize(
    ("field", "words", "sentence"),
    [
        ("mon", "early", "Please write hours such as 09:00–13:00"),
        ("mon", "13-9", "Please choose an end that is later than the start"),
        ("tue", "9-12, 11-13", "Please choose hours that do not overlap"),
        ("wed", "09:07-10:00", "Please give the start as HH:MM in steps of five minutes"),
        ("sun", "20-25", "Please give the end as HH:MM"),
        ("dates-0-day", "2026-02-30", "Please give a date as YYYY-MM-DD"),
        ("dates-0-hours", "noon", "Please write hours such as 09:00–13:00"),
        ("dates-1-day", "2026-12-31", "Please name each date only once"),
        ("per_day", "0", "Please give a whole number from 1 to 50"),
        ("per_week", "many", "Please give a whole number from 1 to 50"),
        ("buffer_before", "7", "Please give whole minutes from 0 to 240"),
        ("buffer_after", "-5", "Please give whole minutes from 0 to 240"),
        ("timezone", "Moon/Crater", "Please choose a time zone"),
        ("time_off-0-first", "soon", "Please give a date as YYYY-MM-DD"),
        ("time_off-0-last", "2027-01-03", "Please choose a last day that is not before the first"),
        ("time_off-1-last", "2028-02-04", "Please choose a last day that is not before the first"),
        ("time_off-0-first", "2026-12-28", "Please choose days that do not overlap another time off."),
        ("holidays", "Atlantis", "Please choose a country by its code"),
        ("zone_changes-0-date", "2027", "Please give a date as YYYY-MM-DD"),
        ("zone_changes-0-timezone", "Tbilisi", "Please choose a time zone by its IANA name"),
    ],
)
def test_bad_words_stay_in_their_field_and_change_nothing(
    site: Flask, alice: FlaskClient, site_cast: Cast, field: str, words: str, sentence: str
) -> None:
    before = document(site, site_cast.alice)
    answer = alice.post("/availability", data={**TYPED, field: words})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'href="#{field}"' in answer.text
    assert words in answer.text
    assert 'value="9-13, 14:30–18"' in answer.text or field == "mon"
    assert document(site, site_cast.alice) == before


@pytest.mark.parametrize(
    ("field", "words", "is_open"),
    [
        ("zone_changes-0-timezone", "Mars", True),
        ("zone_changes-0-date", "never", True),
        ("holidays", "Mars", True),
        ("buffer_after", "7", True),
        ("timezone", "Mars", True),
        ("mon", "early", False),
        ("time_off-0-first", "never", False),
    ],
)
def test_what_is_folded_opens_where_it_needs_another_look(
    alice: FlaskClient, field: str, words: str, is_open: bool
) -> None:
    page = alice.post("/availability", data={**TYPED, field: words}).text
    assert ('class="disclosure section rare" open' in page) is is_open


def test_everything_wrong_is_said_at_once(alice: FlaskClient) -> None:
    wrong = {**TYPED, "mon": "early", "sun": "12-11", "per_day": "0", "dates-0-day": "never"}
    page = alice.post("/availability", data=wrong).text
    for field in ("mon", "sun", "per_day", "dates-0-day"):
        assert f'href="#{field}"' in page


def test_second_tab_keeps_its_words_and_sees_what_was_saved(
    site: Flask, alice: FlaskClient, site_cast: Cast
) -> None:
    alice.post("/availability", data=TYPED)
    second = {**TYPED, "tue": "11:00–12:00", "mon": ""}
    answer = alice.post("/availability", data=second)
    assert answer.status_code == 409
    assert "Someone else saved these hours meanwhile" in answer.text
    assert 'value="11:00–12:00"' in answer.text
    theirs = answer.text.partition('class="saved-hours"')[2].partition("</dl>")[0]
    assert "09:00–13:00, 14:30–18:00" in theirs
    assert theirs.count("<dt>") == 2  # Monday and Tuesday; everything else was typed as it is saved.
    assert document(site, site_cast.alice) == SAVED
    assert 'name="version" type="hidden" value="2"' in answer.text
    assert alice.post("/availability", data={**second, "version": "2"}).status_code == 303


@pytest.mark.parametrize("version", ["", "x", "-1", "99999999999999999999"])
def test_version_that_was_tampered_with_is_stale(alice: FlaskClient, version: str) -> None:
    assert alice.post("/availability", data={**TYPED, "version": version}).status_code == 409


def test_not_now_is_one_switch_with_undo(site: Flask, alice: FlaskClient, site_cast: Cast) -> None:
    address = f"/availability/{site_cast.alice.id}/pause"
    page = followed(alice, alice.post(address, data={"on": "yes"}))
    assert row(site, site_cast.alice).paused
    assert "Nothing is open while no visits are taken." in page
    assert f'action="{address}?on=no"' in page
    page = followed(alice, alice.post(f"{address}?on=no"))
    assert not row(site, site_cast.alice).paused
    assert "Visits can be booked again." in page


def test_tapped_day_saves_everything_and_can_be_undone(
    site: Flask, alice: FlaskClient, site_cast: Cast
) -> None:
    page = followed(alice, alice.post("/availability", data={**TYPED, "toggle": "2026-12-24"}))
    overrides = document(site, site_cast.alice)["overrides"]
    assert {"date": "2026-12-24", "intervals": []} in overrides
    assert len(overrides) == 3
    assert "24 December 2026 is a day off." in page
    undo = f"/availability/{site_cast.alice.id}/dates?day=2026-12-24"
    assert f'action="{undo}"' in page
    followed(alice, alice.post(undo))
    assert document(site, site_cast.alice) == SAVED


def test_removed_date_comes_back_with_its_hours(site: Flask, alice: FlaskClient, site_cast: Cast) -> None:
    page = followed(alice, alice.post("/availability", data={**TYPED, "toggle": "2026-12-30"}))
    assert len(document(site, site_cast.alice)["overrides"]) == 1
    assert "30 December 2026 has its usual hours again." in page
    address = f"/availability/{site_cast.alice.id}/dates"
    followed(alice, alice.post(address, data={"day": "2026-12-30", "hours": "10–12"}))
    assert document(site, site_cast.alice) == SAVED


def test_conflict_shows_everything_that_differs(alice: FlaskClient) -> None:
    alice.post("/availability", data=TYPED)
    second = {name: value for name, value in TYPED.items() if name[:8] not in ("time_off", "holidays")}
    second |= {"zone_changes-0-date": "", "zone_changes-0-timezone": "", "rest_between": "", "per_month": "9"}
    page = alice.post("/availability", data=second).text
    theirs = page.partition('class="saved-hours"')[2].partition("</dl>")[0]
    for words in (
        "<dt>Time off</dt><dd>2026-12-28 – 2026-12-28</dd>",
        "<dt>Time off</dt><dd>2027-01-04 – 2027-01-08</dd>",
        "<dt>Public holidays of</dt><dd>DE-BY</dd>",
        "<dt>2027-02-01</dt><dd>Asia/Tbilisi</dd>",
        "<dt>No two observed hours in a row</dt><dd>yes</dd>",
        "<dt>A month</dt><dd>no limit</dd>",
    ):
        assert words in theirs
    assert theirs.count("<dt>") == 6


@pytest.mark.parametrize(
    ("row", "key", "undo", "said"),
    [
        ("time_off-0", "time_off", "first=2027-01-04&amp;last=2027-01-08", "The time off is removed."),
        ("time_off-1", "time_off", "first=2026-12-28&amp;last=2026-12-28", "The time off is removed."),
        (
            "zone_changes-0",
            "zone_changes",
            "date=2027-02-01&amp;timezone=Asia/Tbilisi",
            "The change of the zone is removed.",
        ),
    ],
)
def test_removed_row_comes_back(
    site: Flask, alice: FlaskClient, site_cast: Cast, row: str, key: str, undo: str, said: str
) -> None:
    page = followed(alice, alice.post("/availability", data={**TYPED, "remove": row}))
    assert len(document(site, site_cast.alice)[key]) == len(SAVED[key]) - 1  # type: ignore[arg-type]
    assert said in page
    address = f"/availability/{site_cast.alice.id}/put-back?{undo}"
    assert f'action="{address}"' in page
    for _twice in range(2):
        assert "Done: it is as it was." in followed(alice, alice.post(address.replace("&amp;", "&")))
        assert document(site, site_cast.alice) == SAVED


def test_row_that_is_not_there_cannot_be_removed(site: Flask, alice: FlaskClient, site_cast: Cast) -> None:
    page = followed(alice, alice.post("/availability", data={**TYPED, "remove": "time_off-7"}))
    assert "Saved." in page
    assert document(site, site_cast.alice) == SAVED


@pytest.mark.parametrize(
    "query", ["", "first=never&last=2027-01-01", "first=2027-01-05", "date=2027-01-05&timezone=Mars"]
)
def test_putting_back_nonsense_changes_nothing(
    site: Flask, alice: FlaskClient, site_cast: Cast, query: str
) -> None:
    before = document(site, site_cast.alice)
    assert alice.post(f"/availability/{site_cast.alice.id}/put-back?{query}").status_code == 404
    assert document(site, site_cast.alice) == before


def test_part_of_another_country_is_dropped(site: Flask, alice: FlaskClient, site_cast: Cast) -> None:
    for country, saved in (("FR", "FR"), ("", ""), ("DE", "DE-BY")):
        version = str(row(site, site_cast.alice).version)
        alice.post("/availability", data={**TYPED, "holidays": country, "version": version})
        assert document(site, site_cast.alice)["holidays"] == saved


def test_countries_are_named_in_the_readers_language(
    browser: Browser, site_cast: Cast, alice: FlaskClient
) -> None:
    alice.post("/availability", data=TYPED)
    page = alice.get("/availability").text
    assert '<option value="DE" selected>Germany' in page
    assert '<option value="DE-BY" selected>Bayern' in page
    assert "public holidays of Germany" in page
    assert '<option value="DE">Германия' in browser.as_(site_cast.anton.id).get("/availability").text


def test_parts_of_a_country(alice: FlaskClient, browser: Browser) -> None:
    parts = alice.get("/availability/holidays?country=DE")
    assert parts.get_json()["DE-BY"] == "Bayern"
    for country in ("GE", "XX", "", "../", "DE-BY"):
        assert alice.get("/availability/holidays", query_string={"country": country}).get_json() == {}
    assert browser.anonymous().get("/availability/holidays?country=DE").status_code == 303


def test_months_show_why_a_day_is_off(alice: FlaskClient) -> None:
    alice.post("/availability", data=TYPED)
    page = alice.get("/availability").text
    assert 'aria-label="Friday 25 December, public holiday"' in page
    assert 'aria-label="Tuesday 5 January, time off"' in page
    assert 'aria-label="Thursday 7 January, time off"' in page
    assert 'aria-label="Thursday 24 December"' in page


def test_journey_that_has_begun_becomes_the_zone(site: Flask, alice: FlaskClient, site_cast: Cast) -> None:
    with site.app_context():
        saved = db.session.get_one(Availability, site_cast.alice.id)
        saved.zone_changes = [["2026-11-01", "Asia/Tbilisi"], ["2026-11-24", "Asia/Tokyo"]]
        saved.time_off = [["2026-11-01", "2026-11-22"], ["2026-11-20", "2026-11-23"]]
        db.session.commit()
    page = alice.get("/availability").text
    assert "Hours are wall time in Asia/Tbilisi (UTC+4)." in page
    assert "<option selected>Asia/Tbilisi" in page
    assert 'name="zone_changes-0-timezone" value="Asia/Tokyo"' in page
    assert "zone_changes-1-timezone" in page  # the empty line for one more
    assert 'name="time_off-0-first" value="2026-11-20"' in page


@pytest.mark.parametrize(
    "query", ["day=never&hours=", "day=&hours=9-10", "day=2026-12-24&hours=noon", "day=2026-12-24&hours=5-4"]
)
def test_undo_with_nonsense_changes_nothing(
    site: Flask, alice: FlaskClient, site_cast: Cast, query: str
) -> None:
    before = document(site, site_cast.alice)
    answer = alice.post(f"/availability/{site_cast.alice.id}/dates?{query}")
    assert answer.status_code == 404
    assert document(site, site_cast.alice) == before


def test_dates_that_are_over_are_not_shown(site: Flask, alice: FlaskClient, site_cast: Cast) -> None:
    with site.app_context():
        db.session.get_one(Availability, site_cast.alice.id).overrides = {"2026-11-22": [], "2026-11-23": []}
        db.session.commit()
    page = alice.get("/availability").text
    assert 'value="2026-11-23"' in page
    assert "2026-11-22" not in page


def test_preview_says_what_typed_hours_would_open(alice: FlaskClient, site_cast: Cast, site: Flask) -> None:
    address = f"/availability/{site_cast.alice.id}/preview"
    answer = alice.get(address, query_string=TYPED)
    assert answer.text == "This opens 38 hours in the next 4 weeks."
    assert answer.content_type == "text/plain; charset=utf-8"
    assert alice.get(address, query_string={**TYPED, "mon": "13-9"}).status_code == 422
    closed = {**TYPED, "mon": "", "wed": ""}
    assert alice.get(address, query_string=closed).text == "This opens no hour in the next 4 weeks."
    assert row(site, site_cast.alice).version == 1


def test_agent_who_never_saved_starts_with_closed_days(
    site: Flask, alice: FlaskClient, site_cast: Cast
) -> None:
    with site.app_context():
        db.session.delete(db.session.get_one(Availability, site_cast.alice.id))
        db.session.commit()
    assert "This opens no hour in the next 4 weeks." in alice.get("/availability").text
    assert alice.post("/availability", data={**TYPED, "version": "0"}).status_code == 303
    assert document(site, site_cast.alice) == SAVED
