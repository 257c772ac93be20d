"""Pages of notes, backlog and insights, and of what comes before and after a visit."""

from gemba.insights.views import (
    asks,
    backlog,
    briefing,
    bulk,
    files,
    hour,
    insight,
    making,
    me_too,
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
    "asks",
    "backlog",
    "blueprint",
    "briefing",
    "bulk",
    "files",
    "hour",
    "insight",
    "making",
    "me_too",
    "note",
    "notes",
    "pictures",
    "ranking",
    "review",
    "talk",
    "triage",
    "wrapping",
]
