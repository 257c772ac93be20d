"""Quiet hours of a line: who sets them, what is refused, and that no agent of the line is offered then."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from gemba.db import db
from gemba.errors import Invalid, NotFound, Stale
from gemba.people.models import AuditEntry, Person
from gemba.schedule import quiet
from gemba.schedule.models import Availability, QuietHours
from gemba.schedule.rules import Problem, Span
from gemba.visits import service as visits
from tests.cast import Cast
from tests.conftest import MONDAY, Browser

DOCUMENT: dict[str, Any] = {
    "timezone": "Europe/Berlin",
    "weekly": [
        {"weekday": "mon", "start": "09:00", "end": "11:00"},
        {"weekday": "mon", "start": "16:00", "end": "18:00"},
        {"weekday": "thu", "start": "09:00", "end": "13:00"},
    ],
}
TYPED = {
    "version": "0",
    "mon": "9-11, 16–18",
    "thu": "09:00–13:00",
    **dict.fromkeys(("tue", "wed", "fri", "sat", "sun"), ""),
    "timezone": "Europe/Berlin",
}


@pytest.mark.usefixtures("app")
class TestService:
    """The service, on both databases."""

    def test_lead_of_the_line_and_admin_set_them(self, cast: Cast) -> None:
        for version, viewer in enumerate((cast.lev, cast.adam)):
            row = quiet.set_quiet_hours(viewer, cast.line.id, DOCUMENT, version=version, now=MONDAY)
            assert row.version == version + 1
            assert quiet.quiet_document(quiet.quiet_hours(viewer, cast.line.id)) == DOCUMENT
            assert quiet.minutes_a_week(row) == 8 * 60

    def test_everyone_else_is_told_there_is_nothing(self, cast: Cast) -> None:
        for viewer in (cast.alice, cast.anton, cast.lena, cast.vera, cast.olga, cast.eve):
            with pytest.raises(NotFound):
                quiet.quiet_hours(viewer, cast.line.id)
            with pytest.raises(NotFound):
                quiet.set_quiet_hours(viewer, cast.line.id, DOCUMENT, now=MONDAY)
        for viewer in (cast.lev, cast.adam):
            with pytest.raises(NotFound):
                quiet.quiet_hours(viewer, 999_999)
        assert db.session.scalars(select(QuietHours)).all() == []

    def test_never_saved_is_an_empty_row_outside_the_database(self, cast: Cast) -> None:
        row = quiet.quiet_hours(cast.lev, cast.line.id)
        assert (row.version, row.timezone, row.weekly) == (0, "Europe/Berlin", {})
        db.session.flush()
        assert db.session.get(QuietHours, cast.line.id) is None

    def test_older_version_is_stale(self, cast: Cast) -> None:
        quiet.set_quiet_hours(cast.lev, cast.line.id, DOCUMENT, version=0, now=MONDAY)
        for version in (0, 2, -1):
            with pytest.raises(Stale):
                quiet.set_quiet_hours(cast.adam, cast.line.id, DOCUMENT, version=version, now=MONDAY)
        assert quiet.set_quiet_hours(cast.adam, cast.line.id, DOCUMENT, now=MONDAY).version == 2

    @pytest.mark.parametrize(
        ("document", "errors"),
        [
            (None, {"quiet_hours": [quiet.DOCUMENT]}),
            ({}, {"timezone": [Problem.ZONE], "weekly": [Problem.INTERVALS]}),
            ({**DOCUMENT, "limits": {}}, {"limits": [quiet.DOCUMENT]}),
            ({**DOCUMENT, "timezone": "Mars"}, {"timezone": [Problem.ZONE]}),
            (
                {**DOCUMENT, "weekly": [{"weekday": "mon", "start": "11:00", "end": "10:00"}], "x": 1},
                {"x": [quiet.DOCUMENT], "weekly.0.end": [Problem.ORDER]},
            ),
        ],
    )
    def test_bad_document_changes_nothing_and_says_where(
        self, cast: Cast, document: object, errors: dict[str, list[str]]
    ) -> None:
        with pytest.raises(Invalid) as bad:
            quiet.set_quiet_hours(cast.lev, cast.line.id, document, now=MONDAY)
        assert bad.value.errors == errors == quiet.problems_of(document)
        assert db.session.scalars(select(QuietHours)).all() == []

    def test_change_is_written_down_with_what_was(self, cast: Cast) -> None:
        quiet.set_quiet_hours(cast.lev, cast.line.id, DOCUMENT, now=MONDAY)
        entry = db.session.scalars(select(AuditEntry)).one()
        assert (entry.action, entry.subject) == ("quiet_hours.set", f"line:{cast.line.id}")
        assert entry.detail == {"before": {"timezone": "Europe/Berlin", "weekly": []}}

    def test_agents_of_the_line_and_only_they_are_recomputed(self, cast: Cast) -> None:
        agents = (cast.alice, cast.anton, cast.ada)
        before = [db.session.get_one(Availability, agent.id).stamp for agent in agents]
        quiet.set_quiet_hours(cast.lev, cast.line.id, DOCUMENT, now=MONDAY)
        db.session.expire_all()
        after = [db.session.get_one(Availability, agent.id).stamp for agent in agents]
        assert [old != new for old, new in zip(before, after, strict=True)] == [True, True, False]

    def test_no_agent_of_the_line_is_offered_in_them(self, cast: Cast) -> None:
        def offered(hour: int) -> set[int]:
            """Who can be booked on Thursday at an hour of UTC."""
            start = datetime(2026, 11, 26, hour, tzinfo=UTC)
            window = Span(start, start + timedelta(minutes=30))
            found = visits.open_slots(cast.programme, cast.vera, window=window, now=MONDAY)
            return set(found.agents_at(start))

        everyone = {cast.alice.id, cast.anton.id, cast.ada.id}
        assert offered(9) == everyone
        quiet.set_quiet_hours(cast.lev, cast.line.id, DOCUMENT, now=MONDAY)
        db.session.commit()
        assert offered(9) == {cast.ada.id}
        assert offered(13) == everyone
        quiet.set_quiet_hours(cast.lev, cast.line.id, {**DOCUMENT, "weekly": []}, now=MONDAY)
        db.session.commit()
        assert offered(9) == everyone


@pytest.fixture
def lev(browser: Browser, site_cast: Cast) -> FlaskClient:
    """Lev's browser."""
    return browser.as_(site_cast.lev.id)


@pytest.fixture
def address(site_cast: Cast) -> str:
    """The page of Lev's line."""
    return f"/lines/{site_cast.line.id}/quiet-hours"


def saved(site: Flask, cast: Cast) -> dict[str, Any]:
    """What is saved for Lev's line."""
    with site.app_context():
        lev = db.session.get_one(Person, cast.lev.id)
        return quiet.quiet_document(quiet.quiet_hours(lev, cast.line.id))


def test_lead_saves_them(site: Flask, lev: FlaskClient, site_cast: Cast, address: str) -> None:
    page = lev.get(address)
    assert page.text.count("<h1") == 1
    assert "Quiet hours of Checkout line" in page.text
    assert "No hour is quiet." in page.text
    answer = lev.post(address, data=TYPED)
    assert (answer.status_code, answer.headers["Location"]) == (303, address)
    assert saved(site, site_cast) == DOCUMENT
    page = lev.get(address)
    assert "Saved. New visits keep away from these hours." in page.text
    assert 'value="09:00–11:00, 16:00–18:00"' in page.text
    assert "Quiet for 8 h a week." in page.text


@pytest.mark.parametrize(
    ("field", "words", "sentence"),
    [
        ("mon", "early", "Please write hours such as 09:00–13:00"),
        ("tue", "12-11", "Please choose an end that is later than the start"),
        ("wed", "9-12, 11-13", "Please choose hours that do not overlap"),
        ("timezone", "Moon/Crater", "Please choose a time zone"),
    ],
)
def test_bad_words_stay_in_their_field_and_change_nothing(
    site: Flask, lev: FlaskClient, site_cast: Cast, address: str, field: str, words: str, sentence: str
) -> None:
    answer = lev.post(address, data={**TYPED, field: words})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'href="#{field}"' in answer.text
    assert words in answer.text
    assert saved(site, site_cast)["weekly"] == []


def test_second_tab_keeps_its_words_and_sees_what_was_saved(
    site: Flask, lev: FlaskClient, site_cast: Cast, address: str
) -> None:
    lev.post(address, data=TYPED)
    second = {**TYPED, "mon": "", "timezone": "UTC"}
    answer = lev.post(address, data=second)
    assert answer.status_code == 409
    theirs = answer.text.partition('class="saved-hours"')[2].partition("</dl>")[0]
    assert "<dt>Monday</dt><dd>09:00–11:00, 16:00–18:00</dd>" in theirs
    assert "<dd>Europe/Berlin</dd>" in theirs
    assert theirs.count("<dt>") == 2
    assert saved(site, site_cast) == DOCUMENT
    assert lev.post(address, data={**second, "version": "1"}).status_code == 303
    assert saved(site, site_cast)["timezone"] == "UTC"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_strangers_find_nothing(
    site: Flask, browser: Browser, site_cast: Cast, address: str, method: str
) -> None:
    for person in (site_cast.alice, site_cast.lena, site_cast.vera, site_cast.olga, site_cast.eve):
        assert browser.as_(person.id).open(address, method=method, data=TYPED).status_code == 404
    assert browser.as_(site_cast.adam.id).open("/lines/9999/quiet-hours", method=method).status_code == 404
    assert browser.anonymous().open(address, method=method).status_code == 303
    assert saved(site, site_cast)["weekly"] == []


def test_lines_lead_to_them(browser: Browser, site_cast: Cast, address: str) -> None:
    assert f'href="{address}"' in browser.as_(site_cast.adam.id).get("/lines").text
