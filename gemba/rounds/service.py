"""Signing up to a round."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from gemba.db import db
from gemba.errors import Invalid, NotFound, Refused
from gemba.people import service as people
from gemba.people.models import Person
from gemba.people.rules import clean_text
from gemba.rounds.models import Round, RoundSignUp
from gemba.rounds.rules import NOTE_MAX


class RoundClosed(Refused):
    """Sign-up to this round is not open now."""

    code = "round-closed"


def get_round(round_id: int) -> Round:
    """A round with its sign-ups. Raises NotFound."""
    found = db.session.scalar(
        select(Round)
        .where(Round.id == round_id)
        .options(joinedload(Round.programme), selectinload(Round.sign_ups).joinedload(RoundSignUp.person))
    )
    if found is None:
        raise NotFound
    return found


def sign_up(person: Person, chosen: Round, *, note: str, now: datetime) -> RoundSignUp:
    """Signs up, or changes the note of an earlier sign-up. Raises RoundClosed or Invalid."""
    _must_be_open(chosen, now)
    note = clean_text(note)
    if len(note) > NOTE_MAX:
        raise Invalid({"note": [f"Use at most {NOTE_MAX} characters."]})
    row = db.session.get(RoundSignUp, (chosen.id, person.id))
    if row is None:
        row = RoundSignUp(round_id=chosen.id, person_id=person.id, created_at=now)
        db.session.add(row)
    row.note = note
    people.audit(person, "round.signed_up", f"round:{chosen.id}", {}, now)
    db.session.flush()
    return row


def withdraw(person: Person, chosen: Round, *, now: datetime) -> None:
    """Takes a sign-up back; nothing happens where there is none. Raises RoundClosed."""
    _must_be_open(chosen, now)
    row = db.session.get(RoundSignUp, (chosen.id, person.id))
    if row is not None:
        db.session.delete(row)
        people.audit(person, "round.withdrawn", f"round:{chosen.id}", {}, now)
    db.session.flush()


def _must_be_open(chosen: Round, now: datetime) -> None:
    if not chosen.opens_at <= now < chosen.closes_at:
        raise RoundClosed
