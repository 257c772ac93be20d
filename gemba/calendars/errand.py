"""What the worker does about busy calendars: reads one, notes what came of it, and queues the next reading.

Each source has a chain of items of its own in the outbox, so no process leads and none is needed twice. An
errand never fails: what went wrong is written down with the source, and the last good copy stays.
"""

import time
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

import structlog

from gemba.calendars import service
from gemba.calendars.reading import work_out
from gemba.calendars.rules import LIMIT_BYTES, Trouble, Unreadable, trouble_of_status
from gemba.calendars.service import Copy, Order
from gemba.clock import now as app_now
from gemba.config import current_settings
from gemba.db import db, reading
from gemba.fetch import Fetcher, FetchFailed
from gemba.outbox.kinds import Ending, ItemFacts, register

TOTAL_SECONDS = 14.0
"""How long fetching and working out take at most, together."""
LONGEST_TAG = 500

log = structlog.get_logger()


def handle(payload: Mapping[str, Any], _item: ItemFacts) -> Ending | None:
    """Reads one source. The chain ends where the source is gone."""
    now = app_now()
    with reading():
        order = service.order_of(int(payload["source"]), str(payload["made"]), now)
        # The network may be slow: no transaction is open while it is.
        db.session.rollback()
    if order is None:
        return None
    copy = read(order, now) if order.active else None
    if copy is not None and copy.error:
        log.info("calendars.not-read", source=order.source_id, error=copy.error)
    return partial(service.take, order, copy)


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
