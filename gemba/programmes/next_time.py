"""Who waits for the next round of a programme: they are asked first, as soon as it opens."""

from datetime import datetime

from sqlalchemy import delete, select

from gemba.db import db
from gemba.errors import NotFound
from gemba.people import service as people
from gemba.people.models import Person
from gemba.programmes import doors
from gemba.programmes.models import NextTime, Programme


def waits(programme: Programme, person: Person) -> bool:
    """Whether somebody asked to hear of the next round."""
    return db.session.get(NextTime, (programme.id, person.id)) is not None


def wait(person: Person, programme: Programme, *, now: datetime) -> None:
    """Somebody wants to hear of the next round; saying it twice changes nothing.

    Raises NotFound where a programme has no rounds, NotForYou.
    """
    if not (programme.active and doors.by_rounds(programme)):
        raise NotFound
    doors.admit(programme, person)
    if not waits(programme, person):
        db.session.add(NextTime(programme_id=programme.id, person_id=person.id, asked_at=now))
        people.audit(person, "round.next_time", f"programme:{programme.id}", {}, now)
        db.session.flush()


def leave(person: Person, programme: Programme, *, now: datetime) -> None:
    """Somebody no longer wants to; nothing happens where they never did."""
    row = db.session.get(NextTime, (programme.id, person.id))
    if row is not None:
        db.session.delete(row)
        people.audit(person, "round.next_time_no_more", f"programme:{programme.id}", {}, now)
        db.session.flush()


def take_all(programme: Programme) -> set[int]:
    """Who waits, by id; they do no longer, for the round is here."""
    here = NextTime.programme_id == programme.id
    found = set(db.session.scalars(select(NextTime.person_id).where(here)))
    db.session.execute(delete(NextTime).where(here).execution_options(synchronize_session="fetch"))
    return found
