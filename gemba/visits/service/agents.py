"""Who takes an hour: the named agent or any that fits, and what is free instead where nobody can."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute

from gemba.db import db, table_of
from gemba.people.models import Line, Person, PersonLanguage, PersonProduct
from gemba.programmes.models import Programme
from gemba.schedule import service as schedule
from gemba.schedule import sides
from gemba.schedule.rules import (
    DYNAMIC_REASONS,
    AgentFacts,
    BookingRules,
    Offer,
    Reason,
    ReasonCode,
    Span,
    explain,
)
from gemba.visits import facts, kept
from gemba.visits.errors import NotOffered, SlotTaken
from gemba.visits.facts import Ask
from gemba.visits.models import Visit, VisitVisitor
from gemba.visits.rules import COUNTED, Candidate, Member, Turn, in_order, nearest, turns

_AGENT, _LEAD = table_of(Person).alias("agent"), table_of(Person).alias("lead")
Part = InstrumentedAttribute[int] | InstrumentedAttribute[int | None]
"""The column of a visit in which somebody stands: agent, or mentor."""


@dataclass(frozen=True)
class Wanted:
    """An hour somebody wants: the visitors' ids, whom they ask for, and the visit that moves, if one does.

    `rules` are the programme's unless whoever acts may do more, such as a lead who finds a stand-in. With
    `keeps_mentor` nobody asks whether the mentor of the visit that moves is free: the hour stays. `mentor` is
    the one to be asked first, where one was found beforehand.
    """

    programme: Programme
    visitors: tuple[int, ...]
    ask: Ask
    start: datetime
    moving: Visit | None = None
    rules: BookingRules | None = None
    keeps_mentor: bool = False
    mentor: int | None = None

    @property
    def is_guided(self) -> bool:
        """Whether a mentor has to be found."""
        return not self.keeps_mentor and facts.is_guided(self.programme)

    @property
    def booking_rules(self) -> BookingRules:
        """The rules that hold."""
        return self.rules or schedule.booking_rules(self.programme)

    @property
    def end(self) -> datetime:
        """When the visit would end."""
        return self.start + self.booking_rules.length

    def known(self, agents: Collection[int], mentors: Collection[int] | None = None) -> facts.Known:
        """What is known of these agents and the visitors around that hour, and of these mentors, or all."""
        span = Span(self.start, self.end)
        if not self.is_guided:
            return facts.gather(self.programme, agents, self.visitors, span, but=self.moving)
        if mentors is None:
            mentors = list(facts.mentor_stamps(but=self.visitors))
        return facts.gather(self.programme, agents, self.visitors, span, but=self.moving, mentors=mentors)

    def offered(self, window: Span, now: datetime) -> Offer:
        """What is open to the same visitors for the same ask."""
        return kept.offered(self.programme, self.visitors, self.ask, window, now=now, moving=self.moving)


@dataclass(frozen=True)
class Company:
    """Those of a visit to be by id, locked, and the active lead of the agent's line."""

    people: Mapping[int, Person] = field(default_factory=dict)
    lead: Person | None = None


@dataclass(frozen=True)
class Choice:
    """The agent who takes a visit, and why: a code the page puts into words, with its facts.

    `mentor`, where one takes part, and `company` are known under the lock.
    """

    agent: int
    because: str
    facts: dict[str, Any] = field(default_factory=dict)
    mentor: AgentFacts | None = None
    company: Company = Company()


def choices(wanted: Wanted, *, now: datetime) -> list[Choice]:
    """The agents who seem free then, best first; whether they are is asked once more under the lock."""
    if wanted.ask.agent_id is not None:
        return [Choice(agent, "asked") for agent in _asked(wanted)]
    found = wanted.offered(Span(wanted.start, wanted.start + timedelta(minutes=1)), now)
    seats = found.seats_at(wanted.start)
    free = [agent for agent in found.agents_at(wanted.start) if agent not in seats]
    return [Choice(agent, "joined") for agent in seats] + by_turn(free, wanted)


def _asked(wanted: Wanted) -> list[int]:
    """The named agent; whether they are one is known under the lock, their product and language is not."""
    ask = wanted.ask
    if ask.product_id is not None or ask.language is not None:
        return facts.agents_for(ask, but=wanted.visitors)
    return [ask.agent_id] if ask.agent_id is not None and ask.agent_id not in wanted.visitors else []


def refusal(wanted: Wanted, *, now: datetime) -> SlotTaken | NotOffered:
    """Why nobody can: taken a moment ago, with alternatives, or not offered, with the reasons."""
    ask = wanted.ask if wanted.ask.agent_id else facts.within(wanted.programme, wanted.ask)
    known = wanted.known(facts.agents_for(ask, but=wanted.visitors))
    against = [reasons_against(wanted, agent, known, now=now) for agent in known.agents]
    # Only other bookings stand against one of them: a moment ago this hour was offered.
    if any(all(reason.code in DYNAMIC_REASONS for reason in reasons) for reasons in against):
        return SlotTaken(alternatives=alternatives(wanted, now=now))
    return NotOffered(reasons=min(against, key=len, default=[]))


def reasons_against(wanted: Wanted, agent: AgentFacts, known: facts.Known, *, now: datetime) -> list[Any]:
    """Every rule that stands against this agent at the wanted hour."""
    other = [Reason(ReasonCode.OTHER_AGENTS)] if agent.agent in known.outside else []
    return other + explain(
        wanted.booking_rules,
        agent,
        visitors=known.visitors,
        start=wanted.start,
        now=now,
        mentors=known.mentors,
    )


def alternatives(wanted: Wanted, *, now: datetime) -> list[datetime]:
    """The three nearest starts that are open instead."""
    horizon = timedelta(days=wanted.programme.horizon_days)
    return nearest(wanted.offered(Span(now, now + horizon), now).starts, wanted.start)


def lead_of(agent_id: int, but: Collection[int]) -> int | None:
    """The active lead of the agent's line, unless that is a visitor or the agent."""
    found = db.session.scalar(
        select(_LEAD.c.id)
        .join(Line, Line.lead_id == _LEAD.c.id)
        .join(_AGENT, _AGENT.c.line_id == Line.id)
        .where(_AGENT.c.id == agent_id, _LEAD.c.active)
    )
    return None if found in (agent_id, *but) else found


def by_turn(free: Sequence[int], wanted: Wanted) -> list[Choice]:
    """Free agents in the order in which they should take the visit."""
    if len(free) < 2:
        return [Choice(agent, "only-one") for agent in free]
    ordered = in_order(candidates(free, wanted.visitors, languages=wanted.programme.languages), wanted.start)
    return [Choice(each.agent, "met-all" if each.met else "not-met", _facts_of(each)) for each in ordered]


def _facts_of(candidate: Candidate) -> dict[str, Any]:
    return {
        "done": candidate.turn.done,
        "share": round(candidate.turn.share, 1),
        "speaks": candidate.speaks,
        "same_product": candidate.same_product,
    }


def candidates(
    agents: Sequence[int],
    visitors: Collection[int],
    as_part: Part = Visit.agent_id,
    languages: Collection[str] = (),
) -> list[Candidate]:
    """What speaks for and against each of these agents, or mentors, in six statements.

    `languages` are those of the programme, () is any: what else somebody speaks does not count.
    """
    met, due = _met(agents, visitors, as_part), _turns(agents, as_part)
    speaking, supporting = _speaking(agents, visitors, languages), _supporting(agents, visitors)
    return [
        Candidate(
            agent,
            due[agent],
            met=agent in met,
            speaks=agent in speaking,
            same_product=agent in supporting,
        )
        for agent in agents
    ]


def _met(agents: Sequence[int], visitors: Collection[int], as_part: Part) -> set[int]:
    """The agents whom one of these visitors has visited or is going to."""
    query = (
        select(as_part)
        .join(VisitVisitor, VisitVisitor.visit_id == Visit.id)
        .where(as_part.in_(agents), VisitVisitor.person_id.in_(visitors), Visit.status.in_(COUNTED))
    )
    return set(db.session.scalars(query))


def _speaking(agents: Sequence[int], visitors: Collection[int], languages: Collection[str]) -> set[int]:
    """The agents who can be visited in a visitor's language, where that is one of these."""
    theirs = select(Person.locale).where(Person.id.in_(visitors))
    query = select(PersonLanguage.person_id).where(
        PersonLanguage.person_id.in_(agents), PersonLanguage.language.in_(theirs)
    )
    if languages:
        query = query.where(PersonLanguage.language.in_(languages))
    return set(db.session.scalars(query))


def _supporting(agents: Sequence[int], visitors: Collection[int]) -> set[int]:
    """The agents who support a product a visitor works on; nobody where no visitor works on one."""
    theirs = select(PersonProduct.product_id).where(PersonProduct.person_id.in_(visitors))
    query = select(PersonProduct.person_id).where(
        PersonProduct.person_id.in_(agents), PersonProduct.product_id.in_(theirs)
    )
    return set(db.session.scalars(query))


def _turns(agents: Sequence[int], as_part: Part) -> dict[int, Turn]:
    """Each agent's visits, past and coming, beside their fair share among these agents."""
    query = select(as_part, Visit.starts_at).where(as_part.in_(agents), Visit.status.in_(COUNTED))
    visits: dict[int, list[date]] = defaultdict(list)
    for agent, start in db.session.execute(query).tuples():
        if agent is not None:
            visits[agent].append(start.date())
    members = [
        Member(part.agent, float(max(part.weekly_minutes, 1)), part.since or date.min, part.absences)
        for part in sides.parts_of(agents)
    ]
    return turns(members, visits)
