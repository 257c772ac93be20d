"""Signing up with a wish, and how many visits agents take."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from gemba.db import db
from gemba.errors import Invalid, NotFound
from gemba.people import service as people
from gemba.people.models import Line, Person, PersonRole, Product
from gemba.people.rules import LANGUAGES, N_, Role, clean_text, is_timezone
from gemba.programmes import doors, hosts
from gemba.programmes.models import Programme
from gemba.rounds.errors import HasVisit, RoundClosed
from gemba.rounds.models import Round, RoundAgent, RoundPair, RoundSignUp
from gemba.rounds.rules import CAPACITY_MAX, NOTE_MAX, PRODUCTS_MAX, REFUSED_MAX, Outcome, PairState
from gemba.rounds.service import calendars
from gemba.rounds.service.campaigns import is_open
from gemba.schedule import rules as hours
from gemba.schedule.models import Availability


@dataclass(frozen=True)
class Wish:
    """What somebody would like. `weekly` is the JSON shape of hours (`[{weekday, start, end}]`) in
    `timezone`, None for the usual working week; `busy` are minutes from 1970, `calendar` is the address of a
    calendar ("" for none); None leaves what is there."""

    note: str = ""
    timezone: str = ""
    weekly: Sequence[dict[str, str]] | None = None
    busy: Sequence[Sequence[int]] | None = None
    calendar: str | None = None
    products: tuple[int, ...] = ()
    insists: bool = False
    line_id: int | None = None
    language: str = ""
    refuses: tuple[int, ...] = field(default=())


def sign_up(
    person: Person, chosen: Round, *, note: str = "", wish: Wish | None = None, now: datetime
) -> RoundSignUp:
    """Signs up, or changes an earlier wish: what was proposed for that one is given up unless it is pinned.

    Raises RoundClosed, HasVisit, NotForYou or Invalid by field.
    """
    if not is_open(chosen, now):
        raise RoundClosed
    doors.admit(chosen.programme, person)
    wish = wish or Wish(note=note)
    weekly = _checked(wish, chosen)
    address = calendars.checked(wish.calendar) if wish.calendar is not None else None
    row = db.session.get(RoundSignUp, (chosen.id, person.id))
    if row is None:
        row = RoundSignUp(round_id=chosen.id, person_id=person.id, created_at=now, busy=[])
        db.session.add(row)
    else:
        _give_up(chosen, row, but_pinned=True)
        row.outcome, row.reason = Outcome.OPEN, {}
    row.note = clean_text(wish.note)
    row.timezone, row.weekly = wish.timezone or person.timezone, weekly
    row.products, row.insists = list(wish.products), wish.insists and bool(wish.products)
    row.line_id, row.language, row.refuses = wish.line_id, wish.language, sorted(wish.refuses)
    if wish.busy is not None:
        row.busy = [list(each) for each in wish.busy]
    people.audit(person, "round.signed_up", f"round:{chosen.id}", {}, now)
    db.session.flush()
    if address is not None:
        calendars.give(row, address, now=now)
    return row


def _checked(wish: Wish, chosen: Round) -> dict[str, Any]:
    """The hours as they are stored. Raises Invalid."""
    errors: dict[str, list[str]] = {}
    if len(clean_text(wish.note)) > NOTE_MAX:
        errors["note"] = [N_("Use at most 500 characters.")]
    if wish.timezone and not is_timezone(wish.timezone):
        errors["timezone"] = [N_("Choose a time zone such as Europe/Berlin.")]
    if wish.language not in ("", *LANGUAGES):
        errors["language"] = [N_("Choose from en and ru.")]
    elif chosen.programme.languages and wish.language not in ("", *chosen.programme.languages):
        errors["language"] = [N_("Visits of this programme are not held in this language.")]
    if chosen.programme.lines and wish.line_id not in (None, *chosen.programme.lines):
        errors["line"] = [N_("Agents of this line take no visits of this programme.")]
    for name, ids, most, model in (
        ("products", wish.products, PRODUCTS_MAX, Product),
        ("refuses", wish.refuses, REFUSED_MAX, Person),
        ("line", (wish.line_id,) if wish.line_id is not None else (), 1, Line),
    ):
        if len(ids) > most or not _exist(model, ids):
            errors[name] = [N_("Choose one of the values offered.")]
    weekly: dict[str, Any] = {}
    try:
        weekly = _hours(wish)
    except Invalid as invalid:
        errors |= {name: list(words) for name, words in invalid.errors.items()}
    if errors:
        raise Invalid(errors)
    return weekly


def _exist(model: type[Any], ids: Sequence[int]) -> bool:
    if not ids:
        return True
    return len(set(db.session.scalars(select(model.id).where(model.id.in_(ids))))) == len(set(ids))


def _hours(wish: Wish) -> dict[str, Any]:
    """The painted hours, {} for the usual ones. Raises Invalid."""
    if wish.weekly is None:
        return {}
    document = {"timezone": wish.timezone or "UTC", "weekly": wish.weekly}
    try:
        found = hours.parse_availability(document).hours
    except hours.BadAvailability as bad:
        raise Invalid(bad.errors) from bad
    if not any(found.weekly.values()):
        raise Invalid({"weekly": [N_("Mark at least one hour in which you could come.")]})
    return {str(day): [[each.start, each.end] for each in ranges] for day, ranges in found.weekly.items()}


def withdraw(person: Person, chosen: Round, *, now: datetime) -> None:
    """Takes a sign-up back, and what was proposed for it; nothing happens where there is none.

    Raises RoundClosed, HasVisit.
    """
    if not is_open(chosen, now):
        raise RoundClosed
    row = db.session.get(RoundSignUp, (chosen.id, person.id))
    if row is not None:
        _give_up(chosen, row, but_pinned=False)
        calendars.give(row, "", now=now)
        db.session.delete(row)
        people.audit(person, "round.withdrawn", f"round:{chosen.id}", {}, now)
    db.session.flush()


def _give_up(chosen: Round, sign: RoundSignUp, *, but_pinned: bool) -> None:
    """Deletes a pair that is only proposed. Raises HasVisit where an hour is booked, or about to be."""
    pair = db.session.scalar(
        select(RoundPair)
        .where(RoundPair.round_id == chosen.id, RoundPair.person_id == sign.person_id)
        .with_for_update()
    )
    if sign.outcome == Outcome.SERVED or (pair is not None and pair.state != PairState.PROPOSED):
        raise HasVisit
    if pair is not None and not (but_pinned and pair.pinned):
        db.session.delete(pair)


def sign_up_of(chosen: Round, person: Person) -> RoundSignUp | None:
    """A person's own sign-up."""
    return db.session.get(RoundSignUp, (chosen.id, person.id))


def outcomes_of(person: Person) -> dict[int, str]:
    """What became of a person's wishes, by round."""
    query = select(RoundSignUp.round_id, RoundSignUp.outcome).where(RoundSignUp.person_id == person.id)
    return dict(db.session.execute(query).tuples().all())


def pair_of(chosen: Round, person: Person) -> RoundPair | None:
    """What a person was given, once it is booked."""
    return db.session.scalar(
        select(RoundPair)
        .where(
            RoundPair.round_id == chosen.id, RoundPair.person_id == person.id, RoundPair.visit_id.is_not(None)
        )
        .options(joinedload(RoundPair.agent), joinedload(RoundPair.visit))
    )


def waiting(chosen: Round) -> list[RoundSignUp]:
    """Who signed up and has no visit of this round, by id."""
    return list(
        db.session.scalars(
            select(RoundSignUp)
            .join(Person, Person.id == RoundSignUp.person_id)
            .where(
                RoundSignUp.round_id == chosen.id,
                RoundSignUp.outcome.in_((Outcome.OPEN, Outcome.LEFT_OUT)),
                Person.active,
            )
            .order_by(RoundSignUp.person_id)
        )
    )


def capacity_of(chosen: Round, agent: Person) -> RoundAgent | None:
    """What an agent said about a round."""
    return db.session.get(RoundAgent, (chosen.id, agent.id))


def is_agent_of(chosen: Round, person: Person) -> bool:
    """Whether somebody could be visited in a round: an agent with hours who takes the programme's visits."""
    if not person.active or not person.has(Role.AGENT) or hosts.outside(chosen.programme, [person.id]):
        return False
    return db.session.get(Availability, person.id) is not None


def set_capacity(agent: Person, chosen: Round, capacity: int | None, *, now: datetime) -> RoundAgent:
    """An agent says how many visits they take in a round; None is as many as their limits allow.

    Raises NotFound for whoever is no agent, RoundClosed once it is published, Invalid.
    """
    if not is_agent_of(chosen, agent):
        raise NotFound
    if chosen.published_at is not None:
        raise RoundClosed
    if capacity is not None and not 0 <= capacity <= CAPACITY_MAX:
        raise Invalid({"capacity": [N_("Give a whole number from 0 to 50, or nothing.")]})
    row = db.session.get(RoundAgent, (chosen.id, agent.id))
    if row is None:
        row = RoundAgent(round_id=chosen.id, person_id=agent.id)
        db.session.add(row)
    row.capacity, row.confirmed_at = capacity, now
    people.audit(agent, "round.capacity", f"round:{chosen.id}", {"capacity": capacity}, now)
    db.session.flush()
    return row


def agents_with_hours(programme: Programme) -> list[Person]:
    """Active agents who saved hours and take visits of a programme, by id."""
    return list(
        db.session.scalars(
            select(Person)
            .join(Availability, Availability.person_id == Person.id)
            .join(PersonRole, (PersonRole.person_id == Person.id) & (PersonRole.role == Role.AGENT))
            .where(Person.active, *hosts.hosting(programme))
            .order_by(Person.id)
        )
    )
