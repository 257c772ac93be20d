"""The backlog as rows that leave the house."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from gemba.db import db
from gemba.insights.models import Insight, Observation, Picture
from gemba.insights.rules.filters import InsightFilter
from gemba.insights.rules.kinds import Kind, Status
from gemba.insights.rules.ticket import ExportRow, Sighting
from gemba.insights.service.backlog import PART, Item, open_items
from gemba.insights.service.counts import ROOT, family_of
from gemba.insights.service.groups import line_of
from gemba.insights.service.listing import every_matching
from gemba.insights.service.sight import COUNTED
from gemba.people.models import Person
from gemba.visits.models import Visit


def export_rows(
    filters: InsightFilter, viewer: Person, *, url_of: Callable[[int], str], now: datetime
) -> list[ExportRow]:
    """Exactly the insights the filters show, in their order, with their evidence, oldest first.

    `url_of` gives an insight's address outside.
    """
    return _rows(every_matching(filters, viewer, now=now), url_of)


def rows_of(ids: Collection[int], viewer: Person, *, url_of: Callable[[int], str]) -> list[ExportRow]:
    """The same for insights by their ids, in that order. Those that are gone, merged or not yet open to
    everyone are left out: what leaves the house is everybody's.
    """
    return _rows(open_items(ids, viewer), url_of)


def _rows(items: Sequence[Item], url_of: Callable[[int], str]) -> list[ExportRow]:
    roots = [item.insight.id for item in items]
    evidence, files = _evidence(roots), _files(roots)
    return [
        _row(item, evidence[item.insight.id], files.get(item.insight.id, 0), url_of(item.insight.id))
        for item in items
    ]


def _files(roots: list[int]) -> dict[int, int]:
    """How many files insights and all merged into them have, by the insight that speaks."""
    found: dict[int, int] = {}
    for start in range(0, len(roots), PART):
        rows = db.session.execute(
            select(ROOT, func.count())
            .join(Picture, Picture.insight_id == Insight.id)
            .where(
                Picture.insight_id.in_(family_of(roots[start : start + PART])), Picture.removed_at.is_(None)
            )
            .group_by(ROOT)
        )
        found |= dict(rows.tuples().all())
    return found


def _evidence(roots: list[int]) -> dict[int, list[Observation]]:
    """The observations of insights and of all merged into them, by the insight that speaks."""
    found: dict[int, list[Observation]] = defaultdict(list)
    for start in range(0, len(roots), PART):
        for note in _notes(roots[start : start + PART]):
            if note.insight is not None:
                found[note.insight.root_id].append(note)
    return found


def _notes(roots: list[int]) -> list[Observation]:
    query = (
        select(Observation)
        .where(Observation.insight_id.in_(family_of(roots)), COUNTED)
        .options(
            joinedload(Observation.insight),
            joinedload(Observation.visit).joinedload(Visit.agent).joinedload(Person.line),
            joinedload(Observation.visit).joinedload(Visit.programme),
            selectinload(Observation.pictures).load_only(Picture.id),
        )
        .order_by(Observation.at, Observation.id)
    )
    return list(db.session.scalars(query))


def _row(item: Item, evidence: list[Observation], files: int, url: str) -> ExportRow:
    insight, counts = item.insight, item.counts
    return ExportRow(
        id=insight.id,
        url=url,
        title=insight.title,
        body=insight.body,
        kind=Kind(insight.kind),
        status=Status(insight.status),
        created_at=insight.created_at,
        updated_at=insight.updated_at,
        product=insight.product.name if insight.product else "",
        severity=counts.severity,
        score=item.score.score if item.score else None,
        visits=counts.visits,
        agents=counts.agents,
        votes=item.votes,
        pictures=sum(len(note.pictures) for note in evidence),
        files=files,
        lines=tuple(sorted({line for note in evidence if (line := line_of(note))})),
        tools=tuple(sorted({tool for tool in (insight.tool, *(note.tool for note in evidence)) if tool})),
        tags=tuple(sorted({*insight.tags.split(), *(tag for note in evidence for tag in note.tags.split())})),
        last_seen=counts.last_seen.date() if counts.last_seen else None,
        evidence=tuple(_sighting(note) for note in evidence),
        hurts=insight.hurts,
        minutes_lost=insight.minutes_lost,
        workaround=insight.workaround,
        step=insight.step,
        tool=insight.tool,
        own_tags=tuple(insight.tags.split()),
        due=insight.due,
        owner=insight.owner.name if insight.owner else "",
        own_status=insight.own_status.name if insight.own_status else "",
    )


def _sighting(note: Observation) -> Sighting:
    return Sighting(note.text, note.at.date(), line_of(note), note.verbatim, note.workaround)
