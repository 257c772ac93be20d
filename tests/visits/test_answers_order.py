"""Whatever is changed in whatever order, and whenever the worker comes by: what each calendar was sent is in
order, says nothing twice, and ends with the visit as it is."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.errors import Refused
from gemba.invites.rules import Answer
from gemba.outbox.models import OutboxItem
from gemba.outbox.rules import State
from gemba.schedule.models import Availability
from gemba.visits import notices, replies, service
from gemba.visits.facts import Ask
from gemba.visits.models import Visit
from gemba.visits.replies import Said
from tests.cast import Cast
from tests.conftest import StandingClock
from tests.visits.errands import run_errands
from tests.visits.test_mails import ALL_WEEK

TEN = datetime(2026, 11, 26, 9, tzinfo=UTC)
STEPS = 40


def _change(visit: Visit, cast: Cast, dice: random.Random, now: datetime) -> None:
    """One change of any kind, by somebody who may."""
    sitting, other = visit.visitors[0], cast.eve if visit.visitors[0].id == cast.vera.id else cast.vera
    kind = dice.choice(["move", "note", "link", "hand-on", "swap", "answer", "propose", "keep", "accept"])
    if kind == "move":
        service.move(visit, cast.adam, start=TEN + timedelta(hours=dice.randrange(48)), now=now)
    elif kind == "note":
        service.edit_words(visit, cast.adam, note=f"Note {dice.random()}", now=now)
    elif kind == "link":
        service.edit_words(visit, cast.adam, meeting_url=f"https://m.example/{dice.random()}", now=now)
    elif kind == "hand-on":
        service.hand_on(visit, cast.adam, leaving=sitting, email=other.email, now=now)
    elif kind == "swap":
        service.swap(visit, cast.adam, now=now)
    elif kind == "answer":
        said = Said(dice.choice([Answer.ACCEPTED, Answer.TENTATIVE]), "", "mail", visit.sequence, now)
        service.take_answer(visit.id, dice.choice([sitting, visit.agent]).id, said, now=now)
    elif kind == "propose":
        start = TEN + timedelta(hours=dice.randrange(48))
        end = start + timedelta(hours=1)
        service.take_proposal(visit.id, sitting.id, start, end, "", visit.sequence, now, now=now)
    else:
        act = service.accept_proposal if kind == "accept" else service.decline_proposal
        for proposal in service.proposals_of(visit.id, service.Decided.OPEN):
            act(visit, proposal.id, cast.adam, now=now)


def _sent() -> dict[str, list[OutboxItem]]:
    """The invites that left, by recipient."""
    query = select(OutboxItem).where(OutboxItem.kind == "invite", OutboxItem.state == State.DONE)
    found: dict[str, list[OutboxItem]] = {}
    for row in db.session.scalars(query.order_by(OutboxItem.id)):
        found.setdefault(row.recipient, []).append(row)
    return found


@pytest.mark.parametrize("seed", range(6))
def test_every_calendar_ends_where_the_visit_is(
    app: Flask, cast: Cast, clock: StandingClock, seed: int
) -> None:
    dice = random.Random(seed)
    for agent in (cast.alice, cast.anton, cast.ada):
        db.session.get_one(Availability, agent.id).weekly = ALL_WEEK
    db.session.commit()
    visit = service.book(
        programme=cast.programme, visitor=cast.vera, start=TEN, ask=Ask(agent_id=cast.alice.id), now=clock()
    )
    db.session.commit()
    done = 0
    for _ in range(STEPS):
        clock.forward(milliseconds=dice.choice([1, 400, 60_000]))
        try:
            _change(visit, cast, dice, clock())
        except Refused:
            db.session.rollback()
        else:
            db.session.commit()
            done += 1
        if dice.random() < 0.3:
            run_errands(app, clock)
    run_errands(app, clock)
    assert done > STEPS / 2
    assert visit.sequence > 5
    _check(visit)


def _check(visit: Visit) -> None:
    now_is = notices.snapshot(visit)
    taking_part = {who.email for who in now_is.people}
    for recipient, rows in _sent().items():
        told = [row for row in rows if row.payload["method"] != "DECLINECOUNTER"]
        stamps = [(row.payload["visit"]["sequence"], row.payload["visit"]["changed_at"]) for row in told]
        assert stamps == sorted(set(stamps)), recipient
        last = told[-1].payload
        if recipient not in taking_part:
            assert last["method"] == "CANCEL", recipient
            continue
        assert last["method"] == "REQUEST"
        facts = last["visit"]
        same = ("uid", "sequence", "start", "end", "changed_at", "meeting_url", "note")
        assert {name: facts[name] for name in same} == {name: getattr(now_is, name) for name in same}
        assert {who["email"] for who in facts["people"]} == taking_part
    known = replies.rows_of([visit.id])[visit.id]
    assert set(known) <= {who.id for who in now_is.people}
