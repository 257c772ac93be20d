"""Idempotency-Key: a repeat gets the first answer, on both databases and at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from gemba.api.models import IdempotentAnswer
from gemba.db import db
from gemba.visits.models import Visit
from tests.api.conftest import Caller, Callers, problem_of, token_of
from tests.cast import Cast
from tests.conftest import StandingClock

BODY = {"programme": "shadow", "start": "2026-11-26T09:00:00Z"}
OTHER = {"programme": "shadow", "start": "2026-11-27T09:00:00Z"}
KEY = {"Idempotency-Key": "a key of mine"}


def _rows(site: Flask) -> int:
    with site.app_context():
        return db.session.scalar(select(func.count()).select_from(IdempotentAnswer)) or 0


def test_the_same_again_is_the_first_answer(as_: Callers, site: Flask) -> None:
    vera = as_("vera")
    first = vera.post("/visits", BODY, headers=KEY)
    again = vera.post("/visits", BODY, headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.data == again.data
    assert first.headers["Location"] == again.headers["Location"]
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(vera.get("/visits").get_json()["items"]) == 1


def test_without_a_key_it_is_another_booking(as_: Callers) -> None:
    vera = as_("vera")
    vera.post("/visits", BODY)
    problem_of(vera.post("/visits", BODY), 409, "slot-taken")


def test_the_same_key_for_something_else(as_: Callers, visit_id: int) -> None:
    vera = as_("eve")
    assert vera.post("/visits", OTHER, headers=KEY).status_code == 201
    problem_of(
        vera.post("/visits", {**OTHER, "start": "2026-11-26T13:00:00Z"}, headers=KEY),
        422,
        "idempotency-key-reused",
    )
    problem_of(vera.post("/insights/1/vote", OTHER | {}, headers=KEY), 422, "invalid")
    problem_of(vera.post("/insights/1/vote", {}, headers=KEY), 422, "idempotency-key-reused")


def test_keys_are_each_persons_own(as_: Callers, site: Flask) -> None:
    assert as_("vera").post("/visits", BODY, headers=KEY).status_code == 201
    assert as_("eve").post("/visits", OTHER, headers=KEY).status_code == 201
    assert _rows(site) == 2


def test_a_refusal_is_not_kept(as_: Callers, visit_id: int, site_cast: Cast, site: Flask) -> None:
    eve, body = as_("eve"), {**BODY, "agent": site_cast.alice.id}
    problem_of(eve.post("/visits", body, headers=KEY), 409, "slot-taken")
    assert _rows(site) == 0
    as_("vera").post(f"/visits/{visit_id}/cancel", {})
    assert eve.post("/visits", body, headers=KEY).status_code == 201


def test_a_key_lasts_a_day(as_: Callers, clock: StandingClock, site: Flask) -> None:
    vera = as_("vera")
    first = vera.post("/visits", OTHER, headers=KEY).get_json()
    clock.forward(hours=23)
    assert vera.post("/visits", OTHER, headers=KEY).get_json() == first
    clock.forward(hours=2)
    problem_of(vera.post("/visits", OTHER, headers=KEY), 409, "slot-taken")
    assert vera.post("/visits", {**OTHER, "start": "2026-11-27T13:00:00Z"}, headers=KEY).status_code == 201
    assert _rows(site) == 1


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb", "ключ"])
def test_bad_keys(key: str, as_: Callers) -> None:
    answer = as_("vera").post("/visits", BODY, headers={"Idempotency-Key": key.encode().decode("latin-1")})
    assert list(problem_of(answer, 422, "invalid")["errors"]) == ["Idempotency-Key"]


def test_a_replay_asks_for_the_right_to_write(as_: Callers) -> None:
    assert as_("vera").post("/visits", BODY, headers=KEY).status_code == 201
    problem_of(as_("vera", "read").post("/visits", BODY, headers=KEY), 403, "forbidden")


def test_a_repeat_of_a_note_and_a_vote(as_: Callers, sitting: int) -> None:
    vera = as_("vera")
    note = {"client_id": "3f0e8a2c-6a0d-4c0b-9d4e-2f1a7c5b8e90", "text": "Slow", "kind": "tool-pain"}
    answers = [vera.post(f"/visits/{sitting}/observations", note, headers=KEY) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert vera.post(f"/visits/{sitting}/observations", note).status_code == 200


def test_the_same_key_at_the_same_moment(app: Flask, cast: Cast, clock: StandingClock) -> None:
    token = token_of(cast.vera.id, clock())

    def post(_number: int) -> tuple[int, bytes]:
        answer = Caller(app, token).post("/visits", BODY, headers=KEY)
        return answer.status_code, answer.data

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(post, range(16)))
    assert {status for status, _ in answers} == {201}
    assert len({body for _, body in answers}) == 1
    assert db.session.scalar(select(func.count()).select_from(Visit)) == 1


def test_old_answers_go(as_: Callers, clock: StandingClock, site: Flask) -> None:
    vera = as_("vera")
    vera.post("/visits", BODY, headers={"Idempotency-Key": "one"})
    clock.at += timedelta(hours=25)
    vera.post("/visits", OTHER, headers={"Idempotency-Key": "two"})
    assert _rows(site) == 1
