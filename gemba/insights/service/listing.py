"""Lists of the backlog: pages, search, board, files. A page reads about as many rows as it shows.

Each order is an index that begins with the status, so the page is merged from the beginnings of the chosen
statuses. Ties go to the newer insight; in a search, to the older one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Integer, bindparam, func, literal, or_, select, union_all

from gemba.db import db
from gemba.errors import Invalid
from gemba.insights.models import Insight
from gemba.insights.rules.filters import InsightFilter, Order
from gemba.insights.rules.kinds import Status, _n
from gemba.insights.service import index
from gemba.insights.service.backlog import COUNTED_UP_TO, Item, load, with_numbers
from gemba.insights.service.narrowing import conditions_of, given_to
from gemba.people.models import Person

LIMIT_MAX = 200
BOARD_MAX = 20
STATEMENTS_MAX = 256
"""So many questions keep their statement: making it anew costs more than the database needs to answer."""
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
    given = given_to(filters, viewer, now)
    if filters.q:
        every = _searched(filters, given)
        start = sum(1 for row in every if after and _place(filters, row) <= _place(filters, after))
        rows, total = every[start : start + limit + 1], len(every)
    else:
        rows = _ordered(filters, given, after, limit + 1)
        total = db.session.scalar(_counting(replace(filters, order=Order.SCORE)), given) or 0
        total = min(total, COUNTED_UP_TO)
    shown = rows[:limit]
    more = f"{shown[-1][0]}.{shown[-1][1]}" if len(rows) > limit else None
    return Page(with_numbers(load([id_ for _key, id_ in shown]), viewer), total, more, total >= COUNTED_UP_TO)


def every_matching(filters: InsightFilter, viewer: Person, *, now: datetime) -> list[Item]:
    """All insights that match, in order: what an export of the filters holds."""
    given = given_to(filters, viewer, now)
    rows = _searched(filters, given) if filters.q else _ordered(filters, given, None, None)
    return with_numbers(load([id_ for _key, id_ in rows]), viewer)


def board(
    filters: InsightFilter, viewer: Person, *, now: datetime
) -> tuple[dict[Status, list[Item]], dict[Status, int]]:
    """For each status the first insights that match, in order, and how many do, up to COUNTED_UP_TO."""
    given = given_to(filters, viewer, now)
    if filters.q:
        ids = [id_ for _key, id_ in _searched(filters, given)]
        counts = _statuses_of(ids)
    else:
        each = _counting_each(replace(filters, order=Order.SCORE, statuses=()))
        counts = dict(db.session.execute(each, given).tuples().all())
        rows = db.session.execute(_beginnings(replace(filters, statuses=()), False, BOARD_MAX), given)
        ids = [id_ for _key, id_ in sorted(rows, key=lambda row: (-_number(row.key), -row.id))]
    columns: dict[Status, list[Item]] = {status: [] for status in Status}
    for item in with_numbers(load(ids[: BOARD_MAX * len(Status)]), viewer):
        column = columns[Status(item.insight.status)]
        if len(column) < BOARD_MAX:
            column.append(item)
    return columns, {status: counts.get(status, 0) for status in Status}


def _ordered(
    filters: InsightFilter, given: dict[str, Any], after: _Row | None, limit: int | None
) -> list[_Row]:
    """The first rows behind `after`, in one statement."""
    if after is not None:
        given = given | {"after_key": _value(_column(filters), after[0]), "after_id": after[1]}
    found = db.session.execute(_beginnings(filters, after is not None, limit), given)
    rows = sorted(((_number(row.key), row.id) for row in found), reverse=True)
    return rows[:limit]


@lru_cache(maxsize=STATEMENTS_MAX)
def _beginnings(filters: InsightFilter, is_after: bool, limit: int | None) -> Any:
    """SQL: the first rows of each status, each from the index of the order."""
    column = _column(filters)
    key, id_ = bindparam("after_key", type_=column.type), bindparam("after_id", type_=Integer)
    parts = []
    for status in filters.statuses or Status:
        query = select(column.label("key"), Insight.id)
        query = query.where(Insight.status == status, *conditions_of(filters))
        if is_after:
            query = query.where(column <= key, or_(column < key, Insight.id < id_))
        query = query.order_by(column.desc(), Insight.id.desc())
        parts.append(select((query.limit(limit) if limit else query).subquery()))
    return union_all(*parts)


def _column(filters: InsightFilter) -> Any:
    return COLUMNS.get(filters.order, Insight.score)


def _searched(filters: InsightFilter, given: dict[str, Any]) -> list[_Row]:
    """The rows that a search finds, in order, in at most four statements."""
    (asked,) = index.ask([filters.q], typing=True)
    of_status = [Insight.status.in_(filters.statuses)] if filters.statuses else []
    rows = index.found(asked, [*conditions_of(filters), *of_status], given)
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


@lru_cache(maxsize=STATEMENTS_MAX)
def _counting(filters: InsightFilter) -> Any:
    """SQL: how many match, up to COUNTED_UP_TO of each status."""
    conditions = conditions_of(filters)
    parts = [
        select(Insight.id).where(Insight.status == status, *conditions).limit(COUNTED_UP_TO).subquery()
        for status in filters.statuses or Status
    ]
    every = union_all(*(select(part) for part in parts)).subquery()
    return select(func.count()).select_from(every)


@lru_cache(maxsize=STATEMENTS_MAX)
def _counting_each(filters: InsightFilter) -> Any:
    """SQL: each status with how many match, up to COUNTED_UP_TO."""
    parts = []
    for status in Status:
        some = select(Insight.id).where(Insight.status == status, *conditions_of(filters))
        counted = select(func.count()).select_from(some.limit(COUNTED_UP_TO).subquery()).scalar_subquery()
        parts.append(select(literal(status.value), counted))
    return union_all(*parts)


def _statuses_of(ids: Sequence[int]) -> dict[str, int]:
    """How many of what a search found have each status."""
    query = select(Insight.status, func.count()).where(Insight.id.in_(ids)).group_by(Insight.status)
    return dict(db.session.execute(query).tuples().all())


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
