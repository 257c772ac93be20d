"""What a question to the backlog asks of an insight, as SQL; statuses and words are asked for elsewhere."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, literal, or_, select

from gemba.insights.models import Insight, Observation
from gemba.insights.rules.filters import MINE, NOBODY, Due, InsightFilter
from gemba.insights.service.counts import ROOT
from gemba.insights.service.sight import COUNTED, readable
from gemba.people.models import Person, Product

Conditions = Sequence[ColumnElement[bool]]
_AHEAD = {Due.WEEK: timedelta(days=7), Due.MONTH: timedelta(days=31)}


def conditions_of(filters: InsightFilter, viewer: Person, now: datetime) -> list[ColumnElement[bool]]:
    """SQL, on Insight: not merged away, readable for the viewer, and all that the filter narrows it to."""
    conditions: list[ColumnElement[bool]] = [Insight.merged_into_id.is_(None), readable(viewer)]
    if filters.kinds:
        conditions.append(Insight.kind.in_(filters.kinds))
    if filters.product:
        conditions.append(_about(filters.product))
    if filters.owner:
        conditions.append(_owned(filters.owner, viewer))
    if filters.tag:
        spaced = literal(" ") + Insight.tags + " "
        conditions.append(spaced.contains(f" {filters.tag} ", autoescape=True))
    if filters.tool:
        conditions.append(on_tool(filters.tool))
    if filters.own_status:
        conditions.append(Insight.own_status_id == int(filters.own_status))
    if filters.hurts:
        conditions.append(Insight.hurts == filters.hurts)
    return conditions + _in_time(filters, now)


def _in_time(filters: InsightFilter, now: datetime) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.seen is not None:
        conditions.append(Insight.last_seen >= now - timedelta(days=filters.seen))
    if filters.made is not None:
        conditions.append(Insight.created_at >= now - timedelta(days=filters.made))
    if filters.due:
        conditions.append(_due(Due(filters.due), now))
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


def _owned(owner: str, viewer: Person) -> ColumnElement[bool]:
    if owner == NOBODY:
        return Insight.owner_id.is_(None)
    return Insight.owner_id == (viewer.id if owner == MINE else int(owner))


def _due(due: Due, now: datetime) -> ColumnElement[bool]:
    today = now.date()
    if due is Due.SET:
        return Insight.due.is_not(None)
    if due is Due.OVERDUE:
        return Insight.due < today
    return Insight.due.between(today, today + _AHEAD[due])
