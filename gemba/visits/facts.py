"""What is known of people's time, gathered in a constant number of statements for the pure rules."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select

from gemba.db import db
from gemba.people.models import Person, PersonLanguage, PersonProduct, PersonRole
from gemba.people.rules import Role
from gemba.programmes.models import Programme
from gemba.schedule import service as schedule
from gemba.schedule.models import Availability
from gemba.schedule.rules import AgentFacts, Slot, Span, open_slots
from gemba.visits.models import Tick, Visit
from gemba.visits.rules import COUNTED, spans_of, ticks

MARGIN = timedelta(days=32)
"""Limits count a whole month, so visits are read this far around the window."""


@dataclass(frozen=True)
class Ask:
    """What a visitor looks for; None is "any"."""

    agent_id: int | None = None
    product_id: int | None = None
    language: str | None = None


ANY = Ask()


def agents_for(ask: Ask, *, but: Collection[int] = ()) -> list[int]:
    """Ids of active agents with hours who fit the ask, ascending; without those of `but`."""
    query = (
        select(Person.id)
        .join(PersonRole, (PersonRole.person_id == Person.id) & (PersonRole.role == Role.AGENT))
        .join(Availability, Availability.person_id == Person.id)
        .where(Person.active, Person.id.not_in(but))
        .order_by(Person.id)
    )
    if ask.agent_id is not None:
        query = query.where(Person.id == ask.agent_id)
    if ask.product_id is not None:
        supported = select(PersonProduct.person_id).where(PersonProduct.product_id == ask.product_id)
        query = query.where(Person.id.in_(supported))
    if ask.language is not None:
        speaking = select(PersonLanguage.person_id).where(PersonLanguage.language == ask.language)
        query = query.where(Person.id.in_(speaking))
    return list(db.session.scalars(query))


def busy(people: Iterable[int], window: Span, *, but: Visit | None = None) -> dict[int, tuple[Span, ...]]:
    """When these people are taken within the window; the visit `but` counts as gone."""
    taken = ticks(window.start, window.end)
    query = (
        select(Tick.person_id, Tick.tick)
        .where(Tick.person_id.in_(list(people)), Tick.tick >= taken.start, Tick.tick < taken.stop)
        .order_by(Tick.person_id, Tick.tick)
    )
    if but is not None:
        query = query.where(Tick.visit_id != but.id)
    found: dict[int, list[int]] = defaultdict(list)
    for person, tick in db.session.execute(query):
        found[person].append(tick)
    return {person: spans_of(numbers) for person, numbers in found.items()}


def counted_starts(
    agents: Iterable[int], window: Span, *, but: Visit | None = None
) -> dict[int, tuple[datetime, ...]]:
    """The starts of the agents' visits that count towards their limits, a month around the window."""
    query = select(Visit.agent_id, Visit.starts_at).where(
        Visit.agent_id.in_(list(agents)),
        Visit.status.in_(COUNTED),
        Visit.starts_at >= window.start - MARGIN,
        Visit.starts_at < window.end + MARGIN,
    )
    if but is not None:
        query = query.where(Visit.id != but.id)
    found: dict[int, list[datetime]] = defaultdict(list)
    for agent, start in db.session.execute(query):
        found[agent].append(start)
    return {agent: tuple(starts) for agent, starts in found.items()}


@dataclass(frozen=True)
class Known:
    """The facts of some agents and when the visitors are taken."""

    agents: list[AgentFacts]
    visitor_busy: tuple[Span, ...]


def gather(
    agents: Collection[int], visitors: Collection[int], window: Span, *, but: Visit | None = None
) -> Known:
    """Reads all that the rules want to know about the window, in three statements."""
    around = Span(window.start - timedelta(days=1), window.end + timedelta(days=1))
    taken = busy([*agents, *visitors], around, but=but)
    starts = counted_starts(agents, window, but=but)
    rows = schedule.facts_for(agents)
    facts = [
        schedule.to_facts(rows[agent], taken.get(agent, ()), starts.get(agent, ()))
        for agent in sorted(agents)
        if agent in rows
    ]
    return Known(facts, tuple(span for visitor in visitors for span in taken.get(visitor, ())))


def slots(
    programme: Programme,
    visitors: Collection[int],
    ask: Ask,
    window: Span,
    *,
    now: datetime,
    moving: Visit | None = None,
) -> list[Slot]:
    """The slots these visitors could book, by start. Nobody visits themselves."""
    known = gather(agents_for(ask, but=visitors), visitors, window, but=moving)
    return open_slots(
        schedule.booking_rules(programme),
        known.agents,
        visitor_busy=known.visitor_busy,
        window=window,
        now=now,
    )


def is_participant_of(person_id: int) -> ColumnElement[bool]:
    """SQL condition: the person is agent, lead or visitor of the visit."""
    return (
        (Visit.agent_id == person_id)
        | (Visit.lead_id == person_id)
        | Visit.visitors.any(Person.id == person_id)
    )
