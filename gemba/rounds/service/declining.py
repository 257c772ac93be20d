"""Hours of a round that somebody declined: another is looked for once, never the same again.

Whoever declines an invite says that the hour does not suit; whoever cancels the visit has withdrawn.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select

from gemba.db import db
from gemba.invites.rules import Answer
from gemba.rounds.models import Round
from gemba.rounds.pairing.values import TICK_SECONDS, Person
from gemba.rounds.service.inputs import Frame
from gemba.visits.models import Visit, VisitAnswer, VisitVisitor
from gemba.visits.rules import FREE

OFTEN = 2
"""Whoever declines so many hours of one round is not given another."""


def declined_in(chosen: Round, ids: Collection[int]) -> dict[int, list[Visit]]:
    """By person, the visits of a round that ended because they declined the hour, in one statement."""
    query = (
        select(VisitAnswer.person_id, Visit)
        .join(Visit, Visit.id == VisitAnswer.visit_id)
        .join(
            VisitVisitor,
            (VisitVisitor.visit_id == Visit.id) & (VisitVisitor.person_id == VisitAnswer.person_id),
        )
        .where(
            VisitAnswer.person_id.in_(ids),
            VisitAnswer.answer == Answer.DECLINED,
            Visit.programme_id == chosen.programme_id,
            Visit.because == "round",
            Visit.status.in_(FREE),
        )
        .order_by(Visit.id)
    )
    found: dict[int, list[Visit]] = defaultdict(list)
    for person, visit in db.session.execute(query):
        if visit.because_facts.get("round") == chosen.id:
            found[person].append(visit)
    return found


def wants_another(chosen: Round, person_id: int) -> bool:
    """Whether somebody whose visit ended is to get another: they declined its hour, and not too often."""
    return 0 < len(declined_in(chosen, [person_id])[person_id]) < OFTEN


def without_declined(chosen: Round, people: Iterable[Person], frame: Frame) -> Iterator[Person]:
    """The same people, not free at hours they declined."""
    everyone = list(people)
    declined = declined_in(chosen, [person.id for person in everyone])
    for person in everyone:
        free = person.free
        for visit in declined[person.id]:
            first, last = _tick(visit.starts_at) - frame.grid.first, _tick(visit.ends_at) - frame.grid.first
            low = max(first - frame.rules.duration_minutes * 60 // TICK_SECONDS + 1, 0)
            free &= ~((1 << max(last, 0)) - (1 << min(low, max(last, 0))))
        yield replace(person, free=free) if free != person.free else person


def _tick(instant: datetime) -> int:
    return int(instant.timestamp()) // TICK_SECONDS
