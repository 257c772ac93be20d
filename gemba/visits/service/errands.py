"""What is left to the worker: to end what nobody answered in time, and to offer hours that became free.

Each errand is an item of the outbox, queued in the transaction of its cause, so no process leads and none
is needed twice.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from gemba.db import db
from gemba.outbox import service as outbox
from gemba.visits.models import Visit, WaitlistEntry

EXPIRY = "visit-expiry"
WAITLIST = "waitlist"


def expire_later(visit: Visit, *, now: datetime) -> None:
    """Has the visit looked at when its time runs out."""
    if visit.expires_at is None:
        raise ValueError("only what expires is looked at")
    instant = visit.expires_at.isoformat()
    # Asked too early, as an admin can have it, the errand is queued once more: `now` makes it another one.
    outbox.queue(
        EXPIRY,
        dedup_key=f"{EXPIRY}:{visit.id}:{instant}:{now.isoformat()}",
        group_key="",
        recipient="",
        payload={"visit": visit.id, "expires_at": instant},
        now=now,
        run_at=visit.expires_at,
    )


def offer_soon(*, now: datetime) -> None:
    """An hour may have become free: programmes in which somebody waits for one are looked at."""
    waited_for = (
        select(WaitlistEntry.programme_id)
        .where(WaitlistEntry.visit_id.is_(None))
        .distinct()
        .order_by(WaitlistEntry.programme_id)
    )
    for programme_id in db.session.scalars(waited_for).all():
        offer_in(programme_id, now=now)


def offer_in(programme_id: int, *, now: datetime, tried: int = 0) -> None:
    """Has one programme's waitlist looked at; `tried` looks before this one came to nothing."""
    payload: dict[str, Any] = {"programme": programme_id, "tried": tried}
    outbox.queue_soon(WAITLIST, group_key=f"{WAITLIST}:{programme_id}", payload=payload, now=now)
