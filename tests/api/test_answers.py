"""Answers to invites and the visitors' wishes in the documents of visits."""

from flask import Flask

from gemba.db import db
from gemba.invites.rules import Answer
from gemba.visits import service
from gemba.visits.replies import Said
from tests.api.conftest import Callers, problem_of
from tests.cast import Cast
from tests.conftest import StandingClock


def test_a_visit_tells_who_answered_what(
    site: Flask, site_cast: Cast, as_: Callers, visit_id: int, clock: StandingClock
) -> None:
    assert as_("vera").get(f"/visits/{visit_id}").get_json()["answers"] == []
    clock.forward(minutes=1)
    with site.app_context():
        said = Said(Answer.TENTATIVE, "The train", "web")
        service.take_answer(visit_id, site_cast.vera.id, said, now=clock())
        db.session.commit()
    wanted = [
        {
            "person": site_cast.vera.id,
            "answer": "tentative",
            "comment": "The train",
            "at": "2026-11-23T08:01:00Z",
        }
    ]
    assert as_("alice").get(f"/visits/{visit_id}").get_json()["answers"] == wanted
    (listed,) = as_("vera").get("/visits").get_json()["items"]
    assert listed["answers"] == wanted


def test_a_wish_is_written_while_booking(as_: Callers, site_cast: Cast) -> None:
    body = {"programme": "shadow", "start": "2026-11-26T09:00:00Z", "note": "How refunds are done"}
    visit = as_("vera").post("/visits", body).get_json()
    assert (visit["note"], visit["sequence"]) == ("How refunds are done", 0)
    sent = [row for row in visit["invites"] if row["state"] == "ready"]
    assert len(sent) == len(visit["people"])
    too_long = as_("eve").post("/visits", {**body, "start": "2026-11-27T09:00:00Z", "note": "x" * 501})
    assert "note" in problem_of(too_long, 422, "invalid")["errors"]
