"""What is known of people's time, gathered in a constant number of statements for the pure rules."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from gemba.db import db
from gemba.people.models import Person, PersonLanguage, PersonProduct, PersonRole
from gemba.people.rules import Role
from gemba.programmes.models import Programme
from gemba.schedule import service as schedule
from gemba.schedule.models import Availability
from gemba.schedule.rules import AgentFacts, Limits, Span, VisitorFacts
from gemba.visits.models import Visit, VisitVisitor
from gemba.visits.rules import COUNTED, OCCUPYING, Status

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
    return list(stamps_for(ask, but=but))


Stamp = tuple[int, int | None]
"""Changes with everything that changes what an agent offers: the stamp of their hours, and their line."""

Sum = tuple[int, int | None, int | None]
"""The stamps of many agents in short: their number, their sum, and the sum of stamps times lines."""


def stamps_for(ask: Ask, *, but: Collection[int] = ()) -> dict[int, Stamp]:
    """The same with each agent's stamp."""
    columns = (Availability.person_id, Availability.stamp, Person.line_id)
    rows = db.session.execute(_fitting(ask, *columns).order_by(Availability.person_id)).all()
    return {agent: (stamp, line) for agent, stamp, line in rows if agent not in but}


def sum_for(ask: Ask) -> Sum:
    """What is equal only as long as no agent who fits the ask has changed, in one row."""
    lines = (Availability.stamp % 2**28) * func.coalesce(Person.line_id, 0)
    columns = (func.count(), func.sum(Availability.stamp), func.sum(lines))
    number, stamps, mixed = db.session.execute(_fitting(ask, *columns)).one()
    return number, stamps, mixed


def _fitting(ask: Ask, *columns: Any) -> Select[Any]:
    """Columns of the active agents with hours who fit the ask."""
    query = (
        select(*columns)
        .select_from(Availability)
        .join(Person, Person.id == Availability.person_id)
        .join(PersonRole, (PersonRole.person_id == Person.id) & (PersonRole.role == Role.AGENT))
        .where(Person.active)
    )
    if ask.agent_id is not None:
        query = query.where(Person.id == ask.agent_id)
    if ask.product_id is not None:
        supported = select(PersonProduct.person_id).where(PersonProduct.product_id == ask.product_id)
        query = query.where(Person.id.in_(supported))
    if ask.language is not None:
        speaking = select(PersonLanguage.person_id).where(PersonLanguage.language == ask.language)
        query = query.where(Person.id.in_(speaking))
    return query


@dataclass
class Time:
    """A person's time: when visits take them, the visits they are the agent of and those they come to."""

    busy: list[Span] = field(default_factory=list)
    led: list[Span] = field(default_factory=list)
    came: list[datetime] = field(default_factory=list)
    joinable: list[datetime] = field(default_factory=list)


def times_of(
    people: Collection[int], programme: Programme, window: Span, *, but: Visit | None = None
) -> dict[int, Time]:
    """The time of these people in the window and a month around it; the visit `but` counts as gone.

    Visits they come to count for their limits in this programme only. Two statements, one more where visits
    of the programme have several seats.
    """
    found: dict[int, Time] = defaultdict(Time)
    # No upper end: with one, SQLite walks all visits of the time instead of those of a few people.
    near = [Visit.status.in_(OCCUPYING), Visit.ends_at > window.start - MARGIN]
    near += [Visit.id != but.id] if but is not None else []
    _read_led(found, people, near)
    _read_come(found, people, programme, near)
    if programme.seats > 1 and but is None:
        _read_seats(found, people, programme, near)
    return found


def _read_led(found: dict[int, Time], people: Collection[int], near: list[ColumnElement[bool]]) -> None:
    query = select(
        Visit.agent_id,
        Visit.starts_at,
        Visit.ends_at,
        Visit.buffer_before,
        Visit.buffer_after,
        Visit.status,
    ).where(*schedule.among(Visit.agent_id, people), *near)
    for agent, start, end, before, after, status in db.session.execute(query).all():
        time = found[agent]
        time.busy.append(Span(start - timedelta(minutes=before), end + timedelta(minutes=after)))
        if status in COUNTED:
            time.led.append(Span(start, end))


def _read_come(
    found: dict[int, Time],
    people: Collection[int],
    programme: Programme,
    near: list[ColumnElement[bool]],
) -> None:
    with_hours = select(1).where(Availability.person_id == VisitVisitor.person_id).exists()
    query = (
        select(VisitVisitor.person_id, Visit.starts_at, Visit.ends_at, Visit.programme_id, Visit.status)
        .join(Visit, Visit.id == VisitVisitor.visit_id)
        .where(*(schedule.among(VisitVisitor.person_id, people) or [with_hours]), *near)
    )
    for person, start, end, programme_id, status in db.session.execute(query).all():
        found[person].busy.append(Span(start, end))
        if programme_id == programme.id and status in COUNTED:
            found[person].came.append(start)


def _read_seats(
    found: dict[int, Time],
    people: Collection[int],
    programme: Programme,
    near: list[ColumnElement[bool]],
) -> None:
    query = (
        select(Visit.agent_id, Visit.starts_at)
        .join(VisitVisitor, VisitVisitor.visit_id == Visit.id)
        .where(
            *schedule.among(Visit.agent_id, people),
            *near,
            Visit.programme_id == programme.id,
            Visit.status == Status.BOOKED,
        )
        .group_by(Visit.id, Visit.agent_id, Visit.starts_at)
        .having(func.count() < programme.seats)
    )
    for agent, start in db.session.execute(query).all():
        found[agent].joinable.append(start)


@dataclass(frozen=True)
class Known:
    """The facts of some agents and visitors."""

    agents: list[AgentFacts]
    visitors: list[VisitorFacts]


def gather(
    programme: Programme,
    agents: Collection[int],
    visitors: Collection[int],
    window: Span,
    *,
    but: Visit | None = None,
) -> Known:
    """Reads all that the rules want to know about the window, in a constant number of statements."""
    around = Span(window.start - timedelta(days=1), window.end + timedelta(days=2))
    times = times_of([*agents, *visitors], programme, around, but=but)
    calendars, quiet = schedule.calendars_of(agents), schedule.quiet_hours_of(agents)
    more = {
        agent: schedule.More(
            busy=tuple(times[agent].busy),
            visits=tuple(times[agent].led),
            calendar=calendars.get(agent, ()),
            quiet=quiet.get(agent),
            joinable=tuple(times[agent].joinable),
        )
        for agent in agents
    }
    facts = schedule.agents_facts(agents, more)
    return Known(facts, visitors_of(programme, visitors, times))


def visitors_of(
    programme: Programme, visitors: Collection[int], times: dict[int, Time]
) -> list[VisitorFacts]:
    """The facts of visitors, in the programme's limits."""
    limits = Limits(programme.visitor_per_day, programme.visitor_per_week, programme.visitor_per_month)
    zones: dict[int, str] = {}
    if limits.any and visitors:
        query = select(Person.id, Person.timezone).where(Person.id.in_(list(visitors)))
        zones = dict(db.session.execute(query).tuples().all())
    return [
        VisitorFacts(
            timezone=zones.get(visitor, "UTC"),
            busy=tuple(times[visitor].busy),
            visits=tuple(times[visitor].came),
            limits=limits,
        )
        for visitor in visitors
    ]


def is_participant_of(person_id: int) -> ColumnElement[bool]:
    """SQL condition: the person is agent, lead or visitor of the visit."""
    return (
        (Visit.agent_id == person_id)
        | (Visit.lead_id == person_id)
        | Visit.visitors.any(Person.id == person_id)
    )
