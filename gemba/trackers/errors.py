"""Why something about trackers cannot be done."""

from gemba.errors import NotFound, Refused


class TrackerNotFound(NotFound):
    """There is no such tracker, or it is not yours to see."""

    code = "no-tracker"


class ExportNotFound(NotFound):
    """There is no such export, or it is not yours to see."""

    code = "no-export"


class TicketNotFound(NotFound):
    """There is no such ticket, or it is not yours to see."""

    code = "no-ticket"


class Paused(Refused):
    """This tracker is paused: its token is not taken any more. Give a new one, then check it."""

    code = "tracker-paused"


class FieldsMissing(Refused):
    """The tracker requires fields that nothing fills yet: %(names)s. Fill them on the mapping page."""

    code = "fields-missing"


class NothingToExport(Refused):
    """None of these insights can be exported: they are gone, merged or not reviewed yet."""

    code = "nothing-to-export"


class TooMany(Refused):
    """At most %(most)s insights can be exported at once. Choose fewer, or narrow the filters."""

    code = "too-many"


class NotAsking(Refused):
    """This ticket waits for nobody's answer."""

    code = "not-asking"


class NotThere(Refused):
    """The tracker has no ticket of this name."""

    code = "no-such-ticket"
