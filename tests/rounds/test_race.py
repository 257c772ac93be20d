"""A round is published, and repaired, while people book and cancel by hand: nobody is in two visits.

`GEMBA_RACE=2000` runs it at that size.
"""

import itertools
import os
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Collection
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
from gemba.rounds.errors import ChangedMeanwhile
from gemba.rounds.models import RoundPair, RoundSignUp
from gemba.rounds.pairing.values import TICK_SECONDS
from gemba.rounds.rules import Outcome, PairState
from gemba.rounds.service import proposing, publishing, repairing
from gemba.schedule import service as schedule
from gemba.schedule.models import Availability
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
    _at_once(
        partial(_published, app, job, clock()),
        *(partial(_book_by_hand, app, *each, clock()) for each in zip(orders, halves, strict=True)),
    )
    seats = _nobody_is_in_two_visits()
    booked = db.session.scalars(select(Visit).where(Visit.status == Status.BOOKED)).all()
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
    left = {sign.person_id for sign in signs} - mine.keys()
    assert _told("round_served") == _addresses(mine.keys())
    assert _told("round_left_out") == _addresses(left)
    _repair_while_others_book(app, round_id, adam, rivals, clock())


def _at_once(*jobs: Callable[[], None]) -> None:
    """All of them at the same time; an error in one is the test's."""
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _nobody_is_in_two_visits() -> dict[int, int]:
    """By visit, who comes to it."""
    booked = db.session.scalars(select(Visit).where(Visit.status == Status.BOOKED)).all()
    seats = dict(db.session.execute(select(VisitVisitor.visit_id, VisitVisitor.person_id)).tuples().all())
    times: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    for visit in booked:
        times[visit.agent_id].append((visit.starts_at, visit.ends_at + timedelta(minutes=visit.buffer_after)))
        times[seats[visit.id]].append((visit.starts_at, visit.ends_at))
    for spans in times.values():
        spans.sort()
        assert all(first[1] <= second[0] for first, second in itertools.pairwise(spans))
    return seats


def _told(template: str) -> list[str]:
    rows = db.session.scalars(select(OutboxItem).where(OutboxItem.kind == "mail"))
    return sorted(row.recipient for row in rows if row.payload["template"] == template)


def _addresses(ids: Collection[int]) -> list[str]:
    found = dict(db.session.execute(select(Person.id, Person.email)).tuples().all())
    return sorted(found[one] for one in ids)


def _repair_while_others_book(app: Flask, round_id: int, adam: int, rivals: list[int], now: datetime) -> None:
    """Two agents fall ill; the hours that a repair would give are booked by hand, others cancel theirs."""
    loads = Counter(db.session.scalars(select(RoundPair.agent_id).where(RoundPair.round_id == round_id)))
    ill = [agent for agent, _count in loads.most_common(2)]
    for agent in ill:
        db.session.get_one(Availability, agent).time_off = [["2026-11-23", "2026-12-31"]]
    schedule.touch(ill)
    db.session.commit()
    first = repairing.look(service.get_round(round_id), now=now)
    hours = [(step.to.agent, step.to.start) for step in first.steps if step.to]
    lost = {step.person for step in first.steps if step.fell}
    pairs = db.session.scalars(select(RoundPair).where(RoundPair.person_id.not_in(lost)).limit(6)).all()
    going = {pair.person_id: pair.visit_id or 0 for pair in pairs if pair.agent_id not in ill}
    had = dict(db.session.execute(select(RoundPair.person_id, RoundPair.visit_id)).tuples().all())
    booked = set(db.session.scalars(select(VisitVisitor.person_id)))
    free = [one for one in rivals if one not in booked]
    assert lost
    assert hours
    db.session.remove()
    _at_once(
        partial(_repaired, app, round_id, adam, now),
        partial(_book_by_hand, app, hours[: len(hours) // 2 + 1], free, now),
        partial(_cancel, app, going, now),
    )
    seats = _nobody_is_in_two_visits()
    assert not any(step.helps for step in repairing.look(service.get_round(round_id), now=now).steps)
    publishing.watch(now)
    db.session.commit()
    after = dict(db.session.execute(select(RoundPair.person_id, RoundPair.visit_id)).tuples().all())
    # Nobody lost a visit but who cancelled it; each is the same one, wherever it is now.
    assert after == {who: visit for who, visit in had.items() if who not in going}
    _everyone_knows_where_they_are(seats)


def _repaired(app: Flask, round_id: int, adam: int, now: datetime) -> None:
    """Looks and repairs until nothing can be, as an admin would who presses again."""
    for _try in range(30):
        with app.app_context():
            chosen = service.get_round(round_id)
            plan = repairing.look(chosen, now=now)
            if not plan.can:
                return
            try:
                repairing.carry_out(db.session.get_one(Person, adam), chosen, plan.mark, now=now)
                db.session.commit()
            except ChangedMeanwhile:
                db.session.rollback()


def _cancel(app: Flask, going: dict[int, int], now: datetime) -> None:
    for person, visit in going.items():
        with app.app_context():
            who = db.session.get_one(Person, person)
            visits.cancel(db.session.get_one(Visit, visit), who, reason="", now=now)
            db.session.commit()


def _everyone_knows_where_they_are(seats: dict[int, int]) -> None:
    """The newest invite of each participant says what is so."""
    newest: dict[tuple[int, str], tuple[int, str, str]] = {}
    for item in db.session.scalars(
        select(OutboxItem).where(OutboxItem.kind == "invite").order_by(OutboxItem.id)
    ):
        facts = item.payload["visit"]
        newest[facts["visit_id"], item.recipient] = (
            facts["sequence"],
            item.payload["method"],
            facts["start"],
        )
    mail = dict(db.session.execute(select(Person.id, Person.email)).tuples().all())
    for visit in db.session.scalars(select(Visit)):
        everyone = {mail[one] for one in (visit.agent_id, visit.lead_id, seats[visit.id]) if one is not None}
        there = {
            who: said for (number, who), said in newest.items() if number == visit.id and said[1] == "REQUEST"
        }
        assert there.keys() == (everyone if visit.status == Status.BOOKED else set())
        start = f"{visit.starts_at:%Y-%m-%dT%H:%M:%S}Z"
        assert set(there.values()) <= {(visit.sequence, "REQUEST", start)}
