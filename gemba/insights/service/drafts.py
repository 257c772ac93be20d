"""Words that are not a note yet, kept for their author so that another device can go on with them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from gemba.db import db
from gemba.insights.models import NoteDraft, Observation
from gemba.insights.rules.kinds import Kind
from gemba.insights.rules.private import find
from gemba.people.models import Person
from gemba.visits.models import Visit

DRAFTS_MAX = 20
"""How many a person has in one visit; the oldest go first."""


@dataclass(frozen=True)
class DraftFields:
    """What is in the field: a line with marks, what stands beside it, and when its first letter came."""

    line: str
    at: datetime
    kind: Kind = Kind.TOOL_PAIN
    severity: int | None = None
    is_ask: bool = False


def keep(
    visit: Visit, author: Person, client_id: str, fields: DraftFields, *, instead_of: str = "", now: datetime
) -> None:
    """Keeps a draft in place of what was kept under its `client_id` and `instead_of`.

    Empty words keep nothing, nor do words of a note that is there already or that look like private data.
    """
    drop(visit.id, author.id, client_id, instead_of)
    if not fields.line.strip() or find(fields.line) or _is_note(visit, client_id):
        return
    draft = NoteDraft(
        visit_id=visit.id,
        person_id=author.id,
        client_id=client_id,
        line=fields.line,
        kind=fields.kind,
        severity=fields.severity,
        is_ask=fields.is_ask,
        at=fields.at,
        updated_at=now,
    )
    try:
        with db.session.begin_nested():
            db.session.add(draft)
            db.session.flush()
    except IntegrityError:
        # The same words came twice at once.
        return
    drop(visit.id, author.id, *(old.client_id for old in of(visit, author)[DRAFTS_MAX:]))


def of(visit: Visit, author: Person) -> list[NoteDraft]:
    """A person's drafts in a visit, the newest first."""
    query = (
        select(NoteDraft)
        .where(NoteDraft.visit_id == visit.id, NoteDraft.person_id == author.id)
        .order_by(NoteDraft.updated_at.desc(), NoteDraft.client_id)
    )
    return list(db.session.scalars(query))


def drop(visit_id: int, author_id: int, *client_ids: str) -> None:
    """Forgets these drafts of a person."""
    wanted = [client_id for client_id in client_ids if client_id]
    if wanted:
        db.session.execute(
            delete(NoteDraft).where(
                NoteDraft.visit_id == visit_id,
                NoteDraft.person_id == author_id,
                NoteDraft.client_id.in_(wanted),
            )
        )


def _is_note(visit: Visit, client_id: str) -> bool:
    query = select(Observation.id).where(Observation.visit_id == visit.id, Observation.client_id == client_id)
    return db.session.scalar(query) is not None
