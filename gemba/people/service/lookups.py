"""What pages of other domains ask about people."""

from collections.abc import Iterable

from sqlalchemy import select

from gemba.db import db
from gemba.people.models import Person


def names_of(ids: Iterable[int]) -> dict[int, str]:
    """The names of some people by id."""
    rows = db.session.execute(select(Person.id, Person.name).where(Person.id.in_(list(ids))))
    return dict(rows.tuples().all())
