"""Questions to the backlog that people keep under a name, for themselves or for everyone."""

from datetime import datetime

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import joinedload

from gemba.db import db
from gemba.errors import Invalid, NotFound
from gemba.insights.models_backlog import SavedView
from gemba.insights.rules.kinds import _n
from gemba.people.models import Person
from gemba.people.rules import Role, clean_line

NAME_MAX = 60
EACH_MAX = 30
QUERY_MAX = 1000
SHOWN = 60


class ViewNotFound(NotFound):
    """This view does not exist, or it is not yours to remove."""


_SEEN_BY = (
    select(SavedView)
    .where(or_(SavedView.person_id == bindparam("viewer_id"), SavedView.shared))
    .options(joinedload(SavedView.person))
    .order_by(SavedView.name, SavedView.id)
    .limit(SHOWN)
)


def of(viewer: Person) -> list[SavedView]:
    """One's own views and those that are shared, by name."""
    return list(db.session.scalars(_SEEN_BY, {"viewer_id": viewer.id}))


def keep(viewer: Person, name: str, query: str, *, shared: bool, now: datetime) -> SavedView:
    """Keeps a question under a name; the same name of one's own is written anew. Raises Invalid."""
    name = clean_line(name)
    if not name or len(name) > NAME_MAX:
        raise Invalid({"name": [_n("Give a name of at most 60 characters.")]})
    mine = SavedView.person_id == viewer.id
    view = db.session.scalar(select(SavedView).where(mine, SavedView.name == name))
    if view is None:
        if (db.session.scalar(select(func.count()).where(mine)) or 0) >= EACH_MAX:
            raise Invalid({"name": [_n("You keep thirty views already. Remove one first.")]})
        view = SavedView(person_id=viewer.id, name=name, query="", at=now)
        db.session.add(view)
    view.query, view.shared, view.at = query[:QUERY_MAX], shared, now
    db.session.flush()
    return view


def remove(view_id: int, viewer: Person) -> None:
    """Removes one's own view; an admin removes any shared one. Raises ViewNotFound."""
    view = db.session.get(SavedView, view_id)
    if view is None or (view.person_id != viewer.id and not (view.shared and viewer.has(Role.ADMIN))):
        raise ViewNotFound
    db.session.delete(view)
    db.session.flush()
