"""Another mentor for a visit that there is: whoever was to guide it fell ill."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete

from gemba.db import db
from gemba.people import service as people
from gemba.people.models import Person
from gemba.schedule import service as schedule
from gemba.schedule.rules import AgentFacts
from gemba.visits import facts, notices
from gemba.visits.errors import MoveTooLate, NoMentorFree, NotYoursToSwap
from gemba.visits.models import Tick, Visit
from gemba.visits.rules import Status
from gemba.visits.service import proposing
from gemba.visits.service.agents import Wanted
from gemba.visits.service.approving import may_decide
from gemba.visits.service.errands import offer_soon
from gemba.visits.service.mentoring import in_turn
from gemba.visits.service.moving import may_change, same_hour
from gemba.visits.service.path import changed, give_mentor, lock_visit
from gemba.visits.service.taking import occupy_mentor


def free_mentors(visit: Visit) -> list[int]:
    """The ids of those who could guide the visit in its mentor's place, best first."""
    found = in_turn(_anew(visit), visit.agent_id)
    return [mentor for mentor in found if mentor is not None and mentor != visit.mentor_id]


def swap_mentor(visit: Visit, by: Person, *, mentor_id: int | None = None, now: datetime) -> Visit:
    """Has somebody else guide a visit at the same hour: the named mentor, or the first who is free.

    Everybody else keeps hour, room and UID, and no notice is needed. Raises NotYoursToSwap, NoMentorFree,
    AlreadyCancelled, AlreadyOver or TakeItFirst.
    """
    lock_visit(visit, also=facts.mentors_for(visit.programme))
    if not may_decide(visit, by):
        raise NotYoursToSwap
    may_change(visit, by, 0, MoveTooLate, now=now)
    if mentor_id is not None and mentor_id == visit.mentor_id:
        return visit
    free = [mentor for mentor in free_mentors(visit) if mentor_id in (None, mentor)]
    if not free:
        raise NoMentorFree
    known = _anew(visit).known([], free[:1])
    _give(visit, (known.mentors or [])[0], by, now=now)
    return visit


def _anew(visit: Visit) -> Wanted:
    """The visit's own hour, for which a mentor is to be found."""
    return replace(same_hour(visit, visit.agent_id), keeps_mentor=False)


def _give(visit: Visit, mentor: AgentFacts, by: Person, *, now: datetime) -> None:
    before, left = notices.snapshot(visit), visit.mentor_id
    db.session.execute(delete(Tick).where(Tick.visit_id == visit.id, Tick.person_id == left))
    give_mentor(visit, mentor)
    occupy_mentor(visit)
    if visit.status == Status.BOOKED:
        changed(visit, now)
    db.session.flush()
    db.session.refresh(visit, ["mentor", "lead"])
    if visit.status == Status.BOOKED:
        proposing.people_changed(visit, now=now)
        notices.moved(visit, before, by, now=now)
    schedule.touch([each for each in (left, visit.mentor_id) if each is not None])
    offer_soon(now=now)
    detail = {"mentor": [left, visit.mentor_id]}
    people.audit(by, "visit.mentor-swapped", f"visit:{visit.id}", detail, now=now)
