"""Mail that came back: whose address it was, and whether the mail was ours at all."""

from datetime import datetime

from sqlalchemy import select

from gemba.db import db
from gemba.invites.replies import Bounce
from gemba.outbox.mime import message_id
from gemba.outbox.models import OutboxItem
from gemba.people.models import Person

LOOKED_AT = 500
"""Newest messages to a recipient among which the one that came back is looked for."""
REASON_MAX = 300


def was_sent_by_us(about: str, recipient: str) -> bool:
    """Whether this Message-ID is that of a mail of ours to this recipient: nobody else can know it."""
    name = about.strip("<>").partition("@")[0]
    if not name:
        return False
    keys = db.session.scalars(
        select(OutboxItem.dedup_key)
        .where(OutboxItem.recipient == recipient)
        .order_by(OutboxItem.id.desc())
        .limit(LOOKED_AT)
    )
    return any(message_id(key, "x").strip("<>").partition("@")[0] == name for key in keys)


def reason(bounce: Bounce) -> str:
    """Why it came back, in the other server's words."""
    return " ".join(filter(None, (bounce.status, bounce.diagnostic)))[:REASON_MAX]


def mark(person: Person, bounce: Bounce, now: datetime) -> None:
    """Notes that mail to the person's address comes back."""
    person.bounced_at, person.bounce = now, reason(bounce)


def forget(person: Person, replied_at: datetime | None, now: datetime) -> None:
    """Takes the note away once an answer shows that mail arrives after all."""
    if person.bounced_at is not None and person.bounced_at < min(replied_at or now, now):
        person.bounced_at, person.bounce = None, ""
