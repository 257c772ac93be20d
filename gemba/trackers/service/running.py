"""What the worker reads and writes while it exports: claims before anything is sent, outcomes after.

A ticket is SENDING from before its one request until the answer is written down. Whoever finds it so after
its lease looks for it in the tracker first: it may have been made, and never is made again unseen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import contains_eager, load_only

from gemba.db import db
from gemba.outbox import service as outbox
from gemba.sealing import KeyChanged
from gemba.trackers.adapters import Tracker
from gemba.trackers.models import Claim, Connection, ExportItem
from gemba.trackers.rules import pace
from gemba.trackers.rules.drafts import Draft
from gemba.trackers.rules.kinds import TRAITS, Action, Category, ItemState, TicketState, TrackerKind, Traits
from gemba.trackers.service import connections, health, pictures
from gemba.trackers.service.chain import RUN, group_of
from gemba.trackers.service.finishing import finish
from gemba.trackers.talk import Outcome, Task, What

ENDED = (TicketState.FAILED, TicketState.GONE, TicketState.FORBIDDEN)


@dataclass(frozen=True)
class Order:
    """A tracker to export to: the way there, and what is peculiar to its kind."""

    tracker_id: int
    adapter: Tracker
    traits: Traits


@dataclass(frozen=True)
class Work:
    """Tasks claimed for this worker: those to look for first, and those to change."""

    look: list[Task]
    change: list[Task]

    def __len__(self) -> int:
        return len(self.look) + len(self.change)


def order_of(tracker_id: int, now: datetime) -> Order | None:
    """What is to be exported to, None where it is gone, paused or asked us to wait."""
    row = db.session.get(Connection, tracker_id)
    if row is None or row.trouble or (row.wait_until is not None and row.wait_until > now):
        return None
    try:
        adapter = connections.adapter_of(row)
    except KeyChanged:
        return None
    return Order(row.id, adapter, TRAITS[TrackerKind(row.kind)])


def claim(order: Order, most: int, now: datetime) -> Work:
    """Leases the next items of a tracker. Commit before speaking to it."""
    work = Work([], [])
    if most <= 0:
        return work
    seen: set[int] = set()
    for item in _pending(order.tracker_id, most, now):
        claimed = item.claim
        if claimed is None or claimed.id in seen:
            continue
        seen.add(claimed.id)
        state = TicketState(claimed.state)
        if state in ENDED or (state is TicketState.DONE and item.action != Action.UPDATE):
            _end(item, claimed.error or claimed.state if state in ENDED else "")
            continue
        claimed.lease_until = now + pace.LEASE
        if state is TicketState.SENDING:
            # Who sent it is gone: it may have been made.
            claimed.state, claimed.looks = TicketState.UNKNOWN.value, 0
        (work.change if state is TicketState.DONE else work.look).append(_task(item, claimed))
    db.session.flush()
    return work


def _pending(tracker_id: int, most: int, now: datetime) -> Sequence[ExportItem]:
    free = or_(Claim.lease_until.is_(None), Claim.lease_until <= now)
    due = or_(Claim.next_at.is_(None), Claim.next_at <= now)
    query = (
        select(ExportItem)
        .join(Claim, Claim.id == ExportItem.claim_id)
        .where(
            Claim.tracker_id == tracker_id,
            ExportItem.state == ItemState.PENDING,
            Claim.state != TicketState.ASK,
            free,
            due,
        )
        .options(contains_eager(ExportItem.claim))
        .order_by(ExportItem.id)
        .limit(most)
        .with_for_update(of=Claim, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return db.session.scalars(query).all()


def _task(item: ExportItem, claimed: Claim) -> Task:
    payload = item.payload
    labels = payload.get("labels")
    draft = Draft(
        marker=claimed.marker,
        title=payload.get("title"),
        body=payload.get("body"),
        labels=None if labels is None else tuple(labels),
        fields=payload.get("fields") or {},
    )
    return Task(
        item_id=item.id,
        claim_id=claimed.id,
        draft=draft,
        # Nothing of ours was made before the claim was; an hour more for clocks that differ.
        since=claimed.created_at - timedelta(hours=1),
        lease=claimed.lease_until,
        fresh=claimed.state == TicketState.QUEUED,
        prints=payload.get("prints") or {},
        category=payload.get("category") or "",
        ref=claimed.ref,
        sent=dict(claimed.sent),
        known_category=claimed.category,
        anew=payload.get("anew") or "",
    )


def begin(tasks: Sequence[Task], now: datetime) -> list[Task]:
    """Writes down that these are about to be sent, those that are still ours. Commit before sending."""
    if not tasks:
        return []
    until = now + pace.LEASE
    ours = set(
        db.session.scalars(
            update(Claim)
            .where(_leased(tasks), Claim.state != TicketState.SENDING)
            .values(
                state=TicketState.SENDING.value,
                tried_at=now,
                tries=Claim.tries + 1,
                looks=0,
                next_at=None,
                lease_until=until,
            )
            .returning(Claim.id)
            .execution_options(synchronize_session=False)
        )
    )
    return [replace(task, lease=until) for task in tasks if task.claim_id in ours]


def release(tasks: Sequence[Task]) -> None:
    """Gives back what was claimed and not sent."""
    if tasks:
        db.session.execute(
            update(Claim)
            .where(_leased(tasks), Claim.state != TicketState.SENDING)
            .values(lease_until=None)
            .execution_options(synchronize_session=False)
        )


def _leased(tasks: Sequence[Task]) -> ColumnElement[bool]:
    """SQL, on Claim: it is one of these tasks', whose lease nobody else has taken over."""
    leases = sorted({task.lease for task in tasks if task.lease is not None})
    return and_(Claim.id.in_([task.claim_id for task in tasks]), Claim.lease_until.in_(leases))


def take(order: Order, outcomes: Sequence[Outcome], now: datetime) -> tuple[list[Task], bool]:
    """Writes down what came of tasks: those that may be sent now, and whether to go on at all."""
    tracker = db.session.get(Connection, order.tracker_id, populate_existing=True)
    if tracker is None:
        return [], False
    # What was never sent and is not there may be sent while its lease holds: `begin` asks for that.
    ready = [each.task for each in outcomes if each.what is What.EMPTY and each.task.fresh]
    if ready:
        health.well(tracker, now)
    known = [each for each in outcomes if not (each.what is What.EMPTY and each.task.fresh)]
    claims, items = _rows(known)
    for outcome in known:
        claimed, item = claims.get(outcome.task.claim_id), items.get(outcome.task.item_id)
        if claimed is None or item is None:
            continue
        health.note(tracker, outcome, now)
        if claimed.lease_until != outcome.task.lease and outcome.what is not What.MADE:
            # Another worker took it over: what it finds out counts. Only a ticket is never forgotten.
            continue
        claimed.lease_until = None
        if outcome.what is What.EMPTY:
            if _may_send(order, claimed, now):
                claimed.lease_until = now + pace.LEASE
                ready.append(replace(outcome.task, lease=claimed.lease_until))
        else:
            _settle(order, claimed, item, outcome, now)
        claimed.updated_at = now
    db.session.flush()
    may_go_on = not tracker.trouble and (tracker.wait_until is None or tracker.wait_until <= now)
    return ready, may_go_on


def _rows(outcomes: Sequence[Outcome]) -> tuple[dict[int, Claim], dict[int, ExportItem]]:
    claim_ids = [each.task.claim_id for each in outcomes]
    item_ids = [each.task.item_id for each in outcomes]
    fresh = {"populate_existing": True}
    claims = db.session.scalars(select(Claim).where(Claim.id.in_(claim_ids)).execution_options(**fresh))
    items = db.session.scalars(
        select(ExportItem)
        .where(ExportItem.id.in_(item_ids))
        # Not their payloads, which are large and only emptied.
        .options(load_only(ExportItem.state, ExportItem.error))
        .execution_options(**fresh)
    )
    return {row.id: row for row in claims}, {row.id: row for row in items}


def _may_send(order: Order, claimed: Claim, now: datetime) -> bool:
    """Whether a ticket that was not found may be sent (again), or is looked for later, or asks a person."""
    if claimed.state != TicketState.UNKNOWN:
        return True
    claimed.looks += 1
    tried = claimed.tried_at or claimed.created_at
    later = pace.next_look(tried, claimed.looks, order.traits.lag)
    if order.traits.native and claimed.tries <= 2 * pace.MOST_TRIES:
        return True
    if later is not None:
        claimed.next_at = max(later, now + timedelta(seconds=1))
        return False
    if order.traits.asks or claimed.tries >= pace.MOST_TRIES:
        claimed.state, claimed.next_at = TicketState.ASK.value, None
        return False
    return True


def _settle(order: Order, claimed: Claim, item: ExportItem, outcome: Outcome, now: datetime) -> None:
    match outcome.what:
        case What.FOUND | What.MADE | What.UPDATED:
            _keep(claimed, outcome, now)
            _end(item)
        case What.UNCERTAIN if claimed.state == TicketState.SENDING:
            claimed.state, claimed.looks = TicketState.UNKNOWN.value, 0
            claimed.next_at = pace.next_look(claimed.tried_at or now, 0, order.traits.lag)
            claimed.error = outcome.said
        case What.GONE | What.FORBIDDEN if claimed.state == TicketState.DONE:
            gone = outcome.what is What.GONE
            claimed.state = (TicketState.GONE if gone else TicketState.FORBIDDEN).value
            claimed.error = outcome.said
            _end(item, claimed.state)
        case What.REFUSED | What.GONE | What.FORBIDDEN:
            _refused(claimed, item, outcome)
        case _:
            # Nothing was sent: the next run goes on with it.
            _put_back(claimed)
            if outcome.what in (What.AWAY, What.UNCERTAIN):
                claimed.next_at = now + timedelta(seconds=pace.UPDATE_AGAIN)


def _put_back(claimed: Claim) -> None:
    """As it was before it was claimed: what was tried before stays unknown."""
    if claimed.state == TicketState.SENDING:
        claimed.tries = max(claimed.tries - 1, 0)
        claimed.state = TicketState.QUEUED.value


def _refused(claimed: Claim, item: ExportItem, outcome: Outcome) -> None:
    claimed.error = outcome.said
    if claimed.state == TicketState.UNKNOWN:
        # It may have been made and cannot be looked for: only a person can tell.
        claimed.state, claimed.next_at = TicketState.ASK.value, None
        return
    if claimed.state != TicketState.DONE:
        claimed.state = TicketState.FAILED.value
    _end(item, outcome.said)


def _keep(claimed: Claim, outcome: Outcome, now: datetime) -> None:
    ticket = outcome.ticket
    if ticket is None:
        return
    claimed.state, claimed.error, claimed.next_at = TicketState.DONE.value, "", None
    claimed.ref, claimed.key = ticket.ref, ticket.key
    claimed.url = ticket.url or claimed.url
    if ticket.status:
        claimed.status, claimed.category, claimed.assignee = (
            ticket.status,
            ticket.category.value,
            ticket.assignee,
        )
    claimed.category = claimed.category or Category.TODO.value
    claimed.sent = {**claimed.sent, **outcome.sent}
    if claimed.struck_at and outcome.task.anew == claimed.struck_at.isoformat():
        claimed.struck_at = None
    was = [name for name in claimed.edited if name not in outcome.task.prints]
    claimed.edited = sorted({*was, *outcome.edited})


def _end(item: ExportItem, error: str = "") -> None:
    item.state = (ItemState.FAILED if error else ItemState.DONE).value
    item.error, item.payload = error, {}


def after(tracker_id: int, now: datetime) -> None:
    """Queues the next run of a tracker, at the moment something is due; nothing where all is done."""
    tracker = db.session.get(Connection, tracker_id, populate_existing=True)
    group = group_of(tracker_id)
    outbox.forget(group)
    finish(tracker_id, now)
    if tracker is None or tracker.trouble or outbox.is_waiting(group):
        return
    next_at = func.coalesce(Claim.next_at, now)
    leased = func.coalesce(Claim.lease_until, now)
    when = db.session.execute(
        select(next_at, leased)
        .join(ExportItem, ExportItem.claim_id == Claim.id)
        .where(
            and_(Claim.tracker_id == tracker_id, Claim.state != TicketState.ASK),
            ExportItem.state == ItemState.PENDING,
        )
    ).all()
    due = [max(*_instants(row), now) for row in when] + pictures.due(tracker_id, now)
    if not due:
        return
    soonest = min(due)
    run_at = max(soonest, tracker.wait_until or now)
    outbox.queue(
        RUN,
        dedup_key=f"{group}:{run_at.isoformat()}:{now.isoformat()}",
        group_key=group,
        recipient="",
        payload={"tracker": tracker_id},
        now=now,
        run_at=run_at,
    )


def _instants(row: Sequence[datetime]) -> tuple[datetime, datetime]:
    return row[0], row[1]


def unfinished() -> list[int]:
    """Trackers that still have something to get and nobody who brings it."""
    rows = db.session.scalars(
        select(Claim.tracker_id)
        .join(ExportItem, ExportItem.claim_id == Claim.id)
        .join(Connection, Connection.id == Claim.tracker_id)
        .where(
            ExportItem.state == ItemState.PENDING, Claim.state != TicketState.ASK, Connection.trouble == ""
        )
        .distinct()
    ).all()
    both = sorted({*rows, *pictures.wanted_by()})
    return [each for each in both if not outbox.is_waiting(group_of(each))]
