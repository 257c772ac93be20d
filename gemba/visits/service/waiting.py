"""The waitlist: who waits for an hour of a programme, in which order, and the one offer they may hold."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from gemba.db import db, run, table_of
from gemba.people import service as people
from gemba.people.models import Person
from gemba.programmes import doors
from gemba.programmes.models import Programme
from gemba.programmes.training import service as training
from gemba.visits import notices
from gemba.visits.errors import OfferOver
from gemba.visits.facts import Ask, agents_for, mentors_for, within
from gemba.visits.models import Visit, WaitlistEntry
from gemba.visits.rules import Status
from gemba.visits.service import seats
from gemba.visits.service.approving import ask_for_yes, needs_yes
from gemba.visits.service.errands import offer_in, offer_soon
from gemba.visits.service.moving import is_visitor
from gemba.visits.service.path import close, lock_visit

_AHEAD = table_of(WaitlistEntry).alias("ahead")


@dataclass(frozen=True)
class Place:
    """Somebody's place in a programme's waitlist, counted from 1."""

    entry: WaitlistEntry
    position: int


def wait(programme: Programme, person: Person, ask: Ask, *, now: datetime) -> WaitlistEntry:
    """Puts somebody on a programme's waitlist; who waits already keeps their place, with the new wish.

    Raises NotForYou, ByRoundsOnly, TrainingMissing.
    """
    doors.book_by_hand(programme, person)
    training.require(programme, person)
    entry = _entry(programme, person)
    if entry is None:
        entry = WaitlistEntry(programme_id=programme.id, person_id=person.id, queued_at=now, refused=[])
        try:
            with db.session.begin_nested():
                db.session.add(entry)
        except IntegrityError:  # two clicks at once
            entry = _entry(programme, person)
            if entry is None:
                raise
    entry.agent_id, entry.product_id, entry.language = ask.agent_id, ask.product_id, ask.language
    db.session.flush()
    offer_in(programme.id, now=now)
    people.audit(person, "waitlist.joined", f"programme:{programme.id}", {}, now=now)
    return entry


def stop_waiting(programme: Programme, person: Person, *, now: datetime) -> None:
    """Takes somebody off a programme's waitlist; an hour that was held for them is free again."""
    if leave_line(programme, person, now=now):
        offer_soon(now=now)


def leave_line(programme: Programme, person: Person, *, also: Ask | None = None, now: datetime) -> bool:
    """The same, and says whether an hour is free now: whoever waits for one is to be told in the end.

    Locks are taken as everywhere: people first and all at once, then their places in line. `also` is the ask
    of a booking that follows in this transaction, for who holds one agent may not wait for another.
    """
    if not run(_WAITS, {"programme": programme.id, "person": person.id}).all():
        return False  # every booking looks, and nearly nobody waits
    entry = _entry(programme, person)
    if entry is None:
        return False
    held, is_freed = entry.visit, False
    if held is not None:
        lock_visit(held, also=_may_get(programme, also, person) if also is not None else ())
        is_freed = held.status == Status.OFFERED
        if is_freed:
            close(held, Status.DECLINED)
    db.session.execute(delete(WaitlistEntry).where(WaitlistEntry.id == entry.id))
    return is_freed


def hosts_of_held(programme: Programme, people_ids: Collection[int]) -> set[int]:
    """Agents and mentors of the hours held for these people in a programme, whose time they give back by
    leaving the line; for who locks many at once."""
    query = (
        select(Visit.agent_id, Visit.mentor_id)
        .join(WaitlistEntry, WaitlistEntry.visit_id == Visit.id)
        .where(WaitlistEntry.programme_id == programme.id, WaitlistEntry.person_id.in_(people_ids))
    )
    return {host for hosts in db.session.execute(query) for host in hosts if host is not None}


def _may_get(programme: Programme, ask: Ask, person: Person) -> list[int]:
    """The agents a booking may go to, and the mentors who may guide it."""
    if ask.agent_id is not None:
        return [ask.agent_id, *mentors_for(programme)]
    return [*agents_for(within(programme, ask), but=[person.id]), *mentors_for(programme)]


def places_of(person: Person) -> list[Place]:
    """Where somebody waits, in one statement."""
    position = (
        select(func.count())
        .select_from(_AHEAD)
        .where(
            _AHEAD.c.programme_id == WaitlistEntry.programme_id,
            or_(
                _AHEAD.c.queued_at < WaitlistEntry.queued_at,
                (_AHEAD.c.queued_at == WaitlistEntry.queued_at) & (_AHEAD.c.id <= WaitlistEntry.id),
            ),
        )
        .correlate(WaitlistEntry)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(WaitlistEntry, position)
        .where(WaitlistEntry.person_id == person.id)
        .options(joinedload(WaitlistEntry.programme))
        .order_by(WaitlistEntry.id)
    )
    return [Place(entry, count) for entry, count in rows]


def take_offer(visit: Visit, by: Person, *, now: datetime) -> Visit:
    """Takes the hour that is held: it is booked, or asked for where the programme wants a yes. Of a seat the
    visit it is in is returned.

    Raises OfferOver.
    """
    _may_answer(visit, by, now=now)
    db.session.execute(delete(WaitlistEntry).where(WaitlistEntry.visit_id == visit.id))
    if needs_yes(visit.programme, visit.agent_id, by):
        ask_for_yes(visit, now=now)
    elif visit.joins_id is not None:
        visit = seats.take(visit, now=now)
    else:
        visit.status, visit.expires_at, visit.changed_at = Status.BOOKED, None, now
        db.session.flush()
        notices.booked(visit, now=now)
    people.audit(by, f"visit.{visit.status}", f"visit:{visit.id}", {}, now=now)
    return visit


def refuse_offer(visit: Visit, by: Person, *, now: datetime) -> Visit:
    """Says "not this one": the hour is free, is not offered to them again, and they keep their place.

    Raises OfferOver.
    """
    _may_answer(visit, by, now=now)
    close(visit, Status.DECLINED)
    for entry in db.session.scalars(select(WaitlistEntry).where(WaitlistEntry.visit_id == visit.id)):
        entry.visit_id = None
        entry.refused = [*entry.refused, visit.starts_at.isoformat()]
    db.session.flush()
    offer_soon(now=now)
    people.audit(by, "visit.refused", f"visit:{visit.id}", {}, now=now)
    return visit


def _may_answer(visit: Visit, by: Person, *, now: datetime) -> None:
    lock_visit(visit)
    is_late = visit.expires_at is not None and visit.expires_at <= now
    if visit.status != Status.OFFERED or is_late or not is_visitor(visit, by):
        raise OfferOver


def _entry(programme: Programme, person: Person) -> WaitlistEntry | None:
    return db.session.scalar(
        select(WaitlistEntry).where(
            WaitlistEntry.programme_id == programme.id, WaitlistEntry.person_id == person.id
        )
    )


_waiting = table_of(WaitlistEntry).c
_WAITS = select(_waiting.id).where(
    _waiting.programme_id == bindparam("programme"), _waiting.person_id == bindparam("person")
)
