"""The page of busy calendars: what it says of each, adding, reading again, removing."""

import io
import re
import time
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.calendars import uploads
from gemba.calendars.rules import Trouble
from gemba.db import db
from gemba.outbox.models import OutboxItem
from gemba.schedule.models import BusySource
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.fakes.calendars import event, ics

SECRET = "https://calendar.example.com/private-3f0e8a2c/basic.ics"
FILE = ics(event("20261124T090000Z", "20261124T100000Z", "SUMMARY:Dentist")).encode()


@pytest.fixture
def address(site_cast: Cast) -> str:
    """Alice's page."""
    return f"/availability/{site_cast.alice.id}/calendars"


@pytest.fixture
def source(site: Flask, site_cast: Cast, clock: StandingClock) -> int:
    """A calendar of Alice that was read 12 minutes ago and is busy tomorrow from nine to ten."""
    with site.app_context():
        begin = int((clock() + timedelta(days=1, hours=1)).timestamp()) // 60
        row = BusySource(
            person_id=site_cast.alice.id,
            name="Work",
            url=SECRET,
            created_at=clock() - timedelta(days=3),
            tried_at=clock() - timedelta(minutes=12),
            fetched_at=clock() - timedelta(minutes=12),
            known_until=clock() + timedelta(days=120),
            spans=[[begin, begin + 60]],
            events=1,
        )
        db.session.add(row)
        db.session.commit()
        return row.id


def test_an_address_is_added(site: Flask, browser: Browser, site_cast: Cast, address: str) -> None:
    alice = browser.as_(site_cast.alice.id)
    assert "No calendar is connected" in alice.get(address).text
    answer = alice.post(address, data={"url": SECRET, "name": ""})
    assert (answer.status_code, answer.location) == (303, address)
    page = alice.get(address).text
    assert "calendar.example.com, being read" in page
    assert SECRET in page
    with site.app_context():
        assert db.session.scalars(select(OutboxItem.kind)).all() == ["busy-fetch"]


def test_a_file_is_added_and_its_words_are_not_kept(
    site: Flask, browser: Browser, site_cast: Cast, address: str
) -> None:
    alice = browser.as_(site_cast.alice.id)
    answer = alice.post(address, data={"file": (io.BytesIO(FILE), "work.ics"), "url": ""})
    assert answer.status_code == 303
    page = alice.get(address).text
    assert "work.ics" in page
    assert "1 busy time in the next 4 weeks." in page
    assert "says nothing beyond 23 March 2027" in page
    with site.app_context():
        row = db.session.scalars(select(BusySource)).one()
        assert "Dentist" not in str(vars(row))


def test_what_is_wrong_stays_in_the_form(
    site: Flask, browser: Browser, site_cast: Cast, address: str
) -> None:
    alice = browser.as_(site_cast.alice.id)
    for data, words in (
        ({"url": ""}, "Give the address of a calendar, or choose a file."),
        ({"url": "calendar"}, "Give an address that begins with https://"),
        ({"url": "https://10.0.0.1/a.ics"}, "private network"),
        ({"file": (io.BytesIO(b"<html>"), "a.ics")}, "This is no calendar file."),
        ({"file": (io.BytesIO(FILE), "a.ics"), "url": SECRET}, "not both"),
        ({"url": SECRET, "name": "x" * 81}, "at most 80 characters"),
    ):
        answer = alice.post(address, data=data)
        assert answer.status_code == 422, data
        assert words in answer.text
    alice.post(address, data={"url": SECRET})
    again = alice.post(address, data={"url": SECRET})
    assert again.status_code == 409
    assert "This calendar is here already." in again.text
    assert SECRET in again.text


def test_how_each_stands(
    site: Flask, browser: Browser, site_cast: Cast, clock: StandingClock, address: str, source: int
) -> None:
    alice = browser.as_(site_cast.alice.id)
    page = alice.get(address).text
    assert "calendar.example.com, read 12 minutes ago." in page
    assert "1 busy time in the next 4 weeks." in page
    assert "out of date" not in page
    with site.app_context():
        row = db.session.get_one(BusySource, source)
        row.error, row.tried_at = "gone", clock() + timedelta(hours=20)
        db.session.commit()
    clock.forward(hours=26)
    page = alice.get(address).text
    assert "out of date" in page
    assert "read 1 day ago." in page
    assert "There is no calendar at this address any more." in page
    assert "What was read last still counts." in page
    assert "Last try 6 hours ago." in page


def test_others_see_the_host_only(browser: Browser, site_cast: Cast, address: str, source: int) -> None:
    for person in (site_cast.lev, site_cast.adam):
        page = browser.as_(person.id).get(address).text
        assert "Busy calendars of Alice Agent" in page
        assert "calendar.example.com" in page
        assert "private-3f0e8a2c" not in page
    for person in (site_cast.vera, site_cast.anton, site_cast.lena, site_cast.olga):
        assert browser.as_(person.id).get(address).status_code == 404


def test_read_again_and_remove(
    site: Flask, browser: Browser, site_cast: Cast, address: str, source: int
) -> None:
    alice = browser.as_(site_cast.alice.id)
    assert alice.post(f"{address}/{source}/refresh").status_code == 303
    with site.app_context():
        assert db.session.scalars(select(OutboxItem.kind)).all() == ["busy-fetch"]
    anton = browser.as_(site_cast.anton.id)
    theirs = f"/availability/{site_cast.anton.id}/calendars"
    for path in (address, theirs):
        assert anton.post(f"{path}/{source}/remove").status_code == 404
    assert alice.post(f"{address}/{source}/remove").status_code == 303
    assert "Work is removed" in alice.get(address).text
    assert alice.post(f"{address}/{source}/remove").status_code == 404


def test_a_file_is_not_read_again(site: Flask, browser: Browser, site_cast: Cast, address: str) -> None:
    alice = browser.as_(site_cast.alice.id)
    alice.post(address, data={"file": (io.BytesIO(FILE), "work.ics")})
    with site.app_context():
        source_id = db.session.scalars(select(BusySource.id)).one()
    assert "Read again" not in alice.get(address).text
    assert alice.post(f"{address}/{source_id}/refresh").status_code == 409


def test_many_uploads_at_once_wait_their_turn(
    app: Flask, cast: Cast, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "PATIENCE", 0.1)
    for _n in range(uploads.AT_ONCE):
        assert uploads._places.acquire(timeout=1)
    try:
        copy = uploads.read_upload(cast.alice, cast.alice.id, FILE, now=clock())
    finally:
        for _n in range(uploads.AT_ONCE):
            uploads._places.release()
    assert copy.error == Trouble.OVERLOADED
    assert uploads.read_upload(cast.alice, cast.alice.id, FILE, now=clock()).error == ""


def test_the_page_of_hours_leads_here(browser: Browser, site_cast: Cast, address: str) -> None:
    assert f'href="{address}"' in browser.as_(site_cast.alice.id).get("/availability").text


def test_sentences_stand_apart(browser: Browser, site_cast: Cast, address: str, source: int) -> None:
    words = " ".join(re.sub(r"<[^>]+>", "", browser.as_(site_cast.alice.id).get(address).text).split())
    assert "read 12 minutes ago. 1 busy time in the next 4 weeks. " in words


def test_a_file_that_takes_for_ever_is_refused_in_time(
    browser: Browser, site_cast: Cast, address: str
) -> None:
    many = [event("19710101T000000Z", "19710101T001500Z", "RRULE:FREQ=HOURLY", uid=str(n)) for n in range(6)]
    begun = time.monotonic()
    file = io.BytesIO(ics(*many).encode())
    answer = browser.as_(site_cast.alice.id).post(address, data={"file": (file, "a.ics")})
    assert time.monotonic() - begun < 15
    assert answer.status_code == 422
    assert "takes too long to work out" in answer.text
