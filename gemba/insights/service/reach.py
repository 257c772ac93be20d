"""How widely an insight was seen among the visits that could have seen it, and when.

A visit is on a tool when one of its notes names it, when the insight came up there, or when somebody looked
for the insight again and could tell. Where no tool is known it is the visits on the insight's product, else
those with the line all its evidence comes from, where that may be named, else all.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, func, or_, select, union

from gemba.db import db
from gemba.insights.models import Insight, Observation, StillThere
from gemba.insights.rules.kinds import Answered
from gemba.insights.rules.months import Month, trend
from gemba.insights.service.backlog import Detail
from gemba.insights.service.counts import took_place
from gemba.insights.service.groups import is_big_enough, line_of
from gemba.insights.service.sight import COUNTED, readable
from gemba.people.models import Person
from gemba.visits.models import Visit


class Ground(StrEnum):
    """What the visits have in common among which an insight is counted."""

    TOOL = "tool"
    PRODUCT = "product"
    LINE = "line"
    ALL = "all"


@dataclass(frozen=True)
class Reach:
    """Seen in `visits` of `among` visits, which share the tool, product or line called `name`.

    `agents` and `lines` are None where they are too few to be spoken of.
    """

    visits: int
    among: int
    ground: Ground
    name: str
    agents: int | None
    lines: int | None


def reach_of(detail: Detail, viewer: Person, *, now: datetime) -> Reach:
    """How widely an insight was seen, in at most two statements; only what the viewer may read counts."""
    visits = {note.visit_id: note.visit for note in detail.evidence}
    agents = {visit.agent_id for visit in visits.values()}
    lines = {visit.agent.line_id for visit in visits.values()} - {None}
    ground, name, query = _ground(detail, viewer, now)
    among = db.session.scalar(select(func.count()).select_from(query.subquery())) or 0
    spoken = is_big_enough(visits.values())
    return Reach(
        visits=len(visits),
        among=max(among, len(visits)),
        ground=ground,
        name=name,
        agents=len(agents) if spoken else None,
        lines=len(lines) if spoken else None,
    )


def months_of(detail: Detail, zone: str, *, now: datetime) -> list[Month]:
    """In how many visits it was seen, by month of the visit in a time zone; up to this month."""
    wall = ZoneInfo(zone)
    starts = {note.visit_id: note.visit.starts_at for note in detail.evidence}
    return trend((at.astimezone(wall).date() for at in starts.values()), now.astimezone(wall).date())


def tool_of(detail: Detail) -> str:
    """The insight's tool: its own word, else what most of its notes name, else ""."""
    if detail.item.insight.tool:
        return detail.item.insight.tool
    named = Counter(note.tool for note in detail.evidence if note.tool)
    return max(named, key=lambda tool: (named[tool], tool)) if named else ""


def spellings(tool: str) -> list[str]:
    """A tool's name as people write it: databases cannot compare letters of every script without case."""
    return sorted({tool, tool.lower(), tool.upper(), tool.capitalize(), tool.title()})


def _ground(detail: Detail, viewer: Person, now: datetime) -> tuple[Ground, str, Select[int]]:
    """What the visits share that could have seen the insight, its name, and their ids as SQL."""
    insight = detail.item.insight
    if tool := tool_of(detail):
        family = [insight.id, *(part.id for part in detail.parts)]
        return Ground.TOOL, tool, _on_tool(tool, family, viewer, now)
    if insight.product is not None:
        return Ground.PRODUCT, insight.product.name, _watched(now, Visit.product_id == insight.product_id)
    lines = {(note.visit.agent.line_id, line_of(note)) for note in detail.evidence}
    if len(lines) == 1:
        ((line_id, name),) = lines
        if name:
            return Ground.LINE, name, _watched(now, Person.line_id == line_id)
    return Ground.ALL, "", _watched(now)


def _watched(now: datetime, *conditions: ColumnElement[bool]) -> Select[int]:
    return select(Visit.id).join(Person, Person.id == Visit.agent_id).where(took_place(now), *conditions)


def _on_tool(tool: str, family: Collection[int], viewer: Person, now: datetime) -> Select[int]:
    read = or_(Observation.insight_id.is_(None), readable(viewer))
    named = (
        select(Observation.visit_id)
        .join(Insight, Insight.id == Observation.insight_id, isouter=True)
        .where(Observation.tool.in_(spellings(tool)), COUNTED, read)
    )
    came_up = select(Observation.visit_id).where(Observation.insight_id.in_(family), COUNTED)
    looked = select(StillThere.visit_id).where(
        StillThere.insight_id.in_(family), StillThere.answer.in_((Answered.YES, Answered.GONE))
    )
    every = union(named, came_up, looked).subquery()
    return select(Visit.id).join(every, every.c.visit_id == Visit.id).where(took_place(now))
