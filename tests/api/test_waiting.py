"""GET, PUT and DELETE /programmes/{slug}/waitlist; GET /lines; GET and PUT /lines/{id}/quiet-hours."""

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.schedule.models import Availability
from tests.api.conftest import Callers, problem_of
from tests.cast import Cast
from tests.conftest import StandingClock
from tests.visits.errands import run_errands

PATH = "/programmes/shadow/waitlist"
NOON = {"timezone": "Europe/Berlin", "weekly": [{"weekday": "thu", "start": "10:00", "end": "12:00"}]}


@pytest.fixture
def nobody_is_there(site: Flask, site_cast: Cast) -> None:
    """No agent has any hour."""
    with site.app_context():
        for row in db.session.scalars(select(Availability)):
            row.weekly = {}
        db.session.commit()


@pytest.mark.usefixtures("nobody_is_there")
def test_join_look_change_the_wish_and_leave(as_: Callers, site_cast: Cast, clock: StandingClock) -> None:
    vera, eve = as_("vera"), as_("eve")
    assert problem_of(vera.get(PATH), 404, "not-found")
    assert vera.put(PATH, {}).get_json() == {
        "programme": "shadow",
        "position": 1,
        "agent": None,
        "product": None,
        "language": None,
        "since": "2026-11-23T08:00:00Z",
        "visit": None,
    }
    clock.forward(minutes=1)
    assert eve.put(PATH, {"product": "Checkout"}).get_json()["position"] == 2
    again = vera.put(PATH, {"agent": site_cast.alice.id, "language": "ru"}).get_json()
    assert (again["position"], again["agent"], again["language"]) == (1, site_cast.alice.id, "ru")
    left = vera.call("DELETE", PATH)
    assert (left.status_code, left.get_json()["position"]) == (200, 1)
    assert problem_of(vera.call("DELETE", PATH), 404, "not-found")
    assert eve.get(PATH).get_json()["position"] == 1


@pytest.mark.usefixtures("nobody_is_there")
def test_what_is_offered_is_named_and_taken(
    as_: Callers, site: Flask, site_cast: Cast, clock: StandingClock
) -> None:
    vera, alice = as_("vera"), as_("alice")
    vera.put(PATH, {})
    hours = {"timezone": "Europe/Berlin", "weekly": [{"weekday": "thu", "start": "10:00", "end": "11:00"}]}
    assert alice.put(f"/agents/{site_cast.alice.id}/availability", hours).status_code == 200
    with site.app_context():
        run_errands(site, clock)
    visit = vera.get(PATH).get_json()["visit"]
    assert vera.post(f"/visits/{visit}/take").get_json()["status"] == "booked"
    assert problem_of(vera.get(PATH), 404, "not-found")


def test_what_is_wrong_is_refused(as_: Callers) -> None:
    vera = as_("vera")
    assert problem_of(vera.put("/programmes/none/waitlist", {}), 404, "not-found")
    assert problem_of(vera.put(PATH, {"product": "Nothing"}), 422, "invalid")["errors"].keys() == {"product"}
    assert problem_of(vera.put(PATH, {"agents": 1}), 422, "invalid")["errors"].keys() == {"agents"}
    assert problem_of(as_("vera", scope="read").put(PATH, {}), 403, "forbidden")
    assert vera.post(PATH, {}).status_code == 405


def test_quiet_hours_are_for_the_head_of_the_line_and_admins(as_: Callers, site_cast: Cast) -> None:
    lev, path = as_("lev"), f"/lines/{site_cast.line.id}/quiet-hours"
    assert lev.get("/lines").get_json()["items"] == [
        {"id": site_cast.line.id, "name": "Checkout line", "lead": site_cast.lev.id}
    ]
    assert len(as_("adam").get("/lines").get_json()["items"]) == 2
    assert as_("vera").get("/lines").get_json()["items"] == []
    assert lev.get(path).get_json()["weekly"] == []
    assert lev.put(path, NOON).get_json() == NOON
    assert as_("adam").get(path).get_json() == NOON
    for stranger in ("vera", "alice", "lena"):
        assert problem_of(as_(stranger).get(path), 404, "not-found")
        assert problem_of(as_(stranger).put(path, NOON), 404, "not-found")
    why = {"agent": site_cast.alice.id, "start": "2026-11-26T09:00:00Z"}
    reasons = lev.get("/programmes/shadow/slots/explain", **why).get_json()["reasons"]
    assert [reason["code"] for reason in reasons] == ["quiet-hours"]
    assert problem_of(lev.put(path, {"timezone": "Nowhere", "weekly": []}), 422, "invalid")[
        "errors"
    ].keys() == {"timezone"}
    assert problem_of(lev.put(path, {**NOON, "more": 1}), 422, "invalid")["errors"].keys() == {"more"}
