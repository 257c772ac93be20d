"""Book, move, cancel, tell how it went: the one path every visit takes.

Each change locks the rows of all people concerned in order of id, asks every rule again, and writes
visit, ticks and invites together; the entry point commits. Two racers meet at the lock, and where
there is none (SQLite's single writer) at the transaction itself; the ticks' primary key is the referee.
"""

import secrets
from collections.abc import Collection
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
from gemba.visits import facts, notices
from gemba.visits.errors import (
    AlreadyCancelled,
    AlreadyOver,
    CancelTooLate,
    MoveTooLate,
    NotOverYet,
    ReasonTooLong,
    SlotTaken,
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
from gemba.visits.service.agents import Wanted, alternatives, find_agent, lead_of


def book(
    *,
    programme: Programme,
    visitor: Person,
    start: datetime,
    ask: Ask = ANY,
    booked_by: Person | None = None,
    now: datetime,
) -> Visit:
    """Books an hour for a visitor, with the named agent or any that fits.

    Raises SlotTaken (with the three nearest alternatives) or NotOffered (with the reasons).
    """
    agents = facts.agents_for(ask, but=[visitor.id])
    _lock([visitor.id, *agents])
    wanted = Wanted(programme, (visitor.id,), ask, start)
    choice = find_agent(wanted, agents, now=now)
    visit = Visit(
        programme=programme,
        agent_id=choice.agent,
        lead_id=lead_of(choice.agent, [visitor.id]),
        product_id=ask.product_id,
        booked_by_id=(booked_by or visitor).id,
        starts_at=start,
        ends_at=start + timedelta(minutes=programme.duration_minutes),
        status=Status.BOOKED,
        uid=f"{secrets.token_hex(16)}@{_domain()}",
        sequence=0,
        meeting_url=current_settings().meeting_url.replace("{room}", secrets.token_hex(12)),
        because=choice.because,
        created_at=now,
        changed_at=now,
    )
    db.session.add(visit)
    db.session.flush()
    db.session.execute(insert(VisitVisitor).values(visit_id=visit.id, person_id=visitor.id))
    _occupy(visit, wanted, now=now)
    db.session.refresh(visit, ["visitors"])
    notices.booked(visit, now=now)
    people.audit(booked_by or visitor, "visit.booked", f"visit:{visit.id}", {}, now=now)
    return visit


def move(visit: Visit, by: Person, *, start: datetime, agent_id: int | None = None, now: datetime) -> Visit:
    """Moves a visit to another start and, if asked, another agent; the same row, UID and room.

    Raises MoveTooLate, AlreadyCancelled, AlreadyOver, SlotTaken or NotOffered.
    """
    visitors = [visitor.id for visitor in visit.visitors]
    ask = Ask(agent_id=agent_id or visit.agent_id)
    agents = facts.agents_for(ask, but=visitors)
    _lock([*visitors, visit.agent_id, *agents])
    _reread(visit)
    _may_change(visit, by, visit.programme.move_notice_minutes, MoveTooLate, now=now)
    if (start, ask.agent_id) == (visit.starts_at, visit.agent_id):
        return visit
    wanted = Wanted(visit.programme, tuple(visitors), ask, start, visit)
    choice = find_agent(wanted, agents, now=now)
    before = notices.snapshot(visit)
    _vacate(visit)
    visit.starts_at, visit.ends_at = start, start + timedelta(minutes=visit.programme.duration_minutes)
    if choice.agent != visit.agent_id:
        visit.agent_id, visit.because = choice.agent, choice.because
        visit.lead_id = lead_of(choice.agent, visitors)
    _changed(visit, now)
    _occupy(visit, wanted, now=now)
    db.session.refresh(visit, ["agent", "lead"])
    notices.moved(visit, before, by, now=now)
    people.audit(by, "visit.moved", f"visit:{visit.id}", {"start": start.isoformat()}, now=now)
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
    """Locks the people's rows in order of id, so that two changes of one person's time queue up."""
    db.session.execute(
        select(Person.id)
        .where(Person.id.in_(sorted(set(ids))))
        .order_by(Person.id)
        .with_for_update(key_share=True)
    ).all()


def _reread(visit: Visit) -> None:
    """The visit as it is now that the lock is ours."""
    db.session.refresh(
        visit, ["status", "starts_at", "ends_at", "agent_id", "sequence"], with_for_update=True
    )


def _occupy(visit: Visit, wanted: Wanted, *, now: datetime) -> None:
    """Takes the ticks of everyone, the agent's buffers included. Raises SlotTaken."""
    rows = [
        {"person_id": visitor, "tick": tick, "visit_id": visit.id}
        for visitor in wanted.visitors
        for tick in ticks(visit.starts_at, visit.ends_at)
    ]
    hours = schedule.facts_for([visit.agent_id])[visit.agent_id]
    before, after = timedelta(minutes=hours.buffer_before), timedelta(minutes=hours.buffer_after)
    rows += [
        {"person_id": visit.agent_id, "tick": tick, "visit_id": visit.id}
        for tick in ticks(visit.starts_at - before, visit.ends_at + after)
    ]
    try:
        with db.session.begin_nested():
            db.session.execute(insert(Tick), rows)
    except IntegrityError as error:
        raise SlotTaken(alternatives=alternatives(wanted, now=now)) from error


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
