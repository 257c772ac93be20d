"""What people answer to an invite, and the other hours they propose, whichever way it comes."""

from datetime import datetime

from sqlalchemy import select

from gemba.db import db
from gemba.people.rules import clean_text
from gemba.visits.models import Visit, VisitProposal
from gemba.visits.rules import REASON_MAX, Status
from gemba.visits.service import replies
from gemba.visits.service.path import lock_visit
from gemba.visits.service.replies import Said, Taken

OPEN, ACCEPTED, DECLINED, PASSED = "open", "accepted", "declined", "passed"


def visit_by_uid(uid: str) -> Visit | None:
    """The visit that calendars know by this UID."""
    return db.session.scalar(select(Visit).where(Visit.uid == uid))


def participants(visit: Visit) -> set[int]:
    """The ids of agent, lead and visitors."""
    people = {visit.agent_id, *(visitor.id for visitor in visit.visitors)}
    return people | {visit.lead_id} if visit.lead_id else people


def take_answer(visit_id: int, person_id: int, said: Said, *, now: datetime) -> Taken:
    """Notes what a participant answers; of several answers the last one counts.

    The other side hears of a no, a maybe and a comment.
    """
    visit = _open_to(visit_id, person_id, now=now)
    if isinstance(visit, Taken):
        return visit
    if replies.is_outdated(replies.row_of(visit, person_id), said, now=now):
        return Taken.OUTDATED
    comment = clean_text(said.comment)[:REASON_MAX]
    return Taken.COUNTED if replies.note_down(visit, person_id, said, comment, now=now) else Taken.REPEATED


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
    row, stamp = replies.row_of(visit, person_id), min(stamped_at or now, now)
    mine = _proposals(visit, person_id)
    if (row is not None and (sequence or 0) < row.sequence) or start <= now or end <= start:
        return Taken.OUTDATED
    is_open = any(each.state == OPEN and each.starts_at == start for each in mine)
    if is_open or start == visit.starts_at or any(each.stamped_at == stamp for each in mine):
        return Taken.REPEATED
    if any(each.stamped_at > stamp for each in mine):
        return Taken.OUTDATED
    for each in mine:
        if each.state == OPEN:
            each.state, each.decided_at = PASSED, now
    proposal = VisitProposal(
        visit_id=visit.id,
        person_id=person_id,
        starts_at=start,
        ends_at=end,
        comment=clean_text(comment)[:REASON_MAX],
        sequence=sequence or 0,
        stamped_at=stamp,
        state=OPEN,
        created_at=now,
    )
    db.session.add(proposal)
    db.session.flush()
    return Taken.COUNTED


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


def _proposals(visit: Visit, person_id: int) -> list[VisitProposal]:
    query = select(VisitProposal).where(
        VisitProposal.visit_id == visit.id, VisitProposal.person_id == person_id
    )
    return list(db.session.scalars(query))


__all__ = ["Said", "Taken", "take_answer", "take_proposal", "visit_by_uid"]
