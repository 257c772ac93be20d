"""A programme's own statuses: each counts as one of the five, and insights follow when it changes."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from gemba.db import db
from gemba.errors import Invalid, NotFound
from gemba.insights.models import Insight
from gemba.insights.models_backlog import ProgrammeStatus
from gemba.insights.rules.kinds import Status, _n
from gemba.insights.service.edit import remember, touch
from gemba.insights.service.events import happened
from gemba.people import service as people
from gemba.people.models import Person
from gemba.people.rules import clean_line
from gemba.programmes.models import Programme
from gemba.webhooks.rules import Event

NAME_MAX = 40
STATUSES_MAX = 20


class StatusNotFound(NotFound):
    """This status does not exist."""


@dataclass(frozen=True)
class Own:
    """A programme's own status beside its programme."""

    row: ProgrammeStatus
    programme: Programme


def of(programme_id: int | None) -> list[ProgrammeStatus]:
    """A programme's own statuses, in order."""
    query = select(ProgrammeStatus).where(ProgrammeStatus.programme_id == programme_id)
    return list(db.session.scalars(query.order_by(ProgrammeStatus.position, ProgrammeStatus.id)))


def held(programme_id: int) -> dict[int, int]:
    """How many insights, as far as they stand for themselves, have each of a programme's own statuses."""
    query = (
        select(Insight.own_status_id, func.count())
        .join(ProgrammeStatus, ProgrammeStatus.id == Insight.own_status_id)
        .where(ProgrammeStatus.programme_id == programme_id, Insight.merged_into_id.is_(None))
        .group_by(Insight.own_status_id)
    )
    return {status_id: count for status_id, count in db.session.execute(query) if status_id is not None}


_EVERY = (
    select(ProgrammeStatus, Programme)
    .join(Programme, Programme.id == ProgrammeStatus.programme_id)
    .order_by(Programme.id, ProgrammeStatus.position, ProgrammeStatus.id)
)


def every() -> list[Own]:
    """All programmes' own statuses, by programme, in order; one statement."""
    return [Own(row, programme) for row, programme in db.session.execute(_EVERY)]


def add(
    programme_id: int, by: Person, name: str, name_ru: str, category: str, *, now: datetime
) -> ProgrammeStatus:
    """Adds a status of a programme's own, which counts as one of the five. Raises Invalid."""
    others = of(programme_id)
    name, name_ru = _checked(name, name_ru, category, others)
    if len(others) >= STATUSES_MAX:
        raise Invalid({"name": [_n("Twenty statuses are enough. Remove one first.")]})
    row = ProgrammeStatus(
        programme_id=programme_id,
        name=name,
        name_ru=name_ru,
        category=category,
        position=max((one.position for one in others), default=-1) + 1,
    )
    db.session.add(row)
    db.session.flush()
    people.audit(by, "insights.status.add", f"programme:{programme_id}", {"name": name}, now)
    return row


def change(
    programme_id: int, status_id: int, by: Person, name: str, name_ru: str, category: str, *, now: datetime
) -> ProgrammeStatus:
    """Renames one or lets it count as another of the five; its insights count so from now on.

    Nobody hears of that: a word of the programme changed, not what becomes of an insight. Raises
    StatusNotFound, Invalid.
    """
    row = _locked(programme_id, status_id)
    others = [one for one in of(programme_id) if one.id != row.id]
    row.name, row.name_ru = _checked(name, name_ru, category, others)
    if row.category != category:
        row.category = category
        for insight in _holding(row.id):
            remember(insight, by, "status", insight.status, category, "", now)
            insight.status = category
            touch(insight, now)
            if insight.review_visit_id is None:
                happened(insight.id, Event.INSIGHT_STATUS_CHANGED, f"{insight.version}", now, status=category)
    db.session.flush()
    told = {"name": row.name, "category": row.category}
    people.audit(by, "insights.status.change", f"programme:{programme_id}", told, now)
    return row


def remove(programme_id: int, status_id: int, by: Person, *, now: datetime) -> None:
    """Removes one; insights keep what it counted as. Raises StatusNotFound."""
    row = _locked(programme_id, status_id)
    people.audit(by, "insights.status.remove", f"programme:{programme_id}", {"name": row.name}, now)
    for insight in _holding(row.id):
        remember(insight, by, "own_status_id", row.id, None, "", now)
        insight.own_status_id = None
        touch(insight, now)
    db.session.flush()
    db.session.delete(row)
    db.session.flush()


def _checked(name: str, name_ru: str, category: str, others: list[ProgrammeStatus]) -> tuple[str, str]:
    name, name_ru = clean_line(name), clean_line(name_ru)
    errors: dict[str, list[str]] = {}
    taken = {one.name.casefold() for one in others}
    if not name or max(len(name), len(name_ru)) > NAME_MAX or name.casefold() in taken:
        errors["name"] = [_n("Give a new name of at most 40 characters.")]
    if category not in list(Status):
        errors["category"] = [_n("Choose one of the statuses.")]
    if errors:
        raise Invalid(errors)
    return name, name_ru


def _locked(programme_id: int, status_id: int) -> ProgrammeStatus:
    row = db.session.get(ProgrammeStatus, status_id, with_for_update=True)
    if row is None or row.programme_id != programme_id:
        raise StatusNotFound
    return row


def _holding(status_id: int) -> list[Insight]:
    """The insights with this own status, locked in order of id."""
    query = select(Insight).where(Insight.own_status_id == status_id).order_by(Insight.id)
    fresh = query.with_for_update(of=Insight).execution_options(populate_existing=True)
    return list(db.session.scalars(fresh))
