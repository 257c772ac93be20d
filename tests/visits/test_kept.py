"""What is kept equals what the rules say, on every path that changes it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

import pytest
from flask import Flask, current_app

from gemba.db import db, reading
from gemba.errors import GembaError
from gemba.invites.rules import Answer
from gemba.people import service as people
from gemba.people.models import Person
from gemba.programmes.models import Programme
from gemba.schedule import declined, quiet
from gemba.schedule import service as schedule
from gemba.schedule.models import BusySource
from gemba.schedule.rules import Slot, Span, open_slots
from gemba.visits import facts, kept, service
from gemba.visits.facts import ANY, Ask
from gemba.visits.models import Visit
from gemba.visits.rules import Status
from tests.cast import Cast
from tests.conftest import MONDAY

WINDOW = Span(MONDAY, MONDAY + timedelta(days=12))


def by_the_rules(programme: Programme, visitor: Person, ask: Ask, now: datetime) -> list[Slot]:
    """Everything read and reckoned anew."""
    agents = facts.agents_for(ask, but=[visitor.id])
    known = facts.gather(programme, agents, [visitor.id], WINDOW)
    rules = schedule.booking_rules(programme)
    return open_slots(rules, known.agents, visitors=known.visitors, window=WINDOW, now=now)


def kept_slots(programme: Programme, visitor: Person, ask: Ask, now: datetime) -> list[Slot]:
    """What pages and bookings are answered from."""
    with reading():
        return kept.offered(programme, (visitor.id,), ask, WINDOW, now=now).slots()


def agree(cast: Cast, now: datetime) -> None:
    """Kept and reckoned are the same for all asks, and explain agrees with both at some starts."""
    programme = db.session.get_one(Programme, cast.programme.id)
    for visitor_id in (cast.anton.id, cast.vera.id, cast.eve.id):
        visitor = db.session.get_one(Person, visitor_id)
        for ask in (ANY, Ask(product_id=cast.checkout.id), Ask(language="ru"), Ask(agent_id=cast.alice.id)):
            found = by_the_rules(programme, visitor, ask, now)
            assert kept_slots(programme, visitor, ask, now) == found
        offered = {slot.start for slot in found}
        for hours in range(1, 100, 9):
            start = MONDAY + timedelta(hours=hours)
            reasons = service.why_not(programme, visitor, cast.alice.id, start=start, now=now)
            assert (not reasons) == (start in offered)


Act = Callable[[Cast, Random], object]


def _book(cast: Cast, random: Random) -> object:
    visitor = db.session.get_one(Person, random.choice([cast.vera.id, cast.eve.id, cast.ada.id]))
    programme = db.session.get_one(Programme, cast.programme.id)
    found = by_the_rules(programme, visitor, ANY, MONDAY)
    start = random.choice(found).start if found else MONDAY
    return service.book(programme=programme, visitor=visitor, start=start, now=MONDAY)


def _visit(random: Random) -> Visit:
    found = db.session.query(Visit).filter(Visit.status == Status.BOOKED).order_by(Visit.id).all()
    return random.choice(found)


def _move(cast: Cast, random: Random) -> object:
    visit, adam = _visit(random), db.session.get_one(Person, cast.adam.id)
    agent = random.choice([cast.alice.id, cast.anton.id, cast.ada.id])
    ask = Ask(agent_id=agent)
    found = by_the_rules(visit.programme, visit.visitors[0], ask, MONDAY)
    start = random.choice(found).start if found else visit.starts_at
    return service.move(visit, adam, start=start, agent_id=agent, now=MONDAY)


def _cancel(cast: Cast, random: Random) -> object:
    adam = db.session.get_one(Person, cast.adam.id)
    return service.cancel(_visit(random), adam, reason="", now=MONDAY)


def _hours(cast: Cast, random: Random) -> object:
    agent = random.choice([cast.alice, cast.anton, cast.ada])
    row = schedule.availability(db.session.get_one(Person, agent.id), agent.id)
    start = random.randrange(6, 12)
    day = random.choice(["mon", "tue", "wed", "thu", "fri"])
    document = {
        **schedule.availability_document(row),
        "weekly": [
            {"weekday": each, "start": f"{start:02}:00", "end": "17:30"} for each in ("mon", "wed", day)[1:]
        ],
        "buffer_before": random.choice([0, 15]),
        "limits": {"per_day": random.choice([None, 1]), "per_week": None, "per_month": None},
        "rest_between": random.random() < 0.3,
        "zone_changes": [{"date": "2026-11-26", "timezone": "Asia/Tbilisi"}] if start % 2 else [],
    }
    return schedule.set_availability(agent, agent.id, document, now=MONDAY)


def _pause(cast: Cast, random: Random) -> object:
    agent = random.choice([cast.alice, cast.anton])
    return schedule.pause(agent, agent.id, random.random() < 0.5, MONDAY)


def _busy(cast: Cast, random: Random) -> object:
    agent = random.choice([cast.alice, cast.anton, cast.ada])
    start = int(MONDAY.timestamp()) // 60 + random.randrange(10 * 24 * 60)
    source = BusySource(person_id=agent.id, name="own", created_at=MONDAY, spans=[[start, start + 90]])
    db.session.add(source)
    schedule.touch([agent.id])
    return source


def _quiet(cast: Cast, random: Random) -> object:
    adam = db.session.get_one(Person, cast.adam.id)
    line = random.choice([cast.line.id, cast.other_line.id])
    hour = random.randrange(8, 15)
    document = {
        "timezone": "Europe/Berlin",
        "weekly": [{"weekday": "tue", "start": f"{hour:02}:00", "end": f"{hour + 1:02}:00"}],
    }
    return quiet.set_quiet_hours(adam, line, document, now=MONDAY)


def _person(cast: Cast, random: Random) -> object:
    adam = db.session.get_one(Person, cast.adam.id)
    anton = db.session.get_one(Person, cast.anton.id)
    if random.random() < 0.3:
        return people.update_person(anton, by=adam, now=MONDAY, active=not anton.active)
    line = random.choice([cast.line.id, cast.other_line.id])
    return people.update_person(anton, by=adam, now=MONDAY, line_id=line)


def _programme(cast: Cast, random: Random) -> object:
    programme = db.session.get_one(Programme, cast.programme.id)
    programme.slot_step_minutes = random.choice([15, 30, 60])
    programme.seats = random.choice([1, 2, 3])
    programme.visitor_per_week = random.choice([None, 2])
    db.session.flush()
    return programme


def _with_status(random: Random, status: Status) -> Visit:
    return random.choice(db.session.query(Visit).filter(Visit.status == status).order_by(Visit.id).all())


def _approval(cast: Cast, random: Random) -> object:
    """Asks for a yes from now on, or no longer, and books: a request holds its hour or its seat."""
    programme = db.session.get_one(Programme, cast.programme.id)
    programme.approval = not programme.approval
    return _book(cast, random)


def _decide(cast: Cast, random: Random) -> object:
    visit, adam = _with_status(random, Status.REQUESTED), db.session.get_one(Person, cast.adam.id)
    how = random.randrange(3)
    if how == 2 and visit.expires_at is not None:
        service.lapse(visit.id, visit.expires_at, now=visit.expires_at)
        return visit
    if how == 1:
        return service.decline(visit, adam, reason="", now=MONDAY)
    return service.approve(visit, adam, now=MONDAY)


def _wait(cast: Cast, random: Random) -> object:
    """Somebody waits, and what can be offered is offered: an hour or a seat."""
    programme = db.session.get_one(Programme, cast.programme.id)
    person = db.session.get_one(Person, random.choice([cast.vera.id, cast.eve.id, cast.olga.id]))
    service.wait(programme, person, ANY, now=MONDAY)
    db.session.commit()
    with reading():
        plan = service.plan_offers(programme.id, now=MONDAY)
        db.session.rollback()
    return service.make_offers(programme.id, plan, now=MONDAY)


def _answer_offer(_cast: Cast, random: Random) -> object:
    visit = _with_status(random, Status.OFFERED)
    who, how = visit.visitors[0], random.randrange(4)
    if how == 0:
        return service.take_offer(visit, who, now=MONDAY)
    if how == 1:
        return service.refuse_offer(visit, who, now=MONDAY)
    if how == 2 and visit.expires_at is not None:
        service.lapse(visit.id, visit.expires_at, now=visit.expires_at)
        return visit
    service.stop_waiting(visit.programme, who, now=MONDAY)
    return visit


def _swap(cast: Cast, random: Random) -> object:
    return service.swap(_visit(random), db.session.get_one(Person, cast.adam.id), now=MONDAY)


def _no(cast: Cast, random: Random) -> object:
    """The agent says no, and sometimes opens the hour again."""
    visit = _visit(random)
    said = service.Said(Answer.DECLINED, "", "web")
    taken = service.take_answer(visit.id, visit.agent_id, said, now=MONDAY)
    if random.random() < 0.5:
        adam = db.session.get_one(Person, cast.adam.id)
        declined.open_again(adam, visit.agent_id, visit.starts_at, now=MONDAY)
    return taken


HOURS: tuple[Act, ...] = (_hours, _pause, _busy, _quiet, _person, _programme)
LIFE: tuple[Act, ...] = (_approval, _decide, _wait, _answer_offer, _swap, _no)
ACTS: tuple[Act, ...] = (_book, _move, _cancel, *HOURS)


@pytest.mark.parametrize("seed", range(3))
def test_kept_maps_equal_the_rules_on_every_path(app: Flask, cast: Cast, seed: int) -> None:
    assert len(_live(cast, ACTS, 36, Random(seed))) >= 7


@pytest.mark.parametrize("seed", range(2))
def test_so_do_they_on_every_path_of_a_visits_life(app: Flask, cast: Cast, seed: int) -> None:
    cast.programme.seats = 2
    acts = (_book, _wait, _decide, _answer_offer, _swap, _no, _approval, _move, _cancel, _hours)
    assert _live(cast, acts, 40, Random(seed)) >= set(LIFE)


def _live(cast: Cast, acts: tuple[Act, ...], steps: int, random: Random) -> set[Act]:
    """Does something so many times, compares each time, and says what was done."""
    done = set()
    for number in range(steps):
        act = acts[number % len(acts)] if number < 2 * len(acts) else random.choice(acts)
        try:
            act(cast, random)
        except (GembaError, IndexError):
            db.session.rollback()
            continue
        if random.random() < 0.25:
            # What was never committed was never there, also if somebody looked in between.
            kept_slots(db.session.get_one(Programme, cast.programme.id), cast.vera, ANY, MONDAY)
            db.session.rollback()
        else:
            db.session.commit()
            done.add(act)
        agree(cast, MONDAY + timedelta(hours=number % 5))
        db.session.commit()
    return done


def test_a_second_look_reads_no_rows_of_agents(app: Flask, cast: Cast) -> None:
    programme, vera = db.session.get_one(Programme, cast.programme.id), cast.vera
    kept.init_app(current_app.extensions)  # the app is shared by tests, and so is what it keeps
    kept_slots(programme, vera, ANY, MONDAY)
    shelf: kept.Shelf = current_app.extensions["gemba_maps"]
    kind = next(iter(shelf._kinds))
    before = dict(shelf.get(kind))
    service.book(programme=programme, visitor=vera, start=MONDAY + timedelta(days=2), now=MONDAY)
    db.session.commit()
    kept_slots(programme, vera, ANY, MONDAY)
    after = shelf.get(kind)
    assert sum(before[agent] is not after[agent] for agent in after) == 1
