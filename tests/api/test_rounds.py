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
    assert left["would_help"][0].startswith("1 free hour on ")
    assert pair["mentor"] is None

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


def test_who_is_asked_and_a_wish_with_a_calendar(
    as_: Callers, site: Flask, site_cast: Cast, clock: StandingClock
) -> None:
    adam, vera = as_("adam"), as_("vera")
    number = adam.post("/programmes/shadow/rounds", PLAN).get_json()["id"]
    path = f"/rounds/{number}"
    asked = {"people": [site_cast.vera.id, 999], "emails": ["eve@gemba.example"], "department": "Product"}
    told = adam.post(f"{path}/invitations", asked)
    assert (told.status_code, told.get_json()) == (
        201,
        {"asked": 2, "before": 0, "nobody": ["999"], "outside": 0},
    )
    assert adam.post(f"{path}/invitations", {"department": "Product"}).get_json()["before"] == 1
    problem_of(adam.post(f"{path}/invitations", {}), 422, "invalid")
    problem_of(vera.get(f"{path}/wishes"), 404, "not-found")
    wish = {"calendar_url": "webcal://calendar.example/vera.ics"}
    said = vera.post(f"{path}/wishes", wish).get_json()
    assert said["calendar"] == {
        "url": "https://calendar.example/vera.ics",
        "busy": 0,
        "fetched_at": None,
        "tried_at": None,
        "stale": False,
        "error": None,
    }
    wrong = problem_of(vera.post(f"{path}/wishes", {"calendar_url": "http://10.0.0.1/x"}), 422, "invalid")
    assert wrong["errors"].keys() == {"calendar_url"}
    assert vera.post(f"{path}/wishes", {"note": "x"}).get_json()["calendar"] == said["calendar"]
    assert vera.get(f"{path}/wishes").get_json()["note"] == "x"
    listed = adam.get(f"{path}/invitations").get_json()["items"]
    assert [(each["person"], each["signed_up"]) for each in listed] == [
        (site_cast.vera.id, True),
        (site_cast.eve.id, False),
    ]
    first = adam.get(f"{path}/invitations", limit=1).get_json()
    assert adam.get(first["next"].removeprefix("http://localhost")).get_json()["items"] == listed[1:]
    assert vera.post(f"{path}/wishes", {"calendar_url": None}).get_json()["calendar"] is None
    for call in (vera.get(f"{path}/invitations"), vera.post(f"{path}/invitations", asked)):
        problem_of(call, 404, "not-found")
    clock.forward(days=7)
    problem_of(adam.post(f"{path}/invitations", asked), 409, "round-closed")
