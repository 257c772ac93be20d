"""Pages of trackers, exports and tickets."""

from gemba.trackers.views import connections, exports, mapping, tickets
from gemba.trackers.views.edge import blueprint

__all__ = ["blueprint", "connections", "exports", "mapping", "tickets"]
