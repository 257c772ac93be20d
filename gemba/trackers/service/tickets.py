"""What a person does about one ticket: link an existing one, say what is to be done, take the link off."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from gemba.config import current_settings
from gemba.db import db
from gemba.errors import Forbidden, Refused
from gemba.insights.models import Insight
from gemba.insights.service import rows_of
from gemba.people import service as people
from gemba.people.models import Person
from gemba.people.rules import clean_line
from gemba.trackers.adapters import Tracker
from gemba.trackers.adapters.errors import Gone, Unavailable
from gemba.trackers.errors import NotAsking, NotThere, TicketNotFound
from gemba.trackers.models import Claim, Connection, ExportItem
from gemba.trackers.rules.drafts import Ticket, house_mark, marker_of
from gemba.trackers.rules.kinds import ItemState, TicketState
from gemba.trackers.service import back, connections
from gemba.trackers.service.chain import wake
from gemba.trackers.talk import UNREADABLE

WORDS_MAX = 200


class HasTicket(Refused):
    """This insight has a ticket in this tracker already."""

    code = "has-ticket"


def get(ticket_id: int, viewer: Person, *, lock: bool = False) -> Claim:
    """A ticket with its tracker. Raises TicketNotFound, Forbidden."""
    if not connections.may_export(viewer):
        raise Forbidden
    query = select(Claim).where(Claim.id == ticket_id).options(joinedload(Claim.tracker))
    if lock:
        query = query.with_for_update(of=Claim).execution_options(populate_existing=True)
    claim = db.session.scalar(query)
    if claim is None:
        raise TicketNotFound
    return claim


def search(adapter: Tracker, words: str) -> list[Ticket]:
    """Tickets a person may mean. Speaks to the tracker; raises TrackerError."""
    words = clean_line(words)[:WORDS_MAX]
    if not words:
        return []
    try:
        return adapter.search(words)
    except Gone:
        return []
    except UNREADABLE:
        raise Unavailable("Its answer cannot be read.") from None


def read(adapter: Tracker, ref: str) -> Ticket:
    """A ticket by its id there. Speaks to the tracker; raises NotThere, TrackerError."""
    try:
        return adapter.get(clean_line(ref)[:WORDS_MAX])
    except (Gone, *UNREADABLE):
        raise NotThere from None


def link(
    tracker_id: int,
    insight_id: int,
    viewer: Person,
    ticket: Ticket,
    *,
    url_of: Callable[[int], str],
    now: datetime,
) -> Claim:
    """Makes an existing ticket that of an insight; others may have it too. We then read it, never change it.

    Raises TrackerNotFound, TicketNotFound, HasTicket, Forbidden.
    """
    row = connections.get(tracker_id, viewer, lock=True)
    if not rows_of([insight_id], viewer, url_of=url_of):
        raise TicketNotFound
    query = select(Claim).where(Claim.tracker_id == tracker_id, Claim.insight_id == insight_id)
    claim = db.session.scalar(query.with_for_update())
    if claim is not None and claim.state in (TicketState.DONE, TicketState.SENDING):
        raise HasTicket
    if claim is None:
        marker = marker_of(house_mark(current_settings().secret_key), insight_id)
        claim = Claim(
            tracker_id=tracker_id, insight_id=insight_id, marker=marker, sent={}, edited=[], created_at=now
        )
        db.session.add(claim)
    claim.state, claim.linked, claim.error = TicketState.DONE.value, True, ""
    claim.ref, claim.next_at, claim.lease_until = ticket.ref, None, None
    claim.category = claim.category or ""
    claim.updated_at = now
    claim.key = claim.url = claim.status = claim.assignee = ""
    back.observe(row, claim, ticket, now)
    db.session.get_one(Insight, insight_id).untouched = False
    db.session.flush()
    _end_items(claim)
    _audit(viewer, "ticket.link", claim, row, now)
    return claim


def send_again(ticket_id: int, viewer: Person, *, now: datetime) -> Claim:
    """A person looked and says that it is not there: it is made once more.

    Raises TicketNotFound, Forbidden, NotAsking.
    """
    claim = get(ticket_id, viewer, lock=True)
    if claim.state != TicketState.ASK:
        raise NotAsking
    claim.state, claim.tries, claim.looks = TicketState.QUEUED.value, 0, 0
    claim.next_at = claim.lease_until = None
    db.session.flush()
    _audit(viewer, "ticket.again", claim, claim.tracker, now)
    wake(claim.tracker_id, now)
    return claim


def unlink(ticket_id: int, viewer: Person, *, now: datetime) -> Claim:
    """Forgets the ticket of an insight, where it was linked, is gone, failed or asks; it stays there.

    Raises TicketNotFound, Forbidden, HasTicket for one that we made and that is there.
    """
    claim = get(ticket_id, viewer, lock=True)
    if claim.state in (TicketState.DONE, TicketState.SENDING, TicketState.UNKNOWN) and not claim.linked:
        raise HasTicket
    _audit(viewer, "ticket.unlink", claim, claim.tracker, now)
    for item in db.session.scalars(select(ExportItem).where(ExportItem.claim_id == claim.id)):
        item.claim_id = None
        if item.state == ItemState.PENDING:
            item.state, item.error, item.payload = ItemState.FAILED.value, "unlinked", {}
    db.session.flush()
    db.session.delete(claim)
    db.session.flush()
    return claim


def _end_items(claim: Claim) -> None:
    """What an export still wanted of a ticket that was linked by hand."""
    pending = select(ExportItem).where(ExportItem.claim_id == claim.id, ExportItem.state == ItemState.PENDING)
    for item in db.session.scalars(pending):
        item.state, item.payload = ItemState.DONE.value, {}
    db.session.flush()


def _audit(viewer: Person, action: str, claim: Claim, row: Connection, now: datetime) -> None:
    detail = {"tracker": row.name, "key": claim.key}
    people.audit(viewer, action, f"insight:{claim.insight_id}", detail, now)
