"""Pages of notes, backlog and insights, and of what comes before and after a visit."""

from gemba.insights.views import backlog, briefing, insight, notes, pictures, review
from gemba.insights.views.edge import blueprint

__all__ = ["backlog", "blueprint", "briefing", "insight", "notes", "pictures", "review"]
