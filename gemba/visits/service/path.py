"""The one path by which a visit takes people's time, whoever asks for it.

Each change locks the rows of all people concerned in order of id, asks every rule again, and writes
visit, ticks and messages together; the entry point commits. Two racers meet at the lock, and where
there is none (SQLite's single writer) at the transaction itself; the ticks' primary key is the referee.
"""

import secrets
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import lazyload

from gemba.config import current_settings
from gemba.db import db
from gemba.errors import Stale
from gemba.people.models import Person
from gemba.schedule import service as schedule
from gemba.schedule.rules import AgentFacts
from gemba.visits.models import Tick, Visit
from gemba.visits.rules import Status, ticks
from gemba.visits.service.agents import Choice, Wanted, choices, lead_of, reasons_against, refusal

TRIES = 5
"""So many choices of one look are tried before looking anew."""

Take = Callable[[Choice, AgentFacts], Visit]
"""Writes the visit of a choice that holds, under the lock."""


class Taken(Exception):
    """A rule stands against a choice by now: its locks are given back."""


def settle(wanted: Wanted, take: Take, *, now: datetime) -> Visit:
    """Gives the hour to the first choice that holds. Raises SlotTaken or NotOffered."""
    visit = settle_or_none(wanted, take, now=now)
    if visit is None:
        raise refusal(wanted, now=now)
    return visit


def settle_or_none(wanted: Wanted, take: Take, *, now: datetime) -> Visit | None:
    """Gives the hour to the first choice that still holds under the lock; None where none does.

    Each try locks the visitors and one agent in order of id and gives the locks back if the agent was taken
    in between, so that no two bookings wait for each other in a circle.
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


def _try(wanted: Wanted, choice: Choice, take: Take, *, now: datetime) -> Visit | None:
    """One choice under the lock; None where a rule stands against it by now."""
    try:
        with db.session.begin_nested():
            lock([*wanted.visitors, choice.agent, *([wanted.moving.agent_id] if wanted.moving else [])])
            known = wanted.known([choice.agent])
            if not known.agents or reasons_against(wanted, known.agents[0], known, now=now):
                raise Taken
            return take(choice, known.agents[0])
    except (Taken, IntegrityError):
        # The ticks' primary key is the last word, should somebody take this time in a way no rule sees.
        return None


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
    programme, visitors = wanted.programme, wanted.visitors
    lead_id = lead_of(choice.agent, visitors)
    everyone = _people([*visitors, choice.agent, *([lead_id] if lead_id else [])])
    visit = Visit(
        programme=programme,
        agent=everyone[choice.agent],
        lead=everyone[lead_id] if lead_id else None,
        visitors=[everyone[visitor] for visitor in sorted(visitors)],
        product_id=wanted.ask.product_id,
        booked_by_id=booked_by_id,
        starts_at=wanted.start,
        ends_at=wanted.end,
        status=status,
        uid=f"{secrets.token_hex(16)}@{_domain()}",
        sequence=0,
        meeting_url=current_settings().meeting_url.replace("{room}", secrets.token_hex(12)),
        because=choice.because,
        because_facts=choice.facts,
        buffer_before=agent.buffer_before,
        buffer_after=agent.buffer_after,
        created_at=now,
        changed_at=now,
    )
    db.session.add(visit)
    db.session.flush()
    occupy(visit, visitors)
    return visit


def _people(ids: Collection[int]) -> dict[int, Person]:
    """These people in one statement; their roles are read when somebody asks."""
    query = select(Person).where(Person.id.in_(ids)).options(lazyload(Person.role_rows))
    return {person.id: person for person in db.session.scalars(query)}


def resettle(wanted: Wanted, visit: Visit, choice: Choice, agent: AgentFacts, *, now: datetime) -> Visit:
    """The same visit at another hour, with another agent, or both; a request has told no calendar yet."""
    vacate(visit)
    visit.starts_at, visit.ends_at = wanted.start, wanted.end
    if choice.agent != visit.agent_id:
        visit.agent_id, visit.because, visit.because_facts = choice.agent, choice.because, choice.facts
        visit.lead_id = lead_of(choice.agent, wanted.visitors)
    visit.buffer_before, visit.buffer_after = agent.buffer_before, agent.buffer_after
    if visit.status == Status.BOOKED:
        changed(visit, now)
    db.session.flush()
    occupy(visit, wanted.visitors)
    db.session.refresh(visit, ["agent", "lead"])
    return visit


def lock(ids: Collection[int]) -> None:
    """Locks the people's rows in order of id, so that two changes of one person's time queue up.

    What was kept of their time is no longer good.
    """
    if db.engine.dialect.name == "postgresql":  # SQLite has one writer at a time, and that is us
        db.session.execute(
            select(Person.id)
            .where(Person.id.in_(sorted(set(ids))))
            .order_by(Person.id)
            .with_for_update(key_share=True)
        ).all()
    schedule.touch(ids)


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
    return {visit.agent_id, *(visitor.id for visitor in visit.visitors)}


def reread(visit: Visit) -> None:
    """The visit as it is now, locked."""
    columns = ["status", "starts_at", "ends_at", "agent_id", "lead_id", "sequence", "expires_at"]
    db.session.refresh(visit, columns, with_for_update=True)
    db.session.expire(visit, ["agent", "lead", "visitors"])


def occupy(visit: Visit, visitors: Collection[int]) -> None:
    """Takes the ticks of everyone, the agent's buffers included. Raises IntegrityError where one is taken."""
    take_ticks(visit, visitors, visit.starts_at, visit.ends_at)
    before, after = timedelta(minutes=visit.buffer_before), timedelta(minutes=visit.buffer_after)
    take_ticks(visit, [visit.agent_id], visit.starts_at - before, visit.ends_at + after)


def take_ticks(visit: Visit, people_ids: Collection[int], start: datetime, end: datetime) -> None:
    """Takes the ticks of these people. Raises IntegrityError where one is taken."""
    db.session.execute(
        insert(Tick),
        [
            {"person_id": person, "tick": tick, "visit_id": visit.id}
            for person in people_ids
            for tick in ticks(start, end)
        ],
    )


def vacate(visit: Visit) -> None:
    """Gives everyone's time back."""
    db.session.execute(delete(Tick).where(Tick.visit_id == visit.id))


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
