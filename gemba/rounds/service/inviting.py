"""Who is asked to take part: by a list of addresses, a department or a CSV file; and who is reminded."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

from sqlalchemy import ColumnElement, exists, false, func, or_, select
from sqlalchemy.orm import joinedload

from gemba.db import db, insert_all_new, table_of
from gemba.errors import Invalid
from gemba.people import service as people
from gemba.people.models import Person
from gemba.people.rules import N_
from gemba.programmes import doors
from gemba.rounds.errors import RoundClosed, TooManyMails
from gemba.rounds.models import Round, RoundAgent, RoundInvitee, RoundSignUp
from gemba.rounds.rules import INVITED_AT_ONCE
from gemba.rounds.service import mails
from gemba.rounds.service.campaigns import is_open
from gemba.rounds.service.wishing import agents_with_hours

REMIND_BEFORE = timedelta(hours=48)
BETWEEN = timedelta(hours=24)
AGAIN_AFTER = timedelta(hours=48)


@dataclass(frozen=True)
class Invited:
    """How many were asked now and had been before, the addresses nobody here has, and how many of those named
    may not take part in the programme."""

    new: int
    before: int
    unknown: tuple[str, ...]
    outside: int


def invite(
    viewer: Person,
    chosen: Round,
    *,
    addresses: Collection[str] = (),
    ids: Collection[int] = (),
    department: str = "",
    now: datetime,
) -> Invited:
    """Asks people to take part; who was asked before is not asked again. Raises RoundClosed, Invalid."""
    if not is_open(chosen, now):
        raise RoundClosed
    if len(addresses) > INVITED_AT_ONCE:
        raise Invalid({"addresses": [N_("Invite at most 3000 people at once.")]})
    named, unknown = people.people_named(ids, addresses)
    wanted = select(Person).where(Person.active, or_(Person.id.in_(named), _of(department)))
    found = db.session.scalars(wanted).all()
    if not found and not unknown:
        raise Invalid({"addresses": [N_("Name somebody: by address, department or file.")]})
    asked = {person.id: person for person in found}
    outside = doors.not_admitted(chosen.programme, list(asked))
    asked = {number: person for number, person in asked.items() if number not in outside}
    before = _invited(chosen)
    new = [person for number, person in sorted(asked.items()) if number not in before]
    if new:
        rows = [{"round_id": chosen.id, "person_id": person.id, "invited_at": now} for person in new]
        insert_all_new(table_of(RoundInvitee), rows, "round_id", "person_id")
        signed = _signed_up(chosen)
        mails.invite(chosen, [person for person in new if person.id not in signed], now=now)
        people.audit(viewer, "round.invite", f"round:{chosen.id}", {"people": len(new)}, now)
    db.session.flush()
    return Invited(len(new), len(asked) - len(new), tuple(unknown), len(outside))


def _of(department: str) -> ColumnElement[bool]:
    return Person.department == department if department else false()


@dataclass(frozen=True)
class Invitee:
    """Somebody who was asked, when, and whether they signed up."""

    person_id: int
    invited_at: datetime
    signed_up: bool


def invitees(chosen: Round, after_id: int = 0, *, limit: int) -> list[Invitee]:
    """Who was asked, by id, from behind an id on."""
    signed = exists().where(
        RoundSignUp.round_id == chosen.id, RoundSignUp.person_id == RoundInvitee.person_id
    )
    query = (
        select(RoundInvitee.person_id, RoundInvitee.invited_at, signed)
        .where(RoundInvitee.round_id == chosen.id, RoundInvitee.person_id > after_id)
        .order_by(RoundInvitee.person_id)
    )
    return [Invitee(*row) for row in db.session.execute(query.limit(limit))]


def _invited(chosen: Round) -> set[int]:
    return set(db.session.scalars(select(RoundInvitee.person_id).where(RoundInvitee.round_id == chosen.id)))


def _signed_up(chosen: Round) -> set[int]:
    return set(db.session.scalars(select(RoundSignUp.person_id).where(RoundSignUp.round_id == chosen.id)))


def silent(chosen: Round, *, limit: int | None = None) -> list[Person]:
    """Who was asked and did not sign up, by name."""
    signed = select(RoundSignUp.person_id).where(RoundSignUp.round_id == chosen.id)
    query = (
        select(Person)
        .join(RoundInvitee, RoundInvitee.person_id == Person.id)
        .where(RoundInvitee.round_id == chosen.id, Person.id.not_in(signed), Person.active)
        .order_by(func.lower(Person.name), Person.id)
    )
    return list(db.session.scalars(query.limit(limit)))


def remind(viewer: Person | None, chosen: Round, *, now: datetime) -> int:
    """Reminds everyone who was asked and did not sign up. Raises RoundClosed, TooManyMails."""
    if not is_open(chosen, now):
        raise RoundClosed
    if chosen.reminded_at is not None and now - chosen.reminded_at < BETWEEN:
        raise TooManyMails
    asked = silent(chosen)
    mails.remind(chosen, asked, now=now)
    chosen.reminded_at = now
    people.audit(viewer, "round.remind", f"round:{chosen.id}", {"people": len(asked)}, now)
    db.session.flush()
    return len(asked)


def remind_by_itself(now: datetime) -> None:
    """Two days before sign-up ends, who did not answer hears once more."""
    due = db.session.scalars(
        select(Round).where(
            Round.reminded_at.is_(None),
            Round.published_at.is_(None),
            Round.opens_at <= now - BETWEEN,
            Round.closes_at > now,
            Round.closes_at <= now + REMIND_BEFORE,
        )
    )
    for chosen in due.all():
        remind(None, chosen, now=now)


def ask_agents(viewer: Person, chosen: Round, *, now: datetime) -> int:
    """Asks the agents who were not asked yet how many visits they take; says how many were asked."""
    known = {
        row.person_id: row
        for row in db.session.scalars(select(RoundAgent).where(RoundAgent.round_id == chosen.id))
    }
    asked: Sequence[Person] = [
        agent
        for agent in agents_with_hours(chosen.programme)
        if agent.id not in known
        or (known[agent.id].asked_at is None and known[agent.id].confirmed_at is None)
    ]
    for agent in asked:
        row = known.get(agent.id) or RoundAgent(round_id=chosen.id, person_id=agent.id)
        row.asked_at = now
        db.session.add(row)
    mails.ask_agents(chosen, asked, now=now)
    people.audit(viewer, "round.ask_agents", f"round:{chosen.id}", {"agents": len(asked)}, now)
    db.session.flush()
    return len(asked)


def ask_agents_again(now: datetime) -> None:
    """Agents who were asked two days ago and did not answer hear once more, until the visits begin."""
    due = db.session.scalars(
        select(RoundAgent)
        .join(Round, Round.id == RoundAgent.round_id)
        .join(Person, Person.id == RoundAgent.person_id)
        .where(
            RoundAgent.asked_at <= now - AGAIN_AFTER,
            RoundAgent.confirmed_at.is_(None),
            RoundAgent.reminded_at.is_(None),
            Round.published_at.is_(None),
            Round.visits_from > now,
            Person.active,
        )
        .order_by(RoundAgent.round_id, RoundAgent.person_id)
    ).all()
    if not due:
        return
    agents = {
        each.id: each
        for each in db.session.scalars(select(Person).where(Person.id.in_({row.person_id for row in due})))
    }
    for round_id, rows in groupby(due, attrgetter("round_id")):
        silent_ones = list(rows)
        for row in silent_ones:
            row.reminded_at = now
        chosen = db.session.get_one(Round, round_id)
        mails.ask_agents_again(chosen, [agents[row.person_id] for row in silent_ones], now=now)
    db.session.flush()


def signed_up(chosen: Round, *, limit: int, offset: int = 0) -> list[RoundSignUp]:
    """Who signed up, by name."""
    query = (
        select(RoundSignUp)
        .join(Person, Person.id == RoundSignUp.person_id)
        .where(RoundSignUp.round_id == chosen.id)
        .options(joinedload(RoundSignUp.person))
        .order_by(func.lower(Person.name), Person.id)
    )
    return list(db.session.scalars(query.limit(limit).offset(offset)))
