"""Changing many insights at once, all or none, and taking it back as long as nobody changed them since."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime

from sqlalchemy import func, select, update

from gemba.db import db
from gemba.errors import Invalid, NotFound, Refused
from gemba.insights.models import Insight, InsightChange
from gemba.insights.models_backlog import BulkEdit, ProgrammeStatus
from gemba.insights.rules.kinds import Status, _n
from gemba.insights.service import telling
from gemba.insights.service.edit import merge, patch, unmerge
from gemba.insights.service.fields import FIELDS, tags_of
from gemba.insights.service.sight import readable_insight
from gemba.people.models import Person
from gemba.people.rules import Role

MOST = 200
_NUMBERS = ("product_id", "owner_id", "minutes_lost", "own_status_id")


class BulkNotFound(NotFound):
    """This change does not exist, or it is not yours to take back."""


class TakenBack(Refused):
    """This change was taken back already."""


def change(
    ids: Collection[int],
    viewer: Person,
    changes: Mapping[str, object],
    *,
    add_tags: str = "",
    into_id: int | None = None,
    reason: str = "",
    now: datetime,
) -> BulkEdit:
    """Changes fields, adds tags, or merges all `into_id`; one refusal refuses all.

    Raises Invalid, InsightNotFound, Forbidden and what patch() and merge() raise.
    """
    chosen = sorted(set(ids) - {into_id})
    if not chosen:
        raise Invalid({"insight": [_n("Choose at least one insight.")]})
    if len(chosen) > MOST:
        raise Invalid({"insight": [_n("Choose at most 200 insights at a time.")]})
    last = db.session.scalar(select(func.max(InsightChange.id))) or 0
    made = BulkEdit(person_id=viewer.id, at=now)
    db.session.add(made)
    db.session.flush()
    for insight_id in chosen:
        if into_id is not None:
            merge(insight_id, viewer, into_id, now=now)
            continue
        wanted = dict(changes)
        if add_tags.strip():
            wanted["tags"] = tags_of(f"{readable_insight(insight_id, viewer).tags} {add_tags}")
        patch(insight_id, viewer, wanted, reason=reason, now=now)
    db.session.flush()
    lines = (InsightChange.id > last, InsightChange.person_id == viewer.id, InsightChange.at == now)
    db.session.execute(
        update(InsightChange)
        .where(*lines)
        .values(bulk_id=made.id)
        .execution_options(synchronize_session=False)
    )
    return made


def undo(bulk_id: int, viewer: Person, *, now: datetime) -> int:
    """Takes a bulk edit back; what somebody changed since stays as they left it. Says how many came back.

    A word that did not leave yet is dropped. Raises BulkNotFound, TakenBack.
    """
    made = db.session.get(BulkEdit, bulk_id, with_for_update=True)
    if made is None or (made.person_id != viewer.id and not viewer.has(Role.ADMIN)):
        raise BulkNotFound
    if made.undone_at is not None:
        raise TakenBack
    made.undone_at = now
    before: dict[int, dict[str, object]] = defaultdict(dict)
    merged: list[int] = []
    for line in db.session.scalars(select(InsightChange).where(InsightChange.bulk_id == bulk_id)).all():
        if line.field == "merged_into":
            merged.append(line.insight_id)
        elif line.field in FIELDS and _is_still(line) and _is_there(line):
            before[line.insight_id][line.field] = _value(line.field, line.before)
    for insight_id in merged:
        if db.session.get_one(Insight, insight_id).merged_into_id is not None:
            unmerge(insight_id, viewer, now=now)
    for insight_id, values in before.items():
        why = _reason_before(insight_id, bulk_id) if "status" in values else ""
        if values.get("status") == Status.DECLINED:
            why = why or "–"
        telling.hush(patch(insight_id, viewer, values, reason=why, tell=False, now=now), now)
    return len(before) + len(merged)


def _is_still(line: InsightChange) -> bool:
    now = getattr(db.session.get_one(Insight, line.insight_id), line.field)
    return ("" if now is None else str(now)) == line.after


def _reason_before(insight_id: int, bulk_id: int) -> str:
    """The reason that stood with the status before a bulk edit."""
    first = select(func.min(InsightChange.id)).where(InsightChange.bulk_id == bulk_id).scalar_subquery()
    found = db.session.scalar(
        select(InsightChange.reason)
        .where(InsightChange.insight_id == insight_id, InsightChange.field == "status")
        .where(InsightChange.id < first)
        .order_by(InsightChange.id.desc())
        .limit(1)
    )
    return found or ""


def _is_there(line: InsightChange) -> bool:
    """Whether what the line names can be had again: an own status may have been removed since."""
    if line.field != "own_status_id" or not line.before:
        return True
    return db.session.get(ProgrammeStatus, int(line.before)) is not None


def _value(field: str, text: str) -> object:
    if field in _NUMBERS:
        return int(text) if text else None
    if field == "due":
        return date.fromisoformat(text) if text else None
    return text
