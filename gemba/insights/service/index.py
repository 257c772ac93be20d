"""The table of terms: written in the transaction of its cause, asked by search and by "similar".

Whatever the size of the backlog, a question reads a bounded number of rows: terms are counted up to
COUNT_MAX, and candidates come from the rarest terms asked for, at most POSTINGS_MAX of each. Commoner terms
only add to what these found.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    String,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    null,
    select,
    union_all,
)

from gemba.db import db
from gemba.insights.models import Insight, InsightTerm, Observation
from gemba.insights.rules.terms import Match, QueryTerm, insight_terms, query_terms, rank, rarity
from gemba.insights.service import numbers
from gemba.insights.service.counts import family_of
from gemba.insights.service.sight import COUNTED, PUBLIC

COUNT_MAX = 2000
POSTINGS_MAX = 1000
FOUND_MAX = 1000
PREFIX_TERMS_MAX = 60
_SIZE, _BEGUN = -1, -2
_WORDS = (Insight.body, Insight.workaround, Insight.tool, Insight.step, Insight.tags)


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

    @property
    def drivers(self) -> list[str]:
        """The rarest terms, from which candidates come: as many as together have POSTINGS_MAX."""
        chosen: list[str] = []
        postings = 0
        for term, frequency in sorted(self.frequencies.items(), key=lambda pair: (pair[1], pair[0])):
            if chosen and postings + frequency > POSTINGS_MAX:
                break
            chosen.append(term)
            postings += frequency
        return chosen


def reindex(root_id: int) -> None:
    """Writes the terms and numbers of an insight anew, over all merged into it (which keep none)."""
    db.session.flush()
    numbers.lock(root_id)
    family = db.session.execute(
        select(Insight.id, Insight.title, *_WORDS).where(Insight.id.in_(family_of([root_id])))
    ).all()
    ids = [row.id for row in family]
    db.session.execute(delete(InsightTerm).where(InsightTerm.insight_id.in_([*ids, root_id])))
    root = next((row for row in family if row.id == root_id), None)
    if root is None:
        return
    evidence = _evidence(ids) + [" ".join(row[1:]) for row in family if row.id != root_id]
    rows = [
        {"term": term, "insight_id": root_id, "weight": weight}
        for term, weight in insight_terms(root.title, " ".join(root[2:]), evidence).items()
    ]
    if rows:
        db.session.execute(insert(InsightTerm), rows)
    numbers.keep(root_id)


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
    """Queries for some texts, with the frequencies of all their terms, in one statement."""
    queries = [query_terms(text, typing) for text in texts]
    wanted = sorted({term for query in queries for term in query}, key=lambda one: (one.term, one.prefix))
    if not wanted:
        return [Asked(query, {}, 0) for query in queries]
    found, total = _frequencies(wanted)
    return [
        Asked(query, {term: n for term, n in found.items() if any(q.matches(term) for q in query)}, total)
        for query in queries
    ]


def _frequencies(wanted: Sequence[QueryTerm]) -> tuple[dict[str, int], int]:
    """In how many insights the terms occur, counted up to COUNT_MAX, and how many insights there are.

    Words begun stand for many terms. Ids are given in order: the largest tells the size without counting.
    """
    terms = list(dict.fromkeys(one.term for one in wanted))
    given = {f"term_{place}": term for place, term in enumerate(terms)}
    begun = [one for one in wanted if one.prefix]
    for place, one in enumerate(begun):
        end = one.prefix + "\U0010ffff"
        given |= {f"begun_{place}": one.prefix, f"end_{place}": end, f"but_{place}": one.term}
    rows = db.session.execute(_counting(len(terms), len(begun)), given).tuples()
    found: dict[str, int] = {}
    total = 0
    for place, term, count in rows:
        if place == _SIZE:
            total = count or 0
        elif term is None and count:
            found[terms[place]] = count
        elif term is not None:
            found.setdefault(term, count)
    known = sorted(((n, term) for term, n in found.items()), key=lambda one: (-one[0], one[1]))
    return {term: n for n, term in known[: len(wanted) + PREFIX_TERMS_MAX]}, total


@lru_cache(maxsize=64)
def _counting(terms: int, begun: int) -> CompoundSelect[Any]:
    """SQL: place, term and count of so many terms and beginnings, and the size; made once for each number.

    Each term is counted by itself: counted together, databases sort all their rows.
    """
    nothing = null().cast(String)
    parts: list[Any] = [select(literal(_SIZE), nothing, func.max(Insight.id))]
    for place in range(terms):
        one = select(literal(1)).where(InsightTerm.term == bindparam(f"term_{place}", type_=String))
        counted = select(func.count()).select_from(one.limit(COUNT_MAX).subquery()).scalar_subquery()
        parts.append(select(literal(place), nothing, counted))
    for place in range(begun):
        first, end, but = (bindparam(f"{name}_{place}", type_=String) for name in ("begun", "end", "but"))
        rows = select(InsightTerm.term).where(
            InsightTerm.term >= first, InsightTerm.term < end, InsightTerm.term != but
        )
        some = rows.order_by(InsightTerm.term).limit(COUNT_MAX).subquery()
        parts.append(select(literal(_BEGUN), some.c.term, func.count()).group_by(some.c.term))
    return union_all(*parts)


def _candidates(frequencies: Mapping[str, int], conditions: Sequence[ColumnElement[bool]]) -> Any:
    """SQL: the ids of insights that use one of the terms; of a common one those in which it weighs most.

    Each insight is looked up for its term: joined, PostgreSQL reads all insights to save itself that.
    """
    fits = select(literal(1)).where(Insight.id == InsightTerm.insight_id, *conditions).correlate(InsightTerm)
    using = select(InsightTerm.insight_id).where(fits.scalar_subquery() == 1)
    rare = sorted(term for term, frequency in frequencies.items() if frequency <= POSTINGS_MAX)
    parts = [using.where(InsightTerm.term.in_(rare))] if rare else []
    for term in sorted(frequencies.keys() - set(rare)):
        most = using.where(InsightTerm.term == term).order_by(
            InsightTerm.weight.desc(), InsightTerm.insight_id.desc()
        )
        parts.append(select(most.limit(POSTINGS_MAX).subquery()))
    return union_all(*parts) if len(parts) > 1 else parts[0]


def found(
    asked: Asked, conditions: Sequence[ColumnElement[bool]], given: Mapping[str, Any]
) -> list[tuple[int, int]]:
    """Relevance (as `rules.terms.rank` counts it) and id of what matches, best first, in one statement.

    `given` are the parameters of the conditions.
    """
    worth = asked.worth
    if not worth:
        return []
    near = _candidates({term: asked.frequencies[term] for term in asked.drivers}, conditions).subquery()
    of = select(near.c.insight_id).distinct().subquery().c.insight_id
    relevance = (
        select(func.sum(InsightTerm.weight * case(worth, value=InsightTerm.term, else_=literal(0))))
        .where(InsightTerm.insight_id == of, InsightTerm.term.in_(sorted(worth)))
        .scalar_subquery()
        .label("relevance")
    )
    rows = db.session.execute(
        select(relevance, of).order_by(relevance.desc(), of).limit(FOUND_MAX), dict(given)
    )
    return [(int(value), id_) for value, id_ in rows]


def best(
    asked: Sequence[Asked], *, but: Collection[int], limit: int, sight: ColumnElement[bool] = PUBLIC
) -> list[list[Match]]:
    """For each query the best open or done insights in sight (never declined ones), in one statement.

    Candidates share a telling term: one found in at most a tenth of the insights, or in five.
    """
    telling = {
        term: one.frequencies[term]
        for one in asked
        for term in one.drivers
        if one.frequencies[term] <= max(5, one.total // 10)
    }
    if not telling:
        return [[] for _ in asked]
    conditions = (
        Insight.id.not_in(but),
        Insight.status != "declined",
        Insight.merged_into_id.is_(None),
        sight,
    )
    near = _candidates(telling, conditions)
    every = {term for one in asked for term in one.frequencies}
    rows = db.session.execute(
        select(InsightTerm.insight_id, InsightTerm.term, InsightTerm.weight).where(
            InsightTerm.term.in_(sorted(every)), InsightTerm.insight_id.in_(near)
        )
    )
    held: dict[int, dict[str, int]] = defaultdict(dict)
    for insight_id, term, weight in rows:
        held[insight_id][term] = weight
    return [rank(one.query, held, one.frequencies, one.total, limit) for one in asked]
