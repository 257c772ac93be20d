"""Which mails people want: all of them, until they say otherwise."""

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from gemba.db import db
from gemba.people.models import MailDeclined, Person
from gemba.people.rules import MailKind
from gemba.people.service.audit import audit


def wants(person_ids: Collection[int], kind: MailKind) -> set[int]:
    """Those of these people who want mails of a kind, in one statement."""
    declined = select(MailDeclined.person_id).where(
        MailDeclined.kind == kind, MailDeclined.person_id.in_(person_ids)
    )
    return set(person_ids) - set(db.session.scalars(declined))


def wanted_by(person: Person) -> set[MailKind]:
    """The kinds of mail that somebody wants."""
    declined = select(MailDeclined.kind).where(MailDeclined.person_id == person.id)
    return set(MailKind) - {MailKind(kind) for kind in db.session.scalars(declined) if kind in set(MailKind)}


def choose(
    person: Person, wanted: Collection[MailKind], *, now: datetime, by: Person | None, address: str = ""
) -> None:
    """Somebody wants these kinds of mail and no others; `by` is None where a link in a mail said so."""
    before = wanted_by(person)
    for kind in sorted(before ^ set(wanted)):
        _turn(person, kind, kind in wanted)
        word = "mail.wanted" if kind in wanted else "mail.declined"
        audit(by, word, f"person:{person.id}", {"kind": kind.value}, now, address)


def choose_one(
    person: Person, kind: MailKind, wanted: bool, *, now: datetime, by: Person | None, address: str = ""
) -> None:
    """Turns one kind of mail on or off; asking twice changes nothing."""
    before = wanted_by(person)
    choose(person, before | {kind} if wanted else before - {kind}, now=now, by=by, address=address)


def _turn(person: Person, kind: MailKind, wanted: bool) -> None:
    if wanted:
        db.session.execute(
            delete(MailDeclined).where(MailDeclined.person_id == person.id, MailDeclined.kind == kind)
        )
        return
    # Somebody presses the button twice, or their mail program asks as well: the row is there already.
    with suppress(IntegrityError), db.session.begin_nested():
        db.session.add(MailDeclined(person_id=person.id, kind=kind.value))
