"""Rounds, wishes and proposals."""

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
    Raw,
    Text,
)
from gemba.api.schemas.common import Answer, part_of, told
from gemba.api.schemas.people import WeeklyInterval
from gemba.fetch.addresses import LONGEST_ADDRESS
from gemba.people.rules import LANGUAGES
from gemba.rounds.pairing.values import Because, Why
from gemba.rounds.rules import (
    INVITED_AT_ONCE,
    NOT_AMONG,
    NOT_PROPOSED,
    NOT_TRAINED,
    NOTE_MAX,
    PRODUCTS_MAX,
    REFUSED_MAX,
    Outcome,
    PairState,
)

STATUSES = ("none", "waiting", "running", "done", "stopped", "failed", "publishing", "published")
PINS_MAX = 500


class Round(Answer):
    """A campaign of a programme: sign-up, pairing, publication."""

    id = fields.Integer(required=True)
    programme = fields.String(required=True, metadata=told("The programme's slug."))
    name = fields.String(required=True)
    name_ru = fields.String(required=True)
    opens_at = Instant(required=True)
    closes_at = Instant(required=True, metadata=told("Sign-up ends."))
    visits_from = Instant(required=True)
    visits_until = Instant(required=True)
    published_at = Instant(required=True, allow_none=True)
    outcome = fields.String(
        required=True,
        allow_none=True,
        metadata=told(
            "What became of your own wish: empty while it is open; null where you did not sign up.",
            enum=[*(str(one) for one in Outcome), None],
        ),
    )


class Rounds(Answer):
    """The rounds of a programme, newest first."""

    items = fields.List(fields.Nested(Round), required=True)


class NewRound(Raw):
    """A round; days are whole days in your time zone, both ends included."""

    name = fields.String(required=True)
    name_ru = fields.String()
    closes_on = fields.String(required=True, metadata=told("Last day of sign-up.", format="date"))
    first_day = fields.String(required=True, metadata=told("First day of visits.", format="date"))
    last_day = fields.String(required=True, metadata=told("Last day of visits.", format="date"))


class WishInterval(Body):
    """Free hours of a weekday."""

    weekday = Line(3, least=3, required=True)
    start = Line(5, least=4, required=True)
    end = Line(5, least=4, required=True)


class RoundWish(Body):
    """What you would like; what is left out may be any."""

    timezone = Line(60, load_default="", doc="The zone of weekly, else your own.")
    weekly = Listed(
        fields.Nested(WishInterval),
        200,
        load_default=None,
        allow_none=True,
        doc="Free hours; left out, Monday to Friday from nine to six.",
    )
    products = Listed(ProductRef(), PRODUCTS_MAX, load_default=list, doc="Best first.")
    insists = Flag(load_default=False, doc="Only these products.")
    line = Line(120, load_default=None, allow_none=True, doc="Only agents of this line.")
    language = Choice(list(LANGUAGES), load_default=None, allow_none=True)
    refuses = Listed(Id("an agent"), REFUSED_MAX, load_default=list, doc="Agents you would rather not visit.")
    note = Text(NOTE_MAX, load_default="")
    calendar_url = Line(
        LONGEST_ADDRESS,
        least=1,
        sentence="Give the address of a calendar, or null.",
        allow_none=True,
        doc="An ICS calendar of yours: your visit avoids what it says is busy. A worker reads it until the "
        "pairs are published. Left out, an earlier one stays; null forgets it.",
    )


class RoundCalendar(Answer):
    """What is known of the calendar at the address you gave. Its titles are never kept."""

    url = fields.String(required=True)
    busy = fields.Integer(required=True, metadata=told("How many busy times are to come."))
    fetched_at = Instant(required=True, allow_none=True, doc="When it was last read well.")
    tried_at = Instant(required=True, allow_none=True, doc="When it was last tried.")
    stale = fields.Boolean(required=True, metadata=told("Whether what is known may be out of date."))
    error = fields.String(
        required=True,
        allow_none=True,
        metadata=told("Why the last try brought nothing. The last good copy counts on."),
    )


class RoundWished(Answer):
    """Your wish as it stands."""

    round = fields.Integer(required=True)
    person = fields.Integer(required=True)
    timezone = fields.String(required=True)
    weekly = fields.List(fields.Nested(WeeklyInterval), required=True)
    products = fields.List(fields.String(), required=True)
    insists = fields.Boolean(required=True)
    line = fields.String(required=True, allow_none=True)
    language = fields.String(required=True, allow_none=True)
    refuses = fields.List(fields.Integer(), required=True)
    note = fields.String(required=True)
    calendar = fields.Nested(RoundCalendar, required=True, allow_none=True)
    outcome = fields.String(required=True, metadata={"enum": [str(one) for one in Outcome]})


class RoundInvitation(Body):
    """Whom to ask to take part: any of the three."""

    people = Listed(Id("somebody"), INVITED_AT_ONCE, load_default=list, doc="Ids of people.")
    emails = Listed(Line(254), INVITED_AT_ONCE, load_default=list, doc="Addresses of people.")
    department = Line(120, load_default="", doc="Everyone of a department.")


class RoundInvited(Answer):
    """What became of an invitation."""

    asked = fields.Integer(required=True, metadata=told("How many were asked now; each gets a mail."))
    before = fields.Integer(required=True, metadata=told("How many had been asked before."))
    nobody = fields.List(
        fields.String(), required=True, metadata=told("Ids and addresses of nobody who is active here.")
    )
    outside = fields.Integer(
        required=True, metadata=told("How many may not take part in the programme and were not asked.")
    )


class RoundInvitee(Answer):
    """Somebody who was asked to take part."""

    person = fields.Integer(required=True)
    invited_at = Instant(required=True)
    signed_up = fields.Boolean(required=True)


RoundInvitees = part_of(RoundInvitee, "RoundInvitees")


class ProposeRound(OptionalBody):
    """Nothing to say so far."""


class RoundPin(Body):
    """A pair that must stay; with agent and start it is made, without them the proposed one is pinned."""

    visitor = Id("somebody who signed up", required=True)
    agent = Id("an agent", load_default=None, allow_none=True)
    start = Instant(load_default=None, allow_none=True)


class RoundPins(Body):
    """What to pin and what to let go."""

    pins = Listed(fields.Nested(RoundPin), PINS_MAX, load_default=list, doc="Pairs that must stay.")
    unpin = Listed(Id("a visitor"), PINS_MAX, load_default=list, doc="Visitors whose pair may change again.")


class PublishRound(OptionalBody):
    """Which pairs to book: those of some visitors, or all."""

    visitors = Listed(
        Id("a visitor"), 2000, load_default=None, allow_none=True, doc="Left out: all, and the round is over."
    )


class LeftOutReason(Answer):
    """Why somebody is left out."""

    code = fields.String(
        required=True, metadata={"enum": [*(str(one) for one in Why), NOT_TRAINED, NOT_AMONG, NOT_PROPOSED]}
    )
    detail = fields.String(required=True)


class LeftOut(Answer):
    """Somebody who is left out."""

    person = fields.Integer(required=True)
    reasons = fields.List(fields.Nested(LeftOutReason), required=True)
    would_work = fields.List(Instant(), required=True, metadata=told("Starts that would have worked."))
    would_help = fields.List(
        fields.String(), required=True, metadata=told("Changes of which each alone would have given a visit.")
    )


class ProposedPair(Answer):
    """A visit that is proposed or booked."""

    visitor = fields.Integer(required=True)
    agent = fields.Integer(required=True)
    mentor = fields.Integer(
        required=True, allow_none=True, metadata=told("Who was found to guide it, where visits need one.")
    )
    start = Instant(required=True)
    pinned = fields.Boolean(required=True)
    state = fields.String(required=True, metadata={"enum": [str(one) for one in PairState]})
    visit = fields.Integer(required=True, allow_none=True)
    score = fields.Integer(required=True, metadata=told("How well they match, from 0 to 10."))
    because = fields.List(fields.String(metadata={"enum": [str(one) for one in Because]}), required=True)


class RoundFigures(Answer):
    """How good a plan is."""

    served = fields.Integer(required=True)
    bound = fields.Integer(required=True, metadata=told("Nobody can serve more."))
    people = fields.Integer(required=True)
    fairness = fields.Float(required=True, metadata=told("Jain's index of load against hours offered."))
    score = fields.Float(required=True)
    complete = fields.Boolean(required=True, metadata=told("False where time ran out before the best match."))


class Proposal(Answer):
    """The newest proposal of a round."""

    round = fields.Integer(required=True)
    status = fields.String(required=True, metadata={"enum": list(STATUSES)})
    served = fields.Integer(required=True)
    pairs = fields.List(fields.Nested(ProposedPair), required=True)
    left_out = fields.List(fields.Nested(LeftOut), required=True)
    figures = fields.Nested(RoundFigures, required=True, allow_none=True)
    digest = fields.String(required=True, metadata=told("Equal digests mean equal input and engine."))
