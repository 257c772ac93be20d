"""Moving, cancelling and saying how it went, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from gemba.db import db
from gemba.errors import Invalid
from gemba.invites.service import invites_of
from gemba.visits import service
from gemba.visits.errors import (
    AlreadyCancelled,
    AlreadyOver,
    CancelTooLate,
    MoveTooLate,
    NotOverYet,
    SlotTaken,
)
from gemba.visits.facts import Ask
from gemba.visits.models import Tick, Visit
from gemba.visits.rules import Status, TookPlace
from tests.cast import Cast
from tests.conftest import StandingClock

THURSDAY_TEN = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


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
    return visit


def test_a_move_keeps_uid_and_room_and_counts_up(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    uid, room = visit.uid, visit.meeting_url
    service.move(visit, cast.vera, start=THURSDAY_TEN + HOUR, now=clock())
    db.session.commit()
    assert (visit.uid, visit.meeting_url, visit.sequence) == (uid, room, 1)
    assert visit.starts_at == THURSDAY_TEN + HOUR
    assert db.session.scalar(select(func.count()).select_from(Tick)) == 24


def test_a_move_may_overlap_its_own_old_hour(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    service.move(visit, cast.vera, start=THURSDAY_TEN + timedelta(minutes=30), now=clock())
    assert visit.starts_at == THURSDAY_TEN + timedelta(minutes=30)


def test_a_move_to_where_it_is_changes_nothing(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    service.move(visit, cast.vera, start=THURSDAY_TEN, now=clock())
    assert visit.sequence == 0


def test_a_move_onto_a_taken_hour_is_refused(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    service.book(
        programme=cast.programme,
        visitor=cast.eve,
        start=THURSDAY_TEN + HOUR,
        ask=Ask(agent_id=cast.alice.id),
        now=clock(),
    )
    db.session.commit()
    with pytest.raises(SlotTaken):
        service.move(visit, cast.vera, start=THURSDAY_TEN + HOUR, now=clock())


def test_a_replaced_agent_gets_a_cancel_under_the_same_uid(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    service.move(visit, cast.lev, start=THURSDAY_TEN, agent_id=cast.anton.id, now=clock())
    db.session.commit()
    sent = {(row.to, row.method) for row in invites_of(visit.id) if row.sequence == 1}
    assert sent == {
        (cast.alice.email, "CANCEL"),
        (cast.anton.email, "REQUEST"),
        (cast.vera.email, "REQUEST"),
        (cast.lev.email, "REQUEST"),
    }
    assert visit.agent == cast.anton


def test_what_waited_and_says_less_is_dropped(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    service.move(visit, cast.vera, start=THURSDAY_TEN + HOUR, now=clock())
    db.session.commit()
    states = {(row.sequence, row.state) for row in invites_of(visit.id)}
    assert states == {(0, "dropped"), (1, "ready")}


def test_visitors_give_notice_agents_need_not(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    clock.at = THURSDAY_TEN - timedelta(minutes=30)
    with pytest.raises(MoveTooLate):
        service.move(visit, cast.vera, start=THURSDAY_TEN + timedelta(days=1), now=clock())
    with pytest.raises(CancelTooLate):
        service.cancel(visit, cast.vera, reason="", now=clock())
    service.cancel(visit, cast.alice, reason="I fell ill", now=clock())
    assert visit.status == Status.CANCELLED


def test_a_cancelled_visit_frees_the_hour_and_tells_everyone(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    service.cancel(visit, cast.vera, reason=" a clash\x00 ", now=clock())
    db.session.commit()
    assert (visit.status, visit.sequence, visit.cancel_reason) == ("cancelled", 1, "a clash")
    assert db.session.scalar(select(func.count()).select_from(Tick)) == 0
    assert {row.method for row in invites_of(visit.id) if row.sequence == 1} == {"CANCEL"}
    with pytest.raises(AlreadyCancelled):
        service.cancel(visit, cast.alice, reason="", now=clock())
    service.book(
        programme=cast.programme,
        visitor=cast.eve,
        start=THURSDAY_TEN,
        ask=Ask(agent_id=cast.alice.id),
        now=clock(),
    )


def test_what_has_begun_is_not_changed(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    clock.at = THURSDAY_TEN
    with pytest.raises(AlreadyOver):
        service.cancel(visit, cast.adam, reason="", now=clock())


def test_a_reason_has_an_end(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    with pytest.raises(Invalid) as refusal:
        service.cancel(visit, cast.vera, reason="x" * 501, now=clock())
    assert "reason" in refusal.value.errors


def test_both_sides_say_whether_it_took_place(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    with pytest.raises(NotOverYet):
        service.tell_outcome(visit, cast.vera, TookPlace.YES, now=clock())
    clock.at = THURSDAY_TEN + HOUR
    service.tell_outcome(visit, cast.vera, TookPlace.YES, now=clock())
    assert visit.status == Status.HELD
    service.tell_outcome(visit, cast.alice, TookPlace.NO, now=clock())
    assert visit.status == Status.BOOKED
    service.tell_outcome(visit, cast.alice, TookPlace.UNKNOWN, now=clock())
    assert visit.status == Status.HELD
