"""A visit with several seats: joined, left by one, cancelled for all; on both databases."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from gemba.db import db
from gemba.invites.service import invites_of
from gemba.outbox.models import OutboxItem
from gemba.people.models import Person
from gemba.programmes.models import Programme
from gemba.visits import service
from gemba.visits.errors import CancelTooLate, OthersCome, SlotTaken, VisitNotFound
from gemba.visits.facts import Ask
from gemba.visits.models import Tick, Visit
from gemba.visits.rules import Status
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.invites import strict
from tests.visits.test_mails import sent

THURSDAY_TEN = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


def _book(cast: Cast, clock: StandingClock, who: Person) -> Visit:
    visit = service.book(
        programme=db.session.get_one(Programme, cast.programme.id),
        visitor=db.session.get_one(Person, who.id),
        start=THURSDAY_TEN,
        ask=Ask(agent_id=cast.alice.id),
        now=clock(),
    )
    db.session.commit()
    return visit


@pytest.fixture
def visit(app: Flask, cast: Cast, clock: StandingClock) -> Visit:
    """Vera and Eve visit Alice together, two seats of two."""
    cast.programme.seats = 2
    first = _book(cast, clock, cast.vera)
    second = _book(cast, clock, cast.eve)
    assert first == second
    return second


def test_both_have_a_seat_and_there_are_no_more(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    assert (visit.visitors, visit.sequence) == ([cast.vera, cast.eve], 1)
    assert db.session.scalar(select(func.count()).select_from(Tick)) == 36
    with pytest.raises(SlotTaken):
        _book(cast, clock, cast.olga)


def test_who_leaves_frees_one_seat_only(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    for row in db.session.scalars(select(OutboxItem)):
        row.state = "done"
    service.cancel(visit, cast.vera, reason="", now=clock())
    db.session.commit()
    assert (visit.status, visit.visitors, visit.sequence) == (Status.BOOKED, [cast.eve], 2)
    assert db.session.scalar(select(func.count()).select_from(Tick)) == 24
    told = {(row.to, row.method) for row in invites_of(visit.id) if row.sequence == 2}
    assert told == {
        (cast.vera.email, "CANCEL"),
        (cast.eve.email, "REQUEST"),
        (cast.alice.email, "REQUEST"),
        (cast.lev.email, "REQUEST"),
    }
    for row, raw in sent(visit, 2):
        method = "CANCEL" if row.recipient == cast.vera.email else "REQUEST"
        assert strict.problems(raw, method) == []
        calendar = strict.calendar_of(raw).decode().replace("\r\n ", "")
        assert calendar.count("\r\nATTENDEE") == (1 if method == "CANCEL" else 3)
    with pytest.raises(VisitNotFound):
        service.get_visit(cast.vera, visit.id)
    assert set(_book(cast, clock, cast.olga).visitors) == {cast.eve, cast.olga}


def test_who_leaves_gives_notice_too(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    clock.at = THURSDAY_TEN - timedelta(minutes=10)
    with pytest.raises(CancelTooLate):
        service.cancel(visit, cast.eve, reason="", now=clock())


def test_the_other_side_cancels_it_for_all(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    service.cancel(visit, cast.alice, reason="ill", now=clock())
    db.session.commit()
    assert visit.status == Status.CANCELLED
    assert db.session.scalar(select(func.count()).select_from(Tick)) == 0
    assert {row.method for row in invites_of(visit.id) if row.sequence == 2} == {"CANCEL"}


def test_one_of_several_does_not_move_the_others(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    with pytest.raises(OthersCome):
        service.move(visit, cast.vera, start=THURSDAY_TEN + timedelta(hours=1), now=clock())
    service.move(visit, cast.lev, start=THURSDAY_TEN + timedelta(hours=1), now=clock())
    db.session.commit()
    assert db.session.scalar(select(func.count()).select_from(Tick)) == 36


def test_the_last_one_cancels_the_visit(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    service.cancel(visit, cast.vera, reason="", now=clock())
    service.cancel(visit, cast.eve, reason="", now=clock())
    assert visit.status == Status.CANCELLED


def test_by_page(site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock) -> None:
    with site.app_context():
        db.session.get_one(Programme, site_cast.programme.id).seats = 2
        _book(site_cast, clock, site_cast.vera)
        visit_id = _book(site_cast, clock, site_cast.eve).id
    vera, path = browser.as_(site_cast.vera.id), f"/visits/{visit_id}"
    page = vera.get(path).text
    for words in ("Leave it", "Others come too.", "Eve Elsewhere"):
        assert words in page
    assert f"{path}/move" not in page
    refused = vera.post(f"{path}/move", data={"start": "2026-11-26T10:00:00Z"})
    assert refused.status_code == 409
    assert "Others come to this visit too." in refused.text
    assert "Leave the visit" in vera.get(f"{path}/cancel").text
    done = vera.post(f"{path}/cancel")
    assert (done.status_code, done.location) == (303, "/visits")
    assert "You left the visit." in vera.get(done.location).text
    assert vera.get(path).status_code == 404
    assert "Cancel it" in browser.as_(site_cast.eve.id).get(path).text
