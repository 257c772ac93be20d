"""Book, move, cancel, tell how it went: the one path every visit takes.

Each change locks the rows of all people concerned in order of id, asks every rule again, and writes
visit, ticks and invites together; the entry point commits. Two racers meet at the lock, and where
there is none (SQLite's single writer) at the transaction itself; the ticks' primary key is the referee.
"""

import secrets
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from gemba.config import current_settings
from gemba.db import db
from gemba.people import service as people
from gemba.people.models import Person
from gemba.people.rules import Role, clean_text
from gemba.programmes.models import Programme
from gemba.schedule import service as schedule
from gemba.schedule.rules import AgentFacts
from gemba.visits import facts, notices
from gemba.visits.errors import (
    AlreadyCancelled,
    AlreadyOver,
    CancelTooLate,
    MoveTooLate,
    NotOverYet,
    ReasonTooLong,
)
from gemba.visits.facts import ANY, Ask
from gemba.visits.models import Tick, Visit, VisitOutcome, VisitVisitor
from gemba.visits.rules import (
    OUTCOME_ASKED_AFTER,
    REASON_MAX,
    Status,
    TookPlace,
    status_after,
    ticks,
)
from gemba.visits.service.agents import Choice, Wanted, choices, lead_of, reasons_against, refusal

TRIES = 5
"""So many choices of one look are tried before looking anew."""


class _Taken(Exception):
    """A rule stands against a choice by now: its locks are given back."""


def book(
    *,
    programme: Programme,
    visitor: Person,
    start: datetime,
    ask: Ask = ANY,
    booked_by: Person | None = None,
    now: datetime,
) -> Visit:
    """Books an hour for a visitor, with the named agent or any that fits, or a free seat in one there is.

    Where the programme wants a lead's yes the visit is requested, and holds the hour until that is given or
    its time runs out. Raises SlotTaken (with the three nearest alternatives) or NotOffered (with reasons).
    """
    wanted = Wanted(programme, (visitor.id,), ask, start)

    def take(choice: Choice, agent: AgentFacts) -> Visit:
        if start in agent.joinable:
            return _join(wanted, choice.agent, visitor, now=now)
        return _new_visit(wanted, choice, agent, booked_by or visitor, now=now)

    visit = _settle(wanted, take, now=now)
    people.audit(booked_by or visitor, "visit.booked", f"visit:{visit.id}", {}, now=now)
    return visit


def _settle(wanted: Wanted, take: Callable[[Choice, AgentFacts], Visit], *, now: datetime) -> Visit:
    """Gives the hour to the first choice that still holds under the lock.

    Each try locks the visitors and one agent in order of id and gives the locks back if the agent was taken
    in between, so that no two bookings wait for each other in a circle.
    """
    tried: set[int] = set()
    while True:
        left = [choice for choice in choices(wanted, now=now) if choice.agent not in tried]
        if not left:
            raise refusal(wanted, now=now)
        for choice in left[:TRIES]:
            tried.add(choice.agent)
            visit = _try(wanted, choice, take, now=now)
            if visit is not None:
                return visit


def _try(
    wanted: Wanted, choice: Choice, take: Callable[[Choice, AgentFacts], Visit], *, now: datetime
) -> Visit | None:
    """One choice under the lock; None where a rule stands against it by now."""
    try:
        with db.session.begin_nested():
            _lock([*wanted.visitors, choice.agent, *([wanted.moving.agent_id] if wanted.moving else [])])
            known = wanted.known([choice.agent])
            if not known.agents or reasons_against(wanted, known.agents[0], known, now=now):
                raise _Taken
            return take(choice, known.agents[0])
    except (_Taken, IntegrityError):
        # The ticks' primary key is the last word, should somebody take this time in a way no rule sees.
        return None


def _new_visit(
    wanted: Wanted, choice: Choice, agent: AgentFacts, booked_by: Person, *, now: datetime
) -> Visit:
    programme, visitors = wanted.programme, wanted.visitors
    visit = Visit(
        programme=programme,
        agent_id=choice.agent,
        lead_id=lead_of(choice.agent, visitors),
        product_id=wanted.ask.product_id,
        booked_by_id=booked_by.id,
        starts_at=wanted.start,
        ends_at=wanted.end,
        status=Status.BOOKED,
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
    for visitor in visitors:
        db.session.execute(insert(VisitVisitor).values(visit_id=visit.id, person_id=visitor))
    _occupy(visit, visitors)
    notices.booked(visit, now=now)
    return visit


def _join(wanted: Wanted, agent_id: int, visitor: Person, *, now: datetime) -> Visit:
    """Takes a free seat in a visit that there is."""
    visit = db.session.scalars(
        select(Visit)
        .where(
            Visit.agent_id == agent_id,
            Visit.starts_at == wanted.start,
            Visit.programme_id == wanted.programme.id,
            Visit.status == Status.BOOKED,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    before = notices.snapshot(visit)
    db.session.execute(insert(VisitVisitor).values(visit_id=visit.id, person_id=visitor.id))
    _take_ticks(visit, [visitor.id], visit.starts_at, visit.ends_at)
    if visit.lead_id == visitor.id:
        visit.lead_id = None
    _changed(visit, now)
    db.session.flush()
    db.session.refresh(visit, ["visitors", "lead"])
    notices.moved(visit, before, visitor, now=now)
    return visit


def move(visit: Visit, by: Person, *, start: datetime, agent_id: int | None = None, now: datetime) -> Visit:
    """Moves a visit to another start and, if asked, another agent; the same row, UID and room.

    Raises MoveTooLate, AlreadyCancelled, AlreadyOver, SlotTaken or NotOffered.
    """
    visitors = tuple(visitor.id for visitor in visit.visitors)
    ask = Ask(agent_id=agent_id or visit.agent_id)
    _lock([*visitors, visit.agent_id, *facts.agents_for(ask, but=visitors)])
    _reread(visit)
    _may_change(visit, by, visit.programme.move_notice_minutes, MoveTooLate, now=now)
    if (start, ask.agent_id) == (visit.starts_at, visit.agent_id):
        return visit
    wanted = Wanted(visit.programme, visitors, ask, start, visit)
    before = notices.snapshot(visit)
    _settle(wanted, lambda choice, agent: _resettle(wanted, visit, choice, agent, now=now), now=now)
    notices.moved(visit, before, by, now=now)
    people.audit(by, "visit.moved", f"visit:{visit.id}", {"start": start.isoformat()}, now=now)
    return visit


def _resettle(wanted: Wanted, visit: Visit, choice: Choice, agent: AgentFacts, *, now: datetime) -> Visit:
    """The same visit at another hour, with another agent, or both."""
    _vacate(visit)
    visit.starts_at, visit.ends_at = wanted.start, wanted.end
    if choice.agent != visit.agent_id:
        visit.agent_id, visit.because, visit.because_facts = choice.agent, choice.because, choice.facts
        visit.lead_id = lead_of(choice.agent, wanted.visitors)
    visit.buffer_before, visit.buffer_after = agent.buffer_before, agent.buffer_after
    _changed(visit, now)
    db.session.flush()
    _occupy(visit, wanted.visitors)
    db.session.refresh(visit, ["agent", "lead"])
    return visit


def cancel(visit: Visit, by: Person, *, reason: str, now: datetime) -> Visit:
    """Cancels a visit that has not begun; everyone hears, the hour is free again.

    Raises CancelTooLate, AlreadyCancelled, AlreadyOver or ReasonTooLong.
    """
    reason = clean_text(reason)
    if len(reason) > REASON_MAX:
        raise ReasonTooLong(max=REASON_MAX)
    _lock([visitor.id for visitor in visit.visitors] + [visit.agent_id])
    _reread(visit)
    _may_change(visit, by, visit.programme.cancel_notice_minutes, CancelTooLate, now=now)
    _vacate(visit)
    visit.status, visit.cancel_reason = Status.CANCELLED, reason
    _changed(visit, now)
    db.session.flush()
    notices.cancelled(visit, by, now=now)
    people.audit(by, "visit.cancelled", f"visit:{visit.id}", {}, now=now)
    return visit


def tell_outcome(visit: Visit, by: Person, took_place: TookPlace, *, now: datetime) -> Visit:
    """One side says whether the visit took place; the status follows where nobody contradicts.

    Raises AlreadyCancelled, or NotOverYet until a quarter of an hour after the start.
    """
    _lock([by.id, visit.agent_id])
    _reread(visit)
    if visit.status == Status.CANCELLED:
        raise AlreadyCancelled
    if now < visit.starts_at + OUTCOME_ASKED_AFTER:
        raise NotOverYet
    answer = db.session.get(VisitOutcome, (visit.id, by.id))
    if answer is None:
        answer = VisitOutcome(visit_id=visit.id, person_id=by.id)
        db.session.add(answer)
    answer.took_place, answer.at = took_place, now
    db.session.flush()
    given = db.session.scalars(select(VisitOutcome.took_place).where(VisitOutcome.visit_id == visit.id))
    visit.status = status_after(TookPlace(value) for value in given)
    people.audit(by, "visit.outcome", f"visit:{visit.id}", {"took_place": took_place}, now=now)
    return visit


def _lock(ids: Collection[int]) -> None:
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


def _reread(visit: Visit) -> None:
    """The visit as it is now that the lock is ours."""
    db.session.refresh(
        visit, ["status", "starts_at", "ends_at", "agent_id", "sequence"], with_for_update=True
    )


def _occupy(visit: Visit, visitors: Collection[int]) -> None:
    """Takes the ticks of everyone, the agent's buffers included. Raises IntegrityError where one is taken."""
    _take_ticks(visit, visitors, visit.starts_at, visit.ends_at)
    before, after = timedelta(minutes=visit.buffer_before), timedelta(minutes=visit.buffer_after)
    _take_ticks(visit, [visit.agent_id], visit.starts_at - before, visit.ends_at + after)


def _take_ticks(visit: Visit, people_ids: Collection[int], start: datetime, end: datetime) -> None:
    db.session.execute(
        insert(Tick),
        [
            {"person_id": person, "tick": tick, "visit_id": visit.id}
            for person in people_ids
            for tick in ticks(start, end)
        ],
    )


def _vacate(visit: Visit) -> None:
    db.session.execute(delete(Tick).where(Tick.visit_id == visit.id))


def _changed(visit: Visit, now: datetime) -> None:
    visit.sequence += 1
    visit.changed_at = now


def _may_change(
    visit: Visit,
    by: Person,
    notice_minutes: int,
    too_late: type[MoveTooLate | CancelTooLate],
    *,
    now: datetime,
) -> None:
    """Visitors give notice; agent, lead and admin may act until the start, for people fall ill."""
    if visit.status == Status.CANCELLED:
        raise AlreadyCancelled
    if visit.starts_at <= now or visit.status != Status.BOOKED:
        raise AlreadyOver
    is_visitor = by.id in {visitor.id for visitor in visit.visitors}
    runs_it = by.id in (visit.agent_id, visit.lead_id) or by.has(Role.ADMIN, Role.LEAD)
    if is_visitor and not runs_it and now > visit.starts_at - timedelta(minutes=notice_minutes):
        raise too_late(minutes=notice_minutes)


def _domain() -> str:
    return current_settings().mail_from.rpartition("@")[2]
