"""Seats in a visit that takes place anyway: held for who asks or waits, taken, or gone with the visit.

A held seat is a visit of its own with `joins_id`: it has a page, an end and mails like any request or offer,
takes its visitor's time and none of the agent's. All of it happens under the lock of the agent.
"""

import secrets
from datetime import datetime

from sqlalchemy import insert, select, update

from gemba.config import current_settings
from gemba.db import db
from gemba.people.models import Person
from gemba.schedule import service as schedule
from gemba.visits import notices
from gemba.visits.models import Visit, VisitVisitor, WaitlistEntry
from gemba.visits.rules import Status
from gemba.visits.service.agents import Wanted
from gemba.visits.service.path import changed, close
from gemba.visits.service.taking import take_ticks
from gemba.visits.service.wishes import wish

HELD = (Status.REQUESTED, Status.OFFERED)


def with_a_seat(wanted: Wanted, agent_id: int) -> Visit:
    """The visit at that hour in which a seat is free, locked."""
    return db.session.scalars(
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


def sit_down(visit: Visit, visitor: Person, note: str = "", *, now: datetime) -> Visit:
    """Gives somebody a seat, their `note` beneath the others'; everybody's calendar hears of it."""
    before = notices.snapshot(visit)
    db.session.execute(insert(VisitVisitor).values(visit_id=visit.id, person_id=visitor.id))
    take_ticks(visit, [visitor.id], visit.starts_at, visit.ends_at)
    visit.note = wish(visit.note, note)
    if visit.lead_id == visitor.id:
        visit.lead_id = None
    changed(visit, now)
    db.session.flush()
    db.session.refresh(visit, ["visitors", "lead"])
    notices.moved(visit, before, visitor, now=now)
    return visit


def hold(
    visit: Visit, visitor: Person, by_id: int, status: Status, note: str = "", *, now: datetime
) -> Visit:
    """Holds a seat of `visit` for somebody; nobody is told, and no calendar hears of it."""
    held = Visit(
        programme_id=visit.programme_id,
        agent_id=visit.agent_id,
        lead_id=visit.lead_id if visit.lead_id != visitor.id else None,
        product_id=visit.product_id,
        booked_by_id=by_id,
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        status=status,
        uid=f"{secrets.token_hex(16)}@{current_settings().mail_from.rpartition('@')[2]}",
        meeting_url=visit.meeting_url,
        note=note,
        because="joined",
        joins_id=visit.id,
        created_at=now,
        changed_at=now,
    )
    db.session.add(held)
    db.session.flush()
    db.session.execute(insert(VisitVisitor).values(visit_id=held.id, person_id=visitor.id))
    take_ticks(held, [visitor.id], held.starts_at, held.ends_at)
    db.session.refresh(held)
    return held


def take(held: Visit, *, now: datetime) -> Visit:
    """Makes a held seat a real one, and returns the visit it is in."""
    visit = db.session.get_one(Visit, held.joins_id, with_for_update=True, populate_existing=True)
    (visitor,) = held.visitors
    close(held, Status.JOINED)
    return sit_down(visit, visitor, held.note, now=now)


def follow(visit: Visit) -> None:
    """Another agent took the visit at the same hour: what is held in it is held with them."""
    db.session.execute(
        update(Visit)
        .where(Visit.joins_id == visit.id, Visit.status.in_(HELD))
        .values(agent_id=visit.agent_id, lead_id=visit.lead_id)
    )


def release(visit: Visit, *, now: datetime) -> None:
    """The visit moved or ended: what was held in it is gone, and whoever waited keeps their place."""
    held = db.session.scalars(
        select(Visit).where(Visit.joins_id == visit.id, Visit.status.in_(HELD)).order_by(Visit.id)
    )
    for each in held.all():
        told, waited = list(each.visitors), each.status == Status.OFFERED
        close(each, Status.CANCELLED)
        db.session.execute(
            update(WaitlistEntry).where(WaitlistEntry.visit_id == each.id).values(visit_id=None)
        )
        schedule.touch([visitor.id for visitor in told])
        notices.seat_gone(each, told, waits_on=waited, now=now)
