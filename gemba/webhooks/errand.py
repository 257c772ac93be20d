"""What the worker does about webhooks: one guarded, signed request for each delivery."""

from collections.abc import Mapping
from typing import Any

from flask import Flask

from gemba.clock import now as app_now
from gemba.config import current_settings
from gemba.db import db, reading
from gemba.fetch import BadAddress, Fetcher, FetchFailed, NotPublic
from gemba.outbox.kinds import ItemFacts, register
from gemba.outbox.rules import Permanent, Temporary
from gemba.sealing import KeyChanged
from gemba.webhooks import service, views
from gemba.webhooks.models import Webhook
from gemba.webhooks.rules import headers_of

SECONDS = 10.0
ANSWER = 64 * 1024


def deliver(payload: Mapping[str, Any], _item: ItemFacts) -> None:
    """Sends one event; any 2xx is well. Raises Temporary, Permanent."""
    with reading():
        row = db.session.get(Webhook, int(payload["webhook"]))
        try:
            url, secret = (row.url, service.secret_of(row)) if row is not None else ("", "")
        except KeyChanged:
            raise Permanent("Its secret cannot be read any more. Add the webhook anew.") from None
        db.session.rollback()
    if not url:
        return
    body = str(payload["body"]).encode()
    settings = current_settings()
    allowed = (*settings.fetch_allowed, *settings.tracker_networks)
    fetcher = Fetcher(allowed=allowed, limit=ANSWER, seconds=SECONDS)
    try:
        answer = fetcher.send("POST", url, body, headers_of(secret, str(payload["id"]), body, app_now()))
    except (BadAddress, NotPublic) as bad:
        raise Permanent(bad.sentence) from None
    except FetchFailed as failed:
        raise Temporary(failed.sentence) from None
    if not 200 <= answer.status < 300:
        raise Temporary(f"It answers {answer.status}.")


def init_app(app: Flask) -> None:
    """Registers the pages and what the worker does."""
    app.register_blueprint(views.blueprint)
    register(service.KIND, deliver, background=True)
