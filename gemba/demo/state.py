"""What the database holds, for a start that should not wait for more than this."""

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from gemba.db import db
from gemba.people.models import AuditEntry, Person

LOADED = "demo.loaded"
"""The action in the audit log that says the demo company was loaded."""


def is_empty() -> bool:
    """Whether nobody is in the database yet."""
    return db.session.scalar(select(Person.id).limit(1)) is None


def is_demo() -> bool:
    """Whether the database holds the demo company; False too where there are no tables yet."""
    try:
        row = db.session.scalar(select(AuditEntry.id).where(AuditEntry.action == LOADED).limit(1))
    except SQLAlchemyError:
        db.session.rollback()
        return False
    return row is not None
