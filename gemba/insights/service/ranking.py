"""Ranking: what the parts of the score weigh in a programme, the rank by hand, and insights beside visits."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import func, select, update

from gemba.db import db
from gemba.errors import Invalid
from gemba.insights.models import Insight, Observation
from gemba.insights.models_backlog import ProgrammeWeights
from gemba.insights.rules.filters import InsightFilter
from gemba.insights.rules.kinds import OPEN_STATUSES, _n
from gemba.insights.rules.score import PLAIN, WEIGHT_MAX, Weights
from gemba.insights.service import numbers
from gemba.insights.service.backlog import Item
from gemba.insights.service.counts import ROOT, Watched, every_weight, family_of, score_of
from gemba.insights.service.edit import locked, remember
from gemba.insights.service.listing import list_insights
from gemba.insights.service.sight import COUNTED
from gemba.people import service as people
from gemba.people.models import Person
from gemba.visits.models import Visit

RANKED_MAX = 200
ROWS, COLUMNS = 20, 12


@dataclass(frozen=True)
class Matrix:
    """Insights as rows, visits as columns: `cells` say how bad each visit found it, None where unrated."""

    items: list[Item]
    visits: list[tuple[int, datetime]]
    cells: Mapping[tuple[int, int], int | None]


def weights_of(programme_id: int) -> Weights:
    """What each part weighs in a programme."""
    return every_weight().get(programme_id, PLAIN)


def set_weights(programme_id: int, by: Person, weights: Weights, *, now: datetime) -> None:
    """Sets what each part weighs and scores all insights anew. Raises Invalid."""
    values = asdict(weights)
    if wrong := [name for name, value in values.items() if not 0 <= value <= WEIGHT_MAX]:
        raise Invalid({name: [_n("Give whole per cent from 0 to 200.")] for name in wrong})
    row = db.session.get(ProgrammeWeights, programme_id) or ProgrammeWeights(programme_id=programme_id)
    for name, value in values.items():
        setattr(row, name, value)
    db.session.add(row)
    db.session.flush()
    people.audit(by, "insights.weights", f"programme:{programme_id}", values, now)
    numbers.keep_all(now)


def rank(insight_id: int, viewer: Person, way: str, *, beside: int | None = None, now: datetime) -> None:
    """Moves an insight in the order by hand: "up", "down", "top" or "off"; "before" or "after" another one.

    Beside one that has no place itself it becomes the last that has one.

    Raises InsightNotFound, Forbidden.
    """
    insight = locked(insight_id, viewer)
    query = select(Insight.id).where(Insight.place > 0, Insight.merged_into_id.is_(None))
    ids = list(db.session.scalars(query.order_by(Insight.place.desc(), Insight.id.desc()).limit(RANKED_MAX)))
    at = ids.index(insight.id) if insight.id in ids else len(ids)
    before = at + 1 if insight.id in ids else 0
    ids = [one for one in ids if one != insight.id]
    there = ids.index(beside) if beside in ids else len(ids)
    to = {"up": max(at - 1, 0), "down": at + 1, "top": 0, "before": there, "after": there + 1}.get(way)
    if to is not None:
        ids.insert(min(to, len(ids)), insight.id)
    insight.place = 0
    db.session.flush()
    for place, one in enumerate(reversed(ids[:RANKED_MAX]), 1):
        db.session.execute(
            update(Insight)
            .where(Insight.id == one, Insight.place != place)
            .values(place=place)
            .execution_options(synchronize_session=False)
        )
    db.session.expire(insight)
    after = ids.index(insight.id) + 1 if insight.id in ids else 0
    if after != before:
        remember(insight, viewer, "place", before or None, after or None, "", now)


def matrix(viewer: Person, *, now: datetime) -> Matrix:
    """The open insights with the highest scores beside the last visits that saw any of them."""
    filters = InsightFilter(statuses=OPEN_STATUSES)
    items = list_insights(filters, viewer, limit=ROWS, now=now).items
    rows = db.session.execute(
        select(ROOT, Visit.id, Visit.starts_at, func.max(Observation.severity))
        .select_from(Observation)
        .join(Insight, Insight.id == Observation.insight_id)
        .join(Visit, Visit.id == Observation.visit_id)
        .where(Observation.insight_id.in_(family_of([item.insight.id for item in items])), COUNTED)
        .group_by(ROOT, Visit.id, Visit.starts_at)
    ).all()
    last = sorted({(starts_at, visit_id) for _root, visit_id, starts_at, _worst in rows})[-COLUMNS:]
    cells = {(root, visit_id): worst for root, visit_id, _at, worst in rows}
    return Matrix(items, [(visit_id, starts_at) for starts_at, visit_id in last], cells)


def plain_parts(item: Item) -> dict[str, float]:
    """The parts of an insight's score as they are before anything is weighed."""
    insight = item.insight
    seen = Watched({insight.product_id: insight.watched})
    found = score_of(insight, item.counts, seen, insight.scored_at or insight.updated_at, PLAIN)
    if found is None:
        return {}
    return {
        "severity": found.severity_factor,
        "reach": found.reach_factor,
        "agents": found.agents_factor,
        "hurts": found.hurts_factor,
        "minutes": found.minutes_factor,
        "fresh": found.fresh_factor,
    }


def weighed(parts: Mapping[str, float], weights: Weights) -> int:
    """The score that plain parts have by these weights, 0 to 100."""
    by_name = asdict(weights)
    each = [float(factor ** (by_name[name] / 100)) for name, factor in parts.items()]
    return min(100, round(100 * math.prod(each)))
