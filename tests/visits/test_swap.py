"""A stand-in for an agent who fell ill: the visitor keeps hour, room and UID; on both databases."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from gemba.db import db
from gemba.invites.service import invites_of
from gemba.schedule.models import Availability
from gemba.visits import service
from gemba.visits.errors import AlreadyCancelled, AlreadyOver, NobodyFree, NotYoursToSwap, SlotTaken
from gemba.visits.facts import Ask
from gemba.visits.models import Tick, Visit
from gemba.visits.rules import Status, TookPlace
from tests.api.conftest import Callers, as_, problem_of  # noqa: F401
from tests.cast import Cast
from tests.conftest import Browser, StandingClock

THURSDAY_TEN = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


@pytest.fixture
def visit(app: Flask, cast: Cast, clock: StandingClock) -> Visit:
    visit = service.book(
        programme=cast.programme,
        visitor=cast.vera,
        start=THURSDAY_TEN,
        ask=Ask(agent_id=cast.alice.id),
        now=clock(),
    )
    db.session.commit()
    clock.at = THURSDAY_TEN - timedelta(minutes=20)
    return visit


def test_the_visitor_keeps_everything_but_the_agent(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    uid, room = visit.uid, visit.meeting_url
    service.swap(visit, cast.lev, agent_id=cast.ada.id, now=clock())
    db.session.commit()
    assert (visit.uid, visit.meeting_url, visit.sequence, visit.starts_at) == (uid, room, 1, THURSDAY_TEN)
    assert (visit.agent, visit.lead, visit.because) == (cast.ada, cast.lena, "stand-in")
    sent = {(row.to, row.method) for row in invites_of(visit.id) if row.sequence == 1}
    assert sent == {
        (cast.alice.email, "CANCEL"),
        (cast.lev.email, "CANCEL"),
        (cast.ada.email, "REQUEST"),
        (cast.lena.email, "REQUEST"),
        (cast.vera.email, "REQUEST"),
    }
    assert db.session.scalar(select(func.count()).select_from(Tick)) == 24


def test_any_takes_the_first_of_the_list(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    found = service.stand_ins(visit, now=clock())
    assert {choice.agent for choice in found.free} == {cast.anton.id, cast.ada.id}
    service.swap(visit, cast.adam, now=clock())
    assert visit.agent_id == found.free[0].agent


def test_only_who_is_free_and_open_stands_in(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    db.session.get_one(Availability, cast.ada.id).paused = True
    clock.at -= timedelta(days=1)
    service.book(
        programme=cast.programme,
        visitor=cast.eve,
        start=THURSDAY_TEN,
        ask=Ask(agent_id=cast.anton.id),
        now=clock(),
    )
    db.session.commit()
    found = service.stand_ins(visit, now=clock())
    assert found.free == []
    assert {(agent, reasons[0].code.value) for agent, reasons in found.nearly} == {
        (cast.ada.id, "not-now"),
        (cast.anton.id, "agent-busy"),
    }
    with pytest.raises(NobodyFree):
        service.swap(visit, cast.lev, now=clock())
    with pytest.raises(SlotTaken):
        service.swap(visit, cast.lev, agent_id=cast.anton.id, now=clock())
    assert (visit.agent, visit.sequence) == (cast.alice, 0)


def test_not_everyone_finds_a_stand_in_and_not_for_everything(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    for person in (cast.vera, cast.alice, cast.lena):
        with pytest.raises(NotYoursToSwap):
            service.swap(visit, person, now=clock())
    clock.at = THURSDAY_TEN
    with pytest.raises(AlreadyOver):
        service.swap(visit, cast.lev, now=clock())
    clock.at -= timedelta(minutes=5)
    service.cancel(visit, cast.lev, reason="", now=clock())
    with pytest.raises(AlreadyCancelled):
        service.swap(visit, cast.lev, now=clock())


def test_the_hour_lies_between_the_steps_of_another_clock(
    app: Flask, cast: Cast, clock: StandingClock
) -> None:
    cast.programme.slot_step_minutes = 60
    ada = db.session.get_one(Availability, cast.ada.id)
    ada.timezone, ada.weekly = "Asia/Kolkata", {str(day): [[0, 1440]] for day in range(7)}
    db.session.commit()
    visit = service.book(
        programme=cast.programme,
        visitor=cast.vera,
        start=THURSDAY_TEN,
        ask=Ask(agent_id=cast.alice.id),
        now=clock(),
    )
    service.swap(visit, cast.lev, agent_id=cast.ada.id, now=clock())
    assert visit.agent == cast.ada


@pytest.fixture
def visit_id(site: Flask, site_cast: Cast, clock: StandingClock) -> int:
    with site.app_context():
        visit = service.book(
            programme=db.session.merge(site_cast.programme),
            visitor=db.session.merge(site_cast.vera),
            start=THURSDAY_TEN,
            ask=Ask(agent_id=site_cast.alice.id),
            now=clock(),
        )
        db.session.commit()
        clock.at = THURSDAY_TEN - timedelta(minutes=20)
        return visit.id


def test_by_page(site: Flask, site_cast: Cast, browser: Browser, visit_id: int) -> None:
    lev, path = browser.as_(site_cast.lev.id), f"/visits/{visit_id}/swap"
    assert "Find a stand-in" in lev.get(f"/visits/{visit_id}").text
    page = lev.get(path).text
    for words in (
        "2 agents are free at this hour",
        "Anton Agent",
        "Ada Other",
        "0 visits so far, a fair share would be 0.",
    ):
        assert words in page
    for person in (site_cast.vera, site_cast.alice):
        client = browser.as_(person.id)
        assert "Find a stand-in" not in client.get(f"/visits/{visit_id}").text
        assert (client.get(path).status_code, client.post(path).status_code) == (403, 403)
    done = lev.post(path, data={"agent": site_cast.anton.id})
    assert done.status_code == 303
    assert "Anton Agent takes the visit." in lev.get(done.location).text
    assert lev.post(path, data={"agent": site_cast.anton.id}).status_code == 303
    assert (
        "Anton stands in for an agent who could not."
        in browser.as_(site_cast.vera.id).get(done.location).text
    )
    with site.app_context():
        assert db.session.get_one(Visit, visit_id).sequence == 1


def test_the_page_says_who_is_nearly_free(
    site: Flask, site_cast: Cast, browser: Browser, visit_id: int
) -> None:
    with site.app_context():
        for agent in (site_cast.anton, site_cast.ada):
            db.session.get_one(Availability, agent.id).paused = True
        db.session.commit()
    lev, path = browser.as_(site_cast.lev.id), f"/visits/{visit_id}/swap"
    page = lev.get(path).text
    assert "No other agent is free at this hour." in page
    assert "The agent is not taking visits at the moment." in page  # Anton, of Lev's line
    assert "The agent is not free for a visit then." in page  # Ada, of another one
    assert lev.post(path, data={"agent": ""}).status_code == 409


def test_by_call(site_cast: Cast, as_: Callers, visit_id: int) -> None:  # noqa: F811
    body = {"start": "2026-11-26T09:00:00Z", "agent": site_cast.anton.id}
    problem_of(as_("vera").post(f"/visits/{visit_id}/move", body), 409, "too-late")
    moved = as_("lev").post(f"/visits/{visit_id}/move", body).get_json()
    assert (moved["agent"], moved["sequence"]) == (site_cast.anton.id, 1)


def test_answers_that_differ_stay_open_and_the_lead_sees_them(
    site: Flask, site_cast: Cast, browser: Browser, visit_id: int, clock: StandingClock
) -> None:
    clock.at = THURSDAY_TEN + timedelta(hours=2)
    with site.app_context():
        visit = db.session.get_one(Visit, visit_id)
        service.tell_outcome(visit, db.session.merge(site_cast.vera), TookPlace.YES, now=clock())
        service.tell_outcome(visit, db.session.merge(site_cast.alice), TookPlace.NO, now=clock())
        db.session.commit()
        assert visit.status == Status.BOOKED
    for person in (site_cast.lev, site_cast.adam):
        page = browser.as_(person.id).get(f"/visits/{visit_id}").text
        assert "Vera Visitor: it took place" in page
        assert "Alice Agent: it did not" in page
