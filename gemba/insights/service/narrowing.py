"""What a question to the backlog asks of an insight, as SQL; statuses and words are asked for elsewhere."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Date, Integer, bindparam, literal, or_, select

from gemba.db import UTCDateTime
from gemba.insights.models import Insight, Observation
from gemba.insights.rules.filters import MINE, NOBODY, Due, InsightFilter
from gemba.insights.service.counts import ROOT
from gemba.insights.service.sight import COUNTED, READABLE
from gemba.people.models import Person, Product

Conditions = Sequence[ColumnElement[bool]]
_VIEWER, _TODAY = bindparam("viewer_id", type_=Integer), bindparam("today", type_=Date)
_AHEAD = {Due.WEEK: timedelta(days=7), Due.MONTH: timedelta(days=31)}


def conditions_of(filters: InsightFilter) -> list[ColumnElement[bool]]:
    """SQL, on Insight: not merged away, readable for the viewer, and all that the filter narrows it to.

    Statements with it are executed with what given_to() says.
    """
    conditions: list[ColumnElement[bool]] = [Insight.merged_into_id.is_(None), READABLE]
    if filters.kinds:
        conditions.append(Insight.kind.in_(filters.kinds))
    if filters.product:
        conditions.append(_about(filters.product))
    if filters.owner:
        conditions.append(_owned(filters.owner))
    if filters.tag:
        spaced = literal(" ") + Insight.tags + " "
        conditions.append(spaced.contains(f" {filters.tag} ", autoescape=True))
    if filters.tool:
        conditions.append(on_tool(filters.tool))
    if filters.own_status:
        conditions.append(Insight.own_status_id == int(filters.own_status))
    if filters.programme is not None:
        conditions.append(Insight.programme_id == filters.programme)
    if filters.hurts:
        conditions.append(Insight.hurts == filters.hurts)
    return conditions + _in_time(filters)


def given_to(filters: InsightFilter, viewer: Person, now: datetime) -> dict[str, Any]:
    """Who asks, and when: the same question of somebody else at another time is the same statement."""
    today = now.date()
    return {
        "viewer_id": viewer.id,
        "seen_since": now - timedelta(days=filters.seen or 0),
        "made_since": now - timedelta(days=filters.made or 0),
        "today": today,
        "due_until": today + _AHEAD.get(Due(filters.due), timedelta()) if filters.due else today,
    }


def _in_time(filters: InsightFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.seen is not None:
        conditions.append(Insight.last_seen >= bindparam("seen_since", type_=UTCDateTime))
    if filters.made is not None:
        conditions.append(Insight.created_at >= bindparam("made_since", type_=UTCDateTime))
    if filters.due:
        conditions.append(_due(Due(filters.due)))
    return conditions


def on_tool(tool: str) -> ColumnElement[bool]:
    """SQL, on Insight: it is about this tool by its own word or by its evidence's."""
    noted = (
        select(ROOT)
        .select_from(Observation)
        .join(Insight, Insight.id == Observation.insight_id)
        .where(Observation.tool == tool, COUNTED)
    )
    return or_(Insight.tool == tool, Insight.id.in_(noted))


def _about(product: str) -> ColumnElement[bool]:
    if product.isdecimal() and len(product) < 10:
        return Insight.product_id == int(product)
    return Insight.product_id.in_(select(Product.id).where(Product.name == product))


def _owned(owner: str) -> ColumnElement[bool]:
    if owner == NOBODY:
        return Insight.owner_id.is_(None)
    return Insight.owner_id == (_VIEWER if owner == MINE else int(owner))


def _due(due: Due) -> ColumnElement[bool]:
    if due is Due.SET:
        return Insight.due.is_not(None)
    if due is Due.OVERDUE:
        return Insight.due < _TODAY
    return Insight.due.between(_TODAY, bindparam("due_until", type_=Date))
