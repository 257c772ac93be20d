"""The table of terms: written in the transaction of its cause, asked by search and by "similar"."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, case, delete, func, insert, or_, select

from gemba.db import db
from gemba.insights.models import Insight, InsightTerm, Observation
from gemba.insights.rules.terms import Match, QueryTerm, insight_terms, query_terms, rank, rarity
from gemba.insights.service.sight import COUNTED, PUBLIC

PREFIX_TERMS_MAX = 60


@dataclass(frozen=True)
class Asked:
    """A query with what is known of its terms: in how many of `total` insights each of them occurs."""

    query: tuple[QueryTerm, ...]
    frequencies: Mapping[str, int]
    total: int

    @property
    def worth(self) -> dict[str, int]:
        """How telling each term found in the backlog is."""
        return {term: rarity(frequency, self.total) for term, frequency in self.frequencies.items()}


def reindex(root_id: int) -> None:
    """Writes the terms of an insight anew, with those of all merged into it (which keep none)."""
    db.session.flush()
    family = db.session.execute(
        select(Insight.id, Insight.title, Insight.body).where(
            or_(Insight.id == root_id, Insight.merged_into_id == root_id)
        )
    ).all()
    ids = [row.id for row in family]
    db.session.execute(delete(InsightTerm).where(InsightTerm.insight_id.in_([*ids, root_id])))
    root = next((row for row in family if row.id == root_id), None)
    if root is None:
        return
    evidence = _evidence(ids) + [f"{row.title} {row.body}" for row in family if row.id != root_id]
    rows = [
        {"term": term, "insight_id": root_id, "weight": weight}
        for term, weight in insight_terms(root.title, root.body, evidence).items()
    ]
    if rows:
        db.session.execute(insert(InsightTerm), rows)


def _evidence(ids: Collection[int]) -> list[str]:
    rows = db.session.execute(
        select(
            Observation.text,
            Observation.verbatim,
            Observation.workaround,
            Observation.tool,
            Observation.tags,
        ).where(Observation.insight_id.in_(ids), COUNTED)
    )
    return [" ".join(row) for row in rows]


def ask(texts: Sequence[str], typing: bool = False) -> list[Asked]:
    """Queries for some texts, with the frequencies of all their terms, in two statements."""
    queries = [query_terms(text, typing) for text in texts]
    wanted = {term for query in queries for term in query}
    if not wanted:
        return [Asked(query, {}, 0) for query in queries]
    total = db.session.scalar(select(func.count(Insight.id)).where(Insight.merged_into_id.is_(None))) or 0
    found: dict[str, int] = dict(
        db.session.execute(
            select(InsightTerm.term, func.count())
            .where(or_(*_conditions(wanted)))
            .group_by(InsightTerm.term)
            .order_by(func.count().desc(), InsightTerm.term)
            .limit(len(wanted) + PREFIX_TERMS_MAX)
        )
        .tuples()
        .all()
    )
    return [
        Asked(query, {term: n for term, n in found.items() if any(q.matches(term) for q in query)}, total)
        for query in queries
    ]


def _conditions(wanted: Collection[QueryTerm]) -> list[ColumnElement[bool]]:
    whole = InsightTerm.term.in_(sorted({query.term for query in wanted}))
    begun = [
        (InsightTerm.term >= query.prefix) & (InsightTerm.term < query.prefix + "\U0010ffff")
        for query in sorted(wanted, key=lambda query: query.term)
        if query.prefix
    ]
    return [whole, *begun]


def relevance(asked: Asked) -> Select[int, int]:
    """SQL: insight_id and relevance (integers, as `rules.terms.rank` counts them) of all that match."""
    worth = asked.worth
    value = case(worth, value=InsightTerm.term, else_=0) if worth else 0
    return (
        select(InsightTerm.insight_id, func.sum(InsightTerm.weight * value).label("relevance"))
        .where(InsightTerm.term.in_(sorted(worth)))
        .group_by(InsightTerm.insight_id)
    )


def best(
    asked: Sequence[Asked], *, but: Collection[int], limit: int, sight: ColumnElement[bool] = PUBLIC
) -> list[list[Match]]:
    """For each query the best open or done insights in sight (never declined ones), in one statement.

    Rows are read for telling terms only: those found in at most a tenth of the insights, or in five.
    """
    telling = {term for one in asked for term, n in one.frequencies.items() if n <= max(5, one.total // 10)}
    if not telling:
        return [[] for _ in asked]
    near = (
        select(InsightTerm.insight_id)
        .join(Insight, Insight.id == InsightTerm.insight_id)
        .where(
            InsightTerm.term.in_(sorted(telling)),
            Insight.id.not_in(but),
            Insight.status != "declined",
            Insight.merged_into_id.is_(None),
            sight,
        )
    )
    every = {term for one in asked for term in one.frequencies}
    rows = db.session.execute(
        select(InsightTerm.insight_id, InsightTerm.term, InsightTerm.weight).where(
            InsightTerm.term.in_(sorted(every)), InsightTerm.insight_id.in_(near)
        )
    )
    held: dict[int, dict[str, int]] = defaultdict(dict)
    for insight_id, term, weight in rows:
        held[insight_id][term] = weight
    return [rank(one.query, held, one.frequencies, one.total)[:limit] for one in asked]
