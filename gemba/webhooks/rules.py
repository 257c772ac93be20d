"""What other systems can hear of, and how they know that we said it. Pure.

Signed as Standard Webhooks (github.com/standard-webhooks) say: HMAC-SHA256 of id.timestamp.body.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

PREFIX = "whsec_"


class Event(StrEnum):
    """What happened. A PING is only sent when somebody tries an address."""

    VISIT_BOOKED = "visit.booked"
    VISIT_MOVED = "visit.moved"
    VISIT_CANCELLED = "visit.cancelled"
    VISIT_HELD = "visit.held"
    INSIGHT_CREATED = "insight.created"
    INSIGHT_MERGED = "insight.merged"
    INSIGHT_STATUS_CHANGED = "insight.status_changed"
    EXPORT_FINISHED = "export.finished"
    PING = "ping"


CHOICES = tuple(event for event in Event if event is not Event.PING)


def id_of(event: Event, key: str) -> str:
    """The id of one event, the same for all who hear it and however often it is sent."""
    return f"evt_{hashlib.sha256(f'{event} {key}'.encode()).hexdigest()[:24]}"


def body_of(event: Event, key: str, data: Mapping[str, Any], at: datetime) -> str:
    """The JSON that is sent: names and ids, never words of people."""
    document = {
        "id": id_of(event, key),
        "event": event.value,
        "at": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "data": dict(data),
    }
    return json.dumps(document, ensure_ascii=False)


def secret_from(raw: bytes) -> str:
    """A secret as it is shown and typed elsewhere."""
    return PREFIX + base64.b64encode(raw).decode()


def headers_of(secret: str, event_id: str, body: bytes, at: datetime) -> dict[str, str]:
    """The headers of a delivery; `at` is when it is sent."""
    stamp = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix(PREFIX))
    code = hmac.new(key, f"{event_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "Webhook-Id": event_id,
        "Webhook-Timestamp": stamp,
        "Webhook-Signature": f"v1,{base64.b64encode(code).decode()}",
    }
