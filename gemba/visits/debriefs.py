"""Debriefs of hands-on visits: what the visitor learnt, what was hard, what the mentor saw.

Visitors and mentor write one each, and they and the agent at whose workplace it was read them. Leads and
admins do not, and nothing in them is counted: a debrief is no score of anybody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from gemba.db import db
from gemba.errors import Invalid
from gemba.people.models import Person
from gemba.people.rules import N_, clean_text
from gemba.visits import service
from gemba.visits.errors import DebriefTooEarly, VisitNotFound
from gemba.visits.models import Visit, VisitDebrief
from gemba.visits.rules import DEBRIEF_MAX, HAPPENING

Answers = list[tuple[str, str]]


@dataclass(frozen=True)
class Page:
    """What somebody sees: the questions they answer with their words, none for the agent, and the others'."""

    visit: Visit
    mine: Answers
    is_kept: bool
    others: list[VisitDebrief]


def writes(visit: Visit, person: Person) -> bool:
    """Whether this person writes a debrief of the visit."""
    visitors = {visitor.id for visitor in visit.visitors}
    return visit.mentor_id is not None and person.id in {visit.mentor_id, *visitors}


def reads(visit: Visit, person: Person) -> bool:
    """Whether this person reads the debriefs of the visit."""
    return writes(visit, person) or (visit.mentor_id is not None and person.id == visit.agent_id)


def page(viewer: Person, visit_id: int, locale: str, *, now: datetime) -> Page:
    """The debriefs of a visit that is over, for those in it. Raises VisitNotFound or DebriefTooEarly."""
    visit = _visit(viewer, visit_id, now)
    rows = db.session.scalars(
        select(VisitDebrief)
        .where(VisitDebrief.visit_id == visit.id)
        .options(joinedload(VisitDebrief.person))
        .order_by(VisitDebrief.at, VisitDebrief.person_id)
    ).all()
    own = next((row for row in rows if row.person_id == viewer.id), None)
    said: dict[str, str] = dict(own.answers) if own else {}
    mine = [*said.items(), *((each, "") for each in _questions(visit, viewer, locale) if each not in said)]
    others = [row for row in rows if row is not own and row.answers]
    return Page(visit, mine if writes(visit, viewer) else [], own is not None, others)


def save(viewer: Person, visit_id: int, answers: Sequence[tuple[str, str]], *, now: datetime) -> Visit:
    """Keeps what somebody wrote to each question. Raises as page, or Invalid (q0, q1, …)."""
    visit = _visit(viewer, visit_id, now)
    if not writes(visit, viewer):
        raise VisitNotFound
    cleaned = [(question, clean_text(words)) for question, words in answers]
    errors = {
        f"q{number}": [N_("Use at most 2,000 characters.")]
        for number, (_question, words) in enumerate(cleaned)
        if len(words) > DEBRIEF_MAX
    }
    if not any(words for _question, words in cleaned):
        errors["q0"] = [N_("Answer at least one of the questions.")]
    if errors:
        raise Invalid(errors)
    row = db.session.get(VisitDebrief, (visit.id, viewer.id))
    if row is None:
        row = VisitDebrief(visit_id=visit.id, person_id=viewer.id)
        db.session.add(row)
    row.answers, row.at = [[question, words] for question, words in cleaned if words], now
    db.session.flush()
    return visit


def is_written(visit: Visit, person: Person) -> bool:
    """Whether this person has written theirs."""
    return writes(visit, person) and db.session.get(VisitDebrief, (visit.id, person.id)) is not None


def _visit(viewer: Person, visit_id: int, now: datetime) -> Visit:
    visit = service.get_visit(viewer, visit_id)
    if not reads(visit, viewer) or visit.status not in HAPPENING:
        raise VisitNotFound
    if visit.ends_at > now:
        raise DebriefTooEarly
    return visit


def _questions(visit: Visit, person: Person, locale: str) -> list[str]:
    return visit.programme.debrief_in(locale, as_mentor=person.id == visit.mentor_id)
