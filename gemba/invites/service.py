"""Puts invites into the outbox: one row per recipient, a snapshot of all that the mail will say."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Executable, bindparam, select

from gemba.config import current_settings
from gemba.db import db, table_of
from gemba.invites.addresses import reply_address
from gemba.invites.rules import Answer, Method
from gemba.outbox import service as outbox
from gemba.outbox.models import OutboxItem
from gemba.outbox.rules import State


@dataclass(frozen=True)
class Who:
    """One participant as the invite shows them."""

    id: int
    email: str
    name: str
    locale: str
    timezone: str
    part: str
    """`visitor`, `agent`, `mentor` or `lead`"""
    answer: str = Answer.NEEDS_ACTION.value
    """What they said to this hour (PARTSTAT)"""


@dataclass(frozen=True)
class Snapshot:
    """A visit as an invite tells of it; instants as ISO strings in UTC, `previous_start` after a move.

    `came` and `went` are the names of who takes part since or no longer, `edited` which words are new
    (`note`, `link`). What has a default was not there in snapshots of earlier versions.
    """

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
    note: str = ""
    came: str = ""
    went: str = ""
    edited: str = ""

    @staticmethod
    def from_json(payload: dict[str, Any]) -> "Snapshot":
        """Undoes as_json()."""
        people = tuple(Who(**who) for who in payload["people"])
        return Snapshot(**{**payload, "people": people})

    def as_json(self) -> dict[str, Any]:
        """What an outbox item keeps."""
        return {**vars(self), "people": [dict(vars(who)) for who in self.people]}


Words = Mapping[str, Any]
"""What a mail's templates are told."""


def group_key(visit_id: int) -> str:
    """The outbox group of a visit's invites: they leave in order."""
    return f"visit:{visit_id}"


TEMPLATES = {
    "booked": "visit_booked",
    "moved": "visit_moved",
    "cancelled": "visit_cancelled",
    "replaced": "visit_cancelled",
    "left": "visit_cancelled",
    "handed-on": "visit_cancelled",
    "agent-declined": "visit_cancelled",
    "edited": "visit_moved",
    "kept": "visit_answer",
}
CHANGES = ("moved", "edited")
"""The words that tell of a change to a visit one knows."""


def queue_invites(
    snapshot: Snapshot,
    method: Method,
    to: Sequence[Who],
    *,
    word: str,
    more: Words | None = None,
    now: datetime,
) -> None:
    """Queues one mail each; `word` says why: `booked`, `moved`, `edited`, `cancelled`, `replaced` (by another
    agent), `left` (a seat in a visit that goes on), `handed-on` (the seat, to somebody else) or
    `agent-declined`.

    What was queued before for the same person and not yet tried says less than this and is dropped.
    `more` goes to the mail's templates.
    """
    if not to:
        return
    group, rows = group_key(snapshot.visit_id), []
    # Nobody heard anything before the first invites.
    is_first = word == "booked" and snapshot.sequence == 0
    unsaid = _unsaid(group) if word in CHANGES else {}
    heard = set() if is_first else outbox.drop_superseded(group, {who.email for who in to}, now)
    kept, organizers = snapshot.as_json(), {} if is_first else _organizers(group)
    for who in to:
        facts, said = _all_news(snapshot, word, unsaid.get(who.email), heard=who.email in heard)
        context = {**words(facts, who, said), **(more or {})}
        key = f"invite:{facts.visit_id}:{facts.sequence}:{facts.changed_at}:{who.id}:{method}"
        visit = kept if facts is snapshot else facts.as_json()
        row = _row(visit, method, who, said, context, dedup_key=key, group=group, now=now)
        row["payload"]["organizer"] = organizers.get(who.email, row["payload"]["organizer"])
        rows.append(row)
    outbox.queue_all(rows)


def queue_kept(snapshot: Snapshot, to: Who, *, key: str, more: Words, now: datetime) -> None:
    """Queues the answer to whoever proposed another hour: the visit stays where it is (DECLINECOUNTER).

    It takes no other message's place and leaves beside them; `drop_kept` takes it back.
    """
    context = {**words(snapshot, to, "kept"), **more}
    group = _kept_group(snapshot.visit_id)
    visit, method = snapshot.as_json(), Method.DECLINECOUNTER
    row = _row(visit, method, to, "kept", context, dedup_key=key, group=group, now=now)
    known = _organizers(group_key(snapshot.visit_id))
    row["payload"]["organizer"] = known.get(to.email, row["payload"]["organizer"])
    outbox.queue_all([row])


def drop_kept(snapshot: Snapshot, now: datetime) -> None:
    """The visit moved or ended: nobody needs to hear any more that it stays where it was."""
    outbox.drop_superseded(_kept_group(snapshot.visit_id), {who.email for who in snapshot.people}, now)


def _kept_group(visit_id: int) -> str:
    return f"kept:{visit_id}"


def _row(
    visit: Words,
    method: Method,
    who: Who,
    word: str,
    context: Words,
    *,
    dedup_key: str,
    group: str,
    now: datetime,
) -> outbox.Row:
    settings = current_settings()
    sender = settings.mail_from
    if settings.takes_replies:
        sender = reply_address(sender, settings.secret_key, visit["visit_id"], who.id)
    return outbox.mail_row(
        kind="invite",
        **outbox.addressed(who),
        template=TEMPLATES[word],
        context=context,
        dedup_key=dedup_key,
        group_key=group,
        extra={"visit": visit, "method": str(method), "organizer": sender},
        now=now,
    )


def _organizers(group: str) -> dict[str, str]:
    """The ORGANIZER each recipient knows the visit by: it stays for life, whatever the settings say since.

    Calendars take an update with another one for a message from somebody else (RFC 5546 2.1.4).
    """
    item = table_of(OutboxItem).c
    rows = db.session.execute(
        select(item.recipient, item.payload["organizer"].as_string())
        .where(item.group_key == group, item.kind == "invite")
        .order_by(item.id.desc())
    )
    return {recipient: organizer for recipient, organizer in rows if organizer}


def _unsaid(group: str) -> dict[str, Snapshot]:
    """What waits to be told and was never tried, by recipient."""
    return {
        item.recipient: Snapshot.from_json(item.payload["visit"])
        for item in outbox.items_of(group)
        if item.state == State.READY and item.attempts == 0
    }


def _all_news(snapshot: Snapshot, word: str, unsaid: Snapshot | None, *, heard: bool) -> tuple[Snapshot, str]:
    """What is new to somebody: with what they were about to be told, which is not said any more."""
    if word not in CHANGES:
        return snapshot, word
    if not heard:
        # Whoever never heard of the visit is told of it, not that it moved.
        return snapshot, "booked"
    if unsaid is None:
        return snapshot, word
    previous = unsaid.previous_start or snapshot.previous_start
    merged = replace(
        snapshot,
        previous_start=previous if previous != snapshot.start else "",
        came=_joined(unsaid.came, snapshot.came, but=snapshot.went),
        went=_joined(unsaid.went, snapshot.went, but=snapshot.came),
        edited=" ".join(dict.fromkeys(f"{unsaid.edited} {snapshot.edited}".split())),
    )
    return merged, "moved" if merged.previous_start else word


def _joined(earlier: str, later: str, *, but: str) -> str:
    names = [name for name in (earlier if earlier != but else "", later) if name]
    return ", ".join(dict.fromkeys(names))


def words(snapshot: Snapshot, who: Who, word: str) -> dict[str, Any]:
    """What the mail's templates are told: instants in UTC, the reader's zone and the other side's."""
    agent = next(person for person in snapshot.people if person.part == "agent")
    visitors = [person for person in snapshot.people if person.part == "visitor"]
    lead = next((person for person in snapshot.people if person.part == "lead"), None)
    mentor = next((person for person in snapshot.people if person.part == "mentor"), None)
    others = visitors if who.part in ("agent", "mentor") else [agent]
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
        "mentor": mentor.name if mentor else None,
        "programme": snapshot.programme_ru if who.locale == "ru" else snapshot.programme,
        "product": snapshot.product,
        "meeting_url": snapshot.meeting_url,
        "visit_path": f"/visits/{snapshot.visit_id}",
        "visit_id": snapshot.visit_id,
        "person_id": who.id,
        "reason": snapshot.reason,
        "by": snapshot.by,
        "note": snapshot.note,
        "came": snapshot.came,
        "went": snapshot.went,
        "edited": snapshot.edited.split(),
    }


EARLIER: Words = {
    "visit_id": None,
    "person_id": None,
    "mentor": None,
    "note": "",
    "came": "",
    "went": "",
    "edited": [],
    "offers": [],
}
"""What contexts of earlier versions lack."""


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
    return invites_of_all([visit_id]).get(visit_id, [])


def invites_of_all(visit_ids: Collection[int]) -> dict[int, list[InviteState]]:
    """The invites of several visits by visit, in one statement; visits without any are left out."""
    keys = {group_key(visit_id): visit_id for visit_id in visit_ids}
    found: dict[int, list[InviteState]] = {}
    for group, to, method, state, attempts, error, sequence in db.session.execute(
        _states(), {"groups": list(keys)}
    ):
        found.setdefault(keys[group], []).append(InviteState(to, method, state, attempts, error, sequence))
    return found


@cache
def _states() -> Executable:
    """Takes out of the payload only what is shown: it holds all that the mail says."""
    item = table_of(OutboxItem).c
    return (
        select(
            item.group_key,
            item.recipient,
            item.payload["method"].as_string(),
            item.state,
            item.attempts,
            item.last_error,
            item.payload[("visit", "sequence")].as_integer(),
        )
        .where(item.group_key.in_(bindparam("groups", expanding=True)))
        .order_by(item.id)
    )
