"""What perhaps is the same as an insight: by its words, and by where in the work it is.

Both only show; a person decides, and a pair found not to be the same is not offered again.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import case, or_, select

from gemba.db import db
from gemba.insights.models import Insight, Observation
from gemba.insights.rules.kinds import OPEN_STATUSES
from gemba.insights.service.backlog import Detail, Item, Similar, alike, apart_from, load, with_numbers
from gemba.insights.service.counts import ROOT
from gemba.insights.service.reach import spellings, tool_of
from gemba.insights.service.sight import COUNTED, readable
from gemba.people.models import Person

SHOWN = 4
NOTES_MAX = 1000
"""So many of the newest notes on a tool say which insights are on it."""


class Place(StrEnum):
    """What two insights have in common in the work."""

    STEP = "step"
    TOOL = "tool"


@dataclass(frozen=True)
class Neighbour:
    """An open insight on the same tool, perhaps at the same step of the work."""

    item: Item
    place: Place


@dataclass(frozen=True)
class Near:
    """What is like an insight by words, best first, and what else is open where it is; `tool`, `step`."""

    similar: list[Similar]
    neighbours: list[Neighbour]
    tool: str
    step: str


def near_of(detail: Detail, viewer: Person) -> Near:
    """What is near an insight that was read for this viewer, in a constant number of statements."""
    insight = detail.item.insight
    but = [insight.id, insight.root_id, *apart_from(insight.id)]
    return near_to(insight.title, tool_of(detail), insight.step, viewer, but=but)


def near_to(title: str, tool: str, step: str, viewer: Person, *, but: Collection[int] = ()) -> Near:
    """What is near the words somebody types and their place in the work."""
    matches = alike(title, viewer, but=but, limit=5)
    places = places_of(tool, step, viewer, but=[*but, *(match.id for match in matches)])
    items = with_numbers(load([*(match.id for match in matches), *places]), viewer)
    return Near(
        [Similar(item, match.shared) for item, match in zip(items, matches, strict=False)],
        [Neighbour(item, places[item.insight.id]) for item in items[len(matches) :]],
        tool,
        step,
    )


def places_of(tool: str, step: str, viewer: Person, *, but: Collection[int] = ()) -> dict[int, Place]:
    """Open insights on a tool: first those at the step, then what most visits saw. None without a tool."""
    if not tool:
        return {}
    names = spellings(tool)
    newest = (
        select(Observation.insight_id)
        .where(Observation.tool.in_(names), COUNTED)
        .order_by(Observation.id.desc())
        .limit(NOTES_MAX)
    )
    noted = select(ROOT).where(Insight.id.in_(newest))
    same_step = case((Insight.step.in_(spellings(step)) & (Insight.step != ""), 1), else_=0)
    rows = db.session.execute(
        select(Insight.id, same_step)
        .where(
            or_(Insight.tool.in_(names), Insight.id.in_(noted)),
            Insight.status.in_(OPEN_STATUSES),
            Insight.merged_into_id.is_(None),
            Insight.id.not_in(but),
            readable(viewer),
        )
        .order_by(same_step.desc(), Insight.visits.desc(), Insight.id)
        .limit(SHOWN)
    )
    return {id_: Place.STEP if is_step else Place.TOOL for id_, is_step in rows}
