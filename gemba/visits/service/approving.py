"""A lead's yes: who is asked, who may give it, and what follows from yes and no."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import select

from gemba.db import db
from gemba.people import service as people
from gemba.people.models import Person, PersonRole
from gemba.people.rules import Role, clean_text
from gemba.programmes.models import Programme
from gemba.visits import notices
from gemba.visits.errors import (
    AlreadyCancelled,
    AlreadyDecided,
    NotYoursToDecide,
    ReasonTooLong,
    RequestLapsed,
)
from gemba.visits.models import Visit
from gemba.visits.rules import REASON_MAX, Status, decide_until
from gemba.visits.service import seats
from gemba.visits.service.errands import expire_later, offer_soon
from gemba.visits.service.path import close, lock_visit


def needs_yes(programme: Programme, agent_id: int, by: Person) -> bool:
    """Whether a visit that `by` books waits for a yes: not where they could give it themselves."""
    return programme.approval and not runs(by, db.session.get_one(Person, agent_id))


def runs(person: Person, agent: Person) -> bool:
    """Whether somebody decides about visits with this agent: the lead of their line, or an admin."""
    return person.has(Role.ADMIN) or (agent.line is not None and agent.line.lead_id == person.id)


def run_by(person: Person, agents: Collection[int]) -> set[int]:
    """Those of these agents about whose visits somebody decides, in one statement."""
    if person.has(Role.ADMIN):
        return set(agents)
    query = select(Person.id).where(Person.id.in_(agents), Person.line.has(lead_id=person.id))
    return set(db.session.scalars(query))


def may_decide(visit: Visit, person: Person) -> bool:
    """Whether somebody may answer a request, and find a stand-in for the agent."""
    return person.id == visit.lead_id or runs(person, visit.agent)


def deciders(visit: Visit) -> list[Person]:
    """Who is asked for a yes: the lead of the agent's line, or all admins where there is none."""
    lead = visit.agent.line.lead if visit.agent.line else None
    if lead is not None and lead.active:
        return [lead]
    admins = select(PersonRole.person_id).where(PersonRole.role == Role.ADMIN)
    return list(db.session.scalars(select(Person).where(Person.active, Person.id.in_(admins))))


def ask_for_yes(visit: Visit, *, now: datetime) -> None:
    """Makes a visit a request that holds its hour until it is answered or its time runs out."""
    visit.status = Status.REQUESTED
    limit = timedelta(hours=visit.programme.approval_hours)
    visit.expires_at = decide_until(visit.starts_at, limit, now=now)
    db.session.flush()
    expire_later(visit, now=now)
    notices.requested(visit, deciders(visit), now=now)


def approve(visit: Visit, by: Person, *, now: datetime) -> Visit:
    """Says yes: the visit is booked and everyone gets an invite; of a seat, the visit it is in is returned.

    Raises NotYoursToDecide, AlreadyDecided, AlreadyCancelled or RequestLapsed.
    """
    _may_answer(visit, by, now=now)
    if visit.joins_id is not None:
        visit = seats.take(visit, now=now)
    else:
        visit.status, visit.expires_at, visit.changed_at = Status.BOOKED, None, now
        db.session.flush()
        notices.booked(visit, now=now)
    people.audit(by, "visit.approved", f"visit:{visit.id}", {}, now=now)
    return visit


def decline(visit: Visit, by: Person, *, reason: str, now: datetime) -> Visit:
    """Says no: the visitor reads the reason, and the hour is free again.

    Raises as approve, or ReasonTooLong.
    """
    reason = clean_text(reason)
    if len(reason) > REASON_MAX:
        raise ReasonTooLong(max=REASON_MAX)
    _may_answer(visit, by, now=now)
    close(visit, Status.DECLINED, reason)
    notices.declined(visit, by, now=now)
    offer_soon(now=now)
    people.audit(by, "visit.declined", f"visit:{visit.id}", {}, now=now)
    return visit


def _may_answer(visit: Visit, by: Person, *, now: datetime) -> None:
    lock_visit(visit)
    if not may_decide(visit, by):
        raise NotYoursToDecide
    if visit.status == Status.CANCELLED:
        raise AlreadyCancelled
    is_late = visit.expires_at is not None and visit.expires_at <= now
    if visit.status == Status.LAPSED or (visit.status == Status.REQUESTED and is_late):
        raise RequestLapsed
    if visit.status != Status.REQUESTED:
        raise AlreadyDecided
