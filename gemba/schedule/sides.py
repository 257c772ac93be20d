"""What the rules know of agents' own side: hours, wishes, calendars.

Read without objects for rows, as a page of slots reads a thousand.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Executable, Select, Text, cast, exists, select
from sqlalchemy.orm import InstrumentedAttribute

from gemba.db import db, few, placed, places, run, table_of
from gemba.people.models import Person, PersonRole
from gemba.people.rules import Role
from gemba.schedule import rules
from gemba.schedule.models import Availability, BusySource, QuietHours


@dataclass(frozen=True)
class AgentSide:
    """An agent's own side: their wishes, and whether any calendar of theirs is read."""

    facts: rules.AgentFacts
    has_calendars: bool


def agent_sides(agent_ids: Collection[int], role: Role | None = Role.AGENT) -> list[AgentSide]:
    """What the rules know of active agents' own wishes, by id ascending, with the quiet hours of their lines.

    One statement. Who saved no hours, or has the role no more, is left out; None is agents and mentors alike.
    """
    many, wanted = len(agent_ids) >= MANY, set(agent_ids)
    values = {} if many else placed("people", wanted)
    return [
        AgentSide(
            rules.AgentFacts(
                agent=row[0],
                hours=_hours_of_texts(*row[1:7]),
                buffer_before=row[7],
                buffer_after=row[8],
                limits=rules.Limits(row[9], row[10], row[11]),
                paused=row[12],
                rest_between=row[13],
                declined=_spans_of_text(row[14]),
                quiet=_hours_of_texts(row[15], row[16]) if row[15] else None,
            ),
            has_calendars=row[17],
        )
        for row in run(_sides_statement(None if many else few(wanted), role), values).all()
        if row[0] in wanted
    ]


@cache
def _sides_statement(count: int | None, role: Role | None) -> Executable:
    hours, quiet = table_of(Availability).c, table_of(QuietHours).c
    query = (
        select(
            hours.person_id,
            hours.timezone,
            *(cast(hours[name], Text) for name in ("weekly", "overrides", "time_off")),
            hours.holidays,
            cast(hours.zone_changes, Text),
            hours.buffer_before,
            hours.buffer_after,
            hours.per_day,
            hours.per_week,
            hours.per_month,
            hours.paused,
            hours.rest_between,
            cast(hours.declined, Text),
            quiet.timezone.label("quiet_timezone"),
            cast(quiet.weekly, Text).label("quiet_weekly"),
            exists().where(BusySource.person_id == hours.person_id),
        )
        .join(Person, Person.id == hours.person_id)
        .outerjoin(QuietHours, QuietHours.line_id == Person.line_id)
        .where(Person.active)
        .order_by(hours.person_id)
    )
    if role is None:
        query = query.where(Person.id.in_(hosts()))
    else:
        query = query.join(PersonRole, (PersonRole.person_id == Person.id) & (PersonRole.role == role))
    return query if count is None else query.where(hours.person_id.in_(places("people", count)))


def hosts() -> Select[int]:
    """SQL: the ids of people who have hours of their own: agents and mentors."""
    return select(PersonRole.person_id).where(PersonRole.role.in_((Role.AGENT, Role.MENTOR)))


MANY = 400
"""From so many people on, all rows are read instead of naming each person."""


def among(column: InstrumentedAttribute[int], ids: Collection[int]) -> list[ColumnElement[bool]]:
    """A condition for rows of these people; none where they are many, so that all rows come."""
    return [column.in_(list(ids))] if len(ids) < MANY else []


@lru_cache(maxsize=16384)
def _hours_of_texts(
    timezone: str,
    weekly: str,
    overrides: str = "{}",
    time_off: str = "[]",
    holidays: str = "",
    zone_changes: str = "[]",
) -> rules.Hours:
    """Hours from the JSON texts of a row; kept, for most rows are read again and again."""
    return hours_from(
        timezone,
        json.loads(weekly),
        json.loads(overrides),
        json.loads(time_off),
        holidays,
        json.loads(zone_changes),
    )


@lru_cache(maxsize=4096)
def _spans_of_text(text: str) -> tuple[rules.Seconds, ...]:
    """Seconds from the JSON text of minutes."""
    return tuple((start * 60, end * 60) for start, end in json.loads(text))


def hours_from(
    timezone: str,
    weekly: Mapping[str, Any],
    overrides: Mapping[str, Any],
    time_off: Sequence[Sequence[str]],
    holidays: str,
    zone_changes: Sequence[Sequence[str]],
) -> rules.Hours:
    """Hours from the values of a row's JSON columns."""
    return rules.Hours(
        timezone,
        {int(day): _intervals(pairs) for day, pairs in weekly.items()},
        {date.fromisoformat(day): _intervals(pairs) for day, pairs in overrides.items()},
        tuple((date.fromisoformat(first), date.fromisoformat(last)) for first, last in time_off),
        holidays,
        tuple((date.fromisoformat(day), zone) for day, zone in zone_changes),
    )


@dataclass(frozen=True)
class Part:
    """An agent's part in the work: open minutes a week, since when, and the days away (first, last)."""

    agent: int
    weekly_minutes: int
    since: date | None
    absences: tuple[tuple[date, date], ...]


def parts_of(agent_ids: Collection[int]) -> list[Part]:
    """The parts of these agents in one statement; agents who saved no hours are left out."""
    hours = table_of(Availability).c
    texts = [cast(hours[name], Text) for name in ("weekly", "time_off", "pauses")]
    query = select(hours.person_id, hours.created_at, *texts).where(hours.person_id.in_(list(agent_ids)))
    return [
        Part(agent, _minutes(weekly), since.date() if since else None, _days(time_off) + _days(pauses))
        for agent, since, weekly, time_off, pauses in db.session.execute(query)
    ]


@lru_cache(maxsize=4096)
def _minutes(weekly: str) -> int:
    return sum(end - start for pairs in json.loads(weekly).values() for start, end in pairs)


@lru_cache(maxsize=4096)
def _days(pairs: str) -> tuple[tuple[date, date], ...]:
    return tuple((date.fromisoformat(first), date.fromisoformat(last)) for first, last in json.loads(pairs))


def calendars_of(agent_ids: Collection[int]) -> dict[int, list[rules.Seconds]]:
    """When the agents' own calendars say busy, from the last good copies, in one statement."""
    found: dict[int, list[rules.Seconds]] = {}
    query = select(BusySource.person_id, BusySource.spans).where(*among(BusySource.person_id, agent_ids))
    for person, spans in db.session.execute(query):
        found.setdefault(person, []).extend((start * 60, end * 60) for start, end in spans)
    return found


def _intervals(pairs: Iterable[Sequence[int]]) -> tuple[rules.Interval, ...]:
    return tuple(rules.Interval(start, end) for start, end in pairs)
