"""Rounds in the API: made, signed up to, proposed, pinned, published."""

from flask import Flask

from gemba.outbox.worker import Worker
from tests.api.conftest import Callers, problem_of
from tests.cast import Cast
from tests.conftest import StandingClock

PLAN = {"name": "Winter", "closes_on": "2026-11-27", "first_day": "2026-11-30", "last_day": "2026-12-04"}


def test_a_round_by_calls(as_: Callers, site: Flask, site_cast: Cast, clock: StandingClock) -> None:
    adam, vera, eve = as_("adam"), as_("vera"), as_("eve")
    assert problem_of(vera.post("/programmes/shadow/rounds", PLAN), 403, "forbidden")
    assert problem_of(adam.post("/programmes/none/rounds", PLAN), 404, "not-found")
    wrong = problem_of(
        adam.post("/programmes/shadow/rounds", {**PLAN, "last_day": 1, "x": 1}), 422, "invalid"
    )
    assert wrong["errors"].keys() == {"last_day", "x"}
    made = adam.post("/programmes/shadow/rounds", PLAN)
    assert made.status_code == 201
    number = made.get_json()["id"]
    path = f"/rounds/{number}"
    wish = {"products": ["Courier app"], "insists": True, "refuses": [site_cast.ada.id]}
    said = vera.post(f"{path}/wishes", wish).get_json()
    assert (said["products"], said["insists"], said["weekly"][0]) == (
        ["Courier app"],
        True,
        {"weekday": "mon", "start": "09:00", "end": "18:00"},
    )
    assert problem_of(vera.post(f"{path}/wishes", {"products": ["None"]}), 422, "invalid")
    assert problem_of(vera.post("/rounds/999/wishes", {}), 404, "not-found")
    sunday = [{"weekday": "sun", "start": "02:00", "end": "04:00"}]
    assert eve.post(f"{path}/wishes", {"weekly": sunday, "timezone": "UTC"}).status_code == 201
    assert vera.get("/programmes/shadow/rounds").get_json()["items"][0]["outcome"] == ""
    for call in (vera.get(f"{path}/proposal"), vera.post(f"{path}/propose"), vera.post(f"{path}/publish")):
        assert problem_of(call, 404, "not-found")
    assert problem_of(adam.post(f"{path}/publish"), 409, "nothing-proposed")
    assert adam.get(f"{path}/proposal").get_json()["status"] == "none"
    asked = adam.post(f"{path}/propose")
    assert (asked.status_code, asked.get_json()["status"]) == (202, "waiting")
    assert problem_of(adam.post(f"{path}/propose"), 409, "proposal-under-way")
    with site.app_context():
        Worker(site, clock=clock).drain()
    told = adam.get(f"{path}/proposal").get_json()
    assert (told["status"], told["served"], told["figures"]["bound"]) == ("done", 1, 1)
    (pair,) = told["pairs"]
    assert (pair["visitor"], pair["agent"], pair["pinned"]) == (site_cast.vera.id, site_cast.anton.id, False)
    assert pair["because"] == ["first-product"]
    (left,) = told["left_out"]
    assert (left["person"], left["reasons"][0]["code"]) == (site_cast.eve.id, "no-time")
    assert left["would_work"]

    pinned = adam.patch(f"{path}/proposal", {"pins": [{"visitor": site_cast.vera.id}]}).get_json()
    assert pinned["pairs"][0]["pinned"] is True
    night = {"visitor": site_cast.vera.id, "agent": site_cast.anton.id, "start": "2026-12-01T02:00:00Z"}
    assert problem_of(adam.patch(f"{path}/proposal", {"pins": [night]}), 422, "not-offered")
    half = {"visitor": site_cast.vera.id, "agent": site_cast.anton.id}
    assert problem_of(adam.patch(f"{path}/proposal", {"pins": [half]}), 422, "invalid")
    other = {**night, "start": "2026-12-02T09:00:00Z"}
    moved = adam.patch(f"{path}/proposal", {"pins": [other]}).get_json()["pairs"][0]
    assert (moved["start"], moved["pinned"]) == ("2026-12-02T09:00:00Z", True)
    loose = adam.patch(f"{path}/proposal", {"unpin": [site_cast.vera.id]}).get_json()
    assert loose["pairs"][0]["pinned"] is False
    assert adam.post(f"{path}/publish", {"visitors": None}).get_json()["status"] == "publishing"
    with site.app_context():
        Worker(site, clock=clock).drain()
    told = adam.get(f"{path}/proposal").get_json()
    assert (told["status"], told["pairs"][0]["state"]) == ("published", "booked")
    assert vera.get(f"/visits/{told['pairs'][0]['visit']}").get_json()["start"] == "2026-12-02T09:00:00Z"
    assert eve.get("/programmes/shadow/rounds").get_json()["items"][0]["outcome"] == "left-out"
    assert problem_of(vera.post(f"{path}/wishes", {}), 409, "round-closed")
