"""The calls. Importing this declares them all."""

from gemba.api.views import (
    agents,
    busy_sources,
    files,
    insights,
    observations,
    people,
    programmes,
    rounds,
    talk,
    trackers,
    visits,
    waiting,
    webhooks,
)

__all__ = [
    "agents",
    "busy_sources",
    "files",
    "insights",
    "observations",
    "people",
    "programmes",
    "rounds",
    "talk",
    "trackers",
    "visits",
    "waiting",
    "webhooks",
]
