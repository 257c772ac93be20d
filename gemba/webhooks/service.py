"""Addresses that hear of events: add, look, try, remove; and `tell`, by which every domain speaks.

What is told leaves with the transaction of its cause: what is rolled back is never told. Deliveries of one
address go one after the other and are tried again as mails are.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from gemba.config import current_settings
from gemba.db import db, run, table_of
from gemba.errors import Forbidden, Invalid, NotFound, Refused
from gemba.fetch import BadAddress
from gemba.fetch.addresses import parse
from gemba.outbox import service as outbox
from gemba.outbox.models import OutboxItem
from gemba.people import service as people
from gemba.people.models import Person
from gemba.people.rules import Role
from gemba.sealing import reseal, seal, unseal
from gemba.webhooks.models import Webhook
from gemba.webhooks.rules import CHOICES, Event, body_of, id_of, secret_from

KIND = "webhook"
MOST = 20
SHOWN = 20


class WebhookNotFound(NotFound):
    """There is no such webhook."""

    code = "no-webhook"


class TooManyWebhooks(Refused):
    """There are %(most)s webhooks already. Remove one that nobody listens to."""

    code = "too-many-webhooks"


def _n(text: str) -> str:
    """Marks a sentence for translation."""
    return text


def all_webhooks(viewer: Person) -> list[Webhook]:
    """All addresses, oldest first. Raises Forbidden."""
    _may(viewer)
    return list(db.session.scalars(select(Webhook).order_by(Webhook.id)))


def get(webhook_id: int, viewer: Person) -> Webhook:
    """An address. Raises WebhookNotFound, Forbidden."""
    _may(viewer)
    row = db.session.get(Webhook, webhook_id)
    if row is None:
        raise WebhookNotFound
    return row


def add(viewer: Person, url: str, events: Sequence[str], *, now: datetime) -> Webhook:
    """Adds an address, with a secret of its own. Raises Forbidden, TooManyWebhooks, Invalid by field."""
    _may(viewer)
    errors: dict[str, list[str]] = {}
    try:
        # Whether it leads into a private network shows when it is dialled.
        url = parse(url.strip()).url
    except BadAddress as bad:
        errors["url"] = [bad.sentence]
    known = [event.value for event in CHOICES if event.value in events]
    if not known or set(events) - set(known):
        errors["events"] = [_n("Choose what it should hear of.")]
    if errors:
        raise Invalid(errors)
    if len(all_webhooks(viewer)) >= MOST:
        raise TooManyWebhooks(most=MOST)
    row = Webhook(
        url=url,
        secret=seal(current_settings(), {"secret": secret_from(secrets.token_bytes(24))}),
        events=known,
        created_by_id=viewer.id,
        created_at=now,
    )
    db.session.add(row)
    db.session.flush()
    people.audit(viewer, "webhook.add", f"webhook:{row.id}", {"events": known}, now)
    return row


def remove(webhook_id: int, viewer: Person, *, now: datetime) -> None:
    """Forgets an address and what waits for it. Raises as `get` does."""
    row = get(webhook_id, viewer)
    people.audit(viewer, "webhook.remove", f"webhook:{row.id}", {}, now)
    for item in outbox.items_of(_group(row.id)):
        db.session.delete(item)
    db.session.delete(row)
    db.session.flush()


def ping(webhook_id: int, viewer: Person, *, now: datetime) -> None:
    """Sends something harmless. Raises as `get` does."""
    row = get(webhook_id, viewer)
    _queue(row.id, Event.PING, f"{row.id}:{now.isoformat()}", {}, now)


def deliveries(webhook_id: int, viewer: Person) -> list[OutboxItem]:
    """What was sent to an address lately, the newest first. Raises as `get` does."""
    row = get(webhook_id, viewer)
    query = (
        select(OutboxItem)
        .where(OutboxItem.group_key == _group(row.id))
        .order_by(OutboxItem.id.desc())
        .limit(SHOWN)
    )
    return list(db.session.scalars(query))


def secret_of(row: Webhook) -> str:
    """What deliveries are signed with. Raises KeyChanged."""
    return unseal(current_settings(), row.secret)["secret"]


def rotate_keys() -> int:
    """Encrypts all secrets anew under the newest key; says how many. Raises KeyChanged."""
    rows = db.session.scalars(select(Webhook).with_for_update()).all()
    for row in rows:
        row.secret = reseal(current_settings(), row.secret)
    db.session.flush()
    return len(rows)


def tell(event: Event, key: str, data: Mapping[str, Any], *, now: datetime) -> None:
    """Lets everyone who wants to hear of an event hear of it once. `key` is this event's own; `data` holds
    names and ids, no words of people."""
    for webhook_id, events in run(_LISTENING):
        if event.value in events:
            _queue(webhook_id, event, key, data, now)


_LISTENING = select(table_of(Webhook).c.id, table_of(Webhook).c.events).order_by(table_of(Webhook).c.id)


def _queue(webhook_id: int, event: Event, key: str, data: Mapping[str, Any], now: datetime) -> None:
    outbox.queue(
        KIND,
        dedup_key=f"{_group(webhook_id)}:{event}:{key}",
        group_key=_group(webhook_id),
        recipient="",
        payload={
            "webhook": webhook_id,
            "event": event.value,
            "id": id_of(event, key),
            "body": body_of(event, key, data, now),
        },
        now=now,
    )


def _group(webhook_id: int) -> str:
    return f"webhook:{webhook_id}"


def _may(viewer: Person) -> None:
    if not viewer.has(Role.ADMIN):
        raise Forbidden
