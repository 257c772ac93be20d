"""Repair of a published round: whose agent or mentor fell away gets another visit, and as few others as
possible move.

Looked at first, then done through the path by which every visit moves. Nobody who has a visit loses it.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
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
from gemba.rounds.service.declining import without_declined
from gemba.rounds.service.proposing import newest_run, publishing_count
from gemba.rounds.service.publishing import book_pair
from gemba.schedule.rules import AgentFacts
from gemba.visits import facts
from gemba.visits import service as visits
from gemba.visits.errors import NoMentorFree, NotOffered, SlotTaken
from gemba.visits.facts import ANY
from gemba.visits.models import Visit
from gemba.visits.rules import FREE, Status
from gemba.visits.service.path import lock
from gemba.visits.service.taking import vacate
from gemba.visits.service.waiting import hosts_of_held

AT_ONCE = 20
"""So many people are helped at once: some seconds, in one transaction."""
_APART = timedelta(hours=1)
"""So far from each other lie two visits that one mentor is to guide, whatever their breaks."""


class Fell(StrEnum):
    """Why somebody's visit cannot be held."""

    AWAY = "away"
    NO_AGENT = "no-agent"
    NO_MENTOR = "no-mentor"
    CALLED_OFF = "called-off"


@dataclass(frozen=True)
class Step:
    """What becomes of one person: from the agent and start they had to others.

    `fell` is why their visit cannot be held, None for those who only make room; `mentor` is who guides them
    at the same hour from now on. Without `to` and `mentor` nothing is found for them.
    """

    person: int
    agent: int
    start: datetime
    fell: Fell | None
    to: Pair | None
    mentor: int | None = None

    @property
    def helps(self) -> bool:
        """Whether something is found."""
        return self.to is not None or self.mentor is not None

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
        told = ";".join(f"{s.person},{s.agent},{s.start},{s.fell},{s.to},{s.mentor}" for s in self.steps)
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    @property
    def can(self) -> bool:
        """Whether anybody can be helped."""
        return self.helped > 0

    @property
    def helped(self) -> int:
        """How many have a visit again."""
        return sum(1 for step in self.steps if step.fell and step.helps)

    @property
    def people(self) -> set[int]:
        """The ids of everyone it names."""
        agents = {step.to.agent for step in self.steps if step.to}
        mentors = {step.mentor for step in self.steps if step.mentor}
        return {one for step in self.steps for one in (step.person, step.agent)} | agents | mentors


def look(chosen: Round, *, without: Collection[int] = (), now: datetime) -> Repairing:
    """What a repair would do now, nothing for the people `without`: nothing is written."""
    booked = _booked(chosen, now)
    fell = _fallen(chosen, booked)
    called_off = _called_off(chosen, now)
    order = sorted(
        [(visit.starts_at, who) for who, visit in (*called_off.items(),)]
        + [(booked[who].starts_at, who) for who in fell]
    )
    lost = [who for _start, who in order[:AT_ONCE]]
    if not lost:
        return Repairing((), 0)
    needy = [who for who in lost if who not in without]
    guided = _stand_ins({who: booked[who] for who in needy if fell.get(who) == Fell.NO_MENTOR})
    needy = [who for who in needy if who not in guided]
    kept = {who: visit for who, visit in booked.items() if who not in fell}
    done = _work_out(chosen, kept, needy, booked, now) if needy else Repaired((), (), ())
    to = {pair.person: pair for pair in (*done.placed, *done.moved)}
    had = {**called_off, **booked}

    def step(who: int) -> Step:
        visit, pair = had[who], to.get(who)
        why = fell.get(who, Fell.CALLED_OFF) if who in lost else None
        if pair is not None and why == Fell.NO_MENTOR and pair.agent == visit.agent_id:
            # Another mentor is found already where there is one.
            pair = pair if pair.start != _tick(visit) else None
        return Step(who, visit.agent_id, visit.starts_at, why, pair, guided.get(who))

    moved = sorted(pair.person for pair in done.moved)
    return Repairing([step(who) for who in (*lost, *moved)], len(order) - len(lost))


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


def _fallen(chosen: Round, booked: Mapping[int, Visit]) -> dict[int, Fell]:
    """By person, why their visit cannot be held: the agent is away that day, or takes no visits any more, or
    the mentor is."""
    agents = {one.agent: one for one in facts.own_facts(facts.agents_for(ANY))}
    mentors = {one.agent: one for one in facts.own_facts(facts.mentors_for(chosen.programme))}
    found = {}
    for who, visit in booked.items():
        # A pause only keeps new visits away.
        if visit.agent_id not in agents:
            found[who] = Fell.NO_AGENT
        elif _is_away(agents[visit.agent_id], visit):
            found[who] = Fell.AWAY
        elif (guide := visit.mentor_id) and (guide not in mentors or _is_away(mentors[guide], visit)):
            found[who] = Fell.NO_MENTOR
    return found


def _is_away(host: AgentFacts, visit: Visit) -> bool:
    """Whether somebody has no hours at all on the day of a visit."""
    zone = ZoneInfo(host.hours.zone_at(visit.starts_at))
    return not host.hours.on(visit.starts_at.astimezone(zone).date())


def _stand_ins(lost: Mapping[int, Visit]) -> dict[int, int]:
    """By person, another mentor for their visit at the same hour; the earliest visits choose first."""
    found: dict[int, int] = {}
    for who, visit in sorted(lost.items(), key=lambda each: (each[1].starts_at, each[0])):
        busy = {
            mentor
            for other, mentor in found.items()
            if lost[other].starts_at < visit.ends_at + _APART
            and visit.starts_at < lost[other].ends_at + _APART
        }
        free = next((mentor for mentor in visits.free_mentors(visit) if mentor not in busy), None)
        if free is not None:
            found[who] = free
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
        wishes = list(without_declined(chosen, inputs.people_of(chosen, signs, frame, gone=gone), frame))
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


class _Stuck(Exception):
    """What was found for somebody cannot be had after all."""

    def __init__(self, person: int) -> None:
        self.person = person


def carry_out(viewer: PersonRow, chosen: Round, mark: str, *, now: datetime) -> Repairing:
    """Does what `look` showed under this mark; says what was done. Whoever cannot be helped after all, for a
    mentor guides one visit at a time, keeps no other from being.

    Raises UnderWay, or ChangedMeanwhile if it is another repair now or nobody can be helped.
    """
    campaigns.reread(chosen)
    run = newest_run(chosen)
    if (run is not None and run.state in UNDER_WAY) or publishing_count(chosen):
        raise UnderWay
    without: set[int] = set()
    shown: str | None = mark
    while True:
        try:
            with db.session.begin_nested():
                plan = _do(viewer, chosen, shown, without, now=now)
        except _Stuck as stuck:
            without.add(stuck.person)
            shown = None
        else:
            detail = {"people": [step.person for step in plan.steps if step.helps]}
            people.audit(viewer, "round.repair", f"round:{chosen.id}", detail, now)
            db.session.flush()
            return plan


def _do(
    viewer: PersonRow, chosen: Round, shown: str | None, without: Collection[int], *, now: datetime
) -> Repairing:
    """One try, whose locks are given back if somebody is stuck."""
    seen = look(chosen, without=without, now=now)
    if not seen.can or (shown is not None and seen.mark != shown):
        raise ChangedMeanwhile
    # Everyone at once and in order of id, as whoever books does; then the same must come out again.
    held = hosts_of_held(chosen.programme, [step.person for step in seen.steps])
    lock(seen.people | held | set(facts.mentors_for(chosen.programme)))
    db.session.expire_all()
    plan = look(chosen, without=without, now=now)
    if plan.mark != seen.mark:
        raise ChangedMeanwhile
    parked = _park(chosen, plan.steps)
    for step in plan.steps:
        if step.helps and not _give(viewer, chosen, step, parked, now=now):
            raise _Stuck(step.person if step.fell else _last_placed(plan))
    return plan


def _last_placed(plan: Repairing) -> int:
    """For whom others move, perhaps."""
    return max(step.person for step in plan.steps if step.fell and step.to)


def _park(chosen: Round, steps: Sequence[Step]) -> dict[int, Status]:
    """Takes the visits that move out of each other's way, for they may change places in a circle; by id,
    what they were."""
    parked: dict[int, Status] = {}
    for step in steps:
        pair = db.session.get(RoundPair, (chosen.id, step.person))
        if step.to and step.fell != Fell.CALLED_OFF and pair is not None and pair.visit is not None:
            parked.setdefault(pair.visit.id, Status(pair.visit.status))
            pair.visit.status = Status.CANCELLED
            vacate(pair.visit)
    db.session.flush()
    return parked


def _give(
    viewer: PersonRow, chosen: Round, step: Step, parked: Mapping[int, Status], *, now: datetime
) -> bool:
    """Gives somebody their new visit, or their visit a new mentor; False where that cannot be."""
    pair = db.session.get(RoundPair, (chosen.id, step.person))
    if step.fell == Fell.CALLED_OFF:
        return _book(viewer, chosen, pair, step, now=now)
    if pair is None or pair.visit is None:
        raise ChangedMeanwhile
    try:
        if step.to is None:
            visits.swap_mentor(pair.visit, viewer, mentor_id=step.mentor, now=now)
            pair.mentor_id = pair.visit.mentor_id
            return True
        pair.visit.status = parked[pair.visit.id]
        db.session.flush()
        rules, agent = inputs.round_rules(chosen.programme), step.to.agent
        visits.move(pair.visit, viewer, start=step.to_start, agent_id=agent, rules=rules, now=now)
    except (SlotTaken, NotOffered, NoMentorFree):
        return False
    for name, value in {**pair_values(step.to), "mentor_id": pair.visit.mentor_id}.items():
        setattr(pair, name, value)
    db.session.flush()
    return True


def _book(viewer: PersonRow, chosen: Round, pair: RoundPair | None, step: Step, *, now: datetime) -> bool:
    """A visit for somebody whose own was called off."""
    if pair is None and step.to is not None:
        pair = RoundPair(round_id=chosen.id, pinned=False, **pair_values(step.to))
        db.session.add(pair)
    if pair is None:
        raise ChangedMeanwhile
    pair.state = PairState.PUBLISHING
    db.session.flush()
    book_pair(chosen, pair, viewer, now=now)
    return pair.state == PairState.BOOKED
