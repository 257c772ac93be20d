"""Five hundred random acts from eight processes over shared agents: nobody twice, no limit exceeded."""

from collections import Counter
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gemba.clock import system_clock
from gemba.db import db
from gemba.outbox.models import OutboxItem
from gemba.people.models import Person, PersonRole
from gemba.people.rules import Role
from gemba.programmes.models import Programme
from gemba.schedule.models import Availability
from gemba.visits.models import Tick, Visit
from gemba.visits.rules import FREE, Status, ticks
from tests.cast import make_cast
from tests.conftest import running, settings_for
from tests.storming import storm

pytestmark = pytest.mark.load
PROCESSES, ACTS = 8, 63
ALL_WEEK = {str(day): [[0, 1440]] for day in range(7)}
PER_DAY, PER_WEEK, SEATS, VISITOR_PER_DAY = 3, 8, 3, 2


def _populate(url: str, folder: Path) -> None:
    with running(settings_for(url, folder), system_clock):
        cast = make_cast(system_clock())
        programme = db.session.get_one(Programme, cast.programme.id)
        programme.seats, programme.visitor_per_day = SEATS, VISITOR_PER_DAY
        for number, row in enumerate(db.session.query(Availability).order_by(Availability.person_id)):
            row.weekly, row.per_day, row.per_week = ALL_WEEK, PER_DAY, PER_WEEK
            row.buffer_before, row.buffer_after = (0, 15) if number else (10, 0)
            row.rest_between = number == 2
        for number in range(8):
            visitor = Person(email=f"v{number}@gemba.example", name=f"V {number}", created_at=system_clock())
            visitor.role_rows = [PersonRole(role=Role.VISITOR)]
            db.session.add(visitor)
        # One agent comes as a visitor too.
        db.session.add(PersonRole(person_id=cast.ada.id, role=Role.VISITOR))
        db.session.commit()


def test_a_storm_of_five_hundred_acts(database_url: str, tmp_path: Path) -> None:
    _populate(database_url, tmp_path)
    outcomes = storm("tests.visits.storm", database_url, tmp_path, processes=PROCESSES, acts=ACTS)
    assert all(outcomes[act] for act in ("booked", "joined", "moved", "swapped", "cancelled", "left"))
    with running(settings_for(database_url, tmp_path), system_clock):
        visits = db.session.query(Visit).order_by(Visit.starts_at).all()
        assert len(visits) == outcomes["booked"]
        assert sum(visit.status == Status.CANCELLED for visit in visits) == outcomes["cancelled"]
        living = [visit for visit in visits if visit.status not in FREE]
        _nobody_is_twice(living)
        _no_limit_is_exceeded(living)
        _ticks_are_those_of_the_visits(living)
        _the_last_invite_says_what_is(visits)


def _people(visit: Visit) -> set[int]:
    return {visit.agent_id, *(visitor.id for visitor in visit.visitors)}


def _nobody_is_twice(visits: list[Visit]) -> None:
    times: dict[int, list[tuple[datetime, datetime]]] = {}
    for visit in visits:
        assert 1 <= len(visit.visitors) <= SEATS
        assert visit.agent_id not in {visitor.id for visitor in visit.visitors}
        for person in _people(visit):
            times.setdefault(person, []).append((visit.starts_at, visit.ends_at))
    for spans in times.values():
        assert all(one[1] <= two[0] for one, two in pairwise(sorted(spans)))


def _no_limit_is_exceeded(visits: list[Visit]) -> None:
    hours = {row.person_id: row for row in db.session.query(Availability)}
    days: Counter[tuple[int, date]] = Counter()
    weeks: Counter[tuple[int, int]] = Counter()
    came: Counter[tuple[int, date]] = Counter()
    led: dict[int, list[Visit]] = {}
    for visit in visits:
        day = visit.starts_at.astimezone(ZoneInfo(hours[visit.agent_id].timezone)).date()
        days[visit.agent_id, day] += 1
        weeks[visit.agent_id, day.isocalendar().week] += 1
        led.setdefault(visit.agent_id, []).append(visit)
        for visitor in visit.visitors:
            came[visitor.id, visit.starts_at.astimezone(ZoneInfo(visitor.timezone)).date()] += 1
    assert max(days.values()) <= PER_DAY
    assert max(weeks.values()) <= PER_WEEK
    assert max(came.values()) <= VISITOR_PER_DAY
    for agent, own in led.items():
        gap = timedelta(hours=1) if hours[agent].rest_between else timedelta(minutes=10)
        assert all(one.ends_at + gap <= two.starts_at for one, two in pairwise(own))


def _ticks_are_those_of_the_visits(visits: list[Visit]) -> None:
    expected = set()
    for visit in visits:
        before, after = timedelta(minutes=visit.buffer_before), timedelta(minutes=visit.buffer_after)
        for visitor in visit.visitors:
            expected |= {(visitor.id, tick, visit.id) for tick in ticks(visit.starts_at, visit.ends_at)}
        times = ticks(visit.starts_at - before, visit.ends_at + after)
        expected |= {(visit.agent_id, tick, visit.id) for tick in times}
    assert {(row.person_id, row.tick, row.visit_id) for row in db.session.query(Tick)} == expected


def _the_last_invite_says_what_is(visits: list[Visit]) -> None:
    """Each taker's newest invite has the visit's own sequence and time, or takes them out."""
    newest: dict[tuple[int, str], OutboxItem] = {}
    for item in db.session.query(OutboxItem).filter(OutboxItem.kind == "invite").order_by(OutboxItem.id):
        newest[item.payload["visit"]["visit_id"], item.recipient] = item
    for visit in visits:
        if visit.status == Status.CANCELLED:
            continue
        for person in [visit.agent, *visit.visitors]:
            payload = newest[visit.id, person.email].payload
            assert payload["method"] == "REQUEST"
            assert payload["visit"]["sequence"] == visit.sequence
            assert payload["visit"]["start"] == visit.starts_at.strftime("%Y-%m-%dT%H:%M:%SZ")
