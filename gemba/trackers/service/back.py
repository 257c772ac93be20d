"""The way back: what became of tickets in the tracker, and what that means for their insights.

A webhook says only where to look; what counts is what the tracker answers when it is asked. Our own changes
come back too and change nothing, as only a category that is new moves a status.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import or_, select

from gemba.db import db
from gemba.errors import GembaError
from gemba.insights import service as insights
from gemba.insights.models import Insight
from gemba.insights.rules.kinds import Status
from gemba.people.models import Person
from gemba.trackers.adapters import Tracker
from gemba.trackers.adapters.errors import Gone, NotAllowed, SignInRefused, TrackerError
from gemba.trackers.models import Claim, Connection
from gemba.trackers.rules.drafts import Ticket
from gemba.trackers.rules.kinds import Category, TicketState
from gemba.trackers.rules.pace import OVERLAP
from gemba.trackers.service import connections
from gemba.trackers.service.health import pause
from gemba.trackers.talk import UNREADABLE

EVERY = timedelta(minutes=5)
PAGE = 50
"""Trackers answer at least so many changed tickets at once; with fewer, none was left out."""
MOST_READ = 100


@dataclass(frozen=True)
class Asked:
    """Where a look begins: what changed since then, and the tickets that are open as far as we know."""

    since: datetime
    at: datetime
    open_refs: tuple[str, ...]


@dataclass(frozen=True)
class Seen:
    """What a look found. `until`: everything that changed before is in it, None where it failed."""

    tickets: tuple[Ticket, ...] = ()
    gone: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    until: datetime | None = None
    token_refused: bool = False


def due(now: datetime) -> list[int]:
    """Trackers with tickets that were not looked at for a while."""
    query = (
        select(Connection.id)
        .join(Claim, Claim.tracker_id == Connection.id)
        .where(
            Connection.trouble == "",
            Claim.ref != "",
            or_(Connection.polled_at.is_(None), Connection.polled_at <= now - EVERY),
        )
        .distinct()
    )
    return list(db.session.scalars(query))


def asked(tracker_id: int, now: datetime) -> Asked:
    """What is to be asked of a tracker."""
    row = db.session.get_one(Connection, tracker_id)
    refs = db.session.scalars(
        select(Claim.ref)
        .where(
            Claim.tracker_id == tracker_id,
            Claim.state == TicketState.DONE,
            Claim.category.not_in((Category.DONE, Category.DECLINED)),
        )
        .order_by(Claim.updated_at)
        .limit(MOST_READ)
    )
    return Asked((row.seen_until or row.created_at) - OVERLAP, now, tuple(dict.fromkeys(refs)))


def read(tracker: Tracker, what: Asked, refs: Sequence[str]) -> Seen:
    """Asks the tracker, with no transaction open."""
    try:
        changed = tuple(tracker.changed_since(what.since))
    except SignInRefused:
        return Seen(token_refused=True)
    except (TrackerError, *UNREADABLE):
        return Seen()
    known = {ticket.ref for ticket in changed}
    # A full page may have left some out: then each open ticket is asked for.
    extra = [ref for ref in (*refs, *(what.open_refs if len(changed) >= PAGE else ())) if ref not in known]
    seen = Seen(changed, until=what.at)
    for ref in dict.fromkeys(extra):
        try:
            seen = replace(seen, tickets=(*seen.tickets, tracker.get(ref)))
        except Gone:
            seen = replace(seen, gone=(*seen.gone, ref))
        except NotAllowed:
            seen = replace(seen, forbidden=(*seen.forbidden, ref))
        except (TrackerError, *UNREADABLE):
            return replace(seen, until=None)
    return seen


def take(tracker_id: int, seen: Seen, now: datetime) -> None:
    """Writes down what a look found, and lets statuses flow to the insights."""
    row = db.session.get(Connection, tracker_id, with_for_update=True, populate_existing=True)
    if row is None:
        return
    row.polled_at = now
    if seen.token_refused:
        pause(row, now)
    if seen.until is not None:
        row.seen_until = seen.until
    by_ref = {ticket.ref: ticket for ticket in seen.tickets}
    by_key = {ticket.key: ticket for ticket in seen.tickets}
    wanted = [*by_ref, *seen.gone, *seen.forbidden]
    claims = db.session.scalars(
        select(Claim)
        .where(
            Claim.tracker_id == tracker_id,
            or_(Claim.ref.in_(wanted), Claim.key.in_(list(by_key))),
            Claim.ref != "",
        )
        .order_by(Claim.insight_id)
    ).all()
    for claim in claims:
        ticket = by_ref.get(claim.ref) or by_key.get(claim.key)
        if ticket is not None:
            observe(row, claim, ticket, now)
        elif claim.ref in seen.gone:
            claim.state, claim.updated_at = TicketState.GONE.value, now
        elif claim.ref in seen.forbidden:
            claim.state, claim.updated_at = TicketState.FORBIDDEN.value, now
    db.session.flush()


def observe(row: Connection, claim: Claim, ticket: Ticket, now: datetime) -> None:
    """One ticket as it is now: its words, and its insight's status where the category is another one."""
    before = claim.category
    told = (ticket.key, ticket.url or claim.url, ticket.status, ticket.category.value, ticket.assignee)
    if told == (claim.key, claim.url, claim.status, claim.category, claim.assignee):
        return
    claim.key, claim.url, claim.status, claim.category, claim.assignee = told
    claim.updated_at = now
    if claim.state in (TicketState.GONE, TicketState.FORBIDDEN):
        claim.state = TicketState.DONE.value
    if before != claim.category:
        _flow(row, claim, Category(before or Category.TODO), now)


def _flow(row: Connection, claim: Claim, before: Category, now: datetime) -> None:
    """The insight's status follows, in the name of whoever connected the tracker."""
    category = Category(claim.category)
    status = connections.plan_of(row).statuses.get(category)
    insight = db.session.get(Insight, claim.insight_id)
    if status is None or insight is None or insight.status == status:
        return
    if category is Category.TODO and not before.is_closed:
        return
    owner = db.session.get_one(Person, row.created_by_id)
    reason = f"{row.name} {claim.key}: {claim.status}"
    changes = {"status": Status(status).value}
    try:
        with db.session.begin_nested():
            insights.patch(insight.id, owner, changes, reason=reason, now=now)
    except GembaError as refused:
        claim.error = str(refused)
