"""The one path by which a visit takes people's time, whoever asks for it.

Each change locks the rows of all people concerned in order of id, asks every rule again, and writes
visit, ticks and messages together; the entry point commits. Two racers meet at the lock, and where
there is none (SQLite's single writer) at the transaction itself; the ticks' primary key is the referee.
"""

import secrets
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Executable, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

from gemba.config import current_settings
from gemba.db import db, few, placed, places, run, table_of
from gemba.errors import Stale
from gemba.people.models import Line, Person
from gemba.schedule import service as schedule
from gemba.schedule.rules import AgentFacts
from gemba.visits.models import Visit
from gemba.visits.rules import Status
from gemba.visits.service import mentoring
from gemba.visits.service.agents import (
    Choice,
    Company,
    Wanted,
    choices,
    lead_of,
    reasons_against,
    refusal,
)
from gemba.visits.service.taking import occupy, vacate, write

TRIES = 5
"""So many choices of one look are tried before looking anew."""

Take = Callable[[Choice, AgentFacts], Visit]
"""Writes the visit of a choice that holds, under the lock."""


class Taken(Exception):
    """A rule stands against a choice by now: its locks are given back."""


class MentorTaken(Taken):
    """Only the mentor cannot by now: the next one is tried."""


def settle(wanted: Wanted, take: Take, *, alone: bool = False, now: datetime) -> Visit:
    """Gives the hour to the first choice that holds. Raises SlotTaken or NotOffered.

    With `alone` there is nothing else in the transaction to keep: a refusal rolls it back.
    """
    is_named = wanted.ask.agent_id is not None and not wanted.is_guided
    settled = _settle_alone if alone and is_named else settle_or_none
    visit = settled(wanted, take, now=now)
    if visit is None:
        raise refusal(wanted, now=now)
    return visit


def settle_or_none(wanted: Wanted, take: Take, *, now: datetime) -> Visit | None:
    """Gives the hour to the first choice that still holds under the lock; None where none does.

    Each try locks the visitors, one agent and one mentor, where one takes part, in order of id and gives the
    locks back if one was taken in between, so that no two bookings wait for each other in a circle.
    """
    tried: set[int] = set()
    while True:
        left = [choice for choice in choices(wanted, now=now) if choice.agent not in tried]
        if not left:
            return None
        for choice in left[:TRIES]:
            tried.add(choice.agent)
            visit = _try(wanted, choice, take, now=now)
            if visit is not None:
                return visit


def _settle_alone(wanted: Wanted, take: Take, *, now: datetime) -> Visit | None:
    """The only choice there is, without a savepoint: the whole transaction gives the locks back."""
    for choice in choices(wanted, now=now):
        try:
            return _under_lock(wanted, choice, None, take, now=now)
        except (Taken, IntegrityError):
            db.session.rollback()
    return None


def _try(wanted: Wanted, choice: Choice, take: Take, *, now: datetime) -> Visit | None:
    """One choice under the lock; None where a rule stands against it by now."""
    mentors = mentoring.in_turn(wanted, choice.agent) if wanted.is_guided else [None]
    for mentor in mentors:
        try:
            with db.session.begin_nested():
                return _under_lock(wanted, choice, mentor, take, now=now)
        except MentorTaken:
            continue
        except (Taken, IntegrityError):
            # The ticks' primary key is the last word, should somebody take this time in a way no rule sees.
            return None
    return None


def _under_lock(wanted: Wanted, choice: Choice, mentor: int | None, take: Take, *, now: datetime) -> Visit:
    """Asks every rule again and writes. Raises Taken, or MentorTaken where another mentor may do."""
    guides = [mentor] if mentor is not None else []
    moving = wanted.moving
    hosts = [each for each in (moving.agent_id, moving.mentor_id) if each is not None] if moving else []
    company = _lock_and_read([*wanted.visitors, choice.agent, *guides, *hosts], choice.agent)
    known = wanted.known([choice.agent], guides)
    if not known.agents:
        raise Taken
    if reasons := reasons_against(wanted, known.agents[0], known, now=now):
        raise MentorTaken if mentoring.is_about_mentors(reasons) else Taken
    mentor_facts = known.mentors[0] if known.mentors else None
    return take(replace(choice, mentor=mentor_facts, company=company), known.agents[0])


def new_visit(
    wanted: Wanted,
    choice: Choice,
    agent: AgentFacts,
    booked_by_id: int,
    *,
    status: Status,
    now: datetime,
) -> Visit:
    """Writes a visit and takes everyone's time; nobody is told."""
    mentor, people = choice.mentor, choice.company.people
    visitors = [people[visitor] for visitor in sorted(wanted.visitors)]
    guide = people[mentor.agent] if mentor else None
    lead = choice.company.lead
    if lead is not None and lead.id in (choice.agent, guide and guide.id, *wanted.visitors):
        lead = None
    values: dict[str, Any] = {
        "programme_id": wanted.programme.id,
        "agent_id": choice.agent,
        "lead_id": lead.id if lead else None,
        "mentor_id": guide.id if guide else None,
        "product_id": wanted.ask.product_id,
        "booked_by_id": booked_by_id,
        "starts_at": wanted.start,
        "ends_at": wanted.end,
        "status": status,
        "uid": f"{secrets.token_hex(16)}@{_domain()}",
        "sequence": 0,
        "meeting_url": current_settings().meeting_url.replace("{room}", secrets.token_hex(12)),
        "cancel_reason": "",
        "note": "",
        "because": choice.because,
        "because_facts": choice.facts,
        "buffer_before": agent.buffer_before,
        "buffer_after": agent.buffer_after,
        "mentor_before": mentor.buffer_before if mentor else 0,
        "mentor_after": mentor.buffer_after if mentor else 0,
        "expires_at": None,
        "joins_id": None,
        "created_at": now,
        "changed_at": now,
    }
    visit = write(values, wanted.visitors)
    return _as_read(
        visit,
        programme=wanted.programme,
        agent=people[choice.agent],
        lead=lead,
        mentor=guide,
        visitors=visitors,
    )


def _as_read(visit: Visit, **others: Any) -> Visit:
    """A visit that plain statements wrote, as if the session had read it.

    Written by the unit of work it would cost three times as much.
    """
    make_transient_to_detached(visit)
    db.session.add(visit)
    for name, value in others.items():
        set_committed_value(visit, name, value)
    return visit


def resettle(wanted: Wanted, visit: Visit, choice: Choice, agent: AgentFacts, *, now: datetime) -> Visit:
    """The same visit at another hour, with another agent, or both; a request has told no calendar yet."""
    vacate(visit)
    visit.starts_at, visit.ends_at = wanted.start, wanted.end
    if choice.agent != visit.agent_id:
        visit.agent_id, visit.because, visit.because_facts = choice.agent, choice.because, choice.facts
        visit.lead_id = lead_of(choice.agent, hosted(visit))
    if choice.mentor is not None:
        give_mentor(visit, choice.mentor)
    visit.buffer_before, visit.buffer_after = agent.buffer_before, agent.buffer_after
    if visit.status == Status.BOOKED:
        changed(visit, now)
    db.session.flush()
    occupy(visit, wanted.visitors)
    db.session.refresh(visit, ["agent", "lead", *(["mentor"] if visit.mentor_id else [])])
    return visit


def give_mentor(visit: Visit, mentor: AgentFacts) -> None:
    """Puts a mentor in the place of the one before; the lead of a line who guides it is not invited twice."""
    visit.mentor_id = mentor.agent
    visit.mentor_before, visit.mentor_after = mentor.buffer_before, mentor.buffer_after
    if visit.lead_id == mentor.agent:
        visit.lead_id = None
    elif visit.lead_id is None:
        visit.lead_id = lead_of(visit.agent_id, hosted(visit))


def hosted(visit: Visit) -> list[int]:
    """The ids of those who take part beside agent and lead."""
    guides = [visit.mentor_id] if visit.mentor_id else []
    return [*(visitor.id for visitor in visit.visitors), *guides]


_person = table_of(Person).c


@cache
def _locking(count: int) -> Executable:
    """People in order of id."""
    theirs = _person.id.in_(places("people", count))
    return select(_person.id).where(theirs).order_by(_person.id).with_for_update(key_share=True)


def lock(ids: Collection[int]) -> None:
    """Locks the people's rows in order of id, so that two changes of one person's time queue up.

    What was kept of their time is no longer good.
    """
    if db.engine.dialect.name == "postgresql":  # SQLite has one writer at a time, and that is us
        run(_locking(few(set(ids))), placed("people", sorted(set(ids)))).all()
    schedule.touch(ids)


def _lock_and_read(ids: Collection[int], agent_id: int) -> Company:
    """The same for those of a visit to be, and who they are; one statement."""
    one_by_one = sorted(set(ids))
    statement = _lock_and_reading(few(one_by_one))
    rows = db.session.execute(statement, placed("people", one_by_one)).all()
    schedule.touch(ids)
    leads = {person.id: lead for person, lead in rows}
    return Company({person.id: person for person, _lead in rows}, leads.get(agent_id))


@cache
def _lock_and_reading(count: int) -> Executable:
    """People in order of id, each with the active lead of their line; SQLite leaves the lock away."""
    lead = aliased(Person)
    return (
        select(Person, lead)
        .outerjoin(Line, Line.id == Person.line_id)
        .outerjoin(lead, (lead.id == Line.lead_id) & lead.active)
        .where(Person.id.in_(places("people", count)))
        .order_by(Person.id)
        .with_for_update(key_share=True, of=Person)
    )


def lock_visit(visit: Visit, *, also: Collection[int] = ()) -> None:
    """Locks everyone who takes part, and reads the visit as it is now that the lock is ours.

    `also` are the agents it may go to: who takes one lock after the other may wait in a circle. Where others
    take part by now, the locks are given back and theirs are asked for. Raises Stale if that never ends.
    """
    for _ in range(TRIES):
        members = _members(visit)
        try:
            with db.session.begin_nested():
                lock([*members, *also])
                reread(visit)
                if not _members(visit) <= members:
                    raise Taken
        except Taken:
            db.session.refresh(visit)
        else:
            return
    raise Stale


def _members(visit: Visit) -> set[int]:
    return {visit.agent_id, *hosted(visit)}


def reread(visit: Visit) -> None:
    """The visit as it is now, locked."""
    columns = ["status", "starts_at", "ends_at", "agent_id", "lead_id", "mentor_id", "sequence", "expires_at"]
    db.session.refresh(visit, columns, with_for_update=True)
    db.session.expire(visit, ["agent", "lead", "mentor", "visitors"])


def changed(visit: Visit, now: datetime) -> None:
    """Counts a change that calendars must hear of."""
    visit.sequence += 1
    visit.changed_at = now


def close(visit: Visit, status: Status, reason: str = "") -> None:
    """Ends a visit that does not take place and gives everyone's time back."""
    vacate(visit)
    visit.status, visit.cancel_reason, visit.expires_at = status, reason, None
    db.session.flush()


def _domain() -> str:
    return current_settings().mail_from.rpartition("@")[2]
