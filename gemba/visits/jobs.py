"""What the worker does for visits: ends what nobody answered in time, and offers hours to who waits."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from gemba.clock import now as app_now
from gemba.db import db, reading
from gemba.outbox.kinds import Ending, ItemFacts, register
from gemba.outbox.ticks import every
from gemba.visits import reminders, service

HORIZON_MOVES = timedelta(hours=1)


def expire(payload: Mapping[str, Any], _item: ItemFacts) -> Ending:
    """Ends a request or an offer, unless somebody answered it."""
    visit_id, expires_at = int(payload["visit"]), datetime.fromisoformat(payload["expires_at"])

    def ending(now: datetime) -> None:
        service.lapse(visit_id, expires_at, now=now)

    return ending


def offer(payload: Mapping[str, Any], _item: ItemFacts) -> Ending | None:
    """Looks who could be offered what without holding up writers, then makes the offers."""
    programme_id, tried = int(payload["programme"]), int(payload["tried"])
    with reading():
        plan = service.plan_offers(programme_id, now=app_now())
        db.session.rollback()
    if not plan:
        return None

    def ending(now: datetime) -> None:
        service.make_offers(programme_id, plan, tried=tried, now=now)

    return ending


def look_anew(now: datetime) -> None:
    """With time new hours come within the horizon: whoever waits is offered those too."""
    service.offer_soon(now=now)


def init_app() -> None:
    """Says who does both errands, and what is done each minute."""
    register(service.EXPIRY, expire, background=True)
    register(service.WAITLIST, offer, background=True)
    every("waitlist", HORIZON_MOVES, look_anew)
    reminders.init_app()
