"""The audit trail: who did what and when, written in the transaction of the act."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from gemba.db import db, run, table_of
from gemba.people.models import AuditEntry, Person
from gemba.people.rules import clean_line

_AN_ENTRY = insert(table_of(AuditEntry)).inline()


def audit(
    person: Person | None,
    action: str,
    subject: str,
    detail: Mapping[str, Any],
    now: datetime,
    address: str = "",
) -> None:
    """Writes down an act: `person` did it (None: nobody signed in, or the command line), `subject` is
    what it was done to, such as `person:12`, `detail` is JSON without secrets, `address` the caller's."""
    run(
        _AN_ENTRY,
        {
            "at": now,
            "person_id": person.id if person is not None else None,
            "action": action,
            "subject": clean_line(subject)[:200],
            "detail": dict(detail),
            "address": address[:64],
        },
    )


def audit_of(subject: str, *, limit: int = 20) -> list[tuple[AuditEntry, str]]:
    """The newest entries about a subject with the name of who did it ("" for the command line)."""
    rows = db.session.execute(
        select(AuditEntry, Person.name)
        .outerjoin(Person, Person.id == AuditEntry.person_id)
        .where(AuditEntry.subject == subject)
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    )
    return [(entry, name or "") for entry, name in rows]
