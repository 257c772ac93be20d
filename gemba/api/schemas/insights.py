"""Insights: what they say, what stands behind them, and what can be changed."""

from marshmallow import fields

from gemba.api.fields import (
    Body,
    Choice,
    Choices,
    Day,
    Flag,
    Id,
    Instant,
    Line,
    Listed,
    OptionalBody,
    ProductRef,
    Text,
    Whole,
)
from gemba.api.schemas.common import Answer, PartQuery, part_of, told
from gemba.insights.rules.export import FileFormat
from gemba.insights.rules.filters import ALL, DAYS_MAX, OPEN, QUERY_MAX, Due, Order
from gemba.insights.rules.kinds import (
    BODY_MAX,
    MINUTES_MAX,
    REASON_MAX,
    STEP_MAX,
    TAG_MAX,
    TAGS_MAX,
    TITLE_MAX,
    TOOL_MAX,
    WORKAROUND_MAX,
    Hurts,
    Kind,
    Status,
)
from gemba.insights.service import Ground


class InsightsFilter(Body):
    """What of the backlog."""

    q = Line(QUERY_MAX, load_default="", doc="Words to search for, in Russian or English.")
    status = Choices([*Status, OPEN, ALL], load_default=ALL)
    own_status = Id("one of a programme's own statuses", text=True, load_default=None)
    product = ProductRef(load_default=None)
    kind = Choices(list(Kind), load_default="")
    owner = Line(10, load_default="", doc="A person's id, `me` or `none`.")
    tag = Line(TAG_MAX, load_default="")
    tool = Line(TOOL_MAX, load_default="")
    hurts = Choice(list(Hurts), load_default="")
    due = Choice(list(Due), load_default="")
    seen = Whole(1, DAYS_MAX, text=True, load_default=None, doc="Seen in the last so many days.")
    made = Whole(1, DAYS_MAX, text=True, load_default=None, doc="Made in the last so many days.")
    order = Choice(list(Order), load_default=None, doc="score, or relevance where words are searched.")


class InsightsQuery(InsightsFilter, PartQuery):
    """What of the backlog, and which part of it."""


class ExportQuery(InsightsFilter):
    """What of the backlog, as which file."""

    format = Choice(list(FileFormat), load_default=str(FileFormat.CSV))


class SimilarQuery(Body):
    """How many."""

    limit = Whole(1, 20, text=True, load_default=5)


class Ticket(Answer):
    """An insight's counterpart in a tracker."""

    tracker = fields.Integer(required=True)
    key = fields.String(required=True)
    url = fields.String(required=True)
    status = fields.String(required=True)


class OwnStatus(Answer):
    """A status of a programme's own set. It counts as one of the five, its `category`."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    name_ru = fields.String(required=True, metadata=told("In Russian; empty where it has no other name."))
    category = fields.String(required=True, metadata={"enum": [str(status) for status in Status]})


OwnStatusPart = part_of(OwnStatus, "OwnStatusPart")


class Insight(Answer):
    """A backlog item with all that is counted for it. Agents are counted, never named."""

    id = fields.Integer(required=True)
    title = fields.String(required=True)
    body = fields.String(required=True)
    kind = fields.String(required=True, metadata={"enum": [str(kind) for kind in Kind]})
    status = fields.String(required=True, metadata={"enum": [str(status) for status in Status]})
    own_status = fields.Nested(
        OwnStatus, required=True, allow_none=True, metadata=told("What its programme calls the status.")
    )
    product = fields.String(required=True, allow_none=True)
    score = fields.Integer(
        required=True,
        allow_none=True,
        metadata=told("0 to 100; null for what works well and without evidence."),
    )
    evidence = fields.Integer(required=True, metadata=told("How many observations support it."))
    visits = fields.Integer(required=True)
    agents = fields.Integer(required=True)
    votes = fields.Integer(required=True)
    voted = fields.Boolean(required=True, metadata=told("Whether the token's person said “me too”."))
    severity = fields.Float(required=True, allow_none=True, metadata=told("Mean of the ratings, 0 to 4."))
    last_seen = Instant(required=True, allow_none=True)
    owner = fields.Integer(required=True, allow_none=True, metadata=told("A person's id."))
    hurts = fields.String(
        required=True, allow_none=True, metadata={"enum": [*map(str, Hurts), None], "description": "Who."}
    )
    minutes_lost = fields.Integer(required=True, allow_none=True, metadata=told("Each time it happens."))
    workaround = fields.String(required=True)
    tool = fields.String(required=True)
    step = fields.String(required=True)
    due = Day(required=True, allow_none=True)
    tags = fields.List(fields.String(), required=True)
    merged_into = fields.Integer(
        required=True, allow_none=True, metadata=told("The insight that speaks for it.")
    )
    tickets = fields.List(fields.Nested(Ticket), required=True)
    version = fields.Integer(required=True)
    created_at = Instant(required=True)
    updated_at = Instant(required=True)
    url = fields.String(required=True, metadata=told("Its page.", format="uri"))


InsightPart = part_of(Insight, "InsightPart")


class Sighting(Answer):
    """One observation behind an insight."""

    id = fields.Integer(required=True)
    text = fields.String(required=True)
    kind = fields.String(required=True)
    severity = fields.Integer(required=True, allow_none=True)
    verbatim = fields.String(required=True)
    workaround = fields.String(required=True)
    tool = fields.String(required=True)
    line = fields.String(required=True, metadata=told("The support line in whose visit it was seen."))
    at = Instant(required=True)


class Reach(Answer):
    """How widely it was seen, of the visits that could have seen it."""

    visits = fields.Integer(required=True)
    among = fields.Integer(required=True, metadata=told("Visits that share the ground."))
    ground = fields.String(required=True, metadata={"enum": [str(ground) for ground in Ground]})
    name = fields.String(required=True, metadata=told("Of the tool, product or line; empty for all."))
    agents = fields.Integer(
        required=True, allow_none=True, metadata=told("null where they are too few to be spoken of.")
    )
    lines = fields.Integer(required=True, allow_none=True, metadata=told("null like `agents`."))


class MonthOfInsight(Answer):
    """A month of the last twelve, in UTC."""

    month = fields.String(required=True, metadata=told("Such as 2026-11."))
    visits = fields.Integer(required=True, metadata=told("How many visits saw it then."))


class InsightDetail(Insight):
    """An insight with its evidence, and the insights merged into it."""

    reach = fields.Nested(Reach, required=True)
    months = fields.List(fields.Nested(MonthOfInsight), required=True, metadata=told("Oldest first."))

    observations = fields.List(fields.Nested(Sighting), required=True)
    merged = fields.List(fields.Integer(), required=True, metadata=told("Ids of what was merged into it."))


class SimilarInsight(Insight):
    """An insight that says perhaps the same."""

    shared = fields.List(
        fields.String(),
        required=True,
        metadata=told("The words' stems both use; empty where only the meaning is alike."),
    )


SimilarPart = part_of(SimilarInsight, "SimilarPart")


class InsightChange(Body):
    """What can be changed; what is left out stays as it is. Declining needs a reason."""

    title = Line(TITLE_MAX, least=1)
    body = Text(BODY_MAX)
    kind = Choice(list(Kind))
    status = Choice(list(Status))
    own_status = Id(
        "one of its programme's own statuses",
        allow_none=True,
        doc="Brings its category along as the status; a status alone takes the own one away.",
    )
    product = ProductRef(allow_none=True)
    owner = Id("an owner or admin", allow_none=True)
    hurts = Choice(list(Hurts), allow_none=True)
    minutes_lost = Whole(0, MINUTES_MAX, allow_none=True)
    workaround = Text(WORKAROUND_MAX)
    tool = Line(TOOL_MAX)
    step = Line(STEP_MAX)
    due = Day(allow_none=True)
    tags = Listed(Line(TAG_MAX, least=1), TAGS_MAX)
    reason = Text(REASON_MAX, load_default="")
    version = Whole(
        1, 2**31 - 1, load_default=None, doc="The version you saw; another one by now is 409 stale."
    )


class Merge(Body):
    """Into what."""

    into = Id("the insight that shall speak for both", required=True)


class Split(OptionalBody):
    """Which observations make a new insight. Without any, a merged insight is taken out of its survivor."""

    observations = Listed(Id("an observation"), 1000, load_default=list)
    title = Line(TITLE_MAX, load_default="")


class Vote(OptionalBody):
    """Say “me too”, or take it back."""

    on = Flag(load_default=True)
