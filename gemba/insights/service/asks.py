"""What lines need: asks of leads, and what agents or leads asked for in visits, with what became of each.

An ask rides on an insight and goes where that goes. Leads ask by name; what was noted in a visit names its
line as evidence does, and nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, literal_column, select
from sqlalchemy.orm import joinedload

from gemba.db import db
from gemba.insights.models import Insight, Observation
from gemba.insights.models_backlog import InsightComment
from gemba.insights.rules.asks import AskRow
from gemba.insights.rules.kinds import OPEN_STATUSES, CommentKind, Status
from gemba.insights.service.backlog import Item, load, with_numbers
from gemba.insights.service.counts import ROOT
from gemba.insights.service.groups import line_of
from gemba.insights.service.sight import COUNTED, readable
from gemba.insights.service.talk import shown_to
from gemba.insights.service.telling import reasons
from gemba.people.models import Line, Person
from gemba.programmes.models import Programme
from gemba.visits.models import Visit

FILE_MAX = 5000
"""So many of the newest asks a file holds."""
# Written out and not as a parameter: only so is it seen that the index of asks alone will do.
_IS_ASK: ColumnElement[bool] = InsightComment.kind == literal_column(f"'{CommentKind.ASK.value}'")
_LED = (
    select(func.min(Line.id))
    .where(Line.lead_id == InsightComment.person_id)
    .correlate(InsightComment)
    .scalar_subquery()
)


@dataclass(frozen=True)
class Wanted:
    """Which asks: of a line, on insights of a programme, with these statuses; None and empty mean any."""

    line_id: int | None = None
    programme_id: int | None = None
    statuses: tuple[Status, ...] = ()


@dataclass(frozen=True)
class Ask:
    """One ask with the insight that speaks for it; `by` and `line` are "" where nobody is named.

    `days` is its age, `reason` the one given with the status that the insight has now.
    """

    text: str
    by: str
    line: str
    at: datetime
    days: int
    item: Item
    programme: Programme | None
    reason: str


@dataclass(frozen=True)
class _Found:
    text: str
    by: str
    line: str
    at: datetime
    root: int


def of_lines(
    viewer: Person, wanted: Wanted, *, start: int = 0, limit: int = FILE_MAX, now: datetime
) -> list[Ask]:
    """The asks that this person may read, newest first, `limit` behind the first `start`; a constant number
    of statements.
    """
    most = start + limit
    every = [*_said(viewer, wanted, most), *_noted(viewer, wanted, most)]
    found = sorted(every, key=lambda one: (one.at, one.root), reverse=True)[start:most]
    roots = list(dict.fromkeys(one.root for one in found))
    items = {item.insight.id: item for item in with_numbers(load(roots), viewer)}
    why = reasons(roots)
    programmes = {one.id: one for one in db.session.scalars(select(Programme))}
    return [
        Ask(
            text=one.text,
            by=one.by,
            line=one.line,
            at=one.at,
            days=max((now - one.at).days, 0),
            item=items[one.root],
            programme=programmes.get(items[one.root].insight.programme_id or 0),
            reason=why.get(one.root, ""),
        )
        for one in found
    ]


def rows(asks: Sequence[Ask]) -> list[AskRow]:
    """The same as they leave the house."""
    return [_row(ask) for ask in asks]


def mine(viewer: Person) -> tuple[int, int]:
    """How many asks this person wrote that stand, and how many of these are open; one statement."""
    row = db.session.execute(
        select(func.count(), func.count().filter(Insight.status.in_(OPEN_STATUSES)))
        .select_from(InsightComment)
        .join(Insight, Insight.id == InsightComment.insight_id)
        .where(_IS_ASK, InsightComment.person_id == viewer.id, shown_to(viewer), readable(viewer))
    ).one()
    return row[0], row[1]


def _said(viewer: Person, wanted: Wanted, most: int) -> list[_Found]:
    """Asks that leads wrote to insights."""
    line_id = func.coalesce(_LED, Person.line_id)
    query = (
        select(InsightComment.text, Person.name, Line.name, InsightComment.at, ROOT)
        .join(Insight, Insight.id == InsightComment.insight_id)
        .outerjoin(Person, Person.id == InsightComment.person_id)
        .outerjoin(Line, Line.id == line_id)
        .where(_IS_ASK, shown_to(viewer), readable(viewer), *_conditions(wanted))
        .order_by(InsightComment.at.desc(), InsightComment.id.desc())
        .limit(most)
    )
    if wanted.line_id is not None:
        query = query.where(Line.id == wanted.line_id)
    return [
        _Found(text, by or "", line or "", at, root) for text, by, line, at, root in db.session.execute(query)
    ]


def _noted(viewer: Person, wanted: Wanted, most: int) -> list[_Found]:
    """What was asked for in visits and stands as evidence."""
    query = (
        select(Observation, ROOT)
        .join(Insight, Insight.id == Observation.insight_id)
        .join(Visit, Visit.id == Observation.visit_id)
        .where(Observation.is_ask.is_(True), COUNTED, readable(viewer), *_conditions(wanted))
        .where(Observation.dropped_at.is_(None))
        .options(
            joinedload(Observation.visit).joinedload(Visit.agent).joinedload(Person.line),
            joinedload(Observation.visit).joinedload(Visit.programme),
        )
        .order_by(Observation.at.desc(), Observation.id.desc())
        .limit(most)
    )
    if wanted.line_id is not None:
        query = query.where(Visit.agent_id.in_(select(Person.id).where(Person.line_id == wanted.line_id)))
    found = [_Found(note.text, "", line_of(note), note.at, root) for note, root in db.session.execute(query)]
    return [one for one in found if one.line or wanted.line_id is None]


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    """SQL, on the insight that was asked at; what it was merged into says how far it has come."""
    speaks = select(Insight.id)
    if wanted.programme_id is not None:
        speaks = speaks.where(Insight.programme_id == wanted.programme_id)
    if wanted.statuses:
        speaks = speaks.where(Insight.status.in_(wanted.statuses))
    return [ROOT.in_(speaks)] if wanted.programme_id is not None or wanted.statuses else []


def _row(ask: Ask) -> AskRow:
    insight, item = ask.item.insight, ask.item
    return AskRow(
        ask=ask.text,
        line=ask.line,
        programme=ask.programme.name if ask.programme else "",
        by=ask.by,
        asked=ask.at.date(),
        insight=insight.id,
        title=insight.title,
        status=insight.status,
        own_status=insight.own_status.name if insight.own_status else "",
        owner=insight.owner.name if insight.owner else "",
        due=insight.due.isoformat() if insight.due else "",
        visits=item.counts.visits,
        agents=item.counts.agents,
        score=str(item.score.score) if item.score else "",
        reason=ask.reason,
    )
