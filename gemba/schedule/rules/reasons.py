"""Why a start is not offered: a code for programs, a sentence for people."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

Value = int | str | date | datetime


class ReasonCode(StrEnum):
    """Why a start is not offered. The values are part of the API."""

    OTHER_AGENTS = "other-agents"
    NOT_ON_GRID = "not-on-grid"
    REPEATED_HOUR = "repeated-hour"
    IN_THE_PAST = "in-the-past"
    TOO_SOON = "too-soon"
    BEYOND_HORIZON = "beyond-horizon"
    NOT_NOW = "not-now"
    DAY_OFF = "day-off"
    TIME_OFF = "time-off"
    HOLIDAY = "holiday"
    OUTSIDE_HOURS = "outside-hours"
    QUIET_HOURS = "quiet-hours"
    DECLINED = "declined"
    AGENT_BUSY = "agent-busy"
    CALENDAR_BUSY = "calendar-busy"
    TWO_IN_A_ROW = "two-in-a-row"
    AGENT_NOT_FREE = "agent-not-free"
    NO_MENTOR = "no-mentor"
    MENTORS_TAKEN = "mentors-taken"
    VISITOR_BUSY = "visitor-busy"
    LIMIT_PER_DAY = "limit-per-day"
    LIMIT_PER_WEEK = "limit-per-week"
    LIMIT_PER_MONTH = "limit-per-month"
    VISITOR_LIMIT_PER_DAY = "visitor-limit-per-day"
    VISITOR_LIMIT_PER_WEEK = "visitor-limit-per-week"
    VISITOR_LIMIT_PER_MONTH = "visitor-limit-per-month"


REASON_SENTENCES: Mapping[ReasonCode, str] = {
    ReasonCode.OTHER_AGENTS: "Visits of this programme are with agents of other lines or languages.",
    ReasonCode.NOT_ON_GRID: "Visits do not start at this time of the hour.",
    ReasonCode.REPEATED_HOUR: "The clocks go back and this hour comes twice; only the first can be booked.",
    ReasonCode.IN_THE_PAST: "This hour has already begun.",
    ReasonCode.TOO_SOON: "This is too soon: the earliest start that can be booked now is %(earliest)s.",
    ReasonCode.BEYOND_HORIZON: "This is too far ahead: at the moment booking is open until %(until)s.",
    ReasonCode.NOT_NOW: "The agent is not taking visits at the moment.",
    ReasonCode.DAY_OFF: "The agent has a day off on %(day)s.",
    ReasonCode.TIME_OFF: "The agent is away from %(first)s to %(last)s.",
    ReasonCode.HOLIDAY: "%(day)s is a public holiday where the agent lives.",
    ReasonCode.OUTSIDE_HOURS: "The agent's hours on %(day)s do not cover this whole visit.",
    ReasonCode.QUIET_HOURS: "The agent's line has its peak load then and takes no visits.",
    ReasonCode.DECLINED: "The agent said no to this hour. They can open it again.",
    ReasonCode.AGENT_BUSY: "The agent is taken then, or needs the time for a break before or after.",
    ReasonCode.CALENDAR_BUSY: (
        "The agent's own calendar says busy then, or a break before or after would not fit."
    ),
    ReasonCode.TWO_IN_A_ROW: "The agent wants at least an hour without a visit between two visits.",
    ReasonCode.AGENT_NOT_FREE: "The agent is not free for a visit then.",
    ReasonCode.NO_MENTOR: "No mentor is free for a visit then.",
    ReasonCode.MENTORS_TAKEN: "Every mentor who works then is taken by another visit.",
    ReasonCode.VISITOR_BUSY: "The visitor is already taken then.",
    ReasonCode.LIMIT_PER_DAY: "The agent's limit for that day is reached: %(count)d of %(limit)d.",
    ReasonCode.LIMIT_PER_WEEK: "The agent's limit for that week is reached: %(count)d of %(limit)d.",
    ReasonCode.LIMIT_PER_MONTH: "The agent's limit for that month is reached: %(count)d of %(limit)d.",
    ReasonCode.VISITOR_LIMIT_PER_DAY: "The visitor's limit for that day is reached: %(count)d of %(limit)d.",
    ReasonCode.VISITOR_LIMIT_PER_WEEK: (
        "The visitor's limit for that week is reached: %(count)d of %(limit)d."
    ),
    ReasonCode.VISITOR_LIMIT_PER_MONTH: (
        "The visitor's limit for that month is reached: %(count)d of %(limit)d."
    ),
}

DYNAMIC_REASONS: frozenset[ReasonCode] = frozenset(
    {
        ReasonCode.AGENT_BUSY,
        ReasonCode.TWO_IN_A_ROW,
        ReasonCode.MENTORS_TAKEN,
        ReasonCode.VISITOR_BUSY,
        ReasonCode.LIMIT_PER_DAY,
        ReasonCode.LIMIT_PER_WEEK,
        ReasonCode.LIMIT_PER_MONTH,
    }
)
"""The reasons that come from other bookings: a slot refused for these alone was offered a moment ago."""

PRIVATE_REASONS: frozenset[ReasonCode] = frozenset(
    {
        ReasonCode.NOT_NOW,
        ReasonCode.DAY_OFF,
        ReasonCode.TIME_OFF,
        ReasonCode.HOLIDAY,
        ReasonCode.OUTSIDE_HOURS,
        ReasonCode.DECLINED,
        ReasonCode.AGENT_BUSY,
        ReasonCode.CALENDAR_BUSY,
        ReasonCode.TWO_IN_A_ROW,
        ReasonCode.LIMIT_PER_DAY,
        ReasonCode.LIMIT_PER_WEEK,
        ReasonCode.LIMIT_PER_MONTH,
    }
)
"""What is the agent's own business. Others hear `agent-not-free`, whichever of them it is: could they tell
hours from days off, they would know when somebody is away."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that stands against a start. `params` fill its sentence: agent's local dates, UTC instants."""

    code: ReasonCode
    params: Mapping[str, Value] = field(default_factory=dict, hash=False)

    @property
    def detail(self) -> str:
        """The English sentence. Pages translate REASON_SENTENCES[code] and fill it in their own way."""
        return REASON_SENTENCES[self.code] % self.params


def discreet(reasons: Iterable[Reason]) -> list[Reason]:
    """The same reasons as somebody hears who may not see the agent's hours."""
    reasons = list(reasons)
    told = [reason for reason in reasons if reason.code not in PRIVATE_REASONS]
    return told if len(told) == len(reasons) else [*told, Reason(ReasonCode.AGENT_NOT_FREE)]
