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
class Choice:
    """The agent who takes a visit, and why (a code that the page puts into words)."""

    agent: int
    because: str


def known_around(
    programme: Programme,
    visitors: Sequence[int],
    agents: Sequence[int],
    start: datetime,
    moving: Visit | None = None,
) -> facts.Known:
    end = start + timedelta(minutes=programme.duration_minutes)
    return facts.gather(agents, visitors, Span(start, end), but=moving)


def find_agent(
    programme: Programme,
    visitors: Sequence[Person],
    agents: Sequence[int],
    ask: Ask,
    start: datetime,
    *,
    now: datetime,
    moving: Visit | None = None,
) -> Choice:
    ids = [visitor.id for visitor in visitors]
    known, rules = known_around(programme, ids, agents, start, moving), schedule.booking_rules(programme)
    against = {
        agent.agent: explain(rules, agent, visitor_busy=known.visitor_busy, start=start, now=now)
        for agent in known.agents
    }
    free = [agent for agent in known.agents if not against[agent.agent]]
    if free:
        return _choose(free, ids, ask, start, now)
    # Only other bookings stand against one of them: a moment ago this hour was offered.
    if any(all(reason.code in DYNAMIC_REASONS for reason in reasons) for reasons in against.values()):
        raise SlotTaken(alternatives=alternatives(programme, ids, ask, start, now=now, moving=moving))
    raise NotOffered(reasons=min(against.values(), key=len, default=[]))


def alternatives(
    programme: Programme,
    ids: Collection[int],
    ask: Ask,
    start: datetime,
    *,
    now: datetime,
    moving: Visit | None,
) -> list[datetime]:
    """The three nearest starts that are open instead."""
    for days in (4, programme.horizon_days):
        reach = timedelta(days=days)
        window = Span(max(now, start - reach), max(now, start + reach))
        found = [slot.start for slot in facts.slots(programme, ids, ask, window, now=now, moving=moving)]
        if len(found) >= 3:
            break
    return nearest(found, start)


def _choose(
    free: Sequence[AgentFacts], visitors: Collection[int], ask: Ask, start: datetime, now: datetime
) -> Choice:
    if ask.agent_id is not None:
        return Choice(free[0].agent, "asked")
    if len(free) == 1:
        return Choice(free[0].agent, "only-one")
    ids = [agent.agent for agent in free]
    met = set(
        db.session.scalars(
            select(Visit.agent_id)
            .join(VisitVisitor, VisitVisitor.visit_id == Visit.id)
            .where(
                Visit.agent_id.in_(ids),
                VisitVisitor.person_id.in_(visitors),
                Visit.status.in_(COUNTED),
            )
        )
    )
    recent: dict[int, int] = dict(
        db.session.execute(
            select(Visit.agent_id, func.count())
            .where(
                Visit.agent_id.in_(ids),
                Visit.starts_at >= now - RECENT,
                Visit.status.in_(COUNTED),
            )
            .group_by(Visit.agent_id)
        )
        .tuples()
        .all()
    )
    best = choose([Candidate(agent, agent in met, recent.get(agent, 0)) for agent in ids], start)
    return Choice(best.agent, "met-all" if best.met else "not-met")


def lead_of(agent_id: int, but: Collection[int]) -> int | None:
    """The active lead of the agent's line, unless that is a visitor or the agent."""
    agent = db.session.get_one(Person, agent_id)
    lead = agent.line.lead if agent.line else None
    if lead is None or not lead.active or lead.id in (agent_id, *but):
        return None
    return lead.id
