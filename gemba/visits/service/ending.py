"""How a visit ends: cancelled, left by one of its visitors, lapsed, or over and spoken of."""

from datetime import datetime

from sqlalchemy import delete, select

from gemba.db import db
from gemba.people import service as people
from gemba.people.models import Person
from gemba.people.rules import clean_text
from gemba.visits import notices
from gemba.visits.errors import AlreadyCancelled, CancelTooLate, NotBooked, NotOverYet, ReasonTooLong
from gemba.visits.models import Tick, Visit, VisitOutcome, VisitVisitor, WaitlistEntry
from gemba.visits.rules import HAPPENING, OUTCOME_ASKED_AFTER, REASON_MAX, Status, TookPlace, status_after
from gemba.visits.service import proposing, seats
from gemba.visits.service.agents import lead_of
from gemba.visits.service.approving import deciders
from gemba.visits.service.errands import expire_later, offer_soon
from gemba.visits.service.moving import is_visitor, may_change
from gemba.visits.service.path import changed, close, hosted, lock, lock_visit, reread
from gemba.webhooks.rules import Event


def cancel(visit: Visit, by: Person, *, reason: str, now: datetime) -> Visit:
    """Cancels a visit or a request that has not begun; everyone hears, the hour is free again.

    One visitor of several only gives their own seat back. Raises CancelTooLate, AlreadyCancelled,
    AlreadyOver, TakeItFirst or ReasonTooLong.
    """
    reason = clean_text(reason)
    if len(reason) > REASON_MAX:
        raise ReasonTooLong(max=REASON_MAX)
    lock_visit(visit)
    may_change(visit, by, visit.programme.cancel_notice_minutes, CancelTooLate, now=now)
    if only_leaves(visit, by):
        _leave(visit, by, now=now)
    elif visit.status == Status.REQUESTED:
        asked = [*visit.visitors, *deciders(visit)]
        close(visit, Status.CANCELLED, reason)
        notices.withdrawn(visit, asked, by, now=now)
    else:
        close(visit, Status.CANCELLED, reason)
        changed(visit, now)
        seats.release(visit, now=now)
        proposing.pass_by(visit, now=now)
        notices.cancelled(visit, by, now=now)
    offer_soon(now=now)
    people.audit(by, "visit.cancelled", f"visit:{visit.id}", {}, now=now)
    return visit


def only_leaves(visit: Visit, person: Person) -> bool:
    """Whether the visit goes on with others where this person cancels."""
    return is_visitor(visit, person) and len(visit.visitors) > 1


def _leave(visit: Visit, visitor: Person, *, now: datetime) -> None:
    """Gives one seat back; the others keep the visit."""
    before = notices.snapshot(visit)
    for model in (VisitVisitor, Tick):
        db.session.execute(delete(model).where(model.visit_id == visit.id, model.person_id == visitor.id))
    db.session.refresh(visit, ["visitors"])
    if visit.lead_id is None:
        visit.lead_id = lead_of(visit.agent_id, hosted(visit))
    changed(visit, now)
    db.session.flush()
    db.session.refresh(visit, ["lead"])
    proposing.people_changed(visit, now=now)
    notices.moved(visit, before, visitor, now=now)


def lapse(visit_id: int, expires_at: datetime, *, now: datetime) -> None:
    """Ends a request or an offer that nobody answered in time; nothing happens where somebody did.

    Whoever let an offer pass waits on, behind the others, and is not offered that very hour again.
    """
    visit = db.session.get(Visit, visit_id)
    if visit is None:
        return
    lock_visit(visit)
    if visit.status not in (Status.REQUESTED, Status.OFFERED) or visit.expires_at != expires_at:
        return
    if expires_at > now:
        expire_later(visit, now=now)
        return
    was, told = visit.status, list(visit.visitors)
    asked = deciders(visit) if was == Status.REQUESTED else []
    close(visit, Status.LAPSED)
    if was == Status.REQUESTED:
        notices.lapsed(visit, asked, now=now)
    else:
        for entry in db.session.scalars(select(WaitlistEntry).where(WaitlistEntry.visit_id == visit.id)):
            entry.visit_id, entry.queued_at = None, now
            entry.refused = [*entry.refused, visit.starts_at.isoformat()]
        notices.passed_on(visit, told, now=now)
    db.session.flush()
    offer_soon(now=now)


def tell_outcome(visit: Visit, by: Person, took_place: TookPlace, *, now: datetime) -> Visit:
    """One side says whether the visit took place; the status follows where nobody contradicts.

    Raises AlreadyCancelled, NotBooked, or NotOverYet until a quarter of an hour after the start.
    """
    lock([by.id, visit.agent_id])
    reread(visit)
    if visit.status == Status.CANCELLED:
        raise AlreadyCancelled
    if visit.status not in HAPPENING:
        raise NotBooked
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
    if visit.status == Status.HELD:
        notices.event(visit, Event.VISIT_HELD, now=now)
    people.audit(by, "visit.outcome", f"visit:{visit.id}", {"took_place": took_place}, now=now)
    return visit
