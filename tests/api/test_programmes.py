"""Programmes, their slots, and agents' hours."""

from typing import Any

import pytest
from flask import Flask

from gemba.db import db
from gemba.programmes.models import Programme
from gemba.schedule.models import Availability
from tests.api.conftest import Callers, problem_of
from tests.cast import Cast

NEW = {"slug": "till", "name": "Free till", "format": "hands-on", "duration_minutes": 180}
HOURS = {
    "timezone": "Europe/Berlin",
    "weekly": [{"weekday": "mon", "start": "09:00", "end": "13:00"}],
    "overrides": [{"date": "2026-12-31", "intervals": []}],
    "buffer_before": 0,
    "buffer_after": 10,
    "limits": {"per_day": 1, "per_week": 3, "per_month": None},
    "time_off": [{"first": "2026-12-24", "last": "2027-01-03"}],
    "holidays": "DE-BY",
    "zone_changes": [{"date": "2027-02-01", "timezone": "Asia/Tbilisi"}],
    "rest_between": True,
}


def test_programmes_are_read_by_everyone(as_: Callers) -> None:
    listed = as_("eve").get("/programmes").get_json()
    assert [each["slug"] for each in listed["items"]] == ["shadow"]
    one = as_("eve").get("/programmes/shadow").get_json()
    assert one == listed["items"][0]
    assert {
        "slug": "shadow",
        "format": "shadow",
        "duration_minutes": 60,
        "slot_step_minutes": 30,
        "min_notice_minutes": 240,
        "move_notice_minutes": 240,
        "cancel_notice_minutes": 60,
        "horizon_days": 28,
        "seats": 1,
        "return_after_months": 6,
        "approval": False,
        "approval_hours": 48,
        "offer_hours": 12,
        "slot_offset_minutes": 0,
        "visitor_per_day": None,
        "visitor_per_week": None,
        "visitor_per_month": None,
    }.items() <= one.items()


def test_an_admin_adds_and_changes_a_programme(as_: Callers) -> None:
    admin = as_("adam")
    answer = admin.post("/programmes", NEW)
    assert answer.status_code == 201
    assert answer.headers["Location"] == "http://localhost/api/v1/programmes/till"
    assert answer.get_json()["duration_minutes"] == 180
    changed = admin.patch("/programmes/till", {"active": False, "visitor_per_week": 2}).get_json()
    assert (changed["active"], changed["visitor_per_week"], changed["name"]) == (False, 2, "Free till")
    assert admin.patch("/programmes/till", {"visitor_per_week": None}).get_json()["visitor_per_week"] is None
    problem_of(as_("eve").get("/programmes/till"), 404, "not-found")
    problem_of(as_("eve").get("/programmes/till/slots"), 404, "not-found")
    first = admin.get("/programmes", limit=1).get_json()
    rest = admin.get(first["next"].removeprefix("http://localhost")).get_json()
    assert [each["slug"] for each in first["items"] + rest["items"]] == ["shadow", "till"]
    assert rest["next"] is None


def test_only_admins_write_programmes(as_: Callers) -> None:
    for name in ("vera", "alice", "lev", "olga"):
        problem_of(as_(name).post("/programmes", NEW), 403, "forbidden")
        problem_of(as_(name).patch("/programmes/shadow", {"seats": 3}), 403, "forbidden")
    problem_of(as_("adam").patch("/programmes/nothing", {"seats": 3}), 404, "not-found")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slug", "Shadow!"),
        ("slug", "shadow"),
        ("slug", None),
        ("name", ""),
        ("format", "remote"),
        ("duration_minutes", 61),
        ("duration_minutes", 2**60),
        ("duration_minutes", "60"),
        ("slot_step_minutes", 0),
        ("min_notice_minutes", -1),
        ("horizon_days", 366),
        ("seats", True),
        ("seats", 1.0),
        ("return_after_months", []),
        ("approval", 0),
        ("approval_hours", 337),
        ("offer_hours", 0),
        ("slot_offset_minutes", 476),
        ("visitor_per_day", 0),
        ("visitor_per_week", "1"),
        ("visitor_per_month", True),
        ("guide", "x\n" * 50),
        ("who", "some"),
        ("departments", ["", "Sales"]),
        ("opening", "sometimes"),
        ("goal_share", 101),
        ("goal_months", None),
        ("goal_visits", 0),
        ("draft", True),
        ("colour", "red"),
    ],
)
def test_bad_fields_of_a_programme(field: str, value: object, as_: Callers, site: Flask) -> None:
    errors = problem_of(as_("adam").post("/programmes", {**NEW, field: value}), 422, "invalid")["errors"]
    assert list(errors) == [field]
    with site.app_context():
        assert db.session.query(Programme).count() == 1


def test_slots_are_offered(as_: Callers, site_cast: Cast) -> None:
    slots = as_("vera").get("/programmes/shadow/slots").get_json()["slots"]
    assert slots[0] == {
        "start": "2026-11-23T12:00:00Z",
        "end": "2026-11-23T13:00:00Z",
        "agents": [site_cast.anton.id],
    }
    assert slots[-1]["start"] < "2026-12-07T08:00:00Z"


def test_slots_of_a_window_an_agent_a_product_a_language(as_: Callers, site_cast: Cast) -> None:
    vera = as_("vera")

    def slots(**query: object) -> list[dict[str, object]]:
        found: list[dict[str, object]] = vera.get("/programmes/shadow/slots", **query).get_json()["slots"]
        return found

    day = slots(from_="2026-11-26", to="2026-11-27")
    assert {str(each["start"])[:10] for each in day} == {"2026-11-26"}
    assert (
        slots(from_="2026-11-26T09:00:00Z", to="2026-11-26T09:30:00+00:00")[0]["start"]
        == "2026-11-26T09:00:00Z"
    )
    everyone = {site_cast.alice.id, site_cast.anton.id, site_cast.ada.id}
    assert {agent for each in day for agent in each["agents"]} == everyone  # type: ignore[attr-defined]
    ru = slots(from_="2026-11-26", to="2026-11-27", language="ru")
    assert {agent for each in ru for agent in each["agents"]} == {site_cast.anton.id}  # type: ignore[attr-defined]
    assert slots(from_="2026-11-26", to="2026-11-27", product=site_cast.checkout.id) == slots(
        from_="2026-11-26", to="2026-11-27", product="checkout"
    )
    alone = slots(agent=site_cast.ada.id)
    assert {tuple(each["agents"]) for each in alone} == {(site_cast.ada.id,)}  # type: ignore[arg-type]
    assert slots(from_="2030-01-01") == []
    assert slots(from_="1970-01-01", to="1970-01-02") == []
    assert slots(from_="1970-01-01", to="2200-12-31")[-1]["start"] < "2026-12-21T08:00:00Z"  # type: ignore[operator]
    assert slots(agent=999) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("from", "tomorrow"),
        ("from", "2026-11-26T09:00:00"),
        ("from", "2026-13-01"),
        ("from", "0001-01-01T00:00:00+14:00"),
        ("from", "9999-12-31T23:59:59-12:00"),
        ("to", "2026-11-01"),
        ("agent", "alice"),
        ("agent", "0"),
        ("agent", "9" * 20),
        ("product", "Nothing"),
        ("product", ""),
        ("language", "de"),
    ],
)
def test_bad_questions_about_slots(field: str, value: str, as_: Callers) -> None:
    answer = as_("vera").get("/programmes/shadow/slots", **{field: value})
    assert list(problem_of(answer, 422, "invalid")["errors"]) == [field]


def test_explain_says_why(as_: Callers, site_cast: Cast, visit_id: int) -> None:
    path = "/programmes/shadow/slots/explain"
    for name in ("alice", "lev", "adam"):
        noon = as_(name).get(path, agent=site_cast.alice.id, start="2026-11-26T11:30:00Z").get_json()
        closed = "The agent's hours on 2026-11-26 do not cover this whole visit."
        assert noon == {"offered": False, "reasons": [{"code": "outside-hours", "detail": closed}]}
        offered = as_(name).get(path, agent=site_cast.alice.id, start="2026-11-26T13:00:00Z").get_json()
        assert offered == {"offered": True, "reasons": []}
        taken = as_(name).get(path, agent=site_cast.alice.id, start="2026-11-26T09:30:00Z").get_json()
        assert [reason["code"] for reason in taken["reasons"]] == ["agent-busy"]
    soon = as_("alice").get(path, agent=site_cast.alice.id, start="2026-11-23T09:00:00Z").get_json()
    assert soon["reasons"] == [
        {
            "code": "too-soon",
            "detail": "This is too soon: the earliest start that can be booked now is 2026-11-23T12:00:00Z.",
        }
    ]
    for start in ("1970-01-01T00:00:00Z", "2200-12-31T23:59:59Z"):
        assert not as_("adam").get(path, agent=site_cast.alice.id, start=start).get_json()["offered"]


@pytest.mark.parametrize("name", ["vera", "anton", "lena", "olga"])
def test_explain_tells_others_nothing_of_the_agents_own_business(
    name: str, site: Flask, as_: Callers, site_cast: Cast, visit_id: int
) -> None:
    with site.app_context():
        row = db.session.get_one(Availability, site_cast.alice.id)
        row.time_off = [["2026-12-01", "2026-12-04"]]
        row.overrides = {"2026-12-07": []}
        db.session.commit()

    def ask(start: str) -> Any:
        path = "/programmes/shadow/slots/explain"
        return as_(name).get(path, agent=site_cast.alice.id, start=start).get_json()

    assert ask("2026-11-27T13:00:00Z") == {"offered": True, "reasons": []}
    taken = ["visitor-busy"] if name == "vera" else []
    for start, also in (
        ("2026-11-26T09:00:00Z", taken),
        ("2026-12-02T09:00:00Z", []),
        ("2026-12-07T09:00:00Z", []),
        ("2026-11-27T01:00:00Z", []),
    ):
        answer = ask(start)
        assert [reason["code"] for reason in answer["reasons"]] == [*also, "agent-not-free"], start
        assert "2026-12" not in str(answer)
    assert [reason["code"] for reason in ask("2026-11-23T09:00:00Z")["reasons"]] == ["too-soon"]
    assert [reason["code"] for reason in ask("2026-11-27T13:05:00Z")["reasons"]] == ["not-on-grid"]
    problem_of(
        as_(name).get(
            "/programmes/shadow/slots/explain", agent=site_cast.vera.id, start="2026-11-27T13:00:00Z"
        ),
        404,
        "not-found",
    )


def test_explain_needs_agent_and_start(as_: Callers) -> None:
    answer = as_("adam").get("/programmes/shadow/slots/explain")
    assert set(problem_of(answer, 422, "invalid")["errors"]) == {"agent", "start"}
    problem_of(
        as_("adam").get("/programmes/none/slots/explain", agent=1, start="2026-11-26T09:00:00Z"),
        404,
        "not-found",
    )


@pytest.mark.parametrize("name", ["alice", "lev", "adam"])
def test_hours_are_read_and_replaced(name: str, as_: Callers, site_cast: Cast) -> None:
    path = f"/agents/{site_cast.alice.id}/availability"
    assert as_(name).get(path).get_json()["timezone"] == "Europe/Berlin"
    assert as_(name).put(path, HOURS).get_json() == HOURS
    assert as_(name).get(path).get_json() == HOURS
    assert as_("alice").get("/me").status_code == 200


@pytest.mark.parametrize("name", ["vera", "anton", "lena", "olga", "eve"])
def test_hours_of_others_are_not_there(name: str, as_: Callers, site_cast: Cast) -> None:
    path = f"/agents/{site_cast.alice.id}/availability"
    problem_of(as_(name).get(path), 404, "not-found")
    problem_of(as_(name).put(path, HOURS), 404, "not-found")
    problem_of(as_("adam").get(f"/agents/{site_cast.vera.id}/availability"), 404, "not-found")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"timezone": "Mars"}, "timezone"),
        ({"timezone": None}, "timezone"),
        ({"weekly": {}}, "weekly"),
        ({"weekly": [{"weekday": "mon", "start": "9:00", "end": "13:00"}]}, "weekly.0.start"),
        ({"weekly": [{"weekday": "mon", "start": "13:00", "end": "09:00"}]}, "weekly.0.end"),
        ({"overrides": [{"date": "2026-02-30", "intervals": []}]}, "overrides.0.date"),
        ({"buffer_before": 7}, "buffer_before"),
        ({"buffer_after": 2**70}, "buffer_after"),
        ({"limits": {"per_day": 0}}, "limits.per_day"),
        ({"limits": []}, "limits"),
        ({"time_off": [{"first": "2026-12-24", "last": "2026-12-23"}]}, "time_off.0.last"),
        ({"holidays": "Mars"}, "holidays"),
        ({"zone_changes": [{"date": "2026-12-24", "timezone": "Mars"}]}, "zone_changes.0.timezone"),
        ({"rest_between": 1}, "rest_between"),
        ({"paused": True}, "paused"),
    ],
)
def test_bad_hours(change: dict[str, object], path: str, as_: Callers, site_cast: Cast) -> None:
    alice = as_("alice")
    address = f"/agents/{site_cast.alice.id}/availability"
    before = alice.get(address).get_json()
    assert list(problem_of(alice.put(address, {**HOURS, **change}), 422, "invalid")["errors"]) == [path]
    assert alice.get(address).get_json() == before


@pytest.mark.parametrize("body", [[], "x", 7])
def test_hours_that_are_no_object(body: object, as_: Callers, site_cast: Cast) -> None:
    problem_of(as_("alice").put(f"/agents/{site_cast.alice.id}/availability", body), 422, "invalid")


def test_lines_and_languages_by_name_and_departments_for_admins_only(as_: Callers, site_cast: Cast) -> None:
    admin = as_("adam")
    told = {"lines": ["checkout LINE"], "languages": ["ru", "en"], "departments": ["Product"]}
    changed = admin.patch("/programmes/shadow", told).get_json()
    assert (changed["lines"], changed["languages"], changed["departments"]) == (
        ["Checkout line"],
        ["en", "ru"],
        ["Product"],
    )
    for name in ("vera", "lev", "olga"):
        for seen in (
            as_(name).get("/programmes/shadow").get_json(),
            as_(name).get("/programmes").get_json()["items"][0],
        ):
            assert seen["lines"] == ["Checkout line"]
            assert "departments" not in seen
    for bad in (
        {"lines": ["None"]},
        {"lines": [1.5]},
        {"lines": "Checkout line"},
        {"languages": ["de"]},
    ):
        wrong = problem_of(admin.patch("/programmes/shadow", bad), 422, "invalid")
        assert wrong["errors"].keys() == bad.keys()
    document = {**admin.get("/programmes/shadow").get_json(), "smallest_group": 5}
    assert admin.patch("/programmes/shadow", document).get_json() == document
    why = {"agent": site_cast.ada.id, "start": "2026-11-26T09:00:00Z"}
    reasons = as_("vera").get("/programmes/shadow/slots/explain", **why).get_json()["reasons"]
    assert [each["code"] for each in reasons] == ["other-agents"]


def test_the_list_of_those_who_may_take_part(as_: Callers, site_cast: Cast) -> None:
    admin, path = as_("adam"), "/programmes/shadow/people"
    vera, eve = site_cast.vera.id, site_cast.eve.id
    assert admin.get(path).get_json() == {"items": [], "next": None}
    put = admin.put(path, {"people": [vera], "emails": ["EVE@gemba.example", "eve@gemba.example"]})
    assert [each["id"] for each in put.get_json()["items"]] == [vera, eve]
    assert put.get_json()["items"][1]["email"] == "eve@gemba.example"
    first = admin.get(path, limit=1).get_json()
    rest = admin.get(first["next"].removeprefix("http://localhost")).get_json()
    assert [each["id"] for each in first["items"] + rest["items"]] == [vera, eve]
    bodies: list[dict[str, object]] = [{}, {"people": [vera, 999]}, {"emails": ["who@x.example"]}, {"x": []}]
    for wrong in [*bodies, {"people": vera}]:
        problem_of(admin.put(path, wrong), 422, "invalid")
    assert len(admin.get(path).get_json()["items"]) == 2
    admin.patch("/programmes/shadow", {"who": "listed"})
    assert admin.put(path, {"people": [eve]}).status_code == 200
    problem_of(as_("vera").get("/programmes/shadow/slots"), 403, "not-for-you")
    assert as_("eve").get("/programmes/shadow/slots").status_code == 200
    assert admin.put(path, {"people": []}).get_json()["items"] == []
    for name in ("vera", "alice", "lev", "olga"):
        problem_of(as_(name).get(path), 403, "forbidden")
        problem_of(as_(name).put(path, {"people": [eve]}), 403, "forbidden")
    problem_of(as_(None).get(path), 401, "unauthorized")
    problem_of(admin.get("/programmes/none/people"), 404, "not-found")
    problem_of(as_("adam", "read").put(path, {"people": [eve]}), 403, "forbidden")
