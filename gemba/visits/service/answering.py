"""What people answer to an invite, and the other hours they propose, whichever way it comes."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import select

from gemba.db import db
from gemba.errors import Forbidden, NotFound
from gemba.invites.rules import Answer
from gemba.people import service as people
from gemba.people.models import Person
from gemba.people.rules import clean_text
from gemba.schedule import declined
from gemba.schedule.rules import Span
from gemba.visits import kept, notices, replies
from gemba.visits.errors import ProposalDecided
from gemba.visits.facts import Ask, mentors_for
from gemba.visits.models import Visit, VisitProposal
from gemba.visits.replies import WEB, Said, Taken
from gemba.visits.rules import REASON_MAX, Status
from gemba.visits.service import proposing, seats
from gemba.visits.service.approving import deciders, may_decide
from gemba.visits.service.ending import cancel
from gemba.visits.service.moving import is_visitor, move
from gemba.visits.service.path import changed, close, lock_visit
from gemba.visits.service.proposing import Decided, participants

OFFERS = 3
"""So many other hours are named to visitors whose agent declined."""


def visit_by_uid(uid: str) -> Visit | None:
    """The visit that calendars know by this UID."""
    return db.session.scalar(select(Visit).where(Visit.uid == uid))


def take_answer(visit_id: int, person_id: int, said: Said, *, now: datetime) -> Taken:
    """Notes what a participant answers; of several answers the last one counts.

    A no of the agent ends the visit and offers other hours; a no of a visitor cancels for them, or only tells
    the others where it is too late for that; a no of the lead is only noted. The other side hears of a no, a
    maybe and a comment. A reply that answers nothing changes nothing.
    """
    visit = _open_to(visit_id, person_id, now=now)
    if isinstance(visit, Taken):
        return visit
    if replies.is_outdated(replies.row_of(visit, person_id), said, now=now):
        return Taken.OUTDATED
    if said.answer == Answer.NEEDS_ACTION:
        return Taken.REPEATED
    comment = clean_text(said.comment)[:REASON_MAX]
    if not replies.note_down(visit, person_id, said, comment, now=now):
        return Taken.REPEATED
    person = db.session.get_one(Person, person_id)
    facts = {"answer": said.answer, "via": said.via}
    people.audit(person, "visit.answered", f"visit:{visit.id}", facts, now=now)
    if said.answer == Answer.DECLINED and _ends_it(visit, person, now=now):
        if person_id == visit.agent_id:
            _give_back(visit, comment, now=now)
        else:
            cancel(visit, person, reason=comment, now=now)
    else:
        notices.answered(visit, person, said.answer, comment, now=now)
    return Taken.COUNTED


def _ends_it(visit: Visit, person: Person, *, now: datetime) -> bool:
    """Whether a no ends the visit, or this person's part in it."""
    if person.id == visit.agent_id:
        return now < visit.starts_at
    notice = timedelta(minutes=visit.programme.cancel_notice_minutes)
    return is_visitor(visit, person) and now < visit.starts_at and now <= visit.starts_at - notice


def _give_back(visit: Visit, comment: str, *, now: datetime) -> None:
    """The agent declined: the visitors read of other hours, and nobody is offered this one with the agent,
    who has just said that it does not suit, until they open it again.
    """
    close(visit, Status.CANCELLED, comment)
    changed(visit, now)
    seats.release(visit, now=now)
    declined.keep_no(visit.agent_id, Span(visit.starts_at, visit.ends_at), now=now)
    proposing.pass_by(visit, now=now)
    notices.agent_declined(visit, list(islice(_other_hours(visit, now=now), OFFERS)), now=now)
    people.audit(visit.agent, "visit.cancelled", f"visit:{visit.id}", {"declined": True}, now=now)


def _other_hours(visit: Visit, *, now: datetime) -> Iterator[dict[str, Any]]:
    """Hours the same visitors could have instead, this very one first, then the nearest; the agent who
    declined is not asked for the time they declined."""
    programme = visit.programme
    visitors = tuple(visitor.id for visitor in visit.visitors)
    window = Span(now, now + timedelta(days=programme.horizon_days))
    offer = kept.offered(programme, visitors, Ask(product_id=visit.product_id), window, now=now)
    for start in sorted(offer.starts, key=lambda start: (abs(start - visit.starts_at), start)):
        query = {"programme": programme.slug, "start": notices.stamp(start)}
        if start < visit.ends_at and visit.starts_at < start + offer.rules.length:
            others = [agent for agent in offer.agents_at(start) if agent != visit.agent_id]
            if not others:
                continue
            query["agent"] = str(others[0])
        yield {"start": start, "path": f"/visits/book?{urlencode(query)}"}


def take_proposal(
    visit_id: int,
    person_id: int,
    start: datetime,
    end: datetime,
    comment: str,
    sequence: int | None,
    stamped_at: datetime | None,
    *,
    now: datetime,
) -> Taken:
    """Keeps another hour that a participant proposes; somebody on the other side accepts or declines it.

    A newer proposal of the same person takes the place of an older one, and the same twice is one.
    """
    visit = _open_to(visit_id, person_id, now=now)
    if isinstance(visit, Taken):
        return visit
    if visit.starts_at <= now:
        return Taken.OVER
    row, stamp = replies.row_of(visit, person_id), min(stamped_at or now, now)
    if (row is not None and (sequence or 0) < row.sequence) or start <= now or end <= start:
        return Taken.OUTDATED
    wants_yes = visit.programme.approval and _is_visitors(visit, person_id)
    asked = deciders(visit) if wants_yes else ()
    span = (start, end)
    return proposing.keep(visit, person_id, span, comment, sequence, stamp, asked=asked, now=now)


def may_answer_proposal(visit: Visit, proposal: VisitProposal, person: Person) -> bool:
    """Whether somebody may say yes or no to a proposed hour: not to their own, and to a visitor's only who
    decides about visits, where the programme wants a lead's yes."""
    if visit.programme.approval and _is_visitors(visit, proposal.person_id):
        return person.id != proposal.person_id and may_decide(visit, person)
    takes_part = person.id in participants(visit)
    return person.id != proposal.person_id and (takes_part or may_decide(visit, person))


def _is_visitors(visit: Visit, person_id: int) -> bool:
    return person_id in {visitor.id for visitor in visit.visitors}


def accept_proposal(visit: Visit, proposal_id: int, by: Person, *, now: datetime) -> Visit:
    """Moves the visit to the proposed hour. Raises what `move` raises, NotFound or ProposalDecided."""
    # All who may take part in it then, at once: `move` locks nobody else afterwards.
    proposal = _open_proposal(visit, proposal_id, by, also=mentors_for(visit.programme))
    _decide(proposal, Decided.ACCEPTED, by, now=now)
    return move(visit, by, start=proposal.starts_at, agreed=True, now=now)


def decline_proposal(visit: Visit, proposal_id: int, by: Person, *, now: datetime) -> Visit:
    """Leaves the visit where it is and tells the proposer's calendar. Raises NotFound or ProposalDecided."""
    proposal = _open_proposal(visit, proposal_id, by)
    _decide(proposal, Decided.DECLINED, by, now=now)
    notices.kept(visit, proposal, by, now=now)
    return visit


def _open_proposal(
    visit: Visit, proposal_id: int, by: Person, *, also: Collection[int] = ()
) -> VisitProposal:
    lock_visit(visit, also=also)
    proposal = next((each for each in proposing.proposals_of(visit.id) if each.id == proposal_id), None)
    if proposal is None:
        raise NotFound
    if not may_answer_proposal(visit, proposal, by):
        raise Forbidden
    db.session.refresh(proposal)
    if proposal.state != Decided.OPEN or visit.status != Status.BOOKED:
        raise ProposalDecided
    return proposal


def _decide(proposal: VisitProposal, decided: Decided, by: Person, *, now: datetime) -> None:
    proposal.state, proposal.decided_by_id, proposal.decided_at = decided, by.id, now
    db.session.flush()
    facts = {"proposal": proposal.id}
    people.audit(by, f"visit.proposal-{decided}", f"visit:{proposal.visit_id}", facts, now=now)


def _open_to(visit_id: int, person_id: int, *, now: datetime) -> Visit | Taken:
    """The visit, locked, where this person can still answer to it."""
    visit = db.session.get(Visit, visit_id)
    if visit is None:
        return Taken.NOT_INVITED
    lock_visit(visit)
    if person_id not in participants(visit) or visit.status in (Status.REQUESTED, Status.OFFERED):
        return Taken.NOT_INVITED
    if visit.status != Status.BOOKED or visit.ends_at <= now:
        return Taken.OVER
    return visit


__all__ = [
    "WEB",
    "Said",
    "Taken",
    "accept_proposal",
    "decline_proposal",
    "may_answer_proposal",
    "take_answer",
    "take_proposal",
    "visit_by_uid",
]
