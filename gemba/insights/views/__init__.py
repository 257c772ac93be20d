"""Pages of notes, backlog and insights."""

from gemba.insights.views import backlog, insight, notes
from gemba.insights.views.edge import blueprint

__all__ = ["backlog", "blueprint", "insight", "notes"]
