"""Busy calendars."""

from marshmallow import fields

from gemba.api.fields import FileBody, Instant, Line
from gemba.api.schemas.common import Answer, told
from gemba.calendars.rules import NAME_MAX
from gemba.fetch.addresses import LONGEST_ADDRESS


class BusySource(Answer):
    """A calendar that says when an agent is busy; its titles are never kept."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    url = fields.String(
        required=True,
        allow_none=True,
        metadata=told("null for a file. For everyone but the agent it ends after the host."),
    )
    events = fields.Integer(required=True, metadata=told("How many busy times there are in 120 days."))
    fetched_at = Instant(required=True, allow_none=True, doc="When it was last read well, or came as a file.")
    tried_at = Instant(required=True, allow_none=True, doc="When it was last tried.")
    known_until = Instant(required=True, allow_none=True, doc="It says nothing about what comes after.")
    stale = fields.Boolean(required=True, metadata=told("Whether what is known may be out of date."))
    error = fields.String(
        required=True,
        allow_none=True,
        metadata=told("Why the last try brought nothing. The last good copy counts on."),
    )
    created_at = Instant(required=True)


class BusySources(Answer):
    """All of an agent's calendars, oldest first."""

    items = fields.List(fields.Nested(BusySource), required=True)


class NewBusySource(FileBody):
    """A calendar at an address that a worker will read; or a file, sent in place of this."""

    url = Line(LONGEST_ADDRESS, least=1, sentence="Give the address of a calendar.", required=False)
    name = Line(NAME_MAX, doc="Where it is left out: the host of the address, or the name of the file.")
