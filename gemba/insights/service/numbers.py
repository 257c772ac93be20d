"""The numbers that are kept per insight, so that a list of any size is read in order from an index.

They are counted anew from notes and votes in the transaction of every cause, under a lock on the insight, and
once a day for all: visits go on, evidence ages. Nothing else writes them.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, bindparam, func, select, text, update

from gemba.db import db, table_of
from gemba.insights.models import Insight, InsightVote, Observation
from gemba.insights.rules.score import PLAIN, ScoreParts, Weights
from gemba.insights.service.counts import (
    NOTHING,
    ROOT,
    Counts,
    Watched,
    counted,
    counting,
    counts_of,
    every_weight,
    family_of,
    score_of,
    watched,
)
from gemba.insights.service.sight import COUNTED
from gemba.outbox import ticks
from gemba.visits.models import Visit

NO_SCORE = -1
KEEP_ALL_EVERY = timedelta(days=1)
FAMILY_LOCK = 7_301_021
NAMES = ("visits", "agents", "observations", "severity_sum", "severity_count", "last_seen")
_FROM = (Insight.kind, Insight.product_id, Insight.hurts, Insight.minutes_lost, Insight.programme_id)
_COLUMNS = [getattr(Insight, name) for name in (*NAMES, "votes", "watched", "score")]


def one_at_a_time() -> None:
    """Merges, splits and votes queue up until the end of the transaction: families have no circles then.

    SQLite has one writer anyway.
    """
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": FAMILY_LOCK})


def lock(root_id: int) -> None:
    """Waits for whoever counts the same insight. Does not stand in the way of new notes."""
    db.session.execute(
        select(Insight.id).where(Insight.id == root_id).with_for_update(key_share=True)
    ).one_or_none()


def keep(root_id: int) -> None:
    """Counts the numbers of an insight anew, over all merged into it, which keep none themselves."""
    insight = db.session.execute(
        select(*_FROM, Insight.updated_at, Insight.scored_at).where(Insight.id == root_id)
    ).one()
    programme_id = insight.programme_id or _programme(root_id)
    counts = counts_of([root_id]).get(root_id, NOTHING)
    at = max(each for each in (insight.updated_at, insight.scored_at, counts.last_seen) if each)
    seen = watched(at)
    parts = score_of(insight, counts, seen, at, every_weight().get(programme_id, PLAIN))
    values = _row(counts, _votes(root_id)) | _scored(parts, counts, seen.of(insight.product_id))
    values |= {"programme_id": programme_id, "scored_at": at}
    db.session.execute(update(Insight).where(Insight.id == root_id).values(values))
    nothing = _row(NOTHING, 0) | _scored(None, NOTHING, 0)
    db.session.execute(update(Insight).where(Insight.merged_into_id == root_id).values(nothing))


def kept(insight: Insight, lines: int = 0) -> Counts:
    """What is kept of an insight, with the lines counted elsewhere."""
    return Counts(lines=lines, **{name: getattr(insight, name) for name in NAMES})


def parts_of(
    insight: Insight, weights: Mapping[int | None, Weights], counts: Counts | None = None
) -> ScoreParts | None:
    """What the kept score is made of, by the weights of all programmes; `counts` are kept() of it."""
    if insight.score == NO_SCORE or insight.scored_at is None:
        return None
    seen = Watched({insight.product_id: insight.watched})
    weighed = weights.get(insight.programme_id, PLAIN)
    return score_of(insight, counts or kept(insight), seen, insight.scored_at, weighed)


def keep_all(now: datetime) -> None:
    """Counts and scores all insights anew as of now, in five statements and one of many rows."""
    seen, weights = watched(now), every_weight()
    evidence = {row.root: counted(row) for row in db.session.execute(counting())}
    votes = dict(db.session.execute(_voting().group_by(ROOT)).tuples().all())
    changed = []
    for row in db.session.execute(select(Insight.id, *_FROM, *_COLUMNS)):
        counts = evidence.get(row.id, NOTHING)
        parts = score_of(row, counts, seen, now, weights.get(row.programme_id, PLAIN))
        after = _row(counts, votes.get(row.id, 0)) | _scored(parts, counts, seen.of(row.product_id))
        if any(getattr(row, name) != value for name, value in after.items()):
            changed.append({"row_id": row.id, **after})
    if changed:
        table = table_of(Insight)
        wanted: dict[str, Any] = {name: bindparam(name) for name in changed[0] if name != "row_id"}
        db.session.execute(update(table).where(table.c.id == bindparam("row_id")).values(wanted), changed)
    db.session.execute(
        update(Insight)
        .where(Insight.visits > 0)
        .values(scored_at=now)
        .execution_options(synchronize_session=False)
    )
    db.session.expire_all()


def init_app() -> None:
    """Has all counted anew once a day."""
    ticks.every("insight-numbers", KEEP_ALL_EVERY, keep_all)


def _row(counts: Counts, votes: int) -> dict[str, object]:
    return {name: getattr(counts, name) for name in NAMES} | {"votes": votes}


def _scored(parts: ScoreParts | None, counts: Counts, seen: int) -> dict[str, object]:
    """Without evidence there is nothing to measure against."""
    return {"score": parts.score if parts else NO_SCORE, "watched": seen if counts.visits else 0}


def _voting() -> Select[int, int]:
    return (
        select(ROOT, func.count(func.distinct(InsightVote.person_id)))
        .select_from(InsightVote)
        .join(Insight, Insight.id == InsightVote.insight_id)
    )


def _votes(root_id: int) -> int:
    family = InsightVote.insight_id.in_(family_of([root_id]))
    row = db.session.execute(_voting().where(family).group_by(ROOT)).one_or_none()
    return row[1] if row else 0


def _programme(root_id: int) -> int | None:
    """Where it came up first."""
    return db.session.scalar(
        select(Visit.programme_id)
        .join(Observation, Observation.visit_id == Visit.id)
        .where(Observation.insight_id == root_id, COUNTED)
        .order_by(Observation.at, Observation.id)
        .limit(1)
    )
