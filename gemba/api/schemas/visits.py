"""Visits, and the notes taken in them."""

from marshmallow import fields

from gemba.api.fields import (
    Body,
    Choice,
    Flag,
    Id,
    Instant,
    Line,
    Listed,
    OptionalBody,
    ProductRef,
    Text,
    Uuid,
    Whole,
)
from gemba.api.schemas.common import Answer, PartQuery, part_of, told
from gemba.insights.rules.kinds import (
    SEVERITY_MAX,
    SEVERITY_MIN,
    TAG_MAX,
    TAGS_MAX,
    TEXT_MAX,
    TOOL_MAX,
    VERBATIM_MAX,
    WORKAROUND_MAX,
    Frequency,
    Kind,
)
from gemba.insights.rules.private import Private
from gemba.invites.rules import Answer as PartStat
from gemba.invites.rules import Method
from gemba.outbox.rules import State
from gemba.people.rules import LANGUAGES
from gemba.visits.rules import NOTE_MAX, REASON_MAX, Status, TookPlace

SLUG = "Give the slug of a programme that runs."


class NewVisit(Body):
    """An hour to book for the token's person; without an agent any that fits is taken."""

    programme = Line(40, least=1, sentence=SLUG, required=True)
    start = Instant(required=True)
    agent = Id("an agent", load_default=None, allow_none=True)
    product = ProductRef(load_default=None, allow_none=True)
    language = Choice(list(LANGUAGES), load_default=None, allow_none=True)
    note = Text(NOTE_MAX, load_default="", doc="What the visitor would like to see.")


class Move(Body):
    """Another start, and if wanted another agent."""

    start = Instant(required=True)
    agent = Id("an agent", load_default=None, allow_none=True)


class Cancel(Body):
    """A word for the others; may be empty."""

    reason = Text(REASON_MAX, load_default="")


class Nothing(OptionalBody):
    """Nothing to say beside the act itself: an empty object, or none."""


class Outcome(Body):
    """What one side says."""

    took_place = Choice(list(TookPlace), required=True)


class Participant(Answer):
    """Who takes part in a visit."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    part = fields.String(required=True, metadata={"enum": ["visitor", "agent", "mentor", "lead"]})


class Said(Answer):
    """What a participant last said to the hour as it is; who never answered is not listed."""

    person = fields.Integer(required=True)
    answer = fields.String(required=True, metadata={"enum": [each.lower() for each in PartStat]})
    comment = fields.String(required=True)
    at = Instant(required=True)


class Invite(Answer):
    """A calendar message about the visit, and what became of it."""

    to = fields.String(required=True)
    method = fields.String(required=True, metadata={"enum": [str(method) for method in Method]})
    state = fields.String(required=True, metadata={"enum": [str(state) for state in State]})
    attempts = fields.Integer(required=True)
    last_error = fields.String(required=True, allow_none=True)


class Visit(Answer):
    """A visit: one row and one UID for life."""

    id = fields.Integer(required=True)
    programme = fields.String(required=True, metadata=told("The programme's slug."))
    agent = fields.Integer(required=True, metadata=told("The agent's id."))
    visitors = fields.List(fields.Integer(), required=True, metadata=told("The visitors' ids."))
    lead = fields.Integer(required=True, allow_none=True, metadata=told("The id of the head of the line."))
    mentor = fields.Integer(
        required=True, allow_none=True, metadata=told("The id of who guides a hands-on visit.")
    )
    people = fields.List(fields.Nested(Participant), required=True, metadata=told("The same with names."))
    product = fields.String(required=True, allow_none=True)
    start = Instant(required=True)
    end = Instant(required=True)
    status = fields.String(required=True, metadata={"enum": [str(status) for status in Status]})
    expires_at = Instant(
        required=True, allow_none=True, metadata=told("When a request or an offer ends by itself.")
    )
    joins = fields.Integer(
        required=True,
        allow_none=True,
        metadata=told("The visit in which this one holds a seat, or in which it was taken (joined)."),
    )
    because = fields.String(required=True, metadata=told("Why this agent: a code, empty where not known."))
    cancel_reason = fields.String(required=True)
    note = fields.String(required=True, metadata=told("What the visitors would like to see."))
    uid = fields.String(required=True)
    sequence = fields.Integer(required=True, metadata=told("One more with each change."))
    meeting_url = fields.String(required=True, metadata={"format": "uri"})
    answers = fields.List(fields.Nested(Said), required=True)
    invites = fields.List(fields.Nested(Invite), required=True)


VisitPart = part_of(Visit, "VisitPart")


class VisitsQuery(PartQuery):
    """Which visits: those that end after `from` and start before `to`, by start."""

    status = Choice(list(Status), load_default=None)
    agent = Id("an agent", text=True, load_default=None)
    since = Instant(days=True, data_key="from", load_default=None)
    until = Instant(days=True, data_key="to", load_default=None)


class NewObservation(Body):
    """A note: what was seen, apart from what one makes of it."""

    client_id = Uuid(required=True, doc="Made by the writer: the same one again is the same note.")
    text = Text(TEXT_MAX, least=1, required=True)
    kind = Choice(list(Kind), required=True)
    severity = Whole(SEVERITY_MIN, SEVERITY_MAX, load_default=None, allow_none=True)
    frequency = Choice(list(Frequency), load_default=None, allow_none=True)
    verbatim = Text(VERBATIM_MAX, load_default="", doc="The agent's own words.")
    workaround = Text(WORKAROUND_MAX, load_default="")
    product = ProductRef(load_default=None, allow_none=True)
    tool = Line(TOOL_MAX, load_default="")
    tags = Listed(Line(TAG_MAX, least=1), TAGS_MAX, load_default=list)
    is_question = Flag(load_default=False, doc="A question for the end of the visit supports no insight.")
    is_ask = Flag(load_default=False, doc="What the agent or the lead asks for.")
    mask = Flag(load_default=False, doc="Put a word in the place of what looks like private data.")
    insight = Id(
        "an insight", load_default=None, allow_none=True, doc="The insight it supports; else a new one."
    )
    at = Instant(load_default=None, allow_none=True, doc="When it was seen; else now.")


class PrivateWarning(Answer):
    """Words of a note that look like somebody's private data."""

    field = fields.String(required=True, metadata=told("Where they stand."))
    code = fields.String(required=True, metadata={"enum": [str(sort) for sort in Private]})
    detail = fields.String(required=True)


class Observation(Answer):
    """A note as it is kept."""

    id = fields.Integer(required=True)
    client_id = fields.String(required=True, metadata={"format": "uuid"})
    visit = fields.Integer(required=True)
    author = fields.Integer(required=True, metadata=told("The id of who wrote it."))
    text = fields.String(required=True)
    kind = fields.String(required=True, metadata={"enum": [str(kind) for kind in Kind]})
    severity = fields.Integer(required=True, allow_none=True)
    frequency = fields.String(required=True, allow_none=True)
    verbatim = fields.String(required=True)
    workaround = fields.String(required=True)
    product = fields.String(required=True, allow_none=True)
    tool = fields.String(required=True)
    tags = fields.List(fields.String(), required=True)
    is_question = fields.Boolean(required=True)
    is_ask = fields.Boolean(required=True)
    warnings = fields.List(
        fields.Nested(PrivateWarning),
        required=True,
        metadata=told("What in it looks like private data; it is kept all the same."),
    )
    insight = fields.Integer(required=True, allow_none=True)
    at = Instant(required=True)
    minute = fields.Integer(
        required=True, allow_none=True, metadata=told("Of the visit; null before it and after it.")
    )
    created_at = Instant(required=True)
    edited_at = Instant(required=True, allow_none=True)


ObservationPart = part_of(Observation, "ObservationPart")
