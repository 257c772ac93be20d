"""Pages of notes, backlog and insights, and of what comes before and after a visit."""

from gemba.insights.views import (
    backlog,
    briefing,
    bulk,
    hour,
    insight,
    making,
    note,
    notes,
    pictures,
    ranking,
    review,
    talk,
    triage,
    wrapping,
)
from gemba.insights.views.edge import blueprint

__all__ = [
    "backlog",
    "blueprint",
    "briefing",
    "bulk",
    "hour",
    "insight",
    "making",
    "note",
    "notes",
    "pictures",
    "ranking",
    "review",
    "talk",
    "triage",
    "wrapping",
]
