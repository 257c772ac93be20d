"""Puts invites into the outbox: one row per recipient, a snapshot of all that the mail will say."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from gemba.db import db
from gemba.invites.rules import Method
from gemba.outbox import service as outbox
from gemba.outbox.models import OutboxItem


@dataclass(frozen=True)
class Who:
    """One participant as the invite shows them."""

    id: int
    email: str
    name: str
    locale: str
    timezone: str
    part: str
    """`visitor`, `agent` or `lead`"""


@dataclass(frozen=True)
class Snapshot:
    """A visit as an invite tells of it; instants as ISO strings in UTC, `previous_start` after a move."""

    visit_id: int
    uid: str
    sequence: int
    start: str
    end: str
    changed_at: str
    meeting_url: str
    programme: str
    programme_ru: str
    product: str
    people: tuple[Who, ...]
    previous_start: str = ""
    reason: str = ""
    by: str = ""

    @staticmethod
    def from_json(payload: dict[str, Any]) -> "Snapshot":
        """Undoes dataclasses.asdict."""
        people = tuple(Who(**who) for who in payload["people"])
        return Snapshot(**{**payload, "people": people})


def group_key(visit_id: int) -> str:
    """The outbox group of a visit's invites: they leave in order."""
    return f"visit:{visit_id}"


TEMPLATES = {
    "booked": "visit_booked",
    "moved": "visit_moved",
    "cancelled": "visit_cancelled",
    "replaced": "visit_cancelled",
    "left": "visit_cancelled",
}


def queue_invites(
    snapshot: Snapshot, method: Method, to: Sequence[Who], *, word: str, now: datetime
) -> list[OutboxItem]:
    """Queues one mail each; `word` says why: `booked`, `moved`, `cancelled`, `replaced` (by another agent)
    or `left` (a seat in a visit that goes on).

    What was queued before for the same person and not yet tried says less than this and is dropped.
    """
    if not to:
        return []
    group, items = group_key(snapshot.visit_id), []
    heard = outbox.drop_superseded(group, {who.email for who in to}, now)
    for who in to:
        # Whoever never heard of the visit is told of it, not that it moved.
        said = "booked" if word == "moved" and who.email not in heard else word
        items.append(
            outbox.mail_item(
                kind="invite",
                to=who.email,
                name=who.name,
                locale=who.locale,
                template=TEMPLATES[said],
                context=words(snapshot, who, said),
                dedup_key=f"invite:{snapshot.visit_id}:{snapshot.sequence}:{who.id}:{method}",
                group_key=group,
                extra={"visit": asdict(snapshot), "method": str(method)},
                now=now,
            )
        )
    return outbox.queue_all(items)


def words(snapshot: Snapshot, who: Who, word: str) -> dict[str, Any]:
    """What the mail's templates are told: instants in UTC, the reader's zone and the other side's."""
    agent = next(person for person in snapshot.people if person.part == "agent")
    visitors = [person for person in snapshot.people if person.part == "visitor"]
    lead = next((person for person in snapshot.people if person.part == "lead"), None)
    others = visitors if who.part == "agent" else [agent]
    previous = snapshot.previous_start
    return {
        "word": word,
        "part": who.part,
        "first_name": who.name.split()[0],
        "start": datetime.fromisoformat(snapshot.start),
        "end": datetime.fromisoformat(snapshot.end),
        "previous_start": datetime.fromisoformat(previous) if previous else None,
        "zone": who.timezone,
        "other_zone": next((other.timezone for other in others if other.timezone != who.timezone), None),
        "agent": agent.name,
        "visitors": [visitor.name for visitor in visitors],
        "lead": lead.name if lead else None,
        "programme": snapshot.programme_ru if who.locale == "ru" else snapshot.programme,
        "product": snapshot.product,
        "meeting_url": snapshot.meeting_url,
        "visit_path": f"/visits/{snapshot.visit_id}",
        "reason": snapshot.reason,
        "by": snapshot.by,
    }


@dataclass(frozen=True)
class InviteState:
    """What became of one invite."""

    to: str
    method: str
    state: str
    attempts: int
    last_error: str
    sequence: int


def invites_of(visit_id: int) -> list[InviteState]:
    """The invites of a visit in the order they were queued."""
    return [_state(item) for item in outbox.items_of(group_key(visit_id))]


def invites_of_all(visit_ids: Collection[int]) -> dict[int, list[InviteState]]:
    """The invites of several visits by visit, in one statement; visits without any are left out."""
    keys = {group_key(visit_id): visit_id for visit_id in visit_ids}
    rows = db.session.scalars(
        select(OutboxItem).where(OutboxItem.group_key.in_(keys)).order_by(OutboxItem.id)
    )
    found: dict[int, list[InviteState]] = {}
    for item in rows:
        found.setdefault(keys[item.group_key], []).append(_state(item))
    return found


def _state(item: OutboxItem) -> InviteState:
    return InviteState(
        item.recipient,
        item.payload["method"],
        item.state,
        item.attempts,
        item.last_error,
        item.payload["visit"]["sequence"],
    )
