"""Book an hour, or a free seat in a visit that there is."""

from datetime import datetime

from gemba.db import db
from gemba.people import service as people
from gemba.people.models import Person
from gemba.programmes import doors
from gemba.programmes.models import Programme
from gemba.programmes.training import service as training
from gemba.schedule.rules import AgentFacts
from gemba.visits import notices
from gemba.visits.facts import ANY, Ask
from gemba.visits.models import Visit
from gemba.visits.rules import Status
from gemba.visits.service import seats
from gemba.visits.service.agents import Choice, Wanted
from gemba.visits.service.approving import ask_for_yes, needs_yes
from gemba.visits.service.errands import offer_soon
from gemba.visits.service.path import new_visit, settle
from gemba.visits.service.waiting import leave_line
from gemba.visits.service.wishes import wish


def book(
    *,
    programme: Programme,
    visitor: Person,
    start: datetime,
    ask: Ask = ANY,
    booked_by: Person | None = None,
    note: str = "",
    alone: bool = False,
    now: datetime,
) -> Visit:
    """Books an hour for a visitor, with the named agent or any that fits, or a free seat in one there is.

    Where the programme wants a lead's yes the visit is requested, and holds the hour until that is given or
    its time runs out. Who waited in the programme waits no longer. Raises SlotTaken (with the three nearest
    alternatives), NotOffered (with reasons), TrainingMissing, or Invalid where `note`, what the visitor would
    like to see, is too long. NotForYou and ByRoundsOnly say who books by hand. With `alone` there is nothing
    else in the transaction to keep: a refusal rolls it back.
    """
    note = wish(note)
    doors.book_by_hand(programme, visitor)
    training.require(programme, visitor)
    wanted, by = Wanted(programme, (visitor.id,), ask, start), booked_by or visitor
    has_freed = leave_line(programme, visitor, also=wanted.ask, now=now)

    def take(choice: Choice, agent: AgentFacts) -> Visit:
        if start in agent.joinable:
            return _join(wanted, choice.agent, visitor, by, note, now=now)
        return open_visit(wanted, choice, agent, by, note, now=now)

    visit = settle(wanted, take, alone=alone, now=now)
    if has_freed:
        offer_soon(now=now)
    people.audit(by, f"visit.{visit.status}", f"visit:{visit.id}", {}, now=now)
    return visit


def open_visit(
    wanted: Wanted, choice: Choice, agent: AgentFacts, by: Person, note: str = "", *, now: datetime
) -> Visit:
    """Writes a visit under the lock: everyone is invited, or who decides is asked where a yes is wanted."""
    visit = new_visit(wanted, choice, agent, by.id, status=Status.BOOKED, now=now)
    if note:
        visit.note = note
        db.session.flush()
    if needs_yes(wanted.programme, choice.agent, by):
        ask_for_yes(visit, now=now)
    else:
        notices.booked(visit, now=now)
    return visit


def _join(wanted: Wanted, agent_id: int, visitor: Person, by: Person, note: str, *, now: datetime) -> Visit:
    """Takes a free seat in a visit that there is, or asks for it where the programme wants a yes."""
    visit = seats.with_a_seat(wanted, agent_id)
    if not needs_yes(wanted.programme, agent_id, by):
        return seats.sit_down(visit, visitor, note, now=now)
    held = seats.hold(visit, visitor, by.id, Status.REQUESTED, note, now=now)
    ask_for_yes(held, now=now)
    return held
