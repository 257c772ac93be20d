"""Visits by the API: book, list, look, move, cancel, outcome, calendar file."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from gemba.db import db
from gemba.outbox.models import OutboxItem
from gemba.visits.models import Visit
from tests.api.conftest import THURSDAY, Callers, problem_of
from tests.cast import Cast
from tests.conftest import StandingClock

TEN = "2026-11-26T09:00:00Z"
BODY = {"programme": "shadow", "start": TEN}


def test_an_hour_is_booked(as_: Callers, site_cast: Cast) -> None:
    answer = as_("vera").post("/visits", {**BODY, "agent": site_cast.alice.id, "product": "Checkout"})
    assert answer.status_code == 201
    visit = answer.get_json()
    assert answer.headers["Location"] == f"http://localhost/api/v1/visits/{visit['id']}"
    assert {
        "programme": "shadow",
        "agent": site_cast.alice.id,
        "visitors": [site_cast.vera.id],
        "lead": site_cast.lev.id,
        "product": "Checkout",
        "start": TEN,
        "end": "2026-11-26T10:00:00Z",
        "status": "booked",
        "sequence": 0,
    }.items() <= visit.items()
    assert {(each["name"], each["part"]) for each in visit["people"]} == {
        ("Vera Visitor", "visitor"),
        ("Alice Agent", "agent"),
        ("Lev Lead", "lead"),
    }
    assert visit["meeting_url"].startswith("https://")
    invites = {(each["to"], each["method"], each["state"], each["attempts"]) for each in visit["invites"]}
    assert invites == {(f"{name}@gemba.example", "REQUEST", "ready", 0) for name in ("vera", "alice", "lev")}
    assert as_("alice").get(f"/visits/{visit['id']}").get_json() == visit


def test_any_agent_will_do_and_offsets_are_understood(as_: Callers) -> None:
    body = {"programme": "shadow", "start": "2026-11-26T12:00:00+03:00", "language": "ru", "agent": None}
    visit = as_("vera").post("/visits", body).get_json()
    assert visit["start"] == TEN
    assert {"name": "Anton Agent", "part": "agent", "id": visit["agent"]} in visit["people"]


def test_a_taken_hour_names_three_others(as_: Callers, site_cast: Cast, visit_id: int) -> None:
    answer = as_("eve").post("/visits", {**BODY, "agent": site_cast.alice.id})
    assert problem_of(answer, 409, "slot-taken")["alternatives"] == [
        "2026-11-26T08:00:00Z",
        "2026-11-26T10:00:00Z",
        "2026-11-26T10:30:00Z",
    ]


def test_an_hour_that_is_not_offered_says_why(as_: Callers, site_cast: Cast) -> None:
    answer = as_("eve").post(
        "/visits", {**BODY, "start": "2026-11-29T09:10:00Z", "agent": site_cast.alice.id}
    )
    reasons = problem_of(answer, 422, "not-offered")["reasons"]
    assert [reason["code"] for reason in reasons] == ["not-on-grid", "agent-not-free"]
    assert reasons[1]["detail"] == "The agent is not free for a visit then."


def test_an_agent_who_is_none_is_not_offered(as_: Callers, site_cast: Cast) -> None:
    for agent in (999, site_cast.eve.id, site_cast.vera.id):
        reasons = problem_of(as_("vera").post("/visits", {**BODY, "agent": agent}), 422, "not-offered")[
            "reasons"
        ]
        assert [reason["code"] for reason in reasons] == ["no-agent"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("programme", "nothing"),
        ("programme", ""),
        ("programme", None),
        ("programme", ["shadow"]),
        ("programme", "x" * 1_000_000),
        ("programme", "shadow\x00x"),
        ("start", "2026-11-26"),
        ("start", "2026-11-26T09:00:00"),
        ("start", "26.11.2026 09:00"),
        ("start", 1795683600),
        ("start", None),
        ("start", "1969-12-31T23:59:59Z"),
        ("start", "9999-12-31T23:59:59Z"),
        ("start", "2026-11-26T25:00:00Z"),
        ("agent", "alice"),
        ("agent", 0),
        ("agent", -1),
        ("agent", 1.5),
        ("agent", True),
        ("agent", 2**53 + 1),
        ("agent", [1]),
        ("product", "Nothing"),
        ("product", {}),
        ("product", 10**12),
        ("language", "de"),
        ("language", 1),
    ],
)
def test_bad_fields_of_a_booking(field: str, value: object, as_: Callers, site: Flask) -> None:
    errors = problem_of(as_("vera").post("/visits", {**BODY, field: value}), 422, "invalid")["errors"]
    assert list(errors) == [field]
    with site.app_context():
        assert db.session.scalar(select(func.count()).select_from(Visit)) == 0
        assert db.session.scalar(select(func.count()).select_from(OutboxItem)) == 0


def test_what_a_booking_needs(as_: Callers) -> None:
    errors = problem_of(as_("vera").post("/visits", {}), 422, "invalid")["errors"]
    assert errors == {
        "programme": ["This is needed. Give the slug of a programme that runs."],
        "start": ["This is needed. Give an instant as 2026-11-23T09:00:00Z."],
    }


@pytest.mark.parametrize("name", ["eve", "anton", "lena", "olga"])
def test_a_visit_of_others_is_not_there(name: str, as_: Callers, visit_id: int) -> None:
    other = as_(name)
    path = f"/visits/{visit_id}"
    later = {"start": "2026-11-26T13:00:00Z"}
    answers = [
        other.get(path),
        other.get(f"{path}/invite.ics"),
        other.get(f"{path}/observations"),
        other.post(f"{path}/move", later),
        other.post(f"{path}/cancel", {}),
        other.post(f"{path}/outcome", {"took_place": "yes"}),
    ]
    for answer in answers:
        problem_of(answer, 404, "not-found")
    assert other.get("/visits").get_json() == {"items": [], "next": None}


def test_visits_are_listed_filtered_and_parted(as_: Callers, site_cast: Cast) -> None:
    vera = as_("vera")
    starts = ["2026-11-26T13:00:00Z", "2026-11-25T09:00:00Z", "2026-11-27T09:00:00Z", "2026-11-26T09:00:00Z"]
    for start, agent in zip(
        starts, (site_cast.alice, site_cast.anton, site_cast.ada, site_cast.alice), strict=True
    ):
        assert vera.post("/visits", {**BODY, "start": start, "agent": agent.id}).status_code == 201

    def listed(**query: object) -> list[str]:
        return [visit["start"] for visit in vera.get("/visits", **query).get_json()["items"]]

    assert listed() == sorted(starts)
    assert listed(agent=site_cast.alice.id) == [starts[3], starts[0]]
    assert listed(from_="2026-11-26", to="2026-11-27") == [starts[3], starts[0]]
    assert listed(status="cancelled") == []
    first = vera.get("/visits", limit=3, status="booked").get_json()
    rest = vera.get(first["next"].removeprefix("http://localhost")).get_json()
    assert [visit["start"] for visit in first["items"] + rest["items"]] == sorted(starts)
    assert rest["next"] is None
    assert len(as_("lev").get("/visits").get_json()["items"]) == 3
    assert len(as_("adam").get("/visits").get_json()["items"]) == 4


def test_a_list_of_visits_costs_the_same_for_few_and_for_many(
    as_: Callers, site_cast: Cast, statements: list[str]
) -> None:
    vera = as_("vera")
    costs = []
    for day in ("25", "26", "27"):
        vera.post("/visits", {**BODY, "start": f"2026-11-{day}T09:00:00Z"})
        vera.get("/visits")
        statements.clear()
        vera.get("/visits")
        costs.append(len(statements))
    assert costs[0] == costs[1] == costs[2] <= 12


@pytest.mark.parametrize(
    ("field", "value"),
    [("status", "open"), ("agent", "x"), ("from", "x"), ("to", "2026-11-26T09:00"), ("limit", "500")],
)
def test_bad_filters_of_visits(field: str, value: str, as_: Callers) -> None:
    assert list(problem_of(as_("vera").get("/visits", **{field: value}), 422, "invalid")["errors"]) == [field]


def test_from_after_to(as_: Callers) -> None:
    answer = as_("vera").get("/visits", from_="2026-11-27", to="2026-11-26")
    assert list(problem_of(answer, 422, "invalid")["errors"]) == ["to"]


def test_a_move_keeps_the_uid_and_counts_up(as_: Callers, site_cast: Cast, visit_id: int) -> None:
    vera = as_("vera")
    before = vera.get(f"/visits/{visit_id}").get_json()
    moved = vera.post(f"/visits/{visit_id}/move", {"start": "2026-11-26T13:00:00Z"})
    assert moved.status_code == 200
    after = moved.get_json()
    assert (after["uid"], after["sequence"], after["start"]) == (before["uid"], 1, "2026-11-26T13:00:00Z")
    assert after["agent"] == site_cast.alice.id
    other = vera.post(f"/visits/{visit_id}/move", {"start": TEN, "agent": site_cast.anton.id}).get_json()
    assert (other["uid"], other["sequence"], other["agent"]) == (before["uid"], 2, site_cast.anton.id)
    assert {each["method"] for each in other["invites"]} == {"REQUEST", "CANCEL"}


def test_a_move_is_refused_like_a_booking(
    as_: Callers, site_cast: Cast, visit_id: int, clock: StandingClock
) -> None:
    vera, path = as_("vera"), f"/visits/{visit_id}/move"
    assert (
        as_("eve")
        .post("/visits", {**BODY, "start": "2026-11-26T13:00:00Z", "agent": site_cast.alice.id})
        .status_code
        == 201
    )
    taken = problem_of(vera.post(path, {"start": "2026-11-26T13:00:00Z"}), 409, "slot-taken")
    assert len(taken["alternatives"]) == 3
    problem_of(vera.post(path, {"start": "2026-11-28T09:00:00Z"}), 422, "not-offered")
    assert list(problem_of(vera.post(path, {}), 422, "invalid")["errors"]) == ["start"]
    assert list(problem_of(vera.post(path, {"start": TEN, "agent": "x"}), 422, "invalid")["errors"]) == [
        "agent"
    ]
    clock.at = THURSDAY - timedelta(hours=1)
    problem_of(vera.post(path, {"start": "2026-11-27T09:00:00Z"}), 409, "too-late")
    assert as_("alice").get(f"/visits/{visit_id}").get_json()["sequence"] == 0


def test_a_cancellation(as_: Callers, visit_id: int) -> None:
    vera, path = as_("vera"), f"/visits/{visit_id}/cancel"
    assert list(problem_of(vera.post(path, {"reason": "x" * 501}), 422, "invalid")["errors"]) == ["reason"]
    assert list(problem_of(vera.post(path, {"reason": 5}), 422, "invalid")["errors"]) == ["reason"]
    answer = vera.post(path, {"reason": "I am ill.\x00"}).get_json()
    assert (answer["status"], answer["sequence"], answer["cancel_reason"]) == ("cancelled", 1, "I am ill.")
    problem_of(vera.post(path, {}), 409, "already-cancelled")
    assert as_("eve").post("/visits", BODY).status_code == 201


def test_an_outcome(as_: Callers, visit_id: int, clock: StandingClock) -> None:
    vera, path = as_("vera"), f"/visits/{visit_id}/outcome"
    problem_of(vera.post(path, {"took_place": "yes"}), 409, "not-over-yet")
    clock.at = THURSDAY + timedelta(hours=1)
    for bad in ({}, {"took_place": "maybe"}, {"took_place": True}):
        assert list(problem_of(vera.post(path, bad), 422, "invalid")["errors"]) == ["took_place"]
    problem_of(as_("adam").post(path, {"took_place": "yes"}), 403, "forbidden")
    assert vera.post(path, {"took_place": "yes"}).get_json()["status"] == "held"
    assert as_("alice").post(path, {"took_place": "no"}).get_json()["status"] == "booked"
    problem_of(vera.post(f"/visits/{visit_id}/cancel", {}), 409, "already-over")


def test_the_calendar_file(as_: Callers, visit_id: int) -> None:
    answer = as_("vera").get(f"/visits/{visit_id}/invite.ics")
    assert answer.content_type == "text/calendar; charset=utf-8"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="visit-{visit_id}.ics"'
    assert b"DTSTART:20261126T090000Z" in answer.data
