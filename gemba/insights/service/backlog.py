"""Reading the backlog: one insight with its evidence, what is similar, the whole in figures.

Only what `viewer` may read is found (sight.py). Agents are counted and their lines named, never they
themselves. Each function costs a constant number of statements.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CompoundSelect, bindparam, func, literal, or_, select, union_all
from sqlalchemy.orm import joinedload

from gemba.db import db
from gemba.insights.errors import InsightNotFound
from gemba.insights.models import Insight, InsightApart, InsightChange, InsightVote, Observation
from gemba.insights.rules.fusing import fused
from gemba.insights.rules.kinds import Status
from gemba.insights.rules.score import ScoreParts
from gemba.insights.rules.terms import Match, is_similar
from gemba.insights.service import index, meaning
from gemba.insights.service.counts import FAMILY, ROOT, Counts, every_weight, lines_of, watched
from gemba.insights.service.numbers import kept, parts_of
from gemba.insights.service.sight import COUNTED, PUBLIC, READABLE, readable, readable_insight
from gemba.people.models import Person, Product
from gemba.visits.models import Visit

COUNTED_UP_TO = 1000
"""Nobody reads a larger number, and a database would count each time."""
PART = 5000
"""So many ids stand in one statement; lists on pages have fewer."""


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
class Detail:
    """One insight with its evidence (newest first), the insights merged into it and its history."""

    item: Item
    evidence: list[Observation]
    parts: list[Insight]
    survivor: Insight | None
    changes: list[InsightChange]


@dataclass(frozen=True)
class Similar:
    """An insight that says perhaps the same, with the shared terms, most telling first (or none)."""

    item: Item
    shared: tuple[str, ...]


@dataclass(frozen=True)
class Summary:
    """The backlog in figures: insights by status, up to COUNTED_UP_TO each, and the visits watched."""

    by_status: dict[Status, int]
    visits: int

    @property
    def total(self) -> int:
        """All insights that are not merged away."""
        return sum(self.by_status.values())

    @property
    def is_least(self) -> bool:
        """Whether there are more than were counted."""
        return any(count >= COUNTED_UP_TO for count in self.by_status.values())


def open_items(ids: Collection[int], viewer: Person) -> list[Item]:
    """Insights by their ids, in that order, without those that are merged or not yet everybody's."""
    wanted, there = list(dict.fromkeys(ids)), set()
    for start in range(0, len(wanted), PART):
        some = Insight.id.in_(wanted[start : start + PART])
        there |= set(
            db.session.scalars(select(Insight.id).where(some, Insight.merged_into_id.is_(None), PUBLIC))
        )
    return with_numbers(load([each for each in wanted if each in there]), viewer)


def get(insight_id: int, viewer: Person, *, now: datetime) -> Detail:
    """One insight with everything its page shows. Raises InsightNotFound."""
    insight = db.session.scalar(with_names(select(Insight)).where(Insight.id == insight_id, readable(viewer)))
    if insight is None:
        raise InsightNotFound
    parts = list(db.session.scalars(with_names(select(Insight)).where(Insight.merged_into_id == insight_id)))
    survivor = db.session.get(Insight, insight.merged_into_id) if insight.merged_into_id else None
    family = [insight_id, *(part.id for part in parts)]
    return Detail(
        item=with_numbers([insight], viewer)[0],
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
            joinedload(Observation.visit).joinedload(Visit.programme),
            joinedload(Observation.product),
            joinedload(Observation.pictures),
        )
        .order_by(Observation.at.desc(), Observation.id.desc())
    )
    return list(db.session.scalars(query).unique())


def similar(insight_id: int, viewer: Person, *, limit: int = 5, now: datetime) -> list[Similar]:
    """Insights that say perhaps the same as this one, best first; none that somebody set apart from it.

    Raises InsightNotFound.
    """
    insight = readable_insight(insight_id, viewer)
    but = [insight.id, insight.root_id, *apart_from(insight.id)]
    # A long description would drown what the title says.
    return similar_to(insight.title, viewer, but=but, limit=limit, now=now)


def similar_to(
    text: str, viewer: Person, *, but: Collection[int] = (), limit: int = 5, now: datetime
) -> list[Similar]:
    """Insights that say perhaps the same as a text, best first; never declined or merged ones."""
    near = alike(text, viewer, but=but, limit=limit)
    items = with_numbers(load([match.id for match in near]), viewer)
    return [Similar(item, match.shared) for item, match in zip(items, near, strict=True)]


def alike(text: str, viewer: Person, *, but: Collection[int], limit: int) -> list[Match]:
    """What similar_to() finds, without the insights themselves, in two statements and meaning.nearest()'s.

    What only means the same shares no terms; where nothing does, the words' order stays as it is.
    """
    (asked,) = index.ask([text])
    (matches,) = index.best([asked], but=but, limit=4 * limit, sight=readable(viewer))
    worded = [m for m in matches if is_similar(m, asked.query, asked.frequencies, asked.total)]
    if near := meaning.nearest(text, viewer, but=but, limit=limit):
        known = {match.id: match for match in matches}
        order = fused([match.id for match in worded], near)
        worded = [known.get(id_) or Match(id_, 0, ()) for id_ in order]
    return worded[:limit]


def apart_from(insight_id: int) -> list[int]:
    """Insights that somebody found not to be the same as this one."""
    rows = db.session.execute(
        select(InsightApart.low_id, InsightApart.high_id).where(
            or_(InsightApart.low_id == insight_id, InsightApart.high_id == insight_id)
        )
    )
    return [low if high == insight_id else high for low, high in rows]


def _summing() -> CompoundSelect[str, int]:
    """SQL: how many insights each status has, up to COUNTED_UP_TO; each counted alone, without sorting."""
    alone = Insight.merged_into_id.is_(None)
    parts = []
    for status in Status:
        some = select(literal(1)).where(Insight.status == status, alone, READABLE).limit(COUNTED_UP_TO)
        counted = select(func.count()).select_from(some.subquery()).scalar_subquery()
        parts.append(select(literal(status.value), counted))
    return union_all(*parts)


_SUMMARY = _summing()


def summary(viewer: Person, now: datetime) -> Summary:
    """The backlog that this person may read in figures, in two statements."""
    rows = db.session.execute(_SUMMARY, {"viewer_id": viewer.id})
    found: dict[str, int] = dict(rows.tuples().all())
    return Summary({status: found.get(status, 0) for status in Status}, watched(now).of(None))


def with_names(query: Any) -> Any:
    """The query with all that lists name beside an insight."""
    return query.options(
        joinedload(Insight.product), joinedload(Insight.owner), joinedload(Insight.own_status)
    )


_LOADING = with_names(select(Insight)).where(Insight.id.in_(bindparam("ids", expanding=True)))
_VOTED = (
    select(ROOT)
    .join(InsightVote, InsightVote.insight_id == Insight.id)
    .where(InsightVote.person_id == bindparam("viewer_id"), InsightVote.insight_id.in_(FAMILY))
)


def load(ids: Sequence[int]) -> list[Insight]:
    """Insights in the order of the ids."""
    found: dict[int, Insight] = {}
    for start in range(0, len(ids), PART):
        rows = db.session.scalars(_LOADING, {"ids": list(ids[start : start + PART])})
        found |= {row.id: row for row in rows}
    return [found[id_] for id_ in ids]


def with_numbers(insights: Sequence[Insight], viewer: Person) -> list[Item]:
    """Insights with what is kept and counted for them."""
    weights = every_weight() if insights else {}
    lines: dict[int, int] = {}
    mine: set[int] = set()
    for start in range(0, len(insights), PART):
        ids = [insight.id for insight in insights[start : start + PART]]
        lines |= lines_of(ids)
        mine |= _voted(ids, viewer)
    counted = [kept(insight, lines.get(insight.id, 0)) for insight in insights]
    return [
        Item(
            insight=insight,
            counts=counts,
            score=parts_of(insight, weights, counts),
            watched=max(insight.watched, insight.visits),
            votes=insight.votes,
            voted=insight.id in mine,
        )
        for insight, counts in zip(insights, counted, strict=True)
    ]


def _voted(roots: Collection[int], viewer: Person) -> set[int]:
    """To which of these, or to something merged into them, the viewer said "me too"."""
    return set(db.session.scalars(_VOTED, {"roots": list(roots), "viewer_id": viewer.id}))


def names_in(changes: Sequence[InsightChange]) -> dict[tuple[str, str], str]:
    """The names of owners and products that lines of history tell by their ids, in at most two statements."""
    names: dict[tuple[str, str], str] = {}
    for field, table in (("owner_id", Person), ("product_id", Product)):
        told = {word for one in changes if one.field == field for word in (one.before, one.after) if word}
        if told:
            query = select(table.id, table.name).where(table.id.in_([int(word) for word in told]))
            names |= {(field, str(id_)): name for id_, name in db.session.execute(query)}
    return names


def _changes_of(insight_id: int) -> list[InsightChange]:
    query = (
        select(InsightChange)
        .where(InsightChange.insight_id == insight_id)
        .options(joinedload(InsightChange.person))
        .order_by(InsightChange.at.desc(), InsightChange.id.desc())
    )
    return list(db.session.scalars(query))
