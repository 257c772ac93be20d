"""Who may take part in a programme, and whether visits are booked by hand or come from rounds.

Nobody is told who else may: a refusal names no department and no list.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, delete, func, select, true

from gemba.db import db, insert_all_new, table_of
from gemba.errors import Forbidden, Invalid, Refused
from gemba.people import service as people
from gemba.people.models import Person, PersonRole
from gemba.people.rules import N_, Role
from gemba.programmes.models import Programme, ProgrammePerson
from gemba.programmes.rules import Opening, Who

LISTED_AT_ONCE = 3000


class NotForYou(Forbidden):
    """This programme is for some colleagues only, and you are not among them. Its admins can add you."""

    code = "not-for-you"


class ByRoundsOnly(Refused):
    """Visits of this programme come about by rounds only. Sign up to the next round."""

    code = "by-rounds-only"


@dataclass(frozen=True)
class Coming:
    """The round one can sign up to now, or else nothing is known of one."""

    round_id: int
    closes_at: datetime


NextRound = Callable[[Programme, datetime], Coming | None]
_next: list[NextRound] = []


def when_asked_for_rounds(answer: NextRound) -> None:
    """Has `answer` say which round of a programme is open for sign-up."""
    _next[:] = [answer]


def next_round(programme: Programme, now: datetime) -> Coming | None:
    """The round of a programme that is open for sign-up, the first to close."""
    return _next[0](programme, now) if _next else None


def is_for(programme: Programme, person: Person) -> bool:
    """Whether somebody may take part in a programme; a statement only where it has a list."""
    return bool(for_person([programme], person))


def for_person(programmes: Sequence[Programme], person: Person) -> list[Programme]:
    """Those of the programmes somebody may take part in, in at most one statement."""
    listed = [each.id for each in programmes if each.who == Who.LISTED]
    on_list = set(db.session.scalars(_lists_of(person, listed))) if listed else set()
    return [
        each
        for each in programmes
        if each.who == Who.EVERYONE
        or (each.who == Who.DEPARTMENTS and person.department in each.departments)
        or each.id in on_list
    ]


def _lists_of(person: Person, programmes: Collection[int]) -> Select[int]:
    return select(ProgrammePerson.programme_id).where(
        ProgrammePerson.person_id == person.id, ProgrammePerson.programme_id.in_(programmes)
    )


def admitted(programme: Programme) -> ColumnElement[bool]:
    """The same as a condition on Person."""
    if programme.who == Who.EVERYONE:
        return true()
    if programme.who == Who.DEPARTMENTS:
        return Person.department.in_(programme.departments)
    return Person.id.in_(
        select(ProgrammePerson.person_id).where(ProgrammePerson.programme_id == programme.id)
    )


def not_admitted(programme: Programme, ids: Collection[int]) -> set[int]:
    """Those of these people who may not take part, in at most one statement."""
    if programme.who == Who.EVERYONE or not ids:
        return set()
    return set(ids) - set(db.session.scalars(select(Person.id).where(admitted(programme))))


def reach(programme: Programme) -> int:
    """How many visitors may take part as things are."""
    visitors = select(PersonRole.person_id).where(PersonRole.role == Role.VISITOR)
    query = select(func.count()).where(Person.active, Person.id.in_(visitors), admitted(programme))
    return db.session.scalar(query) or 0


def admit(programme: Programme, person: Person) -> None:
    """Raises NotForYou unless the person may take part."""
    if not is_for(programme, person):
        raise NotForYou


def by_hand(programme: Programme) -> bool:
    """Whether people book hours of a programme themselves."""
    return Opening(programme.opening).by_hand


def by_rounds(programme: Programme) -> bool:
    """Whether a programme has rounds."""
    return Opening(programme.opening).by_rounds


def book_by_hand(programme: Programme, person: Person) -> None:
    """Raises NotForYou, or ByRoundsOnly where visits come from rounds."""
    admit(programme, person)
    if not by_hand(programme):
        raise ByRoundsOnly


# The list, which admins keep.


@dataclass(frozen=True)
class Added:
    """How many are on the list now who were not, how many were before, and addresses nobody here has."""

    new: int
    before: int
    unknown: tuple[str, ...]


def listed(programme: Programme, *, limit: int, offset: int = 0) -> list[Person]:
    """Who is on the list, by name."""
    query = (
        select(Person)
        .join(ProgrammePerson, ProgrammePerson.person_id == Person.id)
        .where(ProgrammePerson.programme_id == programme.id)
        .order_by(func.lower(Person.name), Person.id)
    )
    return list(db.session.scalars(query.limit(limit).offset(offset)))


def listed_after(programme: Programme, after_id: int, *, limit: int) -> list[Person]:
    """Who is on the list, by id, from behind an id on, with all that is told of people."""
    query = (
        select(Person)
        .join(ProgrammePerson, ProgrammePerson.person_id == Person.id)
        .where(ProgrammePerson.programme_id == programme.id, Person.id > after_id)
        .order_by(Person.id)
    )
    return list(db.session.scalars(people.whole(query).limit(limit)))


def set_people(viewer: Person, programme: Programme, ids: set[int], *, now: datetime) -> None:
    """Makes these people the whole list; what the others have booked stays. Raises Forbidden."""
    _admins_only(viewer)
    here = ProgrammePerson.programme_id == programme.id
    before = set(db.session.scalars(select(ProgrammePerson.person_id).where(here)))
    if gone := before - ids:
        db.session.execute(delete(ProgrammePerson).where(here, ProgrammePerson.person_id.in_(gone)))
    if new := ids - before:
        rows = [{"programme_id": programme.id, "person_id": person} for person in sorted(new)]
        insert_all_new(table_of(ProgrammePerson), rows, "programme_id", "person_id")
    if gone or new:
        detail = {"added": len(new), "removed": len(gone)}
        _audit(viewer, programme, "programme.people.set", detail, now)


def count_listed(programme: Programme) -> int:
    """How many are on the list."""
    query = select(func.count()).where(ProgrammePerson.programme_id == programme.id)
    return db.session.scalar(query) or 0


def add_people(viewer: Person, programme: Programme, addresses: Collection[str], *, now: datetime) -> Added:
    """Puts people on the list by their addresses. Raises Forbidden, Invalid."""
    _admins_only(viewer)
    if not addresses:
        raise Invalid({"addresses": [N_("Name somebody: by address or file.")]})
    if len(addresses) > LISTED_AT_ONCE:
        raise Invalid({"addresses": [N_("Add at most 3000 people at once.")]})
    found, unknown = people.people_named((), addresses)
    before = set(
        db.session.scalars(
            select(ProgrammePerson.person_id).where(ProgrammePerson.programme_id == programme.id)
        )
    )
    new = sorted(found - before)
    if new:
        rows = [{"programme_id": programme.id, "person_id": person} for person in new]
        insert_all_new(table_of(ProgrammePerson), rows, "programme_id", "person_id")
        _audit(viewer, programme, "programme.people.add", {"people": len(new)}, now)
    return Added(len(new), len(found) - len(new), tuple(unknown))


def remove_person(viewer: Person, programme: Programme, person_id: int, *, now: datetime) -> None:
    """Takes somebody off the list; what they have booked stays. Raises Forbidden."""
    _admins_only(viewer)
    gone = delete(ProgrammePerson).where(
        ProgrammePerson.programme_id == programme.id, ProgrammePerson.person_id == person_id
    )
    db.session.execute(gone)
    _audit(viewer, programme, "programme.people.remove", {"person": person_id}, now)


def _admins_only(viewer: Person) -> None:
    if not viewer.has(Role.ADMIN):
        raise Forbidden


def _audit(viewer: Person, programme: Programme, action: str, detail: dict[str, int], now: datetime) -> None:
    people.audit(viewer, action, f"programme:{programme.id}", detail, now)
