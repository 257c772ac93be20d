"""The demo company in the database: loaded once into an empty one, and the cast one can be."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from gemba.db import db
from gemba.demo.content import Both, read_company
from gemba.demo.loading.backlog import load_backlog
from gemba.demo.loading.calendar import load_calendar
from gemba.demo.loading.company import load_company
from gemba.demo.loading.visits import load_visits
from gemba.demo.state import LOADED, is_empty
from gemba.errors import NotFound, Refused
from gemba.people.models import AuditEntry, Person


class NotEmpty(Refused):
    """The demo company needs an empty database, and this one has people in it."""

    code = "not-empty"


@dataclass(frozen=True)
class Member:
    """Someone of the cast: the person, their key in the form, and who they are in one line."""

    key: str
    person: Person
    who: Both

    @property
    def roles(self) -> list[str]:
        """Their roles, in order of the alphabet."""
        return sorted(str(role) for role in self.person.roles)


def load(now: datetime) -> None:
    """Fills an empty database with the demo company around `now`, the same each time.

    Everything goes the way it goes for people: hours are saved, visits booked, held and cancelled by the
    services, at the moments they would have been. Mail of the past counts as sent; that of coming visits
    waits in the outbox. Raises NotEmpty.
    """
    if not is_empty():
        raise NotEmpty
    company = read_company()
    loaded = load_company(company, now)
    load_visits(company, loaded, now)
    load_backlog(company, loaded, now)
    load_calendar(loaded, now)
    db.session.add(AuditEntry(at=now, action=LOADED, subject=company.name, detail={}))
    db.session.flush()


def cast() -> list[Member]:
    """Who one can sign in as, in the order of the page."""
    members = {person.email: person for person in read_company().cast}
    whole = select(Person).where(Person.email.in_(members)).options(selectinload(Person.role_rows))
    rows = {row.email: row for row in db.session.scalars(whole)}
    return [
        Member(member.key, rows[email], member.cast.who)
        for email, member in members.items()
        if email in rows and rows[email].active and member.cast is not None
    ]


def cast_person(key: str) -> Person:
    """The person of the cast with this key. Raises NotFound for everyone else."""
    for member in cast():
        if member.key == key:
            return member.person
    raise NotFound
