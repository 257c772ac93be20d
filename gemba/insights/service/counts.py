"""What stands behind insights, counted from their observations, over everything merged in."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Select,
    bindparam,
    func,
    or_,
    select,
    union_all,
)

from gemba.db import UTCDateTime, db, table_of
from gemba.insights.models import Insight, Observation
from gemba.insights.models_backlog import ProgrammeWeights
from gemba.insights.rules.kinds import Kind
from gemba.insights.rules.score import Evidence, ScoreParts, Weights, score
from gemba.insights.service.sight import COUNTED
from gemba.people.models import Person
from gemba.visits.models import Visit
from gemba.visits.rules import Status as VisitStatus

_PART = table_of(Insight).alias("part").c
ROOT: ColumnElement[int] = func.coalesce(Insight.merged_into_id, Insight.id)
"""SQL: the insight that speaks for a row of `insight`."""


@dataclass(frozen=True)
class Counts:
    """Distinct visits, agents and lines that support an insight, and all its observations."""

    visits: int = 0
    agents: int = 0
    lines: int = 0
    observations: int = 0
    severity_sum: int = 0
    severity_count: int = 0
    last_seen: datetime | None = None

    @property
    def severity(self) -> float | None:
        """The mean of the ratings, to a tenth."""
        return round(self.severity_sum / self.severity_count, 1) if self.severity_count else None


NOTHING = Counts()


def counting() -> Select[int, int, int, int, int, int | None, int, datetime]:
    """SQL: one row per insight with evidence: its id as `root`, and the fields of Counts."""
    return (
        select(
            ROOT.label("root"),
            func.count(func.distinct(Observation.visit_id)).label("visits"),
            func.count(func.distinct(Visit.agent_id)).label("agents"),
            func.count(func.distinct(Person.line_id)).label("lines"),
            func.count(Observation.id).label("observations"),
            func.coalesce(func.sum(Observation.severity), 0).label("severity_sum"),
            func.count(Observation.severity).label("severity_count"),
            func.max(Observation.at).label("last_seen"),
        )
        .select_from(Observation)
        .join(Insight, Insight.id == Observation.insight_id)
        .join(Visit, Visit.id == Observation.visit_id)
        .join(Person, Person.id == Visit.agent_id)
        .where(COUNTED)
        .group_by(ROOT)
    )


def counts_of(roots: Collection[int], but_visit: int | None = None) -> dict[int, Counts]:
    """Counts by insight, in one statement; insights without evidence are missing."""
    if not roots:
        return {}
    query = counting().where(Observation.insight_id.in_(family_of(roots)))
    if but_visit is not None:
        query = query.where(Observation.visit_id != but_visit)
    return {row.root: counted(row) for row in db.session.execute(query)}


def family_of(roots: Collection[int] | BindParameter[Any]) -> CompoundSelect[int]:
    """SQL: the ids of these insights and of all merged into them, each part from its own index."""
    themselves = select(_PART.id).where(_PART.id.in_(roots))
    return union_all(themselves, select(_PART.id).where(_PART.merged_into_id.in_(roots)))


FAMILY = family_of(bindparam("roots", expanding=True))
"""SQL: family_of() what is given as `roots` when a statement is executed."""
_LINES = (
    select(ROOT, func.count(func.distinct(Person.line_id)))
    .select_from(Observation)
    .join(Insight, Insight.id == Observation.insight_id)
    .join(Visit, Visit.id == Observation.visit_id)
    .join(Person, Person.id == Visit.agent_id)
    .where(COUNTED, Observation.insight_id.in_(FAMILY))
    .group_by(ROOT)
)


def lines_of(roots: Collection[int]) -> dict[int, int]:
    """How many lines saw each insight: counted when asked, for people change lines."""
    return dict(db.session.execute(_LINES, {"roots": list(roots)}).tuples().all()) if roots else {}


def counted(row: Any) -> Counts:
    """The counts in a row that has the columns of counting(); nothing where they are NULL."""
    if not row.visits:
        return NOTHING
    return Counts(
        row.visits,
        row.agents,
        row.lines,
        row.observations,
        row.severity_sum,
        row.severity_count,
        row.last_seen,
    )


@dataclass(frozen=True)
class Watched:
    """How many visits have been watched, in all and by product."""

    by_product: dict[int | None, int]

    def of(self, product_id: int | None) -> int:
        """Visits against which an insight's share is measured: those on its product, else all."""
        if product_id is None:
            return sum(self.by_product.values())
        return self.by_product.get(product_id, 0)


def took_place(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """SQL, on Visit: it took place or, as far as anyone said, is taking place."""
    return or_(
        Visit.status == VisitStatus.HELD,
        (Visit.status == VisitStatus.BOOKED) & (Visit.starts_at <= now),
    )


_WATCHED = (
    select(Visit.product_id, func.count())
    .where(took_place(bindparam("now", type_=UTCDateTime)))
    .group_by(Visit.product_id)
)


def watched(now: datetime) -> Watched:
    """Counts the visits that took place or are taking place."""
    return Watched(dict(db.session.execute(_WATCHED, {"now": now}).tuples().all()))


_WEIGHTS = select(
    *(
        table_of(ProgrammeWeights).c[name]
        for name in ("programme_id", "severity", "reach", "agents", "hurts", "minutes", "fresh")
    )
)


def every_weight() -> dict[int | None, Weights]:
    """What each programme's parts of the score weigh, in one statement; programmes without are missing."""
    return {row[0]: Weights(*row[1:]) for row in db.session.execute(_WEIGHTS)}


def score_of(of: Any, counts: Counts, seen: Watched, now: datetime, weights: Weights) -> ScoreParts | None:
    """The score with its parts; None for what works well and what has no evidence.

    `of` is an Insight or a row with its kind, product_id, hurts and minutes_lost.
    """
    evidence = Evidence(
        kind=Kind(of.kind),
        severity=counts.severity,
        visits=counts.visits,
        watched=seen.of(of.product_id),
        agents=counts.agents,
        last_seen=counts.last_seen,
        hurts=of.hurts,
        minutes=of.minutes_lost,
    )
    return score(evidence, now, weights)
