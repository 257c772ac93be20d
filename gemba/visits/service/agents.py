"""Who takes an hour: the named agent or any that fits, and what is free instead where nobody can."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from gemba.db import db
from gemba.people.models import Person
from gemba.programmes.models import Programme
from gemba.schedule import service as schedule
from gemba.schedule.rules import DYNAMIC_REASONS, AgentFacts, Span, explain
from gemba.visits import facts
from gemba.visits.errors import NotOffered, SlotTaken
from gemba.visits.facts import Ask
from gemba.visits.models import Visit, VisitVisitor
from gemba.visits.rules import COUNTED, Candidate, choose, nearest

RECENT = timedelta(days=90)


@dataclass(frozen=True)
class Wanted:
    """An hour somebody wants: the visitors' ids, whom they ask for, and the visit that moves, if one does."""

    programme: Programme
    visitors: tuple[int, ...]
    ask: Ask
    start: datetime
    moving: Visit | None = None

    def known(self, agents: Sequence[int]) -> facts.Known:
        """What is known of these agents and the visitors around that hour."""
        end = self.start + timedelta(minutes=self.programme.duration_minutes)
        return facts.gather(agents, self.visitors, Span(self.start, end), but=self.moving)

    def slots(self, window: Span, now: datetime) -> list[datetime]:
        """The starts that are open to the same visitors for the same ask."""
        found = facts.slots(self.programme, self.visitors, self.ask, window, now=now, moving=self.moving)
        return [slot.start for slot in found]


@dataclass(frozen=True)
class Choice:
    """The agent who takes a visit, and why (a code that the page puts into words)."""

    agent: int
    because: str


def find_agent(wanted: Wanted, agents: Sequence[int], *, now: datetime) -> Choice:
    """One of these agents whom no rule forbids. Raises SlotTaken with alternatives, or NotOffered."""
    known, rules = wanted.known(agents), schedule.booking_rules(wanted.programme)
    against = {
        agent.agent: explain(rules, agent, visitor_busy=known.visitor_busy, start=wanted.start, now=now)
        for agent in known.agents
    }
    free = [agent for agent in known.agents if not against[agent.agent]]
    if free:
        return _choose(free, wanted, now)
    # Only other bookings stand against one of them: a moment ago this hour was offered.
    if any(all(reason.code in DYNAMIC_REASONS for reason in reasons) for reasons in against.values()):
        raise SlotTaken(alternatives=alternatives(wanted, now=now))
    raise NotOffered(reasons=min(against.values(), key=len, default=[]))


def alternatives(wanted: Wanted, *, now: datetime) -> list[datetime]:
    """The three nearest starts that are open instead."""
    found: list[datetime] = []
    for days in (4, wanted.programme.horizon_days):
        reach = timedelta(days=days)
        window = Span(max(now, wanted.start - reach), max(now, wanted.start + reach))
        found = wanted.slots(window, now)
        if len(found) >= 3:
            break
    return nearest(found, wanted.start)


def lead_of(agent_id: int, but: Collection[int]) -> int | None:
    """The active lead of the agent's line, unless that is a visitor or the agent."""
    agent = db.session.get_one(Person, agent_id)
    lead = agent.line.lead if agent.line else None
    if lead is None or not lead.active or lead.id in (agent_id, *but):
        return None
    return lead.id


def _choose(free: Sequence[AgentFacts], wanted: Wanted, now: datetime) -> Choice:
    if wanted.ask.agent_id is not None:
        return Choice(free[0].agent, "asked")
    if len(free) == 1:
        return Choice(free[0].agent, "only-one")
    ids = [agent.agent for agent in free]
    met, recent = _met(ids, wanted.visitors), _recent(ids, now)
    best = choose([Candidate(agent, agent in met, recent.get(agent, 0)) for agent in ids], wanted.start)
    return Choice(best.agent, "met-all" if best.met else "not-met")


def _met(agents: Sequence[int], visitors: Collection[int]) -> set[int]:
    """The agents whom one of these visitors has visited or is going to."""
    query = (
        select(Visit.agent_id)
        .join(VisitVisitor, VisitVisitor.visit_id == Visit.id)
        .where(Visit.agent_id.in_(agents), VisitVisitor.person_id.in_(visitors), Visit.status.in_(COUNTED))
    )
    return set(db.session.scalars(query))


def _recent(agents: Sequence[int], now: datetime) -> dict[int, int]:
    """How many visits each of these agents had lately or has before them."""
    query = (
        select(Visit.agent_id, func.count())
        .where(Visit.agent_id.in_(agents), Visit.starts_at >= now - RECENT, Visit.status.in_(COUNTED))
        .group_by(Visit.agent_id)
    )
    return dict(db.session.execute(query).tuples().all())
