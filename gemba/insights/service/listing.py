"""Lists of the backlog: pages, search, board, files. A page reads about as many rows as it shows.

Each order is an index that begins with the status, so the page is merged from the beginnings of the chosen
statuses. Ties go to the newer insight; in a search, to the older one.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select, union_all

from gemba.db import db
from gemba.errors import Invalid
from gemba.insights.models import Insight
from gemba.insights.rules.filters import InsightFilter, Order
from gemba.insights.rules.kinds import Status, _n
from gemba.insights.service import index
from gemba.insights.service.backlog import COUNTED_UP_TO, Item, load, with_numbers
from gemba.insights.service.narrowing import Conditions, conditions_of
from gemba.people.models import Person

LIMIT_MAX = 200
BOARD_MAX = 20
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
COLUMNS: dict[Order, Any] = {
    Order.SCORE: Insight.score,
    Order.SEEN: Insight.visits,
    Order.VOTES: Insight.votes,
    Order.RECENT: Insight.created_at,
    Order.HAND: Insight.place,
}

_Row = tuple[int, int]
"""What a row is ordered by, higher first, and the insight's id."""


@dataclass(frozen=True)
class Page:
    """Part of a list. `total` insights match, or more (`is_least`); `next` is the following part's cursor."""

    items: list[Item]
    total: int
    next: str | None
    is_least: bool = False


def list_insights(
    filters: InsightFilter, viewer: Person, *, cursor: str | None = None, limit: int = 50, now: datetime
) -> Page:
    """The insights that match, in order. Raises Invalid for a cursor that is not ours."""
    limit, after = min(max(limit, 1), LIMIT_MAX), _read(cursor)
    conditions = conditions_of(filters, viewer, now)
    if filters.q:
        every = _searched(filters, conditions)
        start = sum(1 for row in every if after and _place(filters, row) <= _place(filters, after))
        rows, total = every[start : start + limit + 1], len(every)
    else:
        rows = _ordered(filters, conditions, after, limit + 1)
        total = _count(filters, conditions)
    shown = rows[:limit]
    more = f"{shown[-1][0]}.{shown[-1][1]}" if len(rows) > limit else None
    return Page(with_numbers(load([id_ for _key, id_ in shown]), viewer), total, more, total >= COUNTED_UP_TO)


def every_matching(filters: InsightFilter, viewer: Person, *, now: datetime) -> list[Item]:
    """All insights that match, in order: what an export of the filters holds."""
    conditions = conditions_of(filters, viewer, now)
    rows = _searched(filters, conditions) if filters.q else _ordered(filters, conditions, None, None)
    return with_numbers(load([id_ for _key, id_ in rows]), viewer)


def board(filters: InsightFilter, viewer: Person, *, now: datetime) -> dict[Status, list[Item]]:
    """For each status the first insights that match, in order."""
    conditions = conditions_of(filters, viewer, now)
    if filters.q:
        ids = [id_ for _key, id_ in _searched(filters, conditions)]
    else:
        rows = db.session.execute(
            union_all(*(select(_branch(status, filters, conditions, None, BOARD_MAX)) for status in Status))
        )
        ids = [id_ for _key, id_ in sorted(rows, key=lambda row: (-_number(row.key), -row.id))]
    columns: dict[Status, list[Item]] = {status: [] for status in Status}
    for item in with_numbers(load(ids[: BOARD_MAX * len(Status)]), viewer):
        column = columns[Status(item.insight.status)]
        if len(column) < BOARD_MAX:
            column.append(item)
    return columns


def _ordered(
    filters: InsightFilter, conditions: Conditions, after: _Row | None, limit: int | None
) -> list[_Row]:
    """The first rows behind `after`, in one statement."""
    parts = [_branch(status, filters, conditions, after, limit) for status in filters.statuses or Status]
    found = db.session.execute(union_all(*(select(part) for part in parts)))
    rows = sorted(((_number(row.key), row.id) for row in found), reverse=True)
    return rows[:limit]


def _branch(
    status: Status, filters: InsightFilter, conditions: Conditions, after: _Row | None, limit: int | None
) -> Any:
    """SQL: the first rows with one status, from the index of the order."""
    column = COLUMNS.get(filters.order, Insight.score)
    query = select(column.label("key"), Insight.id).where(Insight.status == status, *conditions)
    if after is not None:
        key = _value(column, after[0])
        query = query.where(column <= key, or_(column < key, Insight.id < after[1]))
    query = query.order_by(column.desc(), Insight.id.desc())
    return (query.limit(limit) if limit else query).subquery()


def _searched(filters: InsightFilter, conditions: Conditions) -> list[_Row]:
    """The rows that a search finds, in order, in at most four statements."""
    (asked,) = index.ask([filters.q], typing=True)
    of_status = [Insight.status.in_(filters.statuses)] if filters.statuses else []
    rows = index.found(asked, [*conditions, *of_status])
    if filters.order is Order.RELEVANCE or not rows:
        return rows
    column = COLUMNS[filters.order]
    keyed = db.session.execute(
        select(column.label("key"), Insight.id).where(Insight.id.in_([id_ for _key, id_ in rows]))
    )
    return sorted(((_number(row.key), row.id) for row in keyed), reverse=True)


def _place(filters: InsightFilter, row: _Row) -> _Row:
    """Where a row stands: what comes first is smaller."""
    return -row[0], row[1] if filters.q and filters.order is Order.RELEVANCE else -row[1]


def _count(filters: InsightFilter, conditions: Conditions) -> int:
    """How many match, up to COUNTED_UP_TO."""
    parts = [
        select(Insight.id).where(Insight.status == status, *conditions).limit(COUNTED_UP_TO).subquery()
        for status in filters.statuses or Status
    ]
    every = union_all(*(select(part) for part in parts)).subquery()
    return min(db.session.scalar(select(func.count()).select_from(every)) or 0, COUNTED_UP_TO)


def _number(key: Any) -> int:
    """A key as an integer: instants as microseconds since 1970."""
    return (key - EPOCH) // MICROSECOND if isinstance(key, datetime) else int(key)


def _value(column: Any, key: int) -> Any:
    """The key as the column holds it."""
    return EPOCH + key * MICROSECOND if column is Insight.created_at else key


def _read(cursor: str | None) -> _Row | None:
    if not cursor:
        return None
    key, _dot, insight_id = cursor.rpartition(".")
    try:
        row = int(key), int(insight_id)
        _value(Insight.created_at, row[0])
    except (ValueError, OverflowError) as error:
        raise Invalid({"cursor": [_n("This cursor is not one of ours.")]}) from error
    return row
