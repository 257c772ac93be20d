"""Other hours that participants propose, and what becomes of them and of answers when a visit changes."""

from collections.abc import Collection
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from gemba.db import db
from gemba.people.models import Person
from gemba.people.rules import clean_text
from gemba.visits import notices, replies
from gemba.visits.models import Visit, VisitProposal
from gemba.visits.rules import REASON_MAX


class Decided(StrEnum):
    """Where a proposal stands; `passed` where the visit changed in another way."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    PASSED = "passed"


def participants(visit: Visit) -> set[int]:
    """The ids of agent, lead, mentor and visitors."""
    more = {each for each in (visit.lead_id, visit.mentor_id) if each is not None}
    return {visit.agent_id, *(visitor.id for visitor in visit.visitors)} | more


def proposals_of(visit_id: int, *states: Decided) -> list[VisitProposal]:
    """What was proposed for a visit, oldest first."""
    query = (
        select(VisitProposal)
        .where(VisitProposal.visit_id == visit_id)
        .options(joinedload(VisitProposal.person))
        .order_by(VisitProposal.id)
    )
    return list(db.session.scalars(query.where(VisitProposal.state.in_(states)) if states else query))


def keep(
    visit: Visit,
    person_id: int,
    span: tuple[datetime, datetime],
    comment: str,
    sequence: int | None,
    stamp: datetime,
    *,
    asked: Collection[Person] = (),
    now: datetime,
) -> replies.Taken:
    """Keeps a proposal; a newer one of the same person takes an older one's place, the same twice is one.

    `asked` hear of it instead of the other side: those who decide about visits.
    """
    start, end = span
    mine = [each for each in proposals_of(visit.id) if each.person_id == person_id]
    is_open = any(each.state == Decided.OPEN and each.starts_at == start for each in mine)
    if is_open or start == visit.starts_at or any(each.stamped_at == stamp for each in mine):
        return replies.Taken.REPEATED
    if any(each.stamped_at > stamp for each in mine):
        return replies.Taken.OUTDATED
    _pass([each for each in mine if each.state == Decided.OPEN], now)
    proposal = VisitProposal(
        visit_id=visit.id,
        person_id=person_id,
        starts_at=start,
        ends_at=end,
        comment=clean_text(comment)[:REASON_MAX],
        sequence=sequence or 0,
        stamped_at=stamp,
        state=Decided.OPEN,
        created_at=now,
    )
    db.session.add(proposal)
    db.session.flush()
    notices.proposed(visit, proposal, asked=asked, now=now)
    return replies.Taken.COUNTED


def hour_changed(visit: Visit, before: str, *, now: datetime) -> None:
    """After a move: nobody has answered to the new hour. After a swap at the same hour, answers stay."""
    if datetime.fromisoformat(before) == visit.starts_at.astimezone(UTC):
        people_changed(visit, now=now)
        return
    replies.ask_anew(visit, participants(visit), now=now)
    pass_by(visit, now=now)


def people_changed(visit: Visit, *, now: datetime) -> None:
    """Somebody came or left and the hour is the same: the answers and proposals of those who stay, stay."""
    stay: Collection[int] = participants(visit)
    replies.keep_only(visit, stay)
    _pass([each for each in proposals_of(visit.id, Decided.OPEN) if each.person_id not in stay], now)


def pass_by(visit: Visit, *, now: datetime) -> None:
    """The visit moved or ended: what was proposed before is no longer asked."""
    _pass(proposals_of(visit.id, Decided.OPEN), now)
    notices.unkept(visit, now=now)


def _pass(proposals: Collection[VisitProposal], now: datetime) -> None:
    for each in proposals:
        each.state, each.decided_at = Decided.PASSED, now
    db.session.flush()
