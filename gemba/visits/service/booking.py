"""Book an hour, or a free seat in a visit that there is."""

from datetime import datetime

from sqlalchemy import insert, select

from gemba.db import db
from gemba.people import service as people
from gemba.people.models import Person
from gemba.programmes.models import Programme
from gemba.schedule.rules import AgentFacts
from gemba.visits import notices
from gemba.visits.facts import ANY, Ask
from gemba.visits.models import Visit, VisitVisitor
from gemba.visits.rules import Status
from gemba.visits.service.agents import Choice, Wanted
from gemba.visits.service.approving import ask_for_yes, needs_yes
from gemba.visits.service.path import changed, new_visit, settle, take_ticks
from gemba.visits.service.waiting import stop_waiting


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
    its time runs out. Who waited in the programme waits no longer. Raises SlotTaken (with the three nearest
    alternatives) or NotOffered (with reasons).
    """
    wanted, by = Wanted(programme, (visitor.id,), ask, start), booked_by or visitor
    stop_waiting(programme, visitor, now=now)

    def take(choice: Choice, agent: AgentFacts) -> Visit:
        if start in agent.joinable:
            return _join(wanted, choice.agent, visitor, now=now)
        visit = new_visit(wanted, choice, agent, by.id, status=Status.BOOKED, now=now)
        if needs_yes(programme, choice.agent, by):
            ask_for_yes(visit, now=now)
        else:
            notices.booked(visit, now=now)
        return visit

    visit = settle(wanted, take, now=now)
    people.audit(by, f"visit.{visit.status}", f"visit:{visit.id}", {}, now=now)
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
    take_ticks(visit, [visitor.id], visit.starts_at, visit.ends_at)
    if visit.lead_id == visitor.id:
        visit.lead_id = None
    changed(visit, now)
    db.session.flush()
    db.session.refresh(visit, ["visitors", "lead"])
    notices.moved(visit, before, visitor, now=now)
    return visit
