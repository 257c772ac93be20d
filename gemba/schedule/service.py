"""Agents' hours: who may see and change them, and how rows become the rules' values.

Reading and writing an agent's hours is for the agent, the lead of their line and admins; everyone else is
told that there is nothing. The rules themselves are in `gemba.schedule.rules`.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Executable,
    Select,
    bindparam,
    event,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session, SessionTransaction, contains_eager

from gemba.db import db, few, placed, places, run, table_of
from gemba.errors import Invalid, NotFound, Stale
from gemba.openings import hours_opened
from gemba.people import service as people
from gemba.people.models import Line, Person
from gemba.people.rules import Role
from gemba.programmes.models import Programme
from gemba.schedule import rules
from gemba.schedule.models import Availability, new_stamp
from gemba.schedule.sides import hosts, hours_from

NEVER_SAVED = 0
"""The version of hours that were never saved."""
_LED = table_of(Line).alias("led")


def agent_in_sight(viewer: Person, agent_id: int) -> Person:
    """The agent whose hours `viewer` may see and change. Raises NotFound."""
    agent = db.session.scalar(_agents_of(viewer).where(Person.id == agent_id))
    if agent is None:
        raise NotFound
    return agent


def is_in_sight(viewer: Person, agent_id: int) -> bool:
    """Whether `viewer` may see this agent's hours."""
    return db.session.scalar(_agents_of(viewer).where(Person.id == agent_id)) is not None


def availability(viewer: Person, agent_id: int) -> Availability:
    """An agent's hours, for the agent, the lead of their line and admins.

    Where none were saved yet: an empty row with version 0 that is not part of the database.
    Raises NotFound.
    """
    agent = agent_in_sight(viewer, agent_id)
    return db.session.get(Availability, agent.id) or _blank(agent)


def set_availability(
    viewer: Person, agent_id: int, document: object, *, version: int | None = None, now: datetime
) -> Availability:
    """Replaces an agent's hours with a whole JSON document (docs of the API: agents' availability).

    `version` is the one the writer saw; None writes whatever is there. Raises NotFound, Invalid with the
    paths of the document, or Stale where someone else saved since.
    """
    agent = _locked_agent(viewer, agent_id)
    row = _fresh(agent)
    if version is not None and version != row.version:
        raise Stale
    before = availability_document(row)
    _write(row, _parsed(document))
    row.version += 1
    row.stamp = new_stamp()
    row.created_at = row.created_at or now
    db.session.add(row)
    _audit(viewer, agent, "availability.set", {"before": before}, now)
    db.session.flush()
    hours_opened(now=now)
    return row


@cache
def _touching(count: int) -> Executable:
    hours = table_of(Availability)
    return update(hours).where(hours.c.person_id.in_(places("people", count))).values(stamp=bindparam("new"))


def touch(person_ids: Iterable[int]) -> None:
    """Says that something has changed what these people offer, so that nobody answers from what was kept.

    Belongs in the transaction of the cause; nothing happens to people without hours.
    """
    ids = sorted(set(person_ids))
    if ids:
        run(_touching(few(ids)), {**placed("people", ids), "new": new_stamp()})
        touched().update(ids)


def touched() -> set[int]:
    """Whom this unit of work has touched: what it reads of them may still change before it commits."""
    ids: set[int] = db.session.info.setdefault("gemba_touched", set())
    return ids


@event.listens_for(db.session, "after_transaction_end")
def _forget_touched(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop("gemba_touched", None)


def touch_line(line_id: int) -> None:
    """The same for all agents of a line, for one statement whatever their number."""
    members = select(Person.id).where(Person.line_id == line_id)
    db.session.execute(
        update(Availability)
        .where(Availability.person_id.in_(members))
        .values(stamp=new_stamp())
        .execution_options(synchronize_session=False)
    )


def set_date(viewer: Person, agent_id: int, day: str, ranges: object, *, now: datetime) -> Availability:
    """Gives one date hours of its own: `[{start, end}, …]`, an empty list for a day off, None for the usual.

    Raises NotFound or Invalid.
    """
    document: dict[str, Any] = availability_document(availability(viewer, agent_id))
    others = [each for each in document["overrides"] if each["date"] != day]
    chosen = [] if ranges is None else [{"date": day, "intervals": ranges}]
    return set_availability(viewer, agent_id, {**document, "overrides": [*others, *chosen]}, now=now)


def pause(viewer: Person, agent_id: int, on: bool, now: datetime) -> Availability:
    """The "not now" switch: no reason is asked and nothing else changes. Raises NotFound."""
    agent = _locked_agent(viewer, agent_id)
    row = _fresh(agent)
    if on != row.paused:
        row.paused, row.stamp = on, new_stamp()
        if not on and row.paused_at is not None:
            days = [_local_day(row, row.paused_at), _local_day(row, now)]
            row.pauses = [*row.pauses, [day.isoformat() for day in days]]
        row.paused_at = now if on else None
    db.session.add(row)
    _audit(viewer, agent, "availability.pause" if on else "availability.resume", {}, now)
    db.session.flush()
    if not on:
        hours_opened(now=now)
    return row


def hours_of(row: Availability) -> rules.Hours:
    """The hours of a row."""
    return hours_from(row.timezone, row.weekly, row.overrides, row.time_off, row.holidays, row.zone_changes)


def booking_rules(programme: Programme) -> rules.BookingRules:
    """A programme's rules of booking."""
    return rules.BookingRules(
        duration_minutes=programme.duration_minutes,
        slot_step_minutes=programme.slot_step_minutes,
        min_notice_minutes=programme.min_notice_minutes,
        horizon_days=programme.horizon_days,
        slot_offset_minutes=programme.slot_offset_minutes,
    )


def availability_document(row: Availability) -> dict[str, object]:
    """The JSON shape of a row, as the API answers it and `set_availability` takes it."""
    limits = rules.Limits(row.per_day, row.per_week, row.per_month)
    return rules.dump_availability(
        rules.ParsedAvailability(hours_of(row), row.buffer_before, row.buffer_after, limits, row.rest_between)
    )


def open_minutes(row: Availability, *, now: datetime, weeks: int = 4) -> int:
    """How many minutes a row opens in the coming weeks; none while it is paused."""
    return 0 if row.paused else rules.open_minutes(hours_of(row), now=now, weeks=weeks)


def minutes_of_document(document: object, *, now: datetime, weeks: int = 4) -> int:
    """How many minutes a JSON document would open in the coming weeks. Raises Invalid."""
    return rules.open_minutes(_parsed(document).hours, now=now, weeks=weeks)


def problems_of(document: object) -> dict[str, list[str]]:
    """What the rules object to in a JSON document, by path; empty where they take it."""
    try:
        rules.parse_availability(document)
    except rules.BadAvailability as bad:
        return bad.errors
    return {}


def lines_looked_after(viewer: Person) -> list[Line]:
    """The lines a lead leads, all for an admin; by name."""
    query = select(Line).order_by(Line.name)
    if not viewer.has(Role.ADMIN):
        query = query.where(Line.lead_id == viewer.id)
    return list(db.session.scalars(query))


def agents_looked_after(
    viewer: Person, *, line_id: int | None = None, limit: int, offset: int = 0
) -> list[Person]:
    """The active agents of the lines a lead leads, all for an admin; by line and name."""
    query = _agents_of(viewer).outerjoin(Person.line).options(contains_eager(Person.line))
    if not viewer.has(Role.ADMIN):
        query = query.where(Line.lead_id == viewer.id)
    if line_id is not None:
        query = query.where(Line.id == line_id)
    query = query.order_by(func.coalesce(Line.name, ""), Person.name, Person.id)
    return list(db.session.scalars(query.limit(limit).offset(offset)))


def _agents_of(viewer: Person) -> Select[Person]:
    """Active agents and mentors in a viewer's sight: themselves, their line's, all for an admin."""
    found = select(Person).where(Person.active, Person.id.in_(hosts()))
    if viewer.has(Role.ADMIN):
        return found
    seen: ColumnElement[bool] = or_(Person.id == viewer.id, _LED.c.lead_id == viewer.id)
    return found.outerjoin(_LED, _LED.c.id == Person.line_id).where(seen)


def locked_hours(viewer: Person, agent_id: int) -> Availability:
    """An agent's hours for a change of them, the agent locked. Raises NotFound, as where none are saved."""
    row = _fresh(_locked_agent(viewer, agent_id))
    if row.version == NEVER_SAVED:
        raise NotFound
    return row


def _locked_agent(viewer: Person, agent_id: int) -> Person:
    """The agent, with their row locked: bookings with them wait for new hours, and the other way round."""
    agent = agent_in_sight(viewer, agent_id)
    db.session.execute(select(Person.id).where(Person.id == agent.id).with_for_update())
    return agent


def _fresh(agent: Person) -> Availability:
    """What the database holds now, also if this transaction read an older row."""
    return db.session.get(Availability, agent.id, populate_existing=True) or _blank(agent)


def _blank(agent: Person) -> Availability:
    return Availability(
        person_id=agent.id,
        timezone=agent.timezone,
        weekly={},
        overrides={},
        buffer_before=0,
        buffer_after=0,
        time_off=[],
        holidays="",
        zone_changes=[],
        rest_between=False,
        pauses=[],
        declined=[],
        paused=False,
        version=NEVER_SAVED,
    )


def _parsed(document: object) -> rules.ParsedAvailability:
    try:
        return rules.parse_availability(document)
    except rules.BadAvailability as bad:
        raise Invalid(bad.errors) from bad


def _write(row: Availability, parsed: rules.ParsedAvailability) -> None:
    hours, limits = parsed.hours, parsed.limits
    row.timezone = hours.timezone
    row.weekly = {str(day): _pairs(intervals) for day, intervals in hours.weekly.items()}
    row.overrides = {day.isoformat(): _pairs(intervals) for day, intervals in hours.overrides.items()}
    row.buffer_before, row.buffer_after = parsed.buffer_before, parsed.buffer_after
    row.per_day, row.per_week, row.per_month = limits.per_day, limits.per_week, limits.per_month
    row.time_off = [[first.isoformat(), last.isoformat()] for first, last in hours.time_off]
    row.holidays, row.rest_between = hours.holidays, parsed.rest_between
    row.zone_changes = [[day.isoformat(), zone] for day, zone in hours.zone_changes]


def _local_day(row: Availability, instant: datetime) -> date:
    return instant.astimezone(ZoneInfo(hours_of(row).zone_at(instant))).date()


def _pairs(intervals: Iterable[rules.Interval]) -> list[list[int]]:
    return [[each.start, each.end] for each in intervals]


def _audit(viewer: Person, agent: Person, action: str, detail: Mapping[str, object], now: datetime) -> None:
    """Writes down that someone changed another person's hours; one's own are nobody's business."""
    if viewer.id == agent.id:
        return
    people.audit(viewer, action, f"person:{agent.id}", detail, now)
