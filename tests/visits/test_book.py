"""Booking, on both databases: the one path, its refusals, and what it writes."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from gemba.db import db
from gemba.outbox.models import OutboxItem
from gemba.people.models import Person
from gemba.schedule.models import Availability
from gemba.schedule.rules import ReasonCode, Span
from gemba.visits import service
from gemba.visits.errors import NotOffered, SlotTaken, VisitNotFound
from gemba.visits.facts import Ask
from gemba.visits.models import Tick, Visit
from tests.cast import Cast
from tests.conftest import StandingClock

THURSDAY_TEN = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)  # 10:00 in Berlin, 12:00 in Moscow


def _book(cast: Cast, clock: StandingClock, who: Person, start: datetime = THURSDAY_TEN, **ask: int) -> Visit:
    return service.book(programme=cast.programme, visitor=who, start=start, ask=Ask(**ask), now=clock())  # type: ignore[arg-type]


def test_booking_writes_visit_ticks_and_one_invite_each(app: Flask, cast: Cast, clock: StandingClock) -> None:
    visit = _book(cast, clock, cast.vera, agent_id=cast.alice.id)
    db.session.commit()
    assert (visit.agent, visit.lead, visit.visitors) == (cast.alice, cast.lev, [cast.vera])
    assert visit.ends_at - visit.starts_at == timedelta(hours=1)
    assert (visit.status, visit.sequence) == ("booked", 0)
    assert db.session.scalar(select(func.count()).select_from(Tick)) == 24
    recipients = set(db.session.scalars(select(OutboxItem.recipient)))
    assert recipients == {cast.vera.email, cast.alice.email, cast.lev.email}


def test_rolled_back_booking_leaves_nothing(app: Flask, cast: Cast, clock: StandingClock) -> None:
    _book(cast, clock, cast.vera)
    db.session.rollback()
    for model in (Visit, Tick, OutboxItem):
        assert db.session.scalar(select(func.count()).select_from(model)) == 0


def test_taken_hour_is_refused_with_the_three_nearest(app: Flask, cast: Cast, clock: StandingClock) -> None:
    _book(cast, clock, cast.vera, agent_id=cast.alice.id)
    db.session.commit()
    with pytest.raises(SlotTaken) as refusal:
        _book(cast, clock, cast.eve, agent_id=cast.alice.id)
    assert refusal.value.alternatives == [
        THURSDAY_TEN - timedelta(hours=1),
        THURSDAY_TEN + timedelta(hours=1),
        THURSDAY_TEN + timedelta(hours=1, minutes=30),
    ]


def test_overlap_by_half_an_hour_is_refused_too(app: Flask, cast: Cast, clock: StandingClock) -> None:
    _book(cast, clock, cast.vera, agent_id=cast.alice.id)
    with pytest.raises(SlotTaken):
        _book(cast, clock, cast.eve, THURSDAY_TEN + timedelta(minutes=30), agent_id=cast.alice.id)


def test_a_visitor_is_never_in_two_visits(app: Flask, cast: Cast, clock: StandingClock) -> None:
    _book(cast, clock, cast.vera, agent_id=cast.alice.id)
    with pytest.raises(SlotTaken):
        _book(cast, clock, cast.vera, THURSDAY_TEN + timedelta(minutes=30), agent_id=cast.ada.id)


def test_any_agent_goes_round_until_none_is_left(app: Flask, cast: Cast, clock: StandingClock) -> None:
    extra = [Person(email=f"v{n}@gemba.example", name=f"V {n}", created_at=clock()) for n in range(4)]
    db.session.add_all(extra)
    db.session.flush()
    agents = {_book(cast, clock, visitor).agent_id for visitor in extra[:3]}
    assert agents == {cast.alice.id, cast.anton.id, cast.ada.id}
    with pytest.raises(SlotTaken):
        _book(cast, clock, extra[3])


def test_product_and_language_narrow_the_choice(app: Flask, cast: Cast, clock: StandingClock) -> None:
    visit = service.book(
        programme=cast.programme,
        visitor=cast.vera,
        start=THURSDAY_TEN,
        ask=Ask(product_id=cast.courier.id, language="ru"),
        now=clock(),
    )
    assert visit.agent == cast.anton
    assert visit.product == cast.courier


def test_hour_outside_the_rules_is_refused_with_reasons(app: Flask, cast: Cast, clock: StandingClock) -> None:
    sunday = datetime(2026, 11, 29, 9, 10, tzinfo=UTC)
    with pytest.raises(NotOffered) as refusal:
        _book(cast, clock, cast.vera, sunday, agent_id=cast.alice.id)
    codes = {reason.code for reason in refusal.value.reasons}
    assert codes == {ReasonCode.NOT_ON_GRID, ReasonCode.OUTSIDE_HOURS}


def test_unknown_agent_is_not_offered(app: Flask, cast: Cast, clock: StandingClock) -> None:
    with pytest.raises(NotOffered):
        _book(cast, clock, cast.vera, agent_id=999_999)


def test_nobody_visits_themselves(app: Flask, cast: Cast, clock: StandingClock) -> None:
    with pytest.raises(NotOffered):
        _book(cast, clock, cast.alice, agent_id=cast.alice.id)


def test_buffers_keep_the_next_visit_away(app: Flask, cast: Cast, clock: StandingClock) -> None:
    hours = db.session.get_one(Availability, cast.alice.id)
    hours.buffer_after = 15
    db.session.commit()
    _book(cast, clock, cast.vera, agent_id=cast.alice.id)
    with pytest.raises(SlotTaken):
        _book(cast, clock, cast.eve, THURSDAY_TEN + timedelta(hours=1), agent_id=cast.alice.id)
    _book(cast, clock, cast.eve, THURSDAY_TEN + timedelta(hours=1, minutes=30), agent_id=cast.alice.id)


def test_cap_per_day_closes_the_day(app: Flask, cast: Cast, clock: StandingClock) -> None:
    db.session.get_one(Availability, cast.alice.id).per_day = 1
    db.session.commit()
    _book(cast, clock, cast.vera, agent_id=cast.alice.id)
    with pytest.raises(SlotTaken):
        _book(cast, clock, cast.eve, THURSDAY_TEN + timedelta(hours=5), agent_id=cast.alice.id)


def test_every_slot_of_the_list_can_be_booked_and_explains_nothing(
    app: Flask, cast: Cast, clock: StandingClock
) -> None:
    _book(cast, clock, cast.eve, agent_id=cast.anton.id)
    db.session.commit()
    window = Span(clock(), clock() + timedelta(days=5))
    slots = service.open_slots(cast.programme, cast.vera, window=window, now=clock()).slots()
    assert slots
    for slot in slots[::7]:
        for agent in slot.agents:
            assert service.why_not(cast.programme, cast.vera, agent, start=slot.start, now=clock()) == []
            _book(cast, clock, cast.vera, slot.start, agent_id=agent)
            db.session.rollback()


def test_only_those_concerned_see_a_visit(app: Flask, cast: Cast, clock: StandingClock) -> None:
    visit = _book(cast, clock, cast.vera, agent_id=cast.alice.id)
    db.session.commit()
    for person in (cast.vera, cast.alice, cast.lev, cast.adam):
        assert service.get_visit(person, visit.id) == visit
        assert service.list_visits(person) == [visit]
    for person in (cast.eve, cast.anton, cast.olga, cast.lena):
        with pytest.raises(VisitNotFound):
            service.get_visit(person, visit.id)
        assert service.list_visits(person) == []
