"""What was said of the hours of a programme, both sides in total: never by visit, never by person.

A side is shown only once as many of its people have answered as the programme's smallest group.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from gemba.db import db
from gemba.insights.models import VisitFeedback
from gemba.programmes import service as programmes
from gemba.programmes.models import Programme
from gemba.visits.models import Visit, VisitVisitor

WORTH = ("yes", "partly", "no")


@dataclass(frozen=True)
class Side:
    """How often one side gave each answer; None where too few people of it have answered."""

    answers: dict[str, int] | None

    @property
    def total(self) -> int:
        """All answers of this side."""
        return sum((self.answers or {}).values())


@dataclass(frozen=True)
class Totals:
    """Both sides: those who visited, and the agents and leads who were visited; `smallest` is the group."""

    programme: Programme
    visitors: Side
    hosts: Side
    smallest: int


def totals(slug: str) -> Totals:
    """What was answered in a programme so far. Raises ProgrammeNotFound."""
    programme = programmes.get_programme(slug)
    sat = select(VisitVisitor.visit_id).where(
        VisitVisitor.visit_id == VisitFeedback.visit_id, VisitVisitor.person_id == VisitFeedback.person_id
    )
    is_visitor = sat.exists().label("is_visitor")
    rows = db.session.execute(
        select(is_visitor, VisitFeedback.worth, VisitFeedback.person_id)
        .join(Visit, Visit.id == VisitFeedback.visit_id)
        .where(Visit.programme_id == programme.id)
    ).all()
    smallest = max(programme.smallest_group, 2)
    visitors = [(row.person_id, row.worth) for row in rows if row.is_visitor]
    hosts = [(row.person_id, row.worth) for row in rows if not row.is_visitor]
    return Totals(programme, _side(visitors, smallest), _side(hosts, smallest), smallest)


def _side(said: Sequence[tuple[int, str]], smallest: int) -> Side:
    if len({person_id for person_id, _worth in said}) < smallest:
        return Side(None)
    return Side({worth: sum(one == worth for _person_id, one in said) for worth in WORTH})
