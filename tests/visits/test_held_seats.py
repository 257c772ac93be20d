"""A seat in a visit that takes place anyway: offered to who waits, asked for where a yes is wanted."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from gemba.db import db
from gemba.invites.rules import Answer
from gemba.invites.service import invites_of
from gemba.people.models import Person
from gemba.programmes.models import Programme
from gemba.schedule.models import Availability
from gemba.visits import service
from gemba.visits.errors import NotOffered, SlotTaken
from gemba.visits.facts import ANY, Ask
from gemba.visits.models import Tick, Visit
from gemba.visits.rules import Status
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.visits.errands import run_errands, texts, told

THURSDAY_TEN = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
ONE_HOUR = {"2026-11-26": [[600, 660]]}
"""Alice is there for this hour only, Anton and Ada never."""


def _only_one_hour(cast: Cast) -> None:
    for row in db.session.scalars(select(Availability)):
        row.weekly, row.overrides = {}, (ONE_HOUR if row.person_id == cast.alice.id else {})
    db.session.get_one(Programme, cast.programme.id).seats = 2
    db.session.commit()


def _book(cast: Cast, clock: StandingClock, who: Person, start: datetime = THURSDAY_TEN) -> Visit:
    visit = service.book(
        programme=db.session.get_one(Programme, cast.programme.id),
        visitor=db.session.get_one(Person, who.id),
        start=start,
        ask=Ask(agent_id=cast.alice.id),
        now=clock(),
    )
    db.session.commit()
    return visit


def _held() -> list[Visit]:
    return list(db.session.scalars(select(Visit).where(Visit.status == Status.OFFERED).order_by(Visit.id)))


@pytest.fixture
def visit(app: Flask, cast: Cast, clock: StandingClock) -> Visit:
    """Olga and Adam visit Alice together, two seats of two, and Vera waits, then Eve."""
    _only_one_hour(cast)
    _book(cast, clock, cast.olga)
    visit = _book(cast, clock, cast.adam)
    for person in (cast.vera, cast.eve):
        service.wait(cast.programme, person, ANY, now=clock())
        clock.forward(minutes=1)
    run_errands(app, clock)
    assert _held() == []
    return visit


@pytest.fixture
def held(app: Flask, visit: Visit, cast: Cast, clock: StandingClock) -> Visit:
    """Adam left: his seat is held for Vera, who was first in line."""
    service.cancel(visit, cast.adam, reason="", now=clock())
    run_errands(app, clock)
    (held,) = _held()
    return held


def test_a_freed_seat_is_held_for_the_first_in_line(held: Visit, visit: Visit, cast: Cast) -> None:
    assert (held.visitors, held.joins_id, held.starts_at) == ([cast.vera], visit.id, THURSDAY_TEN)
    assert (visit.status, visit.visitors) == (Status.BOOKED, [cast.olga])
    assert told("offered") == [cast.vera.email]
    assert invites_of(held.id) == []
    taken = select(func.count()).select_from(Tick).where(Tick.visit_id == held.id)
    assert db.session.scalar(taken) == 12, "the agent's time is taken by the visit itself"


def test_nobody_else_gets_it_meanwhile(held: Visit, cast: Cast, clock: StandingClock) -> None:
    with pytest.raises((SlotTaken, NotOffered)):
        _book(cast, clock, cast.eve)


def test_taking_it_makes_her_one_of_the_visitors(
    held: Visit, visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    uid, sequence = visit.uid, visit.sequence
    assert service.take_offer(held, cast.vera, now=clock()) == visit
    db.session.commit()
    assert (visit.visitors, visit.uid, visit.sequence) == ([cast.vera, cast.olga], uid, sequence + 1)
    assert held.status == Status.JOINED
    assert {row.to for row in invites_of(visit.id) if row.sequence == sequence + 1} == {
        cast.vera.email,
        cast.olga.email,
        cast.alice.email,
        cast.lev.email,
    }
    assert service.places_of(cast.vera) == []
    assert db.session.scalar(select(func.count()).select_from(Tick)) == 36


def test_not_this_one_passes_the_seat_on(
    app: Flask, held: Visit, visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    service.refuse_offer(held, cast.vera, now=clock())
    run_errands(app, clock)
    (second,) = _held()
    assert (second.visitors, second.joins_id) == ([cast.eve], visit.id)


def test_booking_it_by_oneself_is_taking_it(
    held: Visit, visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    assert _book(cast, clock, cast.vera) == visit
    assert set(visit.visitors) == {cast.vera, cast.olga}
    assert service.places_of(cast.vera) == []


@pytest.mark.parametrize("way", ["cancelled", "moved", "declined"])
def test_a_seat_goes_with_its_visit(
    app: Flask, held: Visit, visit: Visit, cast: Cast, clock: StandingClock, way: str
) -> None:
    if way == "cancelled":
        service.cancel(visit, cast.alice, reason="", now=clock())
    elif way == "declined":
        said = service.Said(Answer.DECLINED, "", "web")
        service.take_answer(visit.id, cast.alice.id, said, now=clock())
    else:
        row = db.session.get_one(Availability, cast.alice.id)
        row.overrides = {**row.overrides, "2026-11-27": [[600, 660]]}
        service.move(visit, cast.alice, start=THURSDAY_TEN + timedelta(days=1), now=clock())
    db.session.commit()
    db.session.refresh(held)
    assert held.status == Status.CANCELLED
    assert db.session.scalar(select(Tick).where(Tick.visit_id == held.id)) is None
    assert told("seat-gone-waiting") == [cast.vera.email]
    assert "You keep your place" in texts()["seat-gone-waiting"]
    assert service.places_of(cast.vera)[0].position == 1


def test_a_stand_in_keeps_the_seat(held: Visit, visit: Visit, cast: Cast, clock: StandingClock) -> None:
    db.session.get_one(Availability, cast.anton.id).overrides = {"2026-11-26": [[720, 780]]}
    service.swap(visit, cast.lev, agent_id=cast.anton.id, now=clock())
    db.session.commit()
    db.session.refresh(held)
    assert (held.status, held.agent_id) == (Status.OFFERED, cast.anton.id)
    assert service.take_offer(held, cast.vera, now=clock()).visitors == [cast.vera, cast.olga]


def _asked(cast: Cast, clock: StandingClock) -> tuple[Visit, Visit]:
    """Olga's visit, approved; Vera asks for the other seat."""
    cast.programme.seats, cast.programme.approval = 2, True
    first = _book(cast, clock, cast.olga)
    service.approve(first, cast.lev, now=clock())
    db.session.commit()
    return first, _book(cast, clock, cast.vera)


def test_where_a_yes_is_wanted_joining_asks_for_one(cast: Cast, clock: StandingClock) -> None:
    visit, asked = _asked(cast, clock)
    assert (asked.status, asked.joins_id, visit.visitors) == (Status.REQUESTED, visit.id, [cast.olga])
    assert cast.lev.email in told("decide")
    with pytest.raises((SlotTaken, NotOffered)):
        _book(cast, clock, cast.eve)
    assert service.approve(asked, cast.lev, now=clock()) == visit
    assert (visit.visitors, visit.sequence) == ([cast.vera, cast.olga], 1)


def test_a_no_to_the_second_visitor_leaves_the_first_alone(cast: Cast, clock: StandingClock) -> None:
    visit, asked = _asked(cast, clock)
    service.decline(asked, cast.lev, reason="", now=clock())
    db.session.commit()
    assert (visit.status, visit.visitors, visit.sequence) == (Status.BOOKED, [cast.olga], 0)
    assert _book(cast, clock, cast.eve).joins_id == visit.id


def test_a_request_for_a_seat_ends_with_its_visit(cast: Cast, clock: StandingClock) -> None:
    visit, asked = _asked(cast, clock)
    service.cancel(visit, cast.alice, reason="", now=clock())
    db.session.commit()
    db.session.refresh(asked)
    assert asked.status == Status.CANCELLED
    assert told("seat-gone") == [cast.vera.email]


def test_two_who_hold_offers_and_book_each_others_agents_do_not_wait_in_a_circle(
    app: Flask, cast: Cast, clock: StandingClock
) -> None:
    """Each frees a held hour of one agent and books the other: all people are locked at once, by id."""
    agents, programme_id = (cast.alice.id, cast.anton.id), cast.programme.id
    hold = ((cast.vera.id, cast.alice.id), (cast.eve.id, cast.anton.id))
    for day in (26, 27, 30):
        held_from = datetime(2026, 11, day, 13, 0, tzinfo=UTC)
        for who, agent in hold:
            person = db.session.get_one(Person, who)
            entry = service.wait(cast.programme, person, Ask(agent_id=agent), now=clock())
            assert service.make_offers(cast.programme.id, [(entry.id, held_from)], now=clock())
        db.session.commit()

        def book_the_other(pair: tuple[int, int], start: datetime = held_from + timedelta(hours=1)) -> str:
            with app.app_context():
                visit = service.book(
                    programme=db.session.get_one(Programme, programme_id),
                    visitor=db.session.get_one(Person, pair[0]),
                    start=start,
                    ask=Ask(agent_id=next(each for each in agents if each != pair[1])),
                    now=clock(),
                )
                db.session.commit()
                return str(visit.status)

        with ThreadPoolExecutor(2) as pool:
            assert list(pool.map(book_the_other, hold)) == ["booked", "booked"]
        db.session.expire_all()
        assert _held() == []


def test_by_page(site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock) -> None:
    with site.app_context():
        programme = db.session.get_one(Programme, site_cast.programme.id)
        programme.seats, programme.approval = 2, True
        first = _book(site_cast, clock, site_cast.olga)
        service.approve(first, db.session.get_one(Person, site_cast.lev.id), now=clock())
        db.session.commit()
        first_id = first.id
        asked_id = _book(site_cast, clock, site_cast.vera).id
    vera, lev = browser.as_(site_cast.vera.id), browser.as_(site_cast.lev.id)
    assert "Waiting for a yes" in vera.get(f"/visits/{asked_id}").text
    assert "would like to join" in lev.get(f"/visits/{asked_id}").text
    answer = lev.post(f"/visits/{asked_id}/approve")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/visits/{first_id}")
    followed = vera.get(f"/visits/{asked_id}")
    assert (followed.status_code, followed.headers["Location"]) == (303, f"/visits/{first_id}")
    assert "Olga Owner" in vera.get(f"/visits/{first_id}").text
    assert f"/visits/{asked_id}" not in vera.get("/visits").text
