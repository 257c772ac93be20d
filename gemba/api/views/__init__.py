"""The calls. Importing this declares them all."""

from gemba.api.views import (
    agents,
    busy_sources,
    insights,
    observations,
    people,
    programmes,
    rounds,
    trackers,
    visits,
    waiting,
    webhooks,
)

__all__ = [
    "agents",
    "busy_sources",
    "insights",
    "observations",
    "people",
    "programmes",
    "rounds",
    "trackers",
    "visits",
    "waiting",
    "webhooks",
]
