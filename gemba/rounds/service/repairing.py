"""Repair of a published round: whose agent fell away gets another visit, and as few others as possible move.

Looked at first, then done through the path by which every visit moves. Nobody who has a visit loses it.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from gemba.db import db
from gemba.people import service as people
from gemba.people.models import Person as PersonRow
from gemba.rounds.errors import ChangedMeanwhile, UnderWay
from gemba.rounds.models import Round, RoundPair, RoundSignUp
from gemba.rounds.pairing.propose import NoSuchPin
from gemba.rounds.pairing.repair import Repaired, repair
from gemba.rounds.pairing.values import TICK_SECONDS, Agent, Pair, Person, Pin
from gemba.rounds.rules import UNDER_WAY, Outcome, PairState, pair_values
from gemba.rounds.service import campaigns, inputs
from gemba.rounds.service.proposing import newest_run, publishing_count
from gemba.rounds.service.publishing import book_pair
from gemba.visits import facts
from gemba.visits import service as visits
from gemba.visits.errors import NotOffered, SlotTaken
from gemba.visits.facts import ANY
from gemba.visits.models import Visit
from gemba.visits.rules import FREE, Status
from gemba.visits.service.path import lock

AT_ONCE = 20
"""So many people are helped at once: some seconds, in one transaction."""


class Fell(StrEnum):
    """Why somebody's visit cannot be held."""

    AWAY = "away"
    NO_AGENT = "no-agent"
    CALLED_OFF = "called-off"


@dataclass(frozen=True)
class Step:
    """What becomes of one person: from the agent and start they had to others.

    `fell` is why their visit cannot be held, None for those who only make room; `to` is None where nothing
    is found for them.
    """

    person: int
    agent: int
    start: datetime
    fell: Fell | None
    to: Pair | None

    @property
    def to_start(self) -> datetime:
        """The new start; only where there is one."""
        return datetime.fromtimestamp(self.to.start * TICK_SECONDS if self.to else 0, UTC)


@dataclass(frozen=True)
class Repairing:
    """Everything a repair would do, those without a visit first; `more` wait for the next one."""

    steps: Sequence[Step]
    more: int

    @property
    def mark(self) -> str:
        """Another one wherever the repair would do something else."""
        told = ";".join(f"{s.person},{s.agent},{s.start},{s.fell},{s.to}" for s in self.steps)
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    @property
    def can(self) -> bool:
        """Whether anybody can be helped."""
        return any(step.fell and step.to for step in self.steps)


def look(chosen: Round, *, now: datetime) -> Repairing:
    """What a repair would do now: nothing is written."""
    booked = _booked(chosen, now)
    fell = _fallen(booked)
    called_off = _called_off(chosen, now)
    order = sorted(
        [(visit.starts_at, who) for who, visit in (*called_off.items(),)]
        + [(booked[who].starts_at, who) for who in fell]
    )
    lost = [who for _start, who in order[:AT_ONCE]]
    if not lost:
        return Repairing((), 0)
    done = _work_out(
        chosen, {who: visit for who, visit in booked.items() if who not in fell}, lost, booked, now
    )
    to = {pair.person: pair for pair in (*done.placed, *done.moved)}
    had = {**called_off, **booked}
    steps = [
        Step(who, had[who].agent_id, had[who].starts_at, fell.get(who, Fell.CALLED_OFF), to.get(who))
        for who in lost
    ]
    steps += [
        Step(pair.person, had[pair.person].agent_id, had[pair.person].starts_at, None, pair)
        for pair in sorted(done.moved, key=lambda pair: pair.person)
    ]
    return Repairing(steps, len(order) - len(lost))


def _booked(chosen: Round, now: datetime) -> dict[int, Visit]:
    """By person, the visits of a round that are still to come."""
    query = (
        select(RoundPair)
        .join(Visit, Visit.id == RoundPair.visit_id)
        .where(
            RoundPair.round_id == chosen.id,
            RoundPair.state == PairState.BOOKED,
            Visit.status.in_((Status.BOOKED, Status.REQUESTED)),
            Visit.starts_at > now,
        )
        .options(joinedload(RoundPair.visit).selectinload(Visit.visitors))
        .order_by(RoundPair.person_id)
    )
    return {pair.person_id: pair.visit for pair in db.session.scalars(query) if pair.visit is not None}


def _fallen(booked: Mapping[int, Visit]) -> dict[int, Fell]:
    """By person, why their visit cannot be held: the agent is away that day, or takes no visits any more."""
    there = {agent.agent: agent for agent in facts.own_facts(facts.agents_for(ANY))}
    found = {}
    for who, visit in booked.items():
        # A pause only keeps new visits away.
        agent = there.get(visit.agent_id)
        if agent is None:
            found[who] = Fell.NO_AGENT
        else:
            zone = ZoneInfo(agent.hours.zone_at(visit.starts_at))
            if not agent.hours.on(visit.starts_at.astimezone(zone).date()):
                found[who] = Fell.AWAY
    return found


def _called_off(chosen: Round, now: datetime) -> dict[int, Visit]:
    """By person, the visit of this round that was called off, of those left out since."""
    query = (
        select(Visit)
        .join(Visit.visitors)
        .join(RoundSignUp, RoundSignUp.person_id == PersonRow.id)
        .where(
            RoundSignUp.round_id == chosen.id,
            RoundSignUp.outcome == Outcome.LEFT_OUT,
            PersonRow.active,
            Visit.programme_id == chosen.programme_id,
            Visit.because == "round",
            Visit.status.in_(FREE),
            Visit.starts_at > now,
        )
        .options(joinedload(Visit.visitors))
        .order_by(Visit.id)
    )
    return {
        visitor.id: visit
        for visit in db.session.scalars(query).unique()
        for visitor in visit.visitors
        if visit.because_facts.get("round") == chosen.id
    }


def _work_out(
    chosen: Round, kept: Mapping[int, Visit], lost: Sequence[int], booked: Mapping[int, Visit], now: datetime
) -> Repaired:
    """The engine's repair. Visits too near to be moved, or outside today's rules, stay as they are."""
    frame = inputs.frame_of(chosen, now)
    fallen = [booked[who] for who in lost if who in booked]
    movable = {
        who: visit
        for who, visit in kept.items()
        if len(visit.visitors) == 1 and frame.mask >> (_tick(visit) - frame.grid.first) & 1
    }
    while True:
        gone = [*movable.values(), *fallen]
        agents = list(inputs.agents_of(chosen, frame, gone=gone))
        signs = db.session.scalars(
            select(RoundSignUp)
            .where(RoundSignUp.round_id == chosen.id, RoundSignUp.person_id.in_([*movable, *lost]))
            .order_by(RoundSignUp.person_id)
        ).all()
        wishes = list(inputs.people_of(chosen, signs, frame, gone=gone))
        pins = [Pin(who, visit.agent_id, _tick(visit)) for who, visit in sorted(movable.items())]
        try:
            return repair(
                _with_room(agents, gone), _with_own(wishes, movable, frame.grid.first), frame.grid, pins
            )
        except NoSuchPin as bad:
            del movable[bad.pin.person]


def _with_room(agents: Sequence[Agent], gone: Sequence[Visit]) -> list[Agent]:
    """The visits that count as gone are among those the agents said they take."""
    room = Counter(visit.agent_id for visit in gone)
    return [
        agent if agent.spare is None else replace(agent, spare=agent.spare + room[agent.id])
        for agent in agents
    ]


def _with_own(wishes: Sequence[Person], movable: Mapping[int, Visit], first: int) -> list[Person]:
    """Everyone can come to the visit they have."""
    return [
        replace(wish, free=wish.free | 1 << _tick(movable[wish.id]) - first) if wish.id in movable else wish
        for wish in wishes
    ]


def _tick(visit: Visit) -> int:
    return int(visit.starts_at.timestamp()) // TICK_SECONDS


def carry_out(viewer: PersonRow, chosen: Round, mark: str, *, now: datetime) -> Repairing:
    """Does what `look` showed under this mark. Raises UnderWay, or ChangedMeanwhile if it is another now."""
    campaigns.reread(chosen)
    run = newest_run(chosen)
    if (run is not None and run.state in UNDER_WAY) or publishing_count(chosen):
        raise UnderWay
    plan = look(chosen, now=now)
    # Everyone at once and in order of id, as whoever books does; then the same must come out again.
    lock(
        {step.person for step in plan.steps}
        | {step.agent for step in plan.steps}
        | {step.to.agent for step in plan.steps if step.to}
        | set(facts.mentors_for(chosen.programme))
    )
    db.session.expire_all()
    plan = look(chosen, now=now)
    if plan.mark != mark:
        raise ChangedMeanwhile
    waiting = [step for step in plan.steps if step.to]
    while waiting:
        still = [step for step in waiting if not _give(viewer, chosen, step, now=now)]
        if len(still) == len(waiting):
            raise ChangedMeanwhile
        waiting = still
    detail = {"people": [step.person for step in plan.steps if step.to]}
    people.audit(viewer, "round.repair", f"round:{chosen.id}", detail, now)
    db.session.flush()
    return plan


def _give(viewer: PersonRow, chosen: Round, step: Step, *, now: datetime) -> bool:
    """Gives somebody their new visit; False where others must make room first."""
    pair = db.session.get(RoundPair, (chosen.id, step.person))
    values = pair_values(step.to) if step.to else {}
    if step.fell == Fell.CALLED_OFF:
        if pair is None:
            pair = RoundPair(round_id=chosen.id, pinned=False, **values)
            db.session.add(pair)
        pair.state = PairState.PUBLISHING
        db.session.flush()
        book_pair(chosen, pair, viewer, now=now)
        if pair.state == PairState.BOOKED:
            return True
        db.session.delete(pair)
        db.session.flush()
        return False
    if pair is None or pair.visit is None:
        raise ChangedMeanwhile
    rules = inputs.round_rules(chosen.programme)
    try:
        visits.move(
            pair.visit, viewer, start=step.to_start, agent_id=values["agent_id"], rules=rules, now=now
        )
    except (SlotTaken, NotOffered):
        return False
    pair.agent_id, pair.tick, pair.score, pair.because = (
        values[name] for name in ("agent_id", "tick", "score", "because")
    )
    db.session.flush()
    return True
