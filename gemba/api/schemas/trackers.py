"""Trackers, exports and what they answer."""

from marshmallow import fields

from gemba.api.fields import Body, Choice, Flag, Id, Instant, Line, Listed, OptionalBody, Whole
from gemba.api.schemas.common import Answer, told
from gemba.trackers.rules.kinds import Action, ItemState, TrackerKind
from gemba.trackers.service.exports import MOST

STATUSES = ("running", "waiting", "asking", "paused", "done", "dry-run")


class Tracker(Answer):
    """A connection to one project of a tracker. Credentials are written, never answered."""

    id = fields.Integer(required=True)
    kind = fields.String(required=True, metadata={"enum": [str(kind) for kind in TrackerKind]})
    name = fields.String(required=True)
    base_url = fields.String(required=True)
    project = fields.String(required=True)
    item_type = fields.String(required=True)
    mapping = fields.Dict(
        required=True,
        metadata=told(
            "title, body, labels: once or step; fields: by their id {from, value, keep}; statuses: the "
            "insight's status by the ticket's category; status_out."
        ),
    )
    rule_score = fields.Integer(
        required=True, allow_none=True, metadata=told("Open insights from this score on go there every hour.")
    )
    state = fields.String(required=True, metadata={"enum": ["working", "waiting", "paused"]})
    wait_until = Instant(required=True, allow_none=True)
    checked_at = Instant(required=True, allow_none=True)
    rights = fields.Dict(
        keys=fields.String(),
        values=fields.Boolean(),
        required=True,
        metadata=told(
            "What the token may do: read, create, edit, label; missing where the tracker is silent."
        ),
    )
    expires = fields.String(required=True, allow_none=True, metadata=told("The day the token ends."))
    missing = fields.List(
        fields.String(),
        required=True,
        metadata=told("Required fields that nothing fills: an export cannot begin."),
    )


class Trackers(Answer):
    """All connections by name."""

    items = fields.List(fields.Nested(Tracker), required=True)


class NewTracker(Body):
    """A tracker to connect. Nothing is sent to it before it is checked or exported to."""

    kind = Choice(list(TrackerKind), required=True)
    name = Line(80, load_default="")
    base_url = Line(2000, load_default="", doc="May be left out for trackers that have one address.")
    project = Line(200, least=1, required=True)
    item_type = Line(200, load_default="")
    credentials = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    mapping = fields.Dict(load_default=None, allow_none=True)


class CheckNow(OptionalBody):
    """Nothing needs to be said."""


class TrackerChange(Body):
    """Some of a connection; what is left out stays."""

    name = Line(80)
    base_url = Line(2000, doc="With another address the credentials are needed again.")
    project = Line(200, least=1)
    item_type = Line(200)
    credentials = fields.Dict(keys=fields.String(), values=fields.String())
    mapping = fields.Dict()
    rule_score = Whole(1, 100, allow_none=True)


class NewExport(Body):
    """The insights to send."""

    insights = Listed(Id("an insight"), MOST, required=True)
    dry_run = Flag(load_default=False, doc="Only say what would be done.")


class Started(Answer):
    """An export that has begun."""

    id = fields.Integer(required=True)


class ExportItem(Answer):
    """What an export does for one insight."""

    insight = fields.Integer(required=True)
    action = fields.String(required=True, metadata={"enum": [str(action) for action in Action]})
    state = fields.String(required=True, metadata={"enum": [str(state) for state in ItemState]})
    key = fields.String(required=True, allow_none=True)
    url = fields.String(required=True, allow_none=True)
    error = fields.String(required=True, allow_none=True)


class Export(Answer):
    """How far an export has come; all its insights, in order."""

    id = fields.Integer(required=True)
    tracker = fields.Integer(required=True)
    status = fields.String(required=True, metadata={"enum": list(STATUSES)})
    made_at = Instant(required=True)
    items = fields.List(fields.Nested(ExportItem), required=True)
