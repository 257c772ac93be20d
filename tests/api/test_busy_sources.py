"""GET and POST /agents/{id}/busy-sources; DELETE /agents/{id}/busy-sources/{source}."""

import io
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.calendars import uploads
from gemba.db import db
from gemba.outbox.models import OutboxItem
from gemba.people.models import AuditEntry
from gemba.schedule.models import BusySource
from tests.api.conftest import Caller, Callers, problem_of, token_of
from tests.cast import Cast
from tests.conftest import StandingClock
from tests.fakes.calendars import event, ics

FILE = ics(event("20261124T090000Z", "20261124T100000Z", "SUMMARY:Dentist")).encode()
SECRET = "https://calendar.example.com/private-3f0e8a2c/basic.ics"


@pytest.fixture
def path(site_cast: Cast) -> str:
    """The address of Alice's calendars."""
    return f"/agents/{site_cast.alice.id}/busy-sources"


def test_an_address_waits_for_a_worker(as_: Callers, path: str, site: Flask) -> None:
    alice = as_("alice")
    answer = alice.post(path, {"url": SECRET.replace("https", "webcal"), "name": "Mine"})
    assert answer.status_code == 201
    made = answer.get_json()
    assert made == {
        "id": made["id"],
        "name": "Mine",
        "url": SECRET,
        "events": 0,
        "fetched_at": None,
        "tried_at": None,
        "known_until": None,
        "stale": False,
        "error": None,
        "created_at": "2026-11-23T08:00:00Z",
    }
    assert alice.get(path).get_json() == {"items": [made]}
    with site.app_context():
        (item,) = db.session.scalars(select(OutboxItem))
        assert item.kind == "busy-fetch"
        assert "private" not in f"{item.payload}{item.dedup_key}{item.group_key}"


@pytest.mark.parametrize("how", ["text", "form"])
def test_a_file_is_read_at_once(as_: Callers, path: str, site: Flask, how: str) -> None:
    alice = as_("alice")
    sent: dict[str, Any] = {"data": FILE, "content_type": "text/calendar; charset=utf-8"}
    if how == "form":
        sent = {"data": {"file": (io.BytesIO(FILE), "work.ics"), "name": ""}}
    answer = alice.call("POST", path, **sent)
    assert answer.status_code == 201
    made = answer.get_json()
    assert (made["url"], made["events"], made["error"], made["stale"]) == (None, 1, None, False)
    assert made["name"] == ("work.ics" if how == "form" else "calendar.ics")
    assert made["fetched_at"] == "2026-11-23T08:00:00Z"
    assert made["known_until"] == "2027-03-23T00:00:00Z"
    with site.app_context():
        assert len(db.session.scalars(select(BusySource)).one().spans) == 1
        assert db.session.scalars(select(OutboxItem)).all() == []


def test_a_file_sent_twice_is_there_once(app: Flask, cast: Cast, clock: StandingClock) -> None:
    path, alice = f"/agents/{cast.alice.id}/busy-sources", Caller(app, token_of(cast.alice.id, clock()))
    db.session.remove()
    answers = [
        alice.call("POST", path, data=FILE, content_type="text/calendar", headers={"Idempotency-Key": "one"})
        for _n in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].get_json() == answers[1].get_json()
    assert len(alice.get(path).get_json()["items"]) == 1
    other = alice.call("POST", path, data=FILE, content_type="text/calendar")
    assert other.status_code == 201
    assert len(alice.get(path).get_json()["items"]) == 2


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "one"}], ids=["plain", "with-key"])
def test_nothing_is_locked_while_a_file_is_worked_out(
    app: Flask, cast: Cast, clock: StandingClock, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    path, alice = f"/agents/{cast.alice.id}/busy-sources", Caller(app, token_of(cast.alice.id, clock()))
    db.session.remove()
    seen = []

    def look(*_args: object, **_more: object) -> tuple[list[object], int, None]:
        seen.append(db.session().in_transaction())
        return [], 0, None

    monkeypatch.setattr(uploads, "work_out", look)
    answer = alice.call("POST", path, data=FILE, content_type="text/calendar", headers=headers)
    assert answer.status_code == 201
    assert seen == [False]


def test_it_is_removed(as_: Callers, path: str) -> None:
    alice = as_("alice")
    made = alice.post(path, {"url": SECRET}).get_json()
    assert made["name"] == "calendar.example.com"
    gone = alice.call("DELETE", f"{path}/{made['id']}")
    assert (gone.status_code, gone.get_json()) == (200, made)
    assert alice.get(path).get_json() == {"items": []}
    problem_of(alice.call("DELETE", f"{path}/{made['id']}"), 404, "not-found")


def test_the_address_is_its_owners_alone(as_: Callers, path: str, site: Flask, site_cast: Cast) -> None:
    as_("alice").post(path, {"url": SECRET})
    for name in ("lev", "adam"):
        (seen,) = as_(name).get(path).get_json()["items"]
        assert seen["url"] == "https://calendar.example.com/…"
    for name in ("vera", "anton", "lena", "olga", "eve"):
        problem_of(as_(name).get(path), 404, "not-found")
        problem_of(as_(name).post(path, {"url": SECRET}), 404, "not-found")
        problem_of(as_(name).call("DELETE", f"{path}/1"), 404, "not-found")
    problem_of(as_(None).get(path), 401, "unauthorized")
    problem_of(as_("alice", "read").post(path, {"url": SECRET}), 403, "forbidden")
    other = as_("adam").post(path, {"url": "https://a.example/lead.ics"}).get_json()
    as_("lev").call("DELETE", f"{path}/{other['id']}")
    with site.app_context():
        entries = db.session.scalars(
            select(AuditEntry).where(AuditEntry.action.like("calendar.%")).order_by(AuditEntry.id)
        ).all()
        assert [(entry.person_id, entry.action) for entry in entries] == [
            (site_cast.adam.id, "calendar.add"),
            (site_cast.lev.id, "calendar.remove"),
        ]
        assert entries[0].detail == {"name": "a.example", "host": "a.example"}


def test_what_is_wrong_is_named(as_: Callers, path: str) -> None:
    alice = as_("alice")
    for url in (
        "",
        "calendar",
        "ftp://a.example/",
        "https://me:secret@a.example/",
        "http://127.0.0.1/",
        5,
        None,
    ):
        assert "url" in problem_of(alice.post(path, {"url": url}), 422, "invalid")["errors"]
    assert "url" in problem_of(alice.post(path, {}), 422, "invalid")["errors"]
    assert "name" in problem_of(alice.post(path, {"url": SECRET, "name": "x" * 81}), 422, "invalid")["errors"]
    for data in (b"", b"<html>", FILE[:-20], ics(event("20261124", "", "RRULE:FREQ=SECONDLY")).encode()):
        answer = alice.call("POST", path, data=data, content_type="text/calendar")
        assert "file" in problem_of(answer, 422, "invalid")["errors"]
    answer = alice.call("POST", path, data={"name": "x"}, content_type="multipart/form-data")
    assert "file" in problem_of(answer, 422, "invalid")["errors"]
    problem_of(alice.call("POST", path, data=FILE, content_type="text/plain"), 415, "unsupported-media-type")
    big = alice.call("POST", path, data=b"x" * 3_000_000, content_type="text/calendar")
    assert big.status_code == 413
    assert alice.get(path).get_json() == {"items": []}


def test_ten_are_the_most_and_none_twice(as_: Callers, path: str) -> None:
    alice = as_("alice")
    for number in range(10):
        assert alice.post(path, {"url": f"https://a.example/{number}.ics"}).status_code == 201
    problem_of(alice.post(path, {"url": "https://a.example/0.ics"}), 409, "calendar-is-there")
    problem_of(alice.post(path, {"url": "https://a.example/10.ics"}), 409, "too-many-calendars")
    answer = alice.call("POST", path, data=FILE, content_type="text/calendar")
    problem_of(answer, 409, "too-many-calendars")
