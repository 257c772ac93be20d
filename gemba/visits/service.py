"""Book, move, cancel, tell how it went: the one path every visit takes.

Each change locks the rows of all people concerned in order of id, asks every rule again, and writes
visit, ticks and invites together; the entry point commits. Two racers meet at the lock, and where
there is none (SQLite's single writer) at the transaction itself; the ticks' primary key is the referee.
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, delete, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload, selectinload

from gemba.config import current_settings
from gemba.db import db
from gemba.people import service as people
from gemba.people.models import Person
from gemba.people.rules import Role, clean_text
from gemba.programmes.models import Programme
from gemba.schedule import service as schedule
from gemba.schedule.rules import DYNAMIC_REASONS, AgentFacts, Reason, Slot, Span, explain
from gemba.visits import facts, notices
from gemba.visits.errors import (
    AlreadyCancelled,
    AlreadyOver,
    CancelTooLate,
    MoveTooLate,
    NotOffered,
    NotOverYet,
    ReasonTooLong,
    SlotTaken,
    VisitNotFound,
)
from gemba.visits.facts import Ask
from gemba.visits.models import Tick, Visit, VisitOutcome, VisitVisitor
from gemba.visits.rules import (
    OUTCOME_ASKED_AFTER,
    REASON_MAX,
    Candidate,
    Status,
    TookPlace,
    choose,
    nearest,
    status_after,
    ticks,
)

ANY = Ask()
RECENT = timedelta(days=90)


@dataclass(frozen=True)
class Choice:
    """The agent who takes a visit, and why (a code that the page puts into words)."""

    agent: int
    because: str


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
    choice = _find_agent(programme, [visitor], agents, ask, start, now=now)
    visit = Visit(
        programme=programme,
        agent_id=choice.agent,
        lead_id=_lead_of(choice.agent, [visitor.id]),
        product_id=ask.product_id,
        booked_by_id=(booked_by or visitor).id,
        starts_at=start,
        ends_at=start + timedelta(minutes=programme.duration_minutes),
        status=Status.BOOKED,
        uid=f"{secrets.token_hex(16)}@{_domain()}",
        sequence=0,
        meeting_url=current_settings().meeting_url.format(room=secrets.token_hex(12)),
        because=choice.because,
        created_at=now,
        changed_at=now,
    )
    db.session.add(visit)
    db.session.flush()
    db.session.execute(insert(VisitVisitor).values(visit_id=visit.id, person_id=visitor.id))
    _occupy(visit, [visitor.id], ask=ask, now=now)
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
    choice = _find_agent(visit.programme, visit.visitors, agents, ask, start, now=now, moving=visit)
    before = notices.snapshot(visit)
    _vacate(visit)
    visit.starts_at, visit.ends_at = start, start + timedelta(minutes=visit.programme.duration_minutes)
    if choice.agent != visit.agent_id:
        visit.agent_id, visit.because = choice.agent, choice.because
        visit.lead_id = _lead_of(choice.agent, visitors)
    _changed(visit, now)
    _occupy(visit, visitors, ask=ask, now=now)
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


def open_slots(
    programme: Programme,
    visitor: Person,
    *,
    ask: Ask = ANY,
    window: Span,
    now: datetime,
    moving: Visit | None = None,
) -> list[Slot]:
    """The slots this person could book in the window; for a visit on the move, its visitors could."""
    visitors = [person.id for person in moving.visitors] if moving else [visitor.id]
    return facts.slots(programme, visitors, ask, window, now=now, moving=moving)


def why_not(
    programme: Programme, visitor: Person, agent_id: int, *, start: datetime, now: datetime
) -> list[Reason]:
    """Every reason why this agent cannot be booked at this start; empty means offered. Raises NotFound."""
    agents = facts.agents_for(Ask(agent_id=agent_id))
    if not agents:
        raise VisitNotFound
    known, rules = _known(programme, [visitor.id], agents, start), schedule.booking_rules(programme)
    return explain(rules, known.agents[0], visitor_busy=known.visitor_busy, start=start, now=now)


def visible_visits(viewer: Person) -> list[ColumnElement[bool]]:
    """SQL conditions that hold for the visits a person may see."""
    if viewer.has(Role.ADMIN):
        return []
    mine = facts.is_participant_of(viewer.id)
    if viewer.has(Role.LEAD):
        mine = mine | Visit.agent.has(Person.line.has(lead_id=viewer.id))
    return [mine]


def get_visit(viewer: Person, visit_id: int) -> Visit:
    """A visit this person may see. Raises VisitNotFound."""
    visit = db.session.scalar(
        _with_people(select(Visit)).where(Visit.id == visit_id, *visible_visits(viewer))
    )
    if visit is None:
        raise VisitNotFound
    return visit


def list_visits(
    viewer: Person,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    statuses: Collection[str] = (),
    agent_id: int | None = None,
    mine: bool = False,
    newest_first: bool = False,
    limit: int = 50,
    offset: int = 0,
) -> list[Visit]:
    """Visits this person may see whose end is at or after `since` and start before `until`."""
    query = _with_people(select(Visit)).where(*visible_visits(viewer))
    if mine:
        query = query.where(facts.is_participant_of(viewer.id))
    if since is not None:
        query = query.where(Visit.ends_at >= since)
    if until is not None:
        query = query.where(Visit.starts_at < until)
    if statuses:
        query = query.where(Visit.status.in_(statuses))
    if agent_id is not None:
        query = query.where(Visit.agent_id == agent_id)
    order = (Visit.starts_at.desc(), Visit.id.desc()) if newest_first else (Visit.starts_at, Visit.id)
    return list(db.session.scalars(query.order_by(*order).limit(limit).offset(offset)))


def visits_of(person: Person) -> Select[Visit]:
    """The visits in which this person takes part, for further conditions."""
    return _with_people(select(Visit)).where(facts.is_participant_of(person.id))


def is_participant(visit: Visit, person: Person) -> bool:
    """Whether the person is agent, lead or visitor of the visit."""
    return person.id in {visit.agent_id, visit.lead_id, *(visitor.id for visitor in visit.visitors)}


def answers_of(visit: Visit) -> dict[int, TookPlace]:
    """What each side said about whether the visit took place."""
    rows = db.session.execute(
        select(VisitOutcome.person_id, VisitOutcome.took_place).where(VisitOutcome.visit_id == visit.id)
    )
    return {person: TookPlace(value) for person, value in rows}


def _with_people(query: Select[Visit]) -> Select[Visit]:
    return query.options(
        joinedload(Visit.programme),
        joinedload(Visit.product),
        joinedload(Visit.agent).joinedload(Person.line),
        joinedload(Visit.lead),
        selectinload(Visit.visitors),
    )


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


def _known(
    programme: Programme,
    visitors: Sequence[int],
    agents: Sequence[int],
    start: datetime,
    moving: Visit | None = None,
) -> facts.Known:
    end = start + timedelta(minutes=programme.duration_minutes)
    return facts.gather(agents, visitors, Span(start, end), but=moving)


def _find_agent(
    programme: Programme,
    visitors: Sequence[Person],
    agents: Sequence[int],
    ask: Ask,
    start: datetime,
    *,
    now: datetime,
    moving: Visit | None = None,
) -> Choice:
    ids = [visitor.id for visitor in visitors]
    known, rules = _known(programme, ids, agents, start, moving), schedule.booking_rules(programme)
    against = {
        agent.agent: explain(rules, agent, visitor_busy=known.visitor_busy, start=start, now=now)
        for agent in known.agents
    }
    free = [agent for agent in known.agents if not against[agent.agent]]
    if free:
        return _choose(free, ids, ask, start, now)
    # Only other bookings stand against one of them: a moment ago this hour was offered.
    if any(all(reason.code in DYNAMIC_REASONS for reason in reasons) for reasons in against.values()):
        raise SlotTaken(alternatives=_alternatives(programme, ids, ask, start, now=now, moving=moving))
    raise NotOffered(reasons=min(against.values(), key=len, default=[]))


def _alternatives(
    programme: Programme,
    ids: Collection[int],
    ask: Ask,
    start: datetime,
    *,
    now: datetime,
    moving: Visit | None,
) -> list[datetime]:
    """The three nearest starts that are open instead."""
    for days in (4, programme.horizon_days):
        reach = timedelta(days=days)
        window = Span(max(now, start - reach), max(now, start + reach))
        found = [slot.start for slot in facts.slots(programme, ids, ask, window, now=now, moving=moving)]
        if len(found) >= 3:
            break
    return nearest(found, start)


def _choose(
    free: Sequence[AgentFacts], visitors: Collection[int], ask: Ask, start: datetime, now: datetime
) -> Choice:
    if ask.agent_id is not None:
        return Choice(free[0].agent, "asked")
    if len(free) == 1:
        return Choice(free[0].agent, "only-one")
    ids = [agent.agent for agent in free]
    met = set(
        db.session.scalars(
            select(Visit.agent_id)
            .join(VisitVisitor, VisitVisitor.visit_id == Visit.id)
            .where(
                Visit.agent_id.in_(ids),
                VisitVisitor.person_id.in_(visitors),
                Visit.status.in_((Status.BOOKED, Status.HELD)),
            )
        )
    )
    recent: dict[int, int] = dict(
        db.session.execute(
            select(Visit.agent_id, func.count())
            .where(
                Visit.agent_id.in_(ids),
                Visit.starts_at >= now - RECENT,
                Visit.status.in_((Status.BOOKED, Status.HELD)),
            )
            .group_by(Visit.agent_id)
        )
        .tuples()
        .all()
    )
    best = choose([Candidate(agent, agent in met, recent.get(agent, 0)) for agent in ids], start)
    return Choice(best.agent, "met-all" if best.met else "not-met")


def _occupy(visit: Visit, visitors: Sequence[int], *, ask: Ask, now: datetime) -> None:
    """Takes the ticks of everyone, the agent's buffers included. Raises SlotTaken."""
    rows = [
        {"person_id": visitor, "tick": tick, "visit_id": visit.id}
        for visitor in visitors
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
        others = _alternatives(visit.programme, visitors, ask, visit.starts_at, now=now, moving=visit)
        raise SlotTaken(alternatives=others) from error


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


def _lead_of(agent_id: int, but: Collection[int]) -> int | None:
    """The active lead of the agent's line, unless that is a visitor or the agent."""
    agent = db.session.get_one(Person, agent_id)
    lead = agent.line.lead if agent.line else None
    if lead is None or not lead.active or lead.id in (agent_id, *but):
        return None
    return lead.id


def _domain() -> str:
    return current_settings().mail_from.rpartition("@")[2]
