"""People, agents' hours, programmes and slots."""

from marshmallow import fields

from gemba.api.fields import Body, Choice, Flag, Id, Instant, Line, Listed, ProductRef, Raw
from gemba.api.schemas.common import Answer, PartQuery, part_of, told
from gemba.people.rules import LANGUAGES, LOCALES, Role
from gemba.programmes.doors import LISTED_AT_ONCE
from gemba.programmes.rules import GOALS, LIMIT, NUMBERS, Format, Opening, Who
from gemba.programmes.rules import Problem as ProgrammeProblem
from gemba.schedule.rules import Problem, ReasonCode
from gemba.schedule.rules.availability import WEEKDAYS

EMAIL_MAX = 254


class Person(Answer):
    """A person."""

    id = fields.Integer(required=True)
    email = fields.String(required=True, allow_none=True, metadata=told("null where it is not yours to see"))
    name = fields.String(required=True)
    timezone = fields.String(required=True, metadata=told("IANA name", example="Europe/Berlin"))
    locale = fields.String(required=True, metadata=told("The language of their mail", enum=list(LOCALES)))
    roles = fields.List(fields.String(metadata={"enum": [str(role) for role in Role]}), required=True)
    department = fields.String(required=True)
    line = fields.String(required=True, allow_none=True, metadata=told("The name of their support line"))
    languages = fields.List(fields.String(), required=True, metadata=told("In which an agent can be visited"))
    products = fields.List(fields.String(), required=True, metadata=told("Names of what an agent supports"))
    active = fields.Boolean(required=True, allow_none=True, metadata=told("null where not yours to see"))


PersonPart = part_of(Person, "PersonPart")


class PersonChange(Body):
    """What can be said about a person; what is left out stays as it is."""

    email = Line(EMAIL_MAX, sentence="Give an e-mail address such as vera@example.com.")
    name = Line(120, least=1)
    timezone = Line(60, sentence="Give an IANA time zone such as Europe/Berlin.")
    locale = Choice(LOCALES)
    roles = Listed(Choice(list(Role)), len(Role), doc="At least one role.")
    department = Line(120)
    line = Line(80, sentence="Give the name of a support line, or null.", allow_none=True)
    languages = Listed(Choice(list(LANGUAGES)), len(LANGUAGES))
    products = Listed(ProductRef(), 100, doc="Products by id or name.")
    active = Flag(doc="false ends sign-ins and tokens at once.")


class NewPerson(PersonChange):
    """A new person; roles default to visitor, the zone to UTC."""

    email = Line(EMAIL_MAX, sentence="Give an e-mail address such as vera@example.com.", required=True)
    name = Line(120, least=1, required=True)


class PeopleQuery(PartQuery):
    """Which people."""

    q = Line(100, least=2, doc="Words of a name (for admins: or of an address).", load_default="")
    role = Choice(list(Role), load_default=None)
    line = Line(80, doc="The name of a support line.", load_default=None)
    active = Flag(text=True, load_default=None)


class Interval(Answer):
    """From start to end, wall time in steps of five minutes."""

    start = fields.String(required=True, metadata={"example": "09:00"})
    end = fields.String(required=True, metadata={"example": "13:00"})


class WeeklyInterval(Interval):
    """Hours of a weekday."""

    weekday = fields.String(required=True, metadata={"enum": list(WEEKDAYS)})


class Override(Answer):
    """A date with hours of its own."""

    date = fields.String(required=True, metadata={"format": "date"})
    intervals = fields.List(
        fields.Nested(Interval), required=True, metadata=told("An empty list is a day off.")
    )


class HourLimits(Answer):
    """How many visits an agent takes; null is no limit."""

    per_day = fields.Integer(allow_none=True, metadata={"minimum": 1, "maximum": 50})
    per_week = fields.Integer(allow_none=True, metadata={"minimum": 1, "maximum": 50})
    per_month = fields.Integer(allow_none=True, metadata={"minimum": 1, "maximum": 50})


_BUFFER = {"minimum": 0, "maximum": 240, "multipleOf": 5}


class TimeOff(Answer):
    """Days in a row that are off, the first and the last included."""

    first = fields.String(required=True, metadata={"format": "date"})
    last = fields.String(required=True, metadata={"format": "date"})


class ZoneChange(Answer):
    """From a date on the same hours are meant in another zone."""

    date = fields.String(required=True, metadata={"format": "date"})
    timezone = fields.String(required=True, metadata=told("IANA name", example="Asia/Tbilisi"))


class Availability(Raw):
    """An agent's hours: wall time in the zone they name; buffers in minutes, in steps of five."""

    timezone = fields.String(required=True, metadata=told(Problem.ZONE.value, example="Europe/Berlin"))
    weekly = fields.List(
        fields.Nested(WeeklyInterval), required=True, metadata=told("The hours of an ordinary week.")
    )
    overrides = fields.List(fields.Nested(Override), metadata=told("Dates with hours of their own."))
    buffer_before = fields.Integer(metadata=told(Problem.BUFFER.value, **_BUFFER))
    buffer_after = fields.Integer(metadata=told(Problem.BUFFER.value, **_BUFFER))
    limits = fields.Nested(HourLimits)
    time_off = fields.List(
        fields.Nested(TimeOff), metadata=told("Days off in a row; a date with hours of its own stays open.")
    )
    holidays = fields.String(
        metadata=told(
            "A country, or a part of one, whose public holidays are off: DE, DE-BY; empty for none.",
            example="DE-BY",
        )
    )
    zone_changes = fields.List(
        fields.Nested(ZoneChange), metadata=told("Journeys: from which date on which zone counts.")
    )
    rest_between = fields.Boolean(
        metadata=told("true: no two observed hours in a row, whatever the buffers are.")
    )


def _whole(name: str) -> fields.Integer:
    bounds, sentence = NUMBERS[name]
    return fields.Integer(
        metadata=told(sentence.value, minimum=bounds.low, maximum=bounds.high, multipleOf=bounds.step)
    )


def _goal(name: str) -> fields.Integer:
    bounds, sentence = GOALS[name]
    about = told(sentence.value, minimum=bounds.low, maximum=bounds.high)
    return fields.Integer(allow_none=True, metadata=about)


def _limit() -> fields.Integer:
    return fields.Integer(
        allow_none=True,
        metadata=told(ProgrammeProblem.LIMIT.value, minimum=LIMIT.low, maximum=LIMIT.high),
    )


class Programme(Raw):
    """A programme with its rules of booking."""

    slug = fields.String(metadata=told("Small Latin letters, digits and single hyphens.", maxLength=40))
    name = fields.String(metadata={"minLength": 1, "maxLength": 120})
    name_ru = fields.String(metadata={"maxLength": 120})
    purpose = fields.String(metadata={"maxLength": 600})
    purpose_ru = fields.String(metadata={"maxLength": 600})
    guide = fields.String(metadata=told("Prompts for the visit, one a line."))
    guide_ru = fields.String()
    rules = fields.String(metadata=told("What is allowed in a visit, one a line; empty for what is shipped."))
    rules_ru = fields.String()
    checklist = fields.String(metadata=told("What to have ready, one a line; empty for what is shipped."))
    checklist_ru = fields.String()
    debrief = fields.String(
        metadata=told("Questions to the visitor after a hands-on visit; empty for what is shipped.")
    )
    debrief_ru = fields.String()
    debrief_mentor = fields.String(metadata=told("Questions to the mentor, likewise."))
    debrief_mentor_ru = fields.String()
    consent = fields.String(metadata=told("What visitors confirm once, a sentence a line."))
    consent_ru = fields.String()
    format = fields.String(metadata={"enum": [str(word) for word in Format]})
    duration_minutes = _whole("duration_minutes")
    slot_step_minutes = _whole("slot_step_minutes")
    min_notice_minutes = _whole("min_notice_minutes")
    move_notice_minutes = _whole("move_notice_minutes")
    cancel_notice_minutes = _whole("cancel_notice_minutes")
    horizon_days = _whole("horizon_days")
    seats = _whole("seats")
    return_after_months = _whole("return_after_months")
    approval = fields.Boolean(metadata=told("true: a visit is a request until the lead says yes."))
    approval_hours = _whole("approval_hours")
    offer_hours = _whole("offer_hours")
    slot_offset_minutes = _whole("slot_offset_minutes")
    review_hours = _whole("review_hours")
    keep_months = _whole("keep_months")
    smallest_group = _whole("smallest_group")
    who = fields.String(
        metadata=told("Who may take part; listed: those on a list that admins keep.", enum=[*map(str, Who)])
    )
    departments = fields.List(
        fields.String(metadata={"maxLength": 120}),
        metadata=told(f"{ProgrammeProblem.DEPARTMENTS.value} Answered to admins only."),
    )
    lines = fields.List(
        fields.String(metadata={"maxLength": 80}),
        metadata=told("Names of the lines that are visited; none is every line."),
    )
    languages = fields.List(
        fields.String(metadata={"enum": list(LANGUAGES)}),
        metadata=told("Visits are with agents who speak one of them; none is any language."),
    )
    opening = fields.String(
        metadata=told(
            "Whether visits are booked by hand, come from rounds, or both.", enum=[*map(str, Opening)]
        )
    )
    goal_share = _goal("goal_share")
    goal_months = _whole("goal_months")
    goal_visits = _goal("goal_visits")
    visitor_per_day = _limit()
    visitor_per_week = _limit()
    visitor_per_month = _limit()
    active = fields.Boolean()


ProgrammePart = part_of(Programme, "ProgrammePart")


class NewProgramme(Programme):
    """A new programme; what is left out takes a sensible value."""

    slug = fields.String(required=True, metadata={"maxLength": 40})
    name = fields.String(required=True, metadata={"minLength": 1, "maxLength": 120})


class ProgrammePeople(Body):
    """Who may take part in a programme for those on a list: the whole list, by id, address or both."""

    people = Listed(Id("somebody"), LISTED_AT_ONCE, doc="Ids of people.")
    emails = Listed(Line(EMAIL_MAX), LISTED_AT_ONCE, doc="Addresses of people.")


class SlotsQuery(Body):
    """Which slots: those that start from `from` (default: now) and before `to` (default: 14 days later)."""

    since = Instant(days=True, data_key="from", load_default=None)
    until = Instant(days=True, data_key="to", load_default=None)
    agent = Id("an agent", text=True, load_default=None)
    product = ProductRef(load_default=None)
    language = Choice(list(LANGUAGES), load_default=None)


class Slot(Answer):
    """A start that can be booked, and with whom."""

    start = Instant(required=True)
    end = Instant(required=True)
    agents = fields.List(fields.Integer(), required=True, metadata=told("Ids, ascending."))


class Slots(Answer):
    """Slots by start."""

    slots = fields.List(fields.Nested(Slot), required=True)


class ExplainQuery(Body):
    """Which start of which agent."""

    agent = Id("an agent", text=True, required=True)
    start = Instant(required=True)


class Reason(Answer):
    """What stands against a start."""

    code = fields.String(required=True, metadata={"enum": [str(code) for code in ReasonCode]})
    detail = fields.String(required=True)


class Explanation(Answer):
    """Whether a start is offered, and why not."""

    offered = fields.Boolean(required=True)
    reasons = fields.List(fields.Nested(Reason), required=True)
