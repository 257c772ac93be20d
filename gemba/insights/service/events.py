"""What other systems hear of insights that everybody may read: ids and links, no words."""

from collections.abc import Collection
from datetime import datetime

from gemba.config import current_settings
from gemba.webhooks import service as webhooks
from gemba.webhooks.rules import Event


def happened(insight_id: int, event: Event, turn: str, now: datetime, **more: object) -> None:
    """Tells of one insight; `turn` tells this time from another."""
    url = f"{current_settings().base_url}/insights/{insight_id}"
    webhooks.tell(event, f"{insight_id}:{turn}", {"id": insight_id, "url": url, **more}, now=now)


def created(insight_ids: Collection[int], now: datetime) -> None:
    """Tells of insights that everybody may read from now on."""
    for insight_id in sorted(insight_ids):
        happened(insight_id, Event.INSIGHT_CREATED, "", now)
