"""What is worth knowing before a visit: what changed since the last one, the line's tools, what to look for.

Only what everybody may read; nothing of a line so small that it would speak of its people.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from gemba.db import db
from gemba.insights.models import Insight, InsightChange, Observation
from gemba.insights.rules.kinds import OPEN_STATUSES, Kind, Status
from gemba.insights.service import asked, sitting
from gemba.insights.service.counts import ROOT
from gemba.insights.service.sight import COUNTED, PUBLIC, readable
from gemba.insights.service.standing import lacks_consent
from gemba.people.models import Line, Person, PersonRole
from gemba.people.rules import Role
from gemba.visits.models import Visit, VisitVisitor
from gemba.visits.rules import Status as VisitStatus

HALF_A_YEAR = timedelta(days=183)
QUIET = timedelta(days=30)
"""An open insight nobody has seen for so long is asked about again."""
A_YEAR = timedelta(days=365)
CHANGES, TOOLS, PER_TOOL, QUESTIONS = 6, 5, 2, 5


@dataclass(frozen=True)
class Change:
    """An insight whose status changed, when, and the reason given."""

    insight: Insight
    at: datetime
    reason: str


@dataclass(frozen=True)
class Tool:
    """A tool as it was seen: in how many visits, and the open insights most visits saw."""

    name: str
    visits: int
    insights: list[Insight]


@dataclass(frozen=True)
class Briefing:
    """The page before a visit. `line` is None where it is too small to be spoken of by itself.

    `answered` is what the viewer said of an insight in `still_there`, by its id.
    """

    visit: Visit
    lacks_consent: bool
    line: Line | None
    since: datetime
    is_first: bool
    changes: list[Change]
    tools: list[Tool]
    still_there: list[Insight]
    answered: dict[int, str]


def get_briefing(viewer: Person, visit_id: int, *, now: datetime) -> Briefing:
    """The briefing of a visit, for those who sit in it. Raises VisitNotFound."""
    visit = sitting.visit_for_notes(viewer, visit_id)
    line = line_shown(visit)
    last = _last_visit(viewer, visit)
    since = last or visit.starts_at - HALF_A_YEAR
    here = evidence(line)
    answered = asked.answers_of(visit, viewer)
    return Briefing(
        visit=visit,
        lacks_consent=lacks_consent(visit, viewer),
        line=line,
        since=since,
        is_first=last is None,
        changes=_changes(here, since),
        tools=_tools(here),
        still_there=_still_there(here, answered, viewer, now),
        answered=answered,
    )


def line_shown(visit: Visit) -> Line | None:
    """The agent's line where it has as many agents as the programme's smallest group, else None."""
    if visit.agent.line_id is None:
        return None
    agents = db.session.scalar(
        select(func.count(Person.id))
        .join(PersonRole, PersonRole.person_id == Person.id)
        .where(Person.line_id == visit.agent.line_id, Person.active, PersonRole.role == Role.AGENT)
    )
    return visit.agent.line if (agents or 0) >= visit.programme.smallest_group else None


def _last_visit(viewer: Person, visit: Visit) -> datetime | None:
    """When this person was last there as a visitor, in any programme."""
    return db.session.scalar(
        select(func.max(Visit.starts_at))
        .join(VisitVisitor, VisitVisitor.visit_id == Visit.id)
        .where(
            VisitVisitor.person_id == viewer.id,
            Visit.status == VisitStatus.HELD,
            Visit.starts_at < visit.starts_at,
        )
    )


def evidence(line: Line | None) -> list[ColumnElement[bool]]:
    """SQL: public evidence, of one line where it may be spoken of by itself."""
    conditions: list[ColumnElement[bool]] = [COUNTED, PUBLIC]
    if line is not None:
        conditions.append(Person.line_id == line.id)
    return conditions


def seen(*columns: Any) -> Select[Any]:
    """SQL: notes with their insight, visit and agent."""
    return (
        select(*columns)
        .select_from(Observation)
        .join(Insight, Insight.id == Observation.insight_id)
        .join(Visit, Visit.id == Observation.visit_id)
        .join(Person, Person.id == Visit.agent_id)
    )


def _changes(here: list[ColumnElement[bool]], since: datetime) -> list[Change]:
    roots = seen(ROOT).where(*here)
    rows = db.session.execute(
        select(InsightChange.at, InsightChange.reason, Insight)
        .join(Insight, Insight.id == InsightChange.insight_id)
        .where(
            InsightChange.field == "status",
            InsightChange.at > since,
            Insight.id.in_(roots),
            Insight.merged_into_id.is_(None),
        )
        .order_by(InsightChange.at.desc(), InsightChange.id.desc())
        .limit(CHANGES * 4)
    )
    newest: dict[int, Change] = {}
    for at, reason, insight in rows:
        newest.setdefault(insight.id, Change(insight, at, reason))
    return list(newest.values())[:CHANGES]


def _tools(here: list[ColumnElement[bool]]) -> list[Tool]:
    visits = func.count(func.distinct(Observation.visit_id))
    named = db.session.execute(
        seen(Observation.tool, visits)
        .where(*here, Observation.tool != "")
        .group_by(Observation.tool)
        .order_by(visits.desc(), Observation.tool)
        .limit(TOOLS)
    ).all()
    rows = db.session.execute(
        seen(Observation.tool, ROOT, visits)
        .where(
            *here,
            Observation.tool.in_([row[0] for row in named]),
            Insight.status.in_(OPEN_STATUSES),
            Insight.kind != Kind.WORKS_WELL,
        )
        .group_by(Observation.tool, ROOT)
        .order_by(visits.desc(), ROOT)
    ).all()
    of_tool: dict[str, list[int]] = defaultdict(list)
    for tool, root, _count in rows:
        if len(of_tool[tool]) < PER_TOOL:
            of_tool[tool].append(root)
    insights = _load({root for roots in of_tool.values() for root in roots})
    return [Tool(name, count, [insights[root] for root in of_tool[name]]) for name, count in named]


def _still_there(
    here: list[ColumnElement[bool]], answered: Collection[int], viewer: Person, now: datetime
) -> list[Insight]:
    """What is said to be done, and what was open when it was last seen: is it still there?

    What was answered already stays, so that the answer can be changed.
    """
    last, visits = func.max(Observation.at), func.count(func.distinct(Observation.visit_id))
    old = (
        seen(ROOT)
        .where(*here, Insight.kind != Kind.WORKS_WELL)
        .group_by(ROOT)
        .having(last < now - QUIET, last > now - A_YEAR)
        .order_by(visits.desc(), ROOT)
        .limit(QUESTIONS * 4)
    )
    wanted = [*db.session.scalars(old), *answered]
    insights = _load(set(wanted), readable(viewer))
    found = [insights[id_] for id_ in dict.fromkeys(wanted) if id_ in insights]
    found = [one for one in found if one.status != Status.DECLINED or one.id in answered]
    found.sort(key=lambda one: (one.id in answered, one.status != Status.DONE))
    return [one for place, one in enumerate(found) if place < QUESTIONS or one.id in answered]


def _load(ids: set[int], *conditions: ColumnElement[bool]) -> dict[int, Insight]:
    rows = db.session.scalars(select(Insight).where(Insight.id.in_(ids), *conditions))
    return {row.id: row for row in rows}
