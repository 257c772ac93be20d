"""Which insights of other visits a note perhaps belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from gemba.db import db
from gemba.insights.models import Insight, Observation
from gemba.insights.rules.terms import is_similar, terms
from gemba.insights.service import index
from gemba.insights.service.counts import NOTHING, counts_of
from gemba.visits.models import Visit

HINTS_MAX = 12
HINT_TITLE_TERMS = 2


@dataclass(frozen=True)
class Hint:
    """An insight that a note perhaps belongs to, seen in so many other visits."""

    insight: Insight
    visits: int


def hints(notes: Sequence[Observation], visit: Visit) -> dict[int, Hint]:
    """For the newest of these notes, by id: an insight other visits saw that says much the same.

    Asked only while the insight the note made is untouched; a constant number of statements.
    """
    open_notes = [note for note in notes if note.insight and note.insight.untouched][:HINTS_MAX]
    if not open_notes:
        return {}
    asked = index.ask([note.text for note in open_notes])
    own = {note.insight_id for note in open_notes if note.insight_id}
    near = {
        note.id: [m for m in matches if is_similar(m, one.query, one.frequencies, one.total)]
        for note, one, matches in zip(open_notes, asked, index.best(asked, but=own, limit=5), strict=True)
    }
    wanted = {match.id for matches in near.values() for match in matches}
    counts = counts_of(wanted, but_visit=visit.id)
    seen = {id_: counts[id_].visits for id_ in wanted if counts.get(id_, NOTHING).visits}
    insights = {row.id: row for row in db.session.scalars(select(Insight).where(Insight.id.in_(seen)))}
    found = {}
    for note_id, matches in near.items():
        fitting = (m.id for m in matches if m.id in insights and _says(insights[m.id].title, m.shared))
        if (first := next(fitting, None)) is not None:
            found[note_id] = Hint(insights[first], seen[first])
    return found


def _says(title: str, shared: Sequence[str]) -> bool:
    """Whether at least two of the shared terms stand in the title: chance finds one more easily."""
    return len(set(terms(title)) & set(shared)) >= HINT_TITLE_TERMS
