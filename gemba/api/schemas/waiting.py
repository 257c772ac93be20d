"""Places in a waitlist, and the quiet hours of lines."""

from marshmallow import fields

from gemba.api.fields import Body, Choice, Id, Instant, ProductRef, Raw
from gemba.api.schemas.common import Answer, part_of, told
from gemba.api.schemas.people import WeeklyInterval
from gemba.people.rules import LANGUAGES
from gemba.schedule.rules import Problem


class Wish(Body):
    """What to wait for; what is left out may be any."""

    agent = Id("an agent", load_default=None, allow_none=True)
    product = ProductRef(load_default=None, allow_none=True)
    language = Choice(list(LANGUAGES), load_default=None, allow_none=True)


class Place(Answer):
    """Your place in a programme's waitlist."""

    programme = fields.String(required=True, metadata=told("The programme's slug."))
    position = fields.Integer(required=True, metadata=told("Counted from 1."))
    agent = fields.Integer(required=True, allow_none=True)
    product = fields.Integer(required=True, allow_none=True, metadata=told("The product's id."))
    language = fields.String(required=True, allow_none=True)
    since = Instant(required=True, metadata=told("An offer that was let pass counts anew from then."))
    visit = fields.Integer(
        required=True, allow_none=True, metadata=told("The hour or seat that is held: take or refuse it.")
    )


class LineOf(Answer):
    """A support line."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    lead = fields.Integer(required=True, allow_none=True, metadata=told("The id of the head of the line."))


LinePart = part_of(LineOf, "LinePart")


class QuietHours(Raw):
    """When a line has its peak load and takes no visits: wall time in the zone they name."""

    timezone = fields.String(required=True, metadata=told(Problem.ZONE.value, example="Europe/Berlin"))
    weekly = fields.List(
        fields.Nested(WeeklyInterval), required=True, metadata=told("An empty list: no quiet hours.")
    )
