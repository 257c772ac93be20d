"""Reading the backlog: lists, one insight with its evidence, what is similar.

Only what `viewer` may read is found (sight.py). Agents are counted and their lines named, never they
themselves. Each function costs a constant number of statements.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import joinedload

from gemba.db import db
from gemba.errors import Invalid
from gemba.insights.errors import InsightNotFound
from gemba.insights.models import Insight, InsightChange, InsightVote, Observation
from gemba.insights.rules.filters import InsightFilter, Order
from gemba.insights.rules.kinds import Status, _n
from gemba.insights.rules.score import ScoreParts
from gemba.insights.rules.terms import is_similar
from gemba.insights.service import index
from gemba.insights.service.counts import (
    NOTHING,
    ROOT,
    Counts,
    Watched,
    counted,
    counting,
    counts_of,
    score_of,
    votes_of,
    watched,
)
from gemba.insights.service.sight import COUNTED, readable, readable_insight
from gemba.people.models import Person, Product
from gemba.visits.models import Visit

LIMIT_MAX = 200


@dataclass(frozen=True)
class Item:
    """An insight with all that is counted for it. `voted` is whether the viewer said "me too"."""

    insight: Insight
    counts: Counts
    score: ScoreParts | None
    watched: int
    votes: int
    voted: bool


@dataclass(frozen=True)
class Page:
    """Part of a list: `total` insights match, `next` is the cursor of the following part, None at the end."""

    items: list[Item]
    total: int
    next: str | None


@dataclass(frozen=True)
class Detail:
    """One insight with its evidence (newest first), the insights merged into it and its history."""

    item: Item
    evidence: list[Observation]
    parts: list[Insight]
    survivor: Insight | None
    changes: list[InsightChange]


@dataclass(frozen=True)
class Similar:
    """An insight that says perhaps the same, with the shared terms, most telling first."""

    item: Item
    shared: tuple[str, ...]


@dataclass(frozen=True)
class Summary:
    """The backlog in figures: insights by status, and the visits that have been watched."""

    by_status: dict[Status, int]
    visits: int

    @property
    def total(self) -> int:
        """All insights that are not merged away."""
        return sum(self.by_status.values())


@dataclass(frozen=True)
class _Row:
    """What the order of the list needs to know about a matching insight."""

    id: int
    key: int
    counts: Counts


def list_insights(
    filters: InsightFilter, viewer: Person, *, cursor: str | None = None, limit: int = 50, now: datetime
) -> Page:
    """The insights that match, in order. Raises Invalid for a cursor that is not ours."""
    seen = watched(now)
    rows = _matching(filters, viewer, seen, now)
    start = _after(rows, cursor)
    part = rows[start : start + min(max(limit, 1), LIMIT_MAX)]
    end = start + len(part)
    more = f"{part[-1].key}.{part[-1].id}" if part and end < len(rows) else None
    return Page(_items(part, viewer, seen, now), len(rows), more)


def every_matching(filters: InsightFilter, viewer: Person, *, now: datetime) -> list[Item]:
    """All insights that match, in order: what an export of the filters holds."""
    seen = watched(now)
    return _items(_matching(filters, viewer, seen, now), viewer, seen, now)


def get(insight_id: int, viewer: Person, *, now: datetime) -> Detail:
    """One insight with everything its page shows. Raises InsightNotFound."""
    insight = db.session.scalar(
        _with_names(select(Insight)).where(Insight.id == insight_id, readable(viewer))
    )
    if insight is None:
        raise InsightNotFound
    parts = list(db.session.scalars(_with_names(select(Insight)).where(Insight.merged_into_id == insight_id)))
    seen = watched(now)
    survivor = db.session.get(Insight, insight.merged_into_id) if insight.merged_into_id else None
    family = [insight_id, *(part.id for part in parts)]
    return Detail(
        item=_with_counts([insight], {}, viewer, seen, now)[0],
        evidence=evidence_of(family),
        parts=parts,
        survivor=survivor,
        changes=_changes_of(insight_id),
    )


def evidence_of(ids: Collection[int]) -> list[Observation]:
    """The observations of these insights that stand, newest first, with visit, agent's line and product."""
    query = (
        select(Observation)
        .where(Observation.insight_id.in_(ids), COUNTED)
        .options(
            joinedload(Observation.visit).joinedload(Visit.agent).joinedload(Person.line),
            joinedload(Observation.product),
        )
        .order_by(Observation.at.desc(), Observation.id.desc())
    )
    return list(db.session.scalars(query))


def similar(insight_id: int, viewer: Person, *, limit: int = 5, now: datetime) -> list[Similar]:
    """Insights that say perhaps the same as this one, best first. Raises InsightNotFound."""
    insight = readable_insight(insight_id, viewer)
    # A long description would drown what the title says.
    return similar_to(insight.title, viewer, but=[insight.id, insight.root_id], limit=limit, now=now)


def similar_to(
    text: str, viewer: Person, *, but: Collection[int] = (), limit: int = 5, now: datetime
) -> list[Similar]:
    """Insights that say perhaps the same as a text, best first; never declined or merged ones."""
    (asked,) = index.ask([text])
    (matches,) = index.best([asked], but=but, limit=4 * limit, sight=readable(viewer))
    near = [m for m in matches if is_similar(m, asked.query, asked.frequencies, asked.total)][:limit]
    if not near:
        return []
    insights = _load([match.id for match in near])
    items = _with_counts(insights, {}, viewer, watched(now), now)
    return [Similar(item, match.shared) for item, match in zip(items, near, strict=True)]


def summary(viewer: Person, now: datetime) -> Summary:
    """The backlog that this person may read in figures, in two statements."""
    rows = db.session.execute(
        select(Insight.status, func.count())
        .where(Insight.merged_into_id.is_(None), readable(viewer))
        .group_by(Insight.status)
    )
    found = Counter({Status(status): count for status, count in rows})
    return Summary({status: found[status] for status in Status}, watched(now).of(None))


def _matching(filters: InsightFilter, viewer: Person, seen: Watched, now: datetime) -> list[_Row]:
    """All matching insights in order, in one statement, or three with a search."""
    counts = counting().subquery()
    columns: list[Any] = [Insight.id, Insight.kind, Insight.product_id, Insight.created_at, *counts.c]
    query = (
        select(*columns).outerjoin(counts, counts.c.root == Insight.id).where(*_conditions(filters, viewer))
    )
    if filters.q:
        (asked,) = index.ask([filters.q], typing=True)
        if not asked.worth:
            return []
        found = index.relevance(asked).subquery()
        query = query.join(found, found.c.insight_id == Insight.id).add_columns(found.c.relevance)
    if filters.order is Order.VOTES:
        votes = _votes().subquery()
        query = query.outerjoin(votes, votes.c.root == Insight.id).add_columns(
            func.coalesce(votes.c.votes, 0).label("votes")
        )
    rows = []
    for row in db.session.execute(query):
        own = counted(row)
        rows.append(_Row(row.id, _key(filters.order, row, own, seen, now), own))
    return sorted(rows, key=lambda row: (-row.key, row.id))


def _conditions(filters: InsightFilter, viewer: Person) -> list[ColumnElement[bool]]:
    conditions = [Insight.merged_into_id.is_(None), readable(viewer)]
    if filters.statuses:
        conditions.append(Insight.status.in_(filters.statuses))
    if filters.kinds:
        conditions.append(Insight.kind.in_(filters.kinds))
    if filters.product.isdecimal() and len(filters.product) < 10:
        conditions.append(Insight.product_id == int(filters.product))
    elif filters.product:
        named = select(Product.id).where(Product.name == filters.product)
        conditions.append(Insight.product_id.in_(named))
    return conditions


def _votes() -> Any:
    return (
        select(ROOT.label("root"), func.count(func.distinct(InsightVote.person_id)).label("votes"))
        .select_from(InsightVote)
        .join(Insight, Insight.id == InsightVote.insight_id)
        .group_by(ROOT)
    )


def _key(order: Order, row: Any, counts: Counts, seen: Watched, now: datetime) -> int:
    """What a row is ordered by, as an integer, higher first. Without a score it comes last."""
    match order:
        case Order.RELEVANCE:
            return int(row.relevance)
        case Order.SEEN:
            return counts.visits
        case Order.VOTES:
            return int(row.votes)
        case Order.RECENT:
            created: datetime = row.created_at
            return int(created.timestamp() * 1000)
        case Order.SCORE:
            parts = score_of(row.kind, row.product_id, counts, seen, now)
            return parts.score if parts else -1


def _after(rows: Sequence[_Row], cursor: str | None) -> int:
    """The place of the first row behind the cursor."""
    if not cursor:
        return 0
    key, _dot, insight_id = cursor.rpartition(".")
    try:
        at = (-int(key), int(insight_id))
    except ValueError as error:
        raise Invalid({"cursor": [_n("This cursor is not one of ours.")]}) from error
    return sum(1 for row in rows if (-row.key, row.id) <= at)


def _items(rows: Sequence[_Row], viewer: Person, seen: Watched, now: datetime) -> list[Item]:
    known = {row.id: row.counts for row in rows}
    return _with_counts(_load([row.id for row in rows]), known, viewer, seen, now)


def _load(ids: Sequence[int]) -> list[Insight]:
    """Insights in the order of the ids."""
    if not ids:
        return []
    found = {
        row.id: row for row in db.session.scalars(_with_names(select(Insight)).where(Insight.id.in_(ids)))
    }
    return [found[id_] for id_ in ids]


def _with_counts(
    insights: Sequence[Insight], known: dict[int, Counts], viewer: Person, seen: Watched, now: datetime
) -> list[Item]:
    ids = [insight.id for insight in insights]
    counts = known or counts_of(ids)
    votes = votes_of(ids)
    items = []
    for insight in insights:
        own = counts.get(insight.id, NOTHING)
        voters = votes.get(insight.id, set())
        items.append(
            Item(
                insight=insight,
                counts=own,
                score=score_of(insight.kind, insight.product_id, own, seen, now),
                watched=max(seen.of(insight.product_id), own.visits),
                votes=len(voters),
                voted=viewer.id in voters,
            )
        )
    return items


def _changes_of(insight_id: int) -> list[InsightChange]:
    query = (
        select(InsightChange)
        .where(InsightChange.insight_id == insight_id)
        .options(joinedload(InsightChange.person))
        .order_by(InsightChange.at.desc(), InsightChange.id.desc())
    )
    return list(db.session.scalars(query))


def _with_names(query: Any) -> Any:
    return query.options(joinedload(Insight.product), joinedload(Insight.owner))
