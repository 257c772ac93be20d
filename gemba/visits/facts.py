"""What is known of people's time, gathered in a constant number of statements for the pure rules."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    Select,
    bindparam,
    func,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from gemba.db import db, epoch, few, placed, places, run
from gemba.people.models import Person, PersonLanguage, PersonProduct, PersonRole
from gemba.people.rules import Role
from gemba.programmes import hosts
from gemba.programmes.models import Programme
from gemba.programmes.rules import Format
from gemba.schedule import sides
from gemba.schedule.models import Availability
from gemba.schedule.rules import AgentFacts, Limits, Load, Seconds, Span, VisitorFacts
from gemba.visits.models import Visit, VisitVisitor
from gemba.visits.rules import FREE, Status

MARGIN = timedelta(days=32)
"""Limits count a whole month, so visits are read this far around the window."""


@dataclass(frozen=True)
class Ask:
    """What a visitor looks for; None is "any". `lines` and `languages` are the programme's (see `within`)."""

    agent_id: int | None = None
    product_id: int | None = None
    language: str | None = None
    lines: tuple[int, ...] = ()
    languages: tuple[str, ...] = ()


ANY = Ask()


def within(programme: Programme, ask: Ask) -> Ask:
    """The same ask, of those agents only who take visits of the programme."""
    if not hosts.is_limited(programme):
        return ask
    return replace(ask, lines=tuple(programme.lines), languages=tuple(programme.languages))


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


def is_guided(programme: Programme) -> bool:
    """Whether a mentor takes part in the programme's visits."""
    return programme.format == Format.HANDS_ON


def mentor_stamps(*, but: Collection[int] = ()) -> dict[int, Stamp]:
    """Ids of active mentors with hours, ascending, each with their stamp; without those of `but`."""
    columns = (Availability.person_id, Availability.stamp, Person.line_id)
    query = _fitting(ANY, *columns, role=Role.MENTOR).order_by(Availability.person_id)
    return {mentor: (stamp, line) for mentor, stamp, line in db.session.execute(query) if mentor not in but}


def mentors_for(programme: Programme) -> list[int]:
    """Ids of all who could guide a visit of the programme; nobody where it needs none."""
    return list(mentor_stamps()) if is_guided(programme) else []


def _fitting(ask: Ask, *columns: Any, role: Role = Role.AGENT) -> Select[Any]:
    """Columns of the active agents, or mentors, with hours who fit the ask."""
    query = (
        select(*columns)
        .select_from(Availability)
        .join(Person, Person.id == Availability.person_id)
        .join(PersonRole, (PersonRole.person_id == Person.id) & (PersonRole.role == role))
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
    return query.where(*hosts.within(ask.lines, ask.languages))


@dataclass
class Time:
    """A person's time, in seconds from 1970: what takes them, and the starts of visits they come to."""

    load: Load = field(default_factory=Load)
    came: list[int] = field(default_factory=list)


def times_of(
    people: Collection[int], programme: Programme, window: Span, *, but: Visit | None = None
) -> dict[int, Time]:
    """The time of these people in the window and a month around it; the visit `but` counts as gone.

    Visits they come to count for their limits in this programme only. One statement, two where visits of the
    programme have several seats.
    """
    found: dict[int, Time] = defaultdict(Time)
    count = few(people) if len(people) < sides.MANY else None
    values: dict[str, Any] = {"since": window.start - MARGIN, "but": but.id if but is not None else 0}
    if count is not None:
        values |= placed("people", people)
    rows = run(_times_statement(count), values).all()
    for person, start, end, before, after, led, programme_id, counted in rows:
        time = found[person]
        time.load.busy.append((start - before * 60, end + after * 60))
        if not counted:
            continue
        if led:
            time.load.visits.append((start, end))
        elif programme_id == programme.id:
            time.came.append(start)
    if programme.seats > 1 and but is None:
        for agent, start in run(_seats_statement(count), {**values, **_seats_of(programme)}):
            found[agent].load.joinable.append(start)
    return found


@cache
def _times_statement(count: int | None) -> Executable:
    """Visits by agent, mentor and visitor: person, start, end, buffers, is it as a visitor's host, programme,
    does it count.

    No upper end of time: with one, SQLite walks all visits of the time instead of those of a few people.
    """
    near = [
        Visit.status.not_in(FREE),
        Visit.ends_at > bindparam("since", type_=Visit.ends_at.type),
        Visit.id != bindparam("but"),
    ]
    times = (epoch(Visit.starts_at), epoch(Visit.ends_at))
    counted = Visit.status != Status.NOT_HELD
    # Who holds a seat only takes the visitor's time: the agent's is taken by the visit it belongs to.
    as_agent: Any = select(
        Visit.agent_id,
        *times,
        Visit.buffer_before,
        Visit.buffer_after,
        literal_column("1"),
        Visit.programme_id,
        counted,
    ).where(*near, Visit.joins_id.is_(None))
    as_mentor: Any = select(
        Visit.mentor_id,
        *times,
        Visit.mentor_before,
        Visit.mentor_after,
        literal_column("1"),
        Visit.programme_id,
        counted,
    ).where(*near, Visit.mentor_id.is_not(None))
    none: ColumnElement[int] = literal_column("0")
    as_visitor: Any = (
        select(VisitVisitor.person_id, *times, none, none, none, Visit.programme_id, counted)
        .join(Visit, Visit.id == VisitVisitor.visit_id)
        .where(*near)
    )
    if count is None:
        # Of thousands of visitors only those matter who are agents too.
        theirs = select(VisitVisitor.visit_id).join(
            Availability, Availability.person_id == VisitVisitor.person_id
        )
        return union_all(as_agent, as_mentor, as_visitor.where(Visit.id.in_(theirs)))
    people = places("people", count)
    return union_all(
        as_agent.where(Visit.agent_id.in_(people)),
        as_mentor.where(Visit.mentor_id.in_(people)),
        as_visitor.where(VisitVisitor.person_id.in_(people)),
    )


@cache
def _seats_statement(count: int | None) -> Executable:
    """Agent and start of the visits of a programme that have a free seat, which nobody holds."""
    held = aliased(Visit)
    seats_held = (
        select(func.count())
        .select_from(held)
        .where(held.joins_id == Visit.id, held.status.in_((Status.REQUESTED, Status.OFFERED)))
        .correlate(Visit)
        .scalar_subquery()
    )
    query = (
        select(Visit.agent_id, epoch(Visit.starts_at))
        .join(VisitVisitor, VisitVisitor.visit_id == Visit.id)
        .where(
            Visit.status == Status.BOOKED,
            Visit.ends_at > bindparam("since", type_=Visit.ends_at.type),
            Visit.id != bindparam("but"),
            Visit.programme_id == bindparam("programme"),
        )
        .group_by(Visit.id, Visit.agent_id, Visit.starts_at)
        .having(func.count() + seats_held < bindparam("seats"))
    )
    return query if count is None else query.where(Visit.agent_id.in_(places("people", count)))


def _seats_of(programme: Programme) -> dict[str, int]:
    return {"programme": programme.id, "seats": programme.seats}


@dataclass(frozen=True)
class Known:
    """The facts of agents and visitors, and of those of whom one has to guide them: None where nobody.

    Of the agents, those `outside` take no visits of the programme.
    """

    agents: list[AgentFacts]
    visitors: list[VisitorFacts]
    mentors: list[AgentFacts] | None = None
    outside: frozenset[int] = frozenset()


def gather(
    programme: Programme,
    agents: Collection[int],
    visitors: Collection[int],
    window: Span,
    *,
    but: Visit | None = None,
    mentors: Collection[int] | None = None,
) -> Known:
    """Reads all that `explain` wants to know about the window, in a constant number of statements.

    `mentors` are those who come into question where one has to be there, None where nobody has to.
    """
    times = times_of([*agents, *visitors, *(mentors or ())], programme, window, but=but)
    return Known(
        [_with_load(*each) for each in loads_of(agents, times)],
        visitors_of(programme, visitors, times),
        None if mentors is None else _guides(mentors, times),
        # A visit there is stays with its agent, whatever the programme says by now.
        hosts.outside(programme, set(agents) - ({but.agent_id} if but is not None else set())),
    )


def _guides(mentors: Collection[int], times: Mapping[int, Time]) -> list[AgentFacts]:
    """Mentors' facts; a seat in a visit of which they are the agent is none to guide."""
    found = loads_of(mentors, times, Role.MENTOR)
    return [replace(_with_load(mentor, load), joinable=()) for mentor, load in found]


def _with_load(agent: AgentFacts, load: Load) -> AgentFacts:
    return replace(
        agent,
        busy=_spans(load.busy),
        visits=_spans(load.visits),
        calendar=_spans(load.calendar),
        joinable=tuple(map(_instant, load.joinable)),
    )


def loads_of(
    agents: Collection[int], times: Mapping[int, Time], role: Role | None = Role.AGENT
) -> Iterator[tuple[AgentFacts, Load]]:
    """Agents' hours and wishes beside what takes their time, by id ascending; for many at once."""
    found = sides.agent_sides(agents, role)
    reading = [side.facts.agent for side in found if side.has_calendars]
    calendars = sides.calendars_of(reading) if reading else {}
    for side in found:
        agent = side.facts.agent
        load = times[agent].load if agent in times else Load()
        load.calendar = calendars.get(agent, [])
        yield side.facts, load


def own_facts(agents: Collection[int]) -> list[AgentFacts]:
    """Agents' and mentors' own side: hours, quiet hours, calendars; no visits. By id, in two statements."""
    return [replace(agent, calendar=_spans(load.calendar)) for agent, load in loads_of(agents, {}, None)]


def visitors_of(
    programme: Programme, visitors: Collection[int], times: Mapping[int, Time]
) -> list[VisitorFacts]:
    """The facts of visitors, in the programme's limits."""
    limits = Limits(programme.visitor_per_day, programme.visitor_per_week, programme.visitor_per_month)
    zones: dict[int, str] = {}
    if limits.any and visitors:
        query = select(Person.id, Person.timezone).where(Person.id.in_(list(visitors)))
        zones = dict(db.session.execute(query).tuples().all())
    found = []
    for visitor in visitors:
        time = times.get(visitor) or Time()
        starts = tuple(map(_instant, time.came))
        found.append(VisitorFacts(zones.get(visitor, "UTC"), _spans(time.load.busy), starts, limits))
    return found


def _spans(pairs: Iterable[Seconds]) -> tuple[Span, ...]:
    return tuple(Span(_instant(start), _instant(end)) for start, end in pairs)


def _instant(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def is_participant_of(person_id: int) -> ColumnElement[bool]:
    """SQL condition: the person is agent, lead, mentor or visitor of the visit."""
    return (
        (Visit.agent_id == person_id)
        | (Visit.lead_id == person_id)
        | (Visit.mentor_id == person_id)
        | Visit.visitors.any(Person.id == person_id)
    )
