"""What mentors set for themselves holds in published rounds, whatever was drawn."""

import random
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.people.models import Person, PersonRole
from gemba.people.rules import Role
from gemba.programmes.rules import Format
from gemba.rounds import service
from gemba.rounds.models import RoundSignUp
from gemba.rounds.rules import Outcome
from gemba.rounds.service import proposing, publishing
from gemba.rounds.service.wishing import Wish
from gemba.schedule.models import Availability
from gemba.visits.models import Visit
from tests.cast import Cast
from tests.conftest import StandingClock
from tests.rounds.test_round import FREE, add_people, make_round, work

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_limits_of_mentors_hold_in_published_rounds(
    app: Flask, cast: Cast, clock: StandingClock, seed: int
) -> None:
    """Hours, days off, pauses, visits a day and a week are read back from the visits that were booked."""
    drawn = random.Random(seed)
    cast.programme.format, cast.programme.duration_minutes = Format.HANDS_ON, 60
    for person in (cast.lena, cast.lev):
        db.session.add(PersonRole(person_id=person.id, role=Role.MENTOR))
        weekly = {
            str(day): [[480 + 60 * drawn.randrange(3), 840 + 60 * drawn.randrange(3)]] for day in range(5)
        }
        db.session.add(
            Availability(
                person_id=person.id,
                timezone="Europe/Berlin",
                weekly=weekly,
                overrides={f"2026-12-0{drawn.randrange(1, 5)}": []},
                buffer_before=drawn.choice([0, 15]),
                buffer_after=drawn.choice([0, 30]),
                per_day=drawn.randrange(1, 4),
                per_week=drawn.choice([None, 2, 4]),
            )
        )
    people = add_people(cast, 14, clock)
    chosen = make_round(cast, clock)
    for person in people:
        service.sign_up(person, chosen, wish=Wish(weekly=FREE, timezone="Europe/Berlin"), now=clock())
    proposing.queue(proposing.start(cast.adam, chosen, now=clock()), now=clock())
    round_id, adam = chosen.id, cast.adam.id
    work(app, clock)
    publishing.start(db.session.get_one(Person, adam), service.get_round(round_id), now=clock())
    work(app, clock)

    visits = db.session.scalars(select(Visit).order_by(Visit.starts_at)).all()
    rules = {row.person_id: row for row in db.session.scalars(select(Availability))}
    outcomes = Counter(db.session.scalars(select(RoundSignUp.outcome)))
    assert outcomes[Outcome.SERVED] == len(visits) >= 2
    for mentor in {visit.mentor_id for visit in visits}:
        assert mentor is not None
        own, mine = rules[mentor], [visit for visit in visits if visit.mentor_id == mentor]
        days = Counter(visit.starts_at.astimezone(BERLIN).date() for visit in mine)
        weeks = Counter(day.isocalendar()[:2] for day in days.elements())
        assert own.per_day is not None
        assert max(days.values()) <= own.per_day
        assert own.per_week is None or max(weeks.values()) <= own.per_week
        assert not own.overrides.keys() & {f"{day}" for day in days}
        for visit in mine:
            begin, end = (each.astimezone(BERLIN) for each in (visit.starts_at, visit.ends_at))
            low, high = own.weekly[str(begin.weekday())][0]
            assert low <= begin.hour * 60 + begin.minute
            assert end.hour * 60 + end.minute <= high
        pause = timedelta(minutes=max(own.buffer_before, own.buffer_after))
        assert all(one.ends_at + pause <= other.starts_at for one, other in pairwise(mine))
