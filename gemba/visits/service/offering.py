"""Offers to those who wait: first in line, the earliest hour that fits, one at a time."""

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import Select, select

from gemba.db import db
from gemba.people.models import Person
from gemba.programmes import doors
from gemba.programmes.models import Programme
from gemba.schedule.rules import AgentFacts, Offer, Span
from gemba.visits import kept, notices
from gemba.visits.facts import Ask
from gemba.visits.models import Visit, VisitVisitor, WaitlistEntry
from gemba.visits.rules import AT_LEAST, Status, take_until
from gemba.visits.service import seats
from gemba.visits.service.agents import Choice, Wanted
from gemba.visits.service.errands import expire_later, offer_in
from gemba.visits.service.path import Taken, new_visit, settle_or_none

BATCH = 10
"""So many offers are planned at a time: where one does not hold any more, the next is made."""
LOOKS = 3
"""So many looks in a row may come to nothing before the next hour that becomes free is awaited."""

Plan = list[tuple[int, datetime]]
"""Entries and the hour each could be offered."""


def plan_offers(programme_id: int, *, now: datetime) -> Plan:
    """Who could be offered which hour, in order; only reads, so that maps of agents are kept for it."""
    programme = db.session.get(Programme, programme_id)
    if programme is None or not programme.active or not doors.by_hand(programme):
        return []
    found: Plan = []
    planned: Counter[datetime] = Counter()
    window = Span(now, now + timedelta(days=programme.horizon_days))
    for entry in _waiting(programme):
        offer = kept.offered(programme, (entry.person_id,), _ask_of(entry), window, now=now)
        start = _first(offer, entry, programme, planned, now=now)
        if start is not None:
            planned[start] += 1
            found.append((entry.id, start))
        if len(found) == BATCH:
            break
    return found


def make_offers(programme_id: int, plan: Plan, *, tried: int = 0, now: datetime) -> bool:
    """Makes the first of the planned offers that still holds, and has the rest looked at once more.

    One in a transaction: two in a row would lock the people of one while waiting for those of another.
    """
    made = any(_offer(entry_id, start, now=now) for entry_id, start in plan)
    if made:
        offer_in(programme_id, now=now)
    elif plan and tried + 1 < LOOKS:
        offer_in(programme_id, now=now, tried=tried + 1)
    return made


def _waiting(programme: Programme) -> list[WaitlistEntry]:
    query = (
        select(WaitlistEntry)
        .join(Person, Person.id == WaitlistEntry.person_id)
        .where(
            WaitlistEntry.programme_id == programme.id,
            doors.admitted(programme),
            WaitlistEntry.visit_id.is_(None),
            WaitlistEntry.person_id.not_in(_holding()),
        )
        .order_by(WaitlistEntry.queued_at, WaitlistEntry.id)
    )
    return list(db.session.scalars(query))


def _holding() -> Select[int]:
    """Those for whom an hour is held at the moment, in whichever programme."""
    return (
        select(VisitVisitor.person_id)
        .join(Visit, Visit.id == VisitVisitor.visit_id)
        .where(Visit.status == Status.OFFERED)
    )


def _ask_of(entry: WaitlistEntry) -> Ask:
    return Ask(entry.agent_id, entry.product_id, entry.language)


def _first(
    offer: Offer, entry: WaitlistEntry, programme: Programme, planned: Counter[datetime], *, now: datetime
) -> datetime | None:
    """The earliest start with an agent or a seat to spare that leaves time to answer and was not refused."""
    notice = timedelta(minutes=programme.min_notice_minutes)
    for start in offer.starts:
        if start - notice < now + AT_LEAST or start.isoformat() in entry.refused:
            continue
        if len(offer.agents_at(start)) > planned[start]:
            return start
    return None


def _offer(entry_id: int, start: datetime, *, now: datetime) -> bool:
    """Holds an hour or a seat for whoever waits and tells them; False where something came in between."""
    entry = db.session.get(WaitlistEntry, entry_id, populate_existing=True)
    if entry is None or entry.visit_id is not None or start.isoformat() in entry.refused:
        return False
    if not entry.person.active:
        return False
    programme, person = entry.programme, entry.person
    wanted = Wanted(programme, (person.id,), _ask_of(entry), start)

    def take(choice: Choice, agent: AgentFacts) -> Visit:
        if not _still_waits(entry):
            raise Taken
        if start in agent.joinable:
            visit = seats.with_a_seat(wanted, choice.agent)
            return seats.hold(visit, person, person.id, Status.OFFERED, now=now)
        return new_visit(wanted, choice, agent, person.id, status=Status.OFFERED, now=now)

    visit = settle_or_none(wanted, take, now=now)
    if visit is None:
        return False
    notice = timedelta(minutes=programme.min_notice_minutes)
    visit.expires_at = take_until(start, timedelta(hours=programme.offer_hours), notice, now=now)
    entry.visit_id = visit.id
    db.session.flush()
    expire_later(visit, now=now)
    notices.offered(visit, now=now)
    return True


def _still_waits(entry: WaitlistEntry) -> bool:
    """Whether nothing is held for them yet, now that they are locked: people first, then places in line."""
    row = db.session.execute(
        select(WaitlistEntry.visit_id).where(WaitlistEntry.id == entry.id).with_for_update()
    ).one_or_none()
    return row is not None and row[0] is None and entry.person_id not in set(db.session.scalars(_holding()))
