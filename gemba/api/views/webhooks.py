"""Outgoing webhooks."""

from typing import Any

from gemba.api.blueprint import call
from gemba.api.lookups import caller
from gemba.api.schemas import webhooks as shapes
from gemba.clock import now
from gemba.webhooks import service
from gemba.webhooks.models import Webhook


@call("GET", "/webhooks", tag="Webhooks", answer=shapes.Webhooks, problems=[403])
def list_webhooks() -> Any:
    """All outgoing webhooks

    For admins.
    """
    return {"items": [_document(row) for row in service.all_webhooks(caller())]}


@call(
    "POST",
    "/webhooks",
    tag="Webhooks",
    body=shapes.NewWebhook,
    answer=shapes.Webhook,
    status=201,
    problems=[409],
)
def add_webhook(body: Any) -> Any:
    """Add an outgoing webhook

    For admins. Events come in order, signed with HMAC-SHA256, and again for hours until a 2xx is answered.
    """
    return _document(service.add(caller(), body["url"], body["events"], now=now()))


@call("DELETE", "/webhooks/<id:webhook_id>", tag="Webhooks", answer=shapes.Webhook, problems=[404])
def remove_webhook(webhook_id: int) -> Any:
    """Remove an outgoing webhook

    For admins. What waits for it is forgotten. Answers what it was.
    """
    was = _document(service.get(webhook_id, caller()))
    service.remove(webhook_id, caller(), now=now())
    return was


def _document(row: Webhook) -> dict[str, Any]:
    return {
        "id": row.id,
        "url": row.url,
        "events": list(row.events),
        "secret": service.secret_of(row),
        "created_at": row.created_at,
    }
