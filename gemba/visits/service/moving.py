"""Another hour or another agent for the same visit, and a stand-in for an agent who fell ill."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gemba.people import service as people
from gemba.people.models import Person
from gemba.people.rules import Role
from gemba.schedule import service as schedule
from gemba.schedule.rules import AgentFacts, BookingRules, Reason
from gemba.schedule.rules.facts import TICK
from gemba.visits import facts, notices
from gemba.visits.errors import (
    AlreadyCancelled,
    AlreadyOver,
    CancelTooLate,
    MoveTooLate,
    NeedsNewYes,
    NobodyFree,
    NotYoursToSwap,
    OthersCome,
    TakeItFirst,
)
from gemba.visits.facts import ANY, Ask
from gemba.visits.models import Visit
from gemba.visits.rules import Status
from gemba.visits.service import proposing, seats
from gemba.visits.service.agents import Choice, Wanted, by_turn, reasons_against, refusal
from gemba.visits.service.approving import ask_for_yes, deciders, may_decide
from gemba.visits.service.errands import offer_soon
from gemba.visits.service.path import hosted, lock_visit, resettle, settle_or_none

CHANGEABLE = (Status.BOOKED, Status.REQUESTED)
NEARLY = 5
"""So many agents are named who are nearly free."""


def move(
    visit: Visit,
    by: Person,
    *,
    start: datetime,
    agent_id: int | None = None,
    agreed: bool = False,
    rules: BookingRules | None = None,
    now: datetime,
) -> Visit:
    """Moves a visit to another start and, if asked, another agent; the same row, UID and room.

    `rules` are the programme's unless whoever acts may do more: a round has no horizon.

    A request stays one, and its time to be answered begins anew. Where the programme wants a lead's yes, a
    visitor only proposes the hour: the visit stays where it is until whoever decides accepts. Another agent
    at the same hour is a swap where `by` may do that. No notice is needed where the other side proposed the
    hour (`agreed`).
    Raises MoveTooLate, AlreadyCancelled, AlreadyOver, OthersCome, TakeItFirst, NeedsNewYes, SlotTaken or
    NotOffered.
    """
    if start == visit.starts_at and agent_id not in (None, visit.agent_id) and may_decide(visit, by):
        return swap(visit, by, agent_id=agent_id, now=now)
    lock_visit(visit, also=[*([agent_id] if agent_id else []), *facts.mentors_for(visit.programme)])
    may_change(visit, by, 0 if agreed else visit.programme.move_notice_minutes, MoveTooLate, now=now)
    if len(visit.visitors) > 1 and is_visitor(visit, by) and not runs_it(visit, by):
        raise OthersCome
    ask = Ask(agent_id=agent_id or visit.agent_id)
    if (start, ask.agent_id) == (visit.starts_at, visit.agent_id):
        return visit
    visitors = tuple(visitor.id for visitor in visit.visitors)
    wanted = Wanted(visit.programme, visitors, ask, start, visit, rules)
    if not agreed and needs_new_yes(visit, by):
        return _ask_to_move(wanted, visit, by, now=now)
    if not _resettle(wanted, visit, by, now=now):
        raise refusal(wanted, now=now)
    people.audit(by, "visit.moved", f"visit:{visit.id}", {"start": start.isoformat()}, now=now)
    return visit


def needs_new_yes(visit: Visit, by: Person) -> bool:
    """Whether what `by` changes about a booked visit waits for a yes: the one there was is for that hour."""
    approved = visit.programme.approval and visit.status == Status.BOOKED
    return approved and is_visitor(visit, by) and not may_decide(visit, by)


def _ask_to_move(wanted: Wanted, visit: Visit, by: Person, *, now: datetime) -> Visit:
    """Proposes an hour that could be booked now to whoever decides; nothing is held, nothing moves."""
    if wanted.ask.agent_id != visit.agent_id:
        raise NeedsNewYes
    known = wanted.known([visit.agent_id])
    if not known.agents or reasons_against(wanted, known.agents[0], known, now=now):
        raise refusal(wanted, now=now)
    span = (wanted.start, wanted.end)
    proposing.keep(visit, by.id, span, "", visit.sequence, now, asked=deciders(visit), now=now)
    people.audit(by, "visit.move-asked", f"visit:{visit.id}", {"start": wanted.start.isoformat()}, now=now)
    return visit


def _resettle(
    wanted: Wanted, visit: Visit, by: Person, *, choice: Choice | None = None, now: datetime
) -> bool:
    """Takes the new time, tells everyone, and has the old time offered; False where nobody has that time."""
    before = notices.snapshot(visit)

    def take(asked: Choice, agent: AgentFacts) -> Visit:
        visit.joins_id = None  # a seat that was asked for becomes an hour of its own
        return resettle(wanted, visit, replace(choice or asked, mentor=asked.mentor), agent, now=now)

    if settle_or_none(wanted, take, now=now) is None:
        return False
    if visit.status == Status.REQUESTED:
        ask_for_yes(visit, now=now)
    else:
        proposing.hour_changed(visit, before.start, now=now)
        if notices.stamp(visit.starts_at) == before.start:
            seats.follow(visit)
        else:
            seats.release(visit, now=now)
        notices.moved(visit, before, by, now=now)
    offer_soon(now=now)
    return True


@dataclass(frozen=True)
class StandIns:
    """Who could take a visit's very hour, best first, and who nearly could, with what stands against it."""

    free: list[Choice]
    nearly: list[tuple[int, list[Reason]]]


def stand_ins(visit: Visit, *, now: datetime) -> StandIns:
    """Who could stand in for the visit's agent; notice is not asked for, all other rules hold."""
    wanted = same_hour(visit, None)
    fitting = facts.within(visit.programme, ANY)
    known = wanted.known(facts.agents_for(fitting, but=[visit.agent_id, *hosted(visit)]))
    against = [(agent.agent, reasons_against(wanted, agent, known, now=now)) for agent in known.agents]
    free = [agent for agent, reasons in against if not reasons]
    nearly = sorted(((len(reasons), agent, reasons) for agent, reasons in against if reasons))
    return StandIns(by_turn(free, wanted), [(agent, reasons) for _, agent, reasons in nearly[:NEARLY]])


def swap(visit: Visit, by: Person, *, agent_id: int | None = None, now: datetime) -> Visit:
    """Gives a visit to another agent at the same hour: the named one, or the best of those who are free.

    Visitors keep hour, room and UID, and no notice is needed. Raises NotYoursToSwap, NobodyFree,
    AlreadyCancelled, AlreadyOver, TakeItFirst, SlotTaken or NotOffered.
    """
    agents = [agent_id] if agent_id else facts.agents_for(ANY)
    lock_visit(visit, also=[*agents, *facts.mentors_for(visit.programme)])
    if not may_decide(visit, by):
        raise NotYoursToSwap
    may_change(visit, by, 0, MoveTooLate, now=now)
    if agent_id == visit.agent_id:
        return visit
    before = visit.agent_id
    if agent_id is not None:
        wanted = same_hour(visit, agent_id)
        if not _resettle(wanted, visit, by, now=now):
            raise refusal(wanted, now=now)
    else:
        free = stand_ins(visit, now=now).free
        if not any(_resettle(same_hour(visit, each.agent), visit, by, choice=each, now=now) for each in free):
            raise NobodyFree
    visit.because = "stand-in"
    people.audit(by, "visit.swapped", f"visit:{visit.id}", {"agent": [before, visit.agent_id]}, now=now)
    return visit


def same_hour(visit: Visit, agent_id: int | None, visitors: tuple[int, ...] = ()) -> Wanted:
    """The visit's own hour, wherever it lies: neither notice nor the steps of an agent's clock matter.

    For its visitors, or for these instead. Its mentor comes anyway, unless they become the agent.
    """
    minutes = int((visit.ends_at - visit.starts_at) / timedelta(minutes=1))
    rules: BookingRules = replace(
        schedule.booking_rules(visit.programme),
        duration_minutes=minutes,
        slot_step_minutes=int(TICK / timedelta(minutes=1)),
        slot_offset_minutes=0,
        min_notice_minutes=0,
    )
    visitors = visitors or tuple(visitor.id for visitor in visit.visitors)
    ask, keeps_mentor = Ask(agent_id=agent_id), visit.mentor_id not in (None, agent_id)
    return Wanted(visit.programme, visitors, ask, visit.starts_at, visit, rules, keeps_mentor)


def may_change(
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
    if visit.status == Status.OFFERED:
        raise TakeItFirst
    if visit.starts_at <= now or visit.status not in CHANGEABLE:
        raise AlreadyOver
    is_late = now > visit.starts_at - timedelta(minutes=notice_minutes)
    if visit.status == Status.BOOKED and is_visitor(visit, by) and not runs_it(visit, by) and is_late:
        raise too_late(minutes=notice_minutes)


def is_visitor(visit: Visit, person: Person) -> bool:
    """Whether the person has a seat in the visit."""
    return person.id in {visitor.id for visitor in visit.visitors}


def runs_it(visit: Visit, person: Person) -> bool:
    """Whether the person is on the other side: agent, mentor, lead or admin."""
    return person.id in (visit.agent_id, visit.lead_id, visit.mentor_id) or person.has(Role.ADMIN, Role.LEAD)
