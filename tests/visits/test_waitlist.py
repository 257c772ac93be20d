"""The waitlist: in order, one offer at a time, held for a set time; on both databases and by page."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from gemba.calendars import service as calendars
from gemba.calendars.copies import Copy
from gemba.db import db
from gemba.invites.service import invites_of
from gemba.outbox.models import OutboxItem
from gemba.people import service as people
from gemba.people.models import Person
from gemba.people.rules import Role
from gemba.programmes import service as programmes
from gemba.schedule import quiet
from gemba.schedule import service as schedule
from gemba.schedule.models import Availability
from gemba.visits import jobs, service
from gemba.visits.errors import OfferOver, TakeItFirst
from gemba.visits.facts import ANY, Ask
from gemba.visits.models import Tick, Visit, WaitlistEntry
from gemba.visits.rules import Status
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.visits.errands import run_errands, texts, told

THURSDAY_TEN = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
ONE_HOUR = {"2026-11-26": [[600, 660]]}
"""Alice is there for this hour only, Anton and Ada never."""
Act = Callable[[Cast, datetime], object]


@pytest.fixture
def booked(app: Flask, cast: Cast, clock: StandingClock) -> Visit:
    """The only hour there is, booked by Olga."""
    for row in db.session.scalars(select(Availability)):
        row.weekly, row.overrides = {}, (ONE_HOUR if row.person_id == cast.alice.id else {})
    db.session.commit()
    visit = service.book(programme=cast.programme, visitor=cast.olga, start=THURSDAY_TEN, now=clock())
    db.session.commit()
    return visit


def _wait(cast: Cast, clock: StandingClock, *people: Person) -> None:
    for person in people:
        service.wait(cast.programme, person, ANY, now=clock())
        clock.forward(minutes=1)
    db.session.commit()


def _held() -> list[tuple[Person, Visit]]:
    query = select(Visit).where(Visit.status == Status.OFFERED).order_by(Visit.id)
    return [(visit.visitors[0], visit) for visit in db.session.scalars(query)]


def _errands() -> int:
    query = select(func.count()).select_from(OutboxItem).where(OutboxItem.kind == service.WAITLIST)
    return db.session.scalar(query.where(OutboxItem.state == "ready")) or 0


def test_an_hour_that_becomes_free_is_held_for_the_first_in_line(
    app: Flask, booked: Visit, cast: Cast, clock: StandingClock
) -> None:
    _wait(cast, clock, cast.vera, cast.eve)
    run_errands(app, clock)
    assert _held() == []
    service.cancel(booked, cast.olga, reason="", now=clock())
    run_errands(app, clock)
    ((person, visit),) = _held()
    assert (person, visit.starts_at, visit.agent) == (cast.vera, THURSDAY_TEN, cast.alice)
    assert visit.expires_at == clock() + timedelta(hours=12)
    assert invites_of(visit.id) == []
    assert told("offered") == [cast.vera.email]
    assert "it is held for you until" in texts()["offered"]
    run_errands(app, clock)
    assert len(_held()) == 1


def test_taking_it_books_with_invites_and_ends_the_wait(
    app: Flask, booked: Visit, cast: Cast, clock: StandingClock
) -> None:
    _wait(cast, clock, cast.vera)
    service.cancel(booked, cast.olga, reason="", now=clock())
    run_errands(app, clock)
    ((_person, visit),) = _held()
    with pytest.raises(TakeItFirst):
        service.move(visit, cast.vera, start=THURSDAY_TEN + timedelta(hours=1), now=clock())
    with pytest.raises(OfferOver):
        service.take_offer(visit, cast.alice, now=clock())
    service.take_offer(visit, cast.vera, now=clock())
    db.session.commit()
    assert (visit.status, visit.sequence) == (Status.BOOKED, 0)
    assert {row.to for row in invites_of(visit.id)} == {cast.vera.email, cast.alice.email, cast.lev.email}
    assert db.session.scalar(select(func.count()).select_from(WaitlistEntry)) == 0
    with pytest.raises(OfferOver):
        service.take_offer(visit, cast.vera, now=clock())


def test_where_a_yes_is_wanted_taking_it_asks(
    app: Flask, booked: Visit, cast: Cast, clock: StandingClock
) -> None:
    _wait(cast, clock, cast.vera)
    service.cancel(booked, cast.olga, reason="", now=clock())
    cast.programme.approval = True
    run_errands(app, clock)
    ((_person, visit),) = _held()
    service.take_offer(visit, cast.vera, now=clock())
    assert visit.status == Status.REQUESTED
    assert told("decide") == [cast.lev.email]


def test_not_this_one_keeps_the_place_and_is_not_offered_again(
    app: Flask, booked: Visit, cast: Cast, clock: StandingClock
) -> None:
    _wait(cast, clock, cast.vera, cast.eve)
    service.cancel(booked, cast.olga, reason="", now=clock())
    run_errands(app, clock)
    ((_person, visit),) = _held()
    service.refuse_offer(visit, cast.vera, now=clock())
    run_errands(app, clock)
    assert [person for person, _visit in _held()] == [cast.eve]
    (place,) = service.places_of(cast.vera)
    assert (place.position, place.entry.visit_id) == (1, None)
    service.refuse_offer(_held()[0][1], cast.eve, now=clock())
    run_errands(app, clock)
    assert _held() == []
    assert db.session.scalar(select(func.count()).select_from(Tick)) == 0


def test_time_that_runs_out_passes_it_on(app: Flask, booked: Visit, cast: Cast, clock: StandingClock) -> None:
    _wait(cast, clock, cast.vera, cast.eve)
    service.cancel(booked, cast.olga, reason="", now=clock())
    run_errands(app, clock)
    clock.forward(hours=12)
    with pytest.raises(OfferOver):
        service.take_offer(_held()[0][1], cast.vera, now=clock())
    run_errands(app, clock)
    assert [person for person, _visit in _held()] == [cast.eve]
    assert told("passed-on") == [cast.vera.email]
    assert [service.places_of(person)[0].position for person in (cast.eve, cast.vera)] == [1, 2]


def test_booking_by_oneself_ends_the_wait_and_frees_what_is_held(
    app: Flask, booked: Visit, cast: Cast, clock: StandingClock
) -> None:
    _wait(cast, clock, cast.vera, cast.eve)
    service.cancel(booked, cast.olga, reason="", now=clock())
    run_errands(app, clock)
    service.book(programme=cast.programme, visitor=cast.vera, start=THURSDAY_TEN, now=clock())
    run_errands(app, clock)
    assert service.places_of(cast.vera) == []
    assert _held() == []


def test_leaving_the_line_frees_what_is_held(
    app: Flask, booked: Visit, cast: Cast, clock: StandingClock
) -> None:
    _wait(cast, clock, cast.vera, cast.eve)
    service.cancel(booked, cast.olga, reason="", now=clock())
    run_errands(app, clock)
    service.stop_waiting(cast.programme, cast.vera, now=clock())
    run_errands(app, clock)
    assert [person for person, _visit in _held()] == [cast.eve]


def test_the_wish_is_kept_to_and_waiting_twice_changes_it(
    app: Flask, booked: Visit, cast: Cast, clock: StandingClock
) -> None:
    service.wait(cast.programme, cast.vera, Ask(language="ru"), now=clock())
    service.cancel(booked, cast.olga, reason="", now=clock())
    run_errands(app, clock)
    assert _held() == []
    service.wait(cast.programme, cast.vera, Ask(language="en"), now=clock())
    run_errands(app, clock)
    assert [person for person, _visit in _held()] == [cast.vera]


def test_nothing_is_queued_where_nobody_waits_and_one_errand_for_many_causes(
    app: Flask, booked: Visit, cast: Cast, clock: StandingClock
) -> None:
    service.offer_soon(now=clock())
    assert _errands() == 0
    _wait(cast, clock, cast.vera)
    for _n in range(5):
        service.offer_soon(now=clock())
        db.session.commit()
    assert _errands() == 1


@pytest.mark.parametrize("way", ["hours", "resume"])
def test_hours_that_open_are_offered(
    app: Flask, booked: Visit, cast: Cast, clock: StandingClock, way: str
) -> None:
    if way == "resume":
        schedule.pause(cast.anton, cast.anton.id, True, clock())
        db.session.get_one(Availability, cast.anton.id).overrides = ONE_HOUR
    _wait(cast, clock, cast.vera)
    run_errands(app, clock)
    assert _held() == []
    if way == "resume":
        schedule.pause(cast.anton, cast.anton.id, False, clock())
    else:
        intervals = [{"start": "12:00", "end": "13:00"}]
        schedule.set_date(cast.anton, cast.anton.id, "2026-11-26", intervals, now=clock())
    run_errands(app, clock)
    assert [person for person, _visit in _held()] == [cast.vera]


def _quiet_until_noon(cast: Cast, now: datetime) -> None:
    week = [{"weekday": "thu", "start": "09:00", "end": "12:00"}]
    quiet.set_quiet_hours(cast.lev, cast.line.id, {"timezone": "Europe/Berlin", "weekly": week}, now=now)


def _never_quiet(cast: Cast, now: datetime) -> None:
    quiet.set_quiet_hours(cast.lev, cast.line.id, {"timezone": "Europe/Berlin", "weekly": []}, now=now)


def _change(**values: int) -> Act:
    return lambda cast, now: programmes.update(cast.adam, cast.programme.slug, values, now=now)


def _alice_is(role: Role) -> Act:
    return lambda cast, now: people.update_person(cast.alice, by=cast.adam, now=now, roles=[role])


def _alice_supports_couriers(cast: Cast, now: datetime) -> None:
    people.update_person(cast.alice, by=cast.adam, now=now, product_ids=[cast.courier.id])


def _alice_is_busy(cast: Cast, now: datetime) -> None:
    minute = int(THURSDAY_TEN.timestamp()) // 60
    copy = Copy(spans=[[minute, minute + 60]])
    calendars.add_file(cast.alice, cast.alice.id, copy=copy, file_name="busy.ics", now=now)


def _no_calendars(cast: Cast, now: datetime) -> None:
    for source in calendars.sources_of(cast.alice, cast.alice.id, now):
        calendars.remove(cast.alice, cast.alice.id, source.id, now)


def _olga_books(cast: Cast, now: datetime) -> None:
    service.book(programme=cast.programme, visitor=cast.olga, start=THURSDAY_TEN, now=now)


def _nothing(_cast: Cast, _now: datetime) -> None:
    pass


def _time_passes(_cast: Cast, now: datetime) -> None:
    jobs.look_anew(now)


CAUSES: dict[str, tuple[Act, Act]] = {
    "quiet hours": (_quiet_until_noon, _never_quiet),
    "notice": (_change(min_notice_minutes=14 * 24 * 60), _change(min_notice_minutes=240)),
    "seats": (_olga_books, _change(seats=2)),
    "a new agent": (_alice_is(Role.VISITOR), _alice_is(Role.AGENT)),
    "a product": (_nothing, _alice_supports_couriers),
    "a calendar": (_alice_is_busy, _no_calendars),
    "the horizon": (_change(horizon_days=2), _time_passes),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_whatever_opens_an_hour_is_heard_of(app: Flask, cast: Cast, clock: StandingClock, cause: str) -> None:
    """Alice is there for one hour; each cause stands against it until it goes away."""
    for row in db.session.scalars(select(Availability)):
        row.weekly, row.overrides = {}, (ONE_HOUR if row.person_id == cast.alice.id else {})
    db.session.commit()
    close, open_ = CAUSES[cause]
    close(cast, clock())
    wish = Ask(product_id=cast.courier.id) if cause == "a product" else ANY
    service.wait(cast.programme, cast.vera, wish, now=clock())
    run_errands(app, clock)
    assert _held() == []
    clock.forward(days=1, hours=2)
    open_(cast, clock())
    run_errands(app, clock)
    ((person, visit),) = _held()
    assert (person, visit.starts_at) == (cast.vera, THURSDAY_TEN)


def test_an_offer_leaves_time_to_answer(app: Flask, booked: Visit, cast: Cast, clock: StandingClock) -> None:
    _wait(cast, clock, cast.vera)
    service.cancel(booked, cast.olga, reason="", now=clock())
    clock.at = THURSDAY_TEN - timedelta(hours=4, minutes=10)
    run_errands(app, clock)
    assert _held() == []
    clock.at = THURSDAY_TEN - timedelta(hours=5)
    service.offer_soon(now=clock())
    run_errands(app, clock)
    assert _held()[0][1].expires_at == THURSDAY_TEN - timedelta(hours=4)


def test_one_person_holds_one_offer(app: Flask, cast: Cast, clock: StandingClock) -> None:
    _wait(cast, clock, cast.vera, cast.eve, cast.olga)
    run_errands(app, clock)
    run_errands(app, clock)
    held = _held()
    assert [person for person, _visit in held] == [cast.vera, cast.eve, cast.olga]
    assert len({(visit.agent_id, visit.starts_at) for _person, visit in held}) == 3


def test_pages_of_waiting(site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock) -> None:
    with site.app_context():
        for row in db.session.scalars(select(Availability)):
            row.weekly, row.overrides = {}, {}
        db.session.commit()
    vera = browser.as_(site_cast.vera.id)
    assert "Tell me when an hour becomes free" in vera.get("/visits/book").text
    for _click in range(2):
        assert vera.post("/visits/waitlist?programme=shadow").status_code == 303
    page = vera.get("/visits/book").text
    assert "You are number 1 in line." in page
    assert "number 1 in line" in vera.get("/visits").text
    with site.app_context():
        alice, intervals = (
            db.session.get_one(Person, site_cast.alice.id),
            [{"start": "10:00", "end": "11:00"}],
        )
        schedule.set_date(alice, alice.id, "2026-11-26", intervals, now=clock())
        run_errands(site, clock)
        ((_person, visit),) = _held()
        visit_id = visit.id
    assert "An hour is held for you" in vera.get("/").text
    offer = vera.get(f"/visits/{visit_id}").text
    assert "This hour is held for you" in offer
    assert "Take this hour" not in browser.as_(site_cast.alice.id).get(f"/visits/{visit_id}").text
    assert browser.as_(site_cast.eve.id).post(f"/visits/{visit_id}/take").status_code == 404
    for _click in range(2):
        assert vera.post(f"/visits/{visit_id}/take").status_code == 303
    assert "This hour is not held for you any more." in vera.get(f"/visits/{visit_id}").text
    with site.app_context():
        assert db.session.get_one(Visit, visit_id).status == Status.BOOKED
    assert vera.post("/visits/waitlist/leave?programme=shadow").status_code == 303
