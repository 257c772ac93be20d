"""Pictures of published notes at tickets: each attached once ever, crash or not.

A picture is SENDING from before its request until the answer is written down. Whoever finds it so looks among
the ticket's files first: its name there is its own.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import joinedload

from gemba.db import db, insert_all_new, table_of
from gemba.insights import service as insights
from gemba.trackers.models import Claim, Connection, ExportItem, TicketPicture
from gemba.trackers.rules import pace
from gemba.trackers.rules.drafts import Draft
from gemba.trackers.rules.kinds import TRAITS, PictureState, TicketState, TrackerKind
from gemba.trackers.service import health
from gemba.trackers.talk import Outcome, Task, What

MOST = 20
"""So many pictures of one insight go to its ticket."""
_OPEN = TicketPicture.state.in_((PictureState.WAITING, PictureState.SENDING))


@dataclass(frozen=True)
class Enclosure:
    """A picture to attach now. `tried`: it was sent before and may be there."""

    picture_id: int
    task: Task
    name: str
    file: str
    tried: bool


def planned(tracker: Connection, claims: Mapping[int, Claim], roots: Sequence[int]) -> dict[int, list[int]]:
    """The pictures an export would attach, by insight: those that never were, nothing for linked tickets."""
    if not TRAITS[TrackerKind(tracker.kind)].attaches:
        return {}
    ours = [
        root
        for root in roots
        if root not in claims
        or (not claims[root].linked and claims[root].state not in (TicketState.GONE, TicketState.FORBIDDEN))
    ]
    known = set(
        db.session.execute(
            select(Claim.insight_id, TicketPicture.picture_id)
            .join(Claim, Claim.id == TicketPicture.ticket_id)
            .where(Claim.tracker_id == tracker.id)
        ).tuples()
    )
    found = insights.pictures_of(ours)
    fresh = {root: [each for each in some if (root, each) not in known] for root, some in found.items()}
    return {root: some[:MOST] for root, some in fresh.items() if some}


def begin(pictures: Mapping[int, Sequence[int]], claims: Mapping[int, int]) -> None:
    """Writes down which pictures go where; `claims` are the ids of the tickets by insight."""
    rows = [
        {
            "ticket_id": claims[root],
            "picture_id": picture,
            "state": PictureState.WAITING.value,
            "tries": 0,
            "error": "",
        }
        for root, some in pictures.items()
        for picture in some
        if root in claims
    ]
    insert_all_new(table_of(TicketPicture), rows, "ticket_id", "picture_id")


def _ready(tracker_id: int) -> ColumnElement[bool]:
    return and_(Claim.tracker_id == tracker_id, Claim.state == TicketState.DONE, _OPEN)


def take(tracker_id: int, now: datetime) -> Enclosure | None:
    """The next picture, leased and marked as being sent. Commit before speaking to the tracker."""
    while True:
        row = db.session.scalar(
            select(TicketPicture)
            .join(Claim, Claim.id == TicketPicture.ticket_id)
            .where(_ready(tracker_id), or_(TicketPicture.next_at.is_(None), TicketPicture.next_at <= now))
            .options(joinedload(TicketPicture.claim), joinedload(TicketPicture.picture))
            .order_by(TicketPicture.id)
            .limit(1)
            .with_for_update(of=TicketPicture, skip_locked=True)
            .execution_options(populate_existing=True)
        )
        if row is None:
            return None
        if insights.may_leave([row.picture_id]):
            break
        # Its note was struck out, hidden or taken back since.
        db.session.delete(row)
        db.session.flush()
    tried = row.state == PictureState.SENDING
    row.state, row.tries, row.next_at = PictureState.SENDING.value, row.tries + 1, now + pace.LEASE
    db.session.flush()
    claim, file = row.claim, row.picture.file
    task = Task(0, claim.id, Draft(claim.marker), claim.created_at, ref=claim.ref)
    name = f"{claim.marker}-{row.picture_id}.{file.rpartition('.')[2]}"
    return Enclosure(row.id, task, name, file, tried)


def note(tracker_id: int, sent: Enclosure, outcome: Outcome, now: datetime) -> bool:
    """Writes down what came of a picture; whether to go on."""
    tracker = db.session.get(Connection, tracker_id, populate_existing=True)
    row = db.session.get(TicketPicture, sent.picture_id, populate_existing=True)
    if tracker is None or row is None:
        return tracker is not None
    health.note(tracker, outcome, now)
    row.next_at = None
    match outcome.what:
        case What.MADE | What.FOUND:
            row.state, row.error = PictureState.DONE.value, ""
        case What.UNCERTAIN | What.AWAY | What.BUSY | What.TOKEN if row.tries < pace.MOST_TRIES:
            sure = outcome.what is not What.UNCERTAIN and not sent.tried
            row.state = (PictureState.WAITING if sure else PictureState.SENDING).value
            row.next_at = now + timedelta(seconds=pace.UPDATE_AGAIN)
        case _:
            row.state, row.error = PictureState.FAILED.value, outcome.said
    db.session.flush()
    return not tracker.trouble and (tracker.wait_until is None or tracker.wait_until <= now)


def due(tracker_id: int, now: datetime) -> list[datetime]:
    """When the next picture is due; nothing where none waits."""
    query = (
        select(func.min(func.coalesce(TicketPicture.next_at, now)))
        .join(Claim, Claim.id == TicketPicture.ticket_id)
        .where(_ready(tracker_id))
    )
    soonest = db.session.scalar(query)
    return [] if soonest is None else [max(soonest, now)]


def wanted_by() -> list[int]:
    """The trackers that still have a picture to get."""
    query = (
        select(Claim.tracker_id)
        .join(TicketPicture, TicketPicture.ticket_id == Claim.id)
        .join(Connection, Connection.id == Claim.tracker_id)
        .where(_OPEN, Claim.state == TicketState.DONE, Connection.trouble == "")
        .distinct()
    )
    return list(db.session.scalars(query))


def of_export(export_id: int) -> Counter[PictureState]:
    """How the pictures of an export's tickets stand."""
    query = (
        select(TicketPicture.state, func.count())
        .join(ExportItem, ExportItem.claim_id == TicketPicture.ticket_id)
        .where(ExportItem.export_id == export_id)
        .group_by(TicketPicture.state)
    )
    return Counter({PictureState(state): count for state, count in db.session.execute(query)})
