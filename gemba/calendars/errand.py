"""What the worker does about busy calendars: reads one, notes what came of it, and queues the next reading.

Each source has a chain of items of its own in the outbox, so no process leads and none is needed twice. An
errand never fails: what went wrong is written down with the source, and the last good copy stays.
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

import structlog

from gemba.calendars import service
from gemba.calendars.copies import Copy, Order
from gemba.calendars.reading import work_out
from gemba.calendars.rules import LIMIT_BYTES, Trouble, Unreadable, trouble_of_status
from gemba.clock import now as app_now
from gemba.config import current_settings
from gemba.db import db, reading
from gemba.fetch import Fetcher, FetchFailed
from gemba.outbox.kinds import Ending, Handler, ItemFacts, register

TOTAL_SECONDS = 14.0
"""How long fetching and working out take at most, together."""
LONGEST_TAG = 500
OrderOf = Callable[[int, str, datetime], Order | None]
"""Says what is to be read for a calendar by its number and the moment it was made, now."""
Take = Callable[[Order, Copy | None, datetime], None]
"""Writes down what came of it, and queues the next reading."""

log = structlog.get_logger()


def reader(order_of: OrderOf, take: Take) -> Handler:
    """Reads one calendar of a kind. The chain ends where the calendar is gone."""

    def handle(payload: Mapping[str, Any], item: ItemFacts) -> Ending | None:
        now = app_now()
        with reading():
            order = order_of(int(payload["source"]), str(payload["made"]), now)
            # The network may be slow: no transaction is open while it is.
            db.session.rollback()
        if order is None:
            return None
        copy = read(order, now) if order.active else None
        if copy is not None and copy.error:
            log.info("calendars.not-read", kind=item.kind, source=order.source_id, error=copy.error)
        return partial(take, order, copy)

    return handle


handle = reader(service.order_of, service.take)


def read(order: Order, now: datetime) -> Copy:
    """What there is at an address, within fifteen seconds."""
    begun = time.monotonic()
    fetcher = Fetcher(allowed=current_settings().fetch_allowed, limit=LIMIT_BYTES)
    told = {"Accept": "text/calendar, */*;q=0.1", **order.headers}
    try:
        answer = fetcher.get(order.url, told)
        trouble = trouble_of_status(answer.status)
        if trouble is not None:
            raise Unreadable(trouble)
        if answer.status == 304:
            return Copy()
        left = TOTAL_SECONDS - (time.monotonic() - begun)
        spans, events, known_until = work_out(answer.body, zone=order.zone, now=now, seconds=left)
    except FetchFailed as failed:
        return Copy(error=Trouble.TOO_LARGE if failed.code == "too-large" else failed.code)
    except Unreadable as unreadable:
        return Copy(error=unreadable.trouble)
    except (OSError, ValueError):
        log.exception("calendars.surprise", source=order.source_id)
        return Copy(error=Trouble.UNREADABLE)
    tags = (answer.headers.get(name, "") for name in ("etag", "last-modified"))
    etag, last_modified = (tag if len(tag) <= LONGEST_TAG else "" for tag in tags)
    return Copy("", spans, events, known_until, etag, last_modified)


def init_app() -> None:
    """Says who handles the kind "busy-fetch"."""
    register(service.KIND, handle, background=True)
