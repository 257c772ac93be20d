"""What a visit that is booked still waits for from one person: an answer to its hour, or to another one."""

from datetime import datetime

from sqlalchemy import and_, exists, or_, select

from gemba.db import db
from gemba.invites.rules import Answer
from gemba.people.models import Person
from gemba.visits.models import Visit, VisitAnswer, VisitProposal
from gemba.visits.rules import Status
from gemba.visits.service.answering import may_answer_proposal
from gemba.visits.service.proposing import Decided
from gemba.visits.service.reading import visits_of


def unanswered_invites(person: Person, *, now: datetime, limit: int = 5) -> list[Visit]:
    """Visits to come whose hour this person has not answered, soonest first.

    Agent and mentor are asked about every visit; a visitor booked it, and is asked where it moved since.
    """
    mine = and_(VisitAnswer.visit_id == Visit.id, VisitAnswer.person_id == person.id)
    has_answered = exists().where(mine, VisitAnswer.answer != Answer.NEEDS_ACTION)
    is_host = or_(Visit.agent_id == person.id, Visit.mentor_id == person.id)
    is_asked_anew = exists().where(mine, VisitAnswer.answer == Answer.NEEDS_ACTION)
    query = visits_of(person).where(
        Visit.status == Status.BOOKED,
        Visit.starts_at > now,
        or_(and_(is_host, ~has_answered), is_asked_anew),
        or_(Visit.lead_id.is_(None), Visit.lead_id != person.id),
    )
    return list(db.session.scalars(query.order_by(Visit.starts_at, Visit.id).limit(limit)))


def open_proposals(person: Person, *, now: datetime, limit: int = 5) -> list[Visit]:
    """Visits to come for which somebody else proposed another hour that this person may answer."""
    is_asked = exists().where(
        VisitProposal.visit_id == Visit.id,
        VisitProposal.state == Decided.OPEN,
        VisitProposal.person_id != person.id,
    )
    query = visits_of(person).where(Visit.status == Status.BOOKED, Visit.starts_at > now, is_asked)
    found = db.session.scalars(query.order_by(Visit.starts_at, Visit.id).limit(limit)).all()
    proposed = db.session.scalars(
        select(VisitProposal).where(
            VisitProposal.visit_id.in_([visit.id for visit in found]), VisitProposal.state == Decided.OPEN
        )
    ).all()
    return [
        visit
        for visit in found
        if any(each.visit_id == visit.id and may_answer_proposal(visit, each, person) for each in proposed)
    ]
