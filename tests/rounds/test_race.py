"""A round is published while people book the same hours by hand: nobody is in two visits.

`GEMBA_RACE=2000` runs it at that size.
"""

import itertools
import os
import threading
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

from flask import Flask
from sqlalchemy import insert, select

from gemba.db import db
from gemba.errors import Refused
from gemba.outbox.models import OutboxItem
from gemba.people.models import Person
from gemba.programmes.models import Programme
from gemba.rounds import errand, service
from gemba.rounds.models import RoundPair, RoundSignUp
from gemba.rounds.pairing.values import TICK_SECONDS
from gemba.rounds.rules import Outcome, PairState
from gemba.rounds.service import proposing, publishing
from gemba.visits import service as visits
from gemba.visits.facts import Ask
from gemba.visits.models import Visit, VisitVisitor
from gemba.visits.rules import Status
from tests.cast import Cast
from tests.conftest import StandingClock
from tests.crowd import add_agents
from tests.rounds.test_round import make_round

SIZE = int(os.environ.get("GEMBA_RACE", "40"))


def _guests(count: int, name: str, clock: StandingClock) -> list[int]:
    rows = [
        {
            "email": f"{name}{number}@gemba.example",
            "name": f"{name} {number}",
            "timezone": "Europe/Berlin",
            "timezone_confirmed": True,
            "locale": "en",
            "active": True,
            "department": "",
            "created_at": clock(),
        }
        for number in range(count)
    ]
    return list(db.session.scalars(insert(Person).returning(Person.id, sort_by_parameter_order=True), rows))


def _published(app: Flask, job: dict[str, Any], now: datetime) -> None:
    """One errand after the other, as a worker does them, without its mails."""
    with app.app_context():
        while True:
            ending = cast("partial[None]", errand.publish(job, None))  # type: ignore[arg-type]
            ending(now)
            db.session.commit()
            if ending.func is publishing.finish:
                return
            job = ending.args[0]


def _book_by_hand(app: Flask, hours: list[tuple[int, int]], rivals: list[int], now: datetime) -> None:
    """Each takes the hour of a pair, with its agent."""
    for (agent, tick), rival in zip(hours, rivals, strict=False):
        with app.app_context():
            try:
                visits.book(
                    programme=db.session.scalars(select(Programme)).one(),
                    visitor=db.session.get_one(Person, rival),
                    start=datetime.fromtimestamp(tick * TICK_SECONDS, UTC),
                    ask=Ask(agent_id=agent),
                    now=now,
                )
                db.session.commit()
            except Refused:
                db.session.rollback()


def test_nobody_is_in_two_visits(app: Flask, cast: Cast, clock: StandingClock) -> None:
    add_agents(cast, SIZE // 2, clock())
    chosen = make_round(cast, clock)
    round_id, adam = chosen.id, cast.adam.id
    ids, rivals = _guests(SIZE, "guest", clock), _guests(SIZE, "rival", clock)
    db.session.execute(
        insert(RoundSignUp),
        [
            {"round_id": round_id, "person_id": one, "created_at": clock(), "timezone": "Europe/Berlin"}
            | {"note": "", "weekly": {}, "busy": [], "products": [], "insists": False, "language": ""}
            | {"refuses": [], "outcome": "", "reason": {}}
            for one in ids
        ],
    )
    db.session.commit()
    run = proposing.start(None, service.get_round(round_id), now=clock())
    db.session.commit()
    errand.look(run.id)
    pairs = db.session.scalars(select(RoundPair).order_by(RoundPair.person_id.desc())).all()
    hours = [(pair.agent_id, pair.tick) for pair in pairs]
    assert len(hours) > SIZE // 2
    publishing.start(db.session.get_one(Person, adam), service.get_round(round_id), now=clock())
    db.session.commit()
    db.session.remove()
    job = {"round": round_id, "by": adam, "all": True}
    _book_by_hand(app, hours[-3:], rivals[-3:], clock())
    # By hand from both ends at once: hours that are booked by now, and hours that will be.
    orders = (hours[: SIZE // 2], hours[::-1][: SIZE // 2])
    halves = (rivals[: SIZE // 2], rivals[SIZE // 2 : -3])
    threads = [threading.Thread(target=_published, args=(app, job, clock()))]
    threads += [
        threading.Thread(target=_book_by_hand, args=(app, order, half, clock()))
        for order, half in zip(orders, halves, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    booked = db.session.scalars(select(Visit).where(Visit.status == Status.BOOKED)).all()
    seats = dict(db.session.execute(select(VisitVisitor.visit_id, VisitVisitor.person_id)).tuples().all())
    times: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    for visit in booked:
        times[visit.agent_id].append((visit.starts_at, visit.ends_at + timedelta(minutes=visit.buffer_after)))
        times[seats[visit.id]].append((visit.starts_at, visit.ends_at))
    for spans in times.values():
        spans.sort()
        assert all(first[1] <= second[0] for first, second in itertools.pairwise(spans))
    mine = {pair.person_id: pair for pair in db.session.scalars(select(RoundPair))}
    assert {pair.state for pair in mine.values()} == {PairState.BOOKED}
    signs = db.session.scalars(select(RoundSignUp)).all()
    assert {sign.person_id for sign in signs if sign.outcome == Outcome.SERVED} == mine.keys()
    assert all(sign.outcome == Outcome.LEFT_OUT for sign in signs if sign.person_id not in mine)
    by_hand = [visit for visit in booked if seats[visit.id] in set(rivals)]
    assert by_hand, "somebody was faster than the round"
    moved = [pair for pair in mine.values() if (pair.agent_id, pair.tick) not in set(hours)]
    assert moved or len(mine) < len(signs), "somebody lost the race"
    invites = Counter(
        item.payload["visit"]["visit_id"]
        for item in db.session.scalars(select(OutboxItem).where(OutboxItem.kind == "invite"))
    )
    expected = {visit.id: 3 if visit.lead_id is not None else 2 for visit in booked}
    assert invites == expected
