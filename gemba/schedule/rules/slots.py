"""Which starts are offered, and why one is not: one truth for list, explanation and booking check.

Every rule is one small function in `CHECKS`. `explain` returns what all of them object to; `open_slots`
offers a start exactly when none of them does. A further rule is one more code, one sentence and one function.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from gemba.schedule.rules.hours import Hours, Span, Timeline, local_dates, local_day, open_times

FIRST_YEAR, LAST_YEAR = 1970, 2200

Value = int | date | datetime


class ReasonCode(StrEnum):
    """Why a start is not offered. The values are part of the API."""

    NOT_ON_GRID = "not-on-grid"
    REPEATED_HOUR = "repeated-hour"
    IN_THE_PAST = "in-the-past"
    TOO_SOON = "too-soon"
    BEYOND_HORIZON = "beyond-horizon"
    NOT_NOW = "not-now"
    DAY_OFF = "day-off"
    OUTSIDE_HOURS = "outside-hours"
    AGENT_BUSY = "agent-busy"
    VISITOR_BUSY = "visitor-busy"
    LIMIT_PER_DAY = "limit-per-day"
    LIMIT_PER_WEEK = "limit-per-week"
    LIMIT_PER_MONTH = "limit-per-month"


REASON_SENTENCES: Mapping[ReasonCode, str] = {
    ReasonCode.NOT_ON_GRID: "Visits do not start at this time of the hour.",
    ReasonCode.REPEATED_HOUR: "The clocks go back and this hour comes twice; only the first can be booked.",
    ReasonCode.IN_THE_PAST: "This hour has already begun.",
    ReasonCode.TOO_SOON: "This is too soon: the earliest start that can be booked now is %(earliest)s.",
    ReasonCode.BEYOND_HORIZON: "This is too far ahead: at the moment booking is open until %(until)s.",
    ReasonCode.NOT_NOW: "The agent is not taking visits at the moment.",
    ReasonCode.DAY_OFF: "The agent has a day off on %(day)s.",
    ReasonCode.OUTSIDE_HOURS: "The agent's hours on %(day)s do not cover this whole visit.",
    ReasonCode.AGENT_BUSY: "The agent is taken then, or needs the time for a break before or after.",
    ReasonCode.VISITOR_BUSY: "The visitor is already taken then.",
    ReasonCode.LIMIT_PER_DAY: "The agent's limit for that day is reached: %(count)d of %(limit)d.",
    ReasonCode.LIMIT_PER_WEEK: "The agent's limit for that week is reached: %(count)d of %(limit)d.",
    ReasonCode.LIMIT_PER_MONTH: "The agent's limit for that month is reached: %(count)d of %(limit)d.",
}

DYNAMIC_REASONS: frozenset[ReasonCode] = frozenset(
    {
        ReasonCode.AGENT_BUSY,
        ReasonCode.VISITOR_BUSY,
        ReasonCode.LIMIT_PER_DAY,
        ReasonCode.LIMIT_PER_WEEK,
        ReasonCode.LIMIT_PER_MONTH,
    }
)
"""The reasons that come from other bookings: a slot refused for these alone was offered a moment ago."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that stands against a start. `params` fill its sentence: agent's local dates, UTC instants."""

    code: ReasonCode
    params: Mapping[str, Value] = field(default_factory=dict, hash=False)

    @property
    def detail(self) -> str:
        """The English sentence. Pages translate REASON_SENTENCES[code] and fill it in their own way."""
        return REASON_SENTENCES[self.code] % self.params


@dataclass(frozen=True, slots=True)
class Limits:
    """How many visits an agent takes per day, ISO week and month of their own zone; None is no limit."""

    per_day: int | None = None
    per_week: int | None = None
    per_month: int | None = None


@dataclass(frozen=True, slots=True)
class AgentFacts:
    """What is known of one agent.

    Buffers are minutes (multiples of 5). `busy` is when this person is occupied, with the buffers of those
    visits already in it. `visits` are the starts of the visits that count towards the limits.
    """

    agent: int
    hours: Hours
    buffer_before: int = 0
    buffer_after: int = 0
    limits: Limits = field(default_factory=Limits)
    paused: bool = False
    busy: tuple[Span, ...] = ()
    visits: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRules:
    """A programme's rules of booking.

    A start is a wall time of the agent's zone whose minute of the day is `slot_offset_minutes` modulo
    `slot_step_minutes`. The horizon is days of 24 hours from now. Raises ValueError if duration or step is
    below 1.
    """

    duration_minutes: int
    slot_step_minutes: int
    min_notice_minutes: int
    horizon_days: int
    slot_offset_minutes: int = 0

    def __post_init__(self) -> None:
        if self.duration_minutes < 1 or self.slot_step_minutes < 1:
            raise ValueError("A visit and the step between starts take at least a minute.")


@dataclass(frozen=True, slots=True)
class Slot:
    """A start at which a visit could be booked, and with which agents (ids, ascending)."""

    start: datetime
    end: datetime
    agents: tuple[int, ...]


Objections = Sequence[Reason]
NONE: Objections = ()


@dataclass(frozen=True, slots=True)
class _Case:
    """One agent's facts prepared once, so that many starts can be judged quickly."""

    rules: BookingRules
    agent: AgentFacts
    now: datetime
    earliest: datetime
    until: datetime
    zone: ZoneInfo
    open: Timeline
    busy: Timeline
    before: timedelta
    after: timedelta
    visitor_busy: Timeline
    limits_on: Callable[[date], Objections]


class _Try(NamedTuple):
    """A start to be judged: [start, end) in UTC, and what the agent's clock shows at the start."""

    start: datetime
    end: datetime
    wall: datetime


def _on_grid(case: _Case, it: _Try) -> Objections:
    minute = it.wall.hour * 60 + it.wall.minute - case.rules.slot_offset_minutes
    if it.wall.second or it.wall.microsecond or minute % case.rules.slot_step_minutes:
        return [Reason(ReasonCode.NOT_ON_GRID)]
    return NONE


def _first_time_round(case: _Case, it: _Try) -> Objections:
    return [Reason(ReasonCode.REPEATED_HOUR)] if it.wall.fold else NONE


def _in_time(case: _Case, it: _Try) -> Objections:
    if it.start < case.now:
        return [Reason(ReasonCode.IN_THE_PAST)]
    return [Reason(ReasonCode.TOO_SOON, {"earliest": case.earliest})] if it.start < case.earliest else NONE


def _within_horizon(case: _Case, it: _Try) -> Objections:
    return [Reason(ReasonCode.BEYOND_HORIZON, {"until": case.until})] if it.start >= case.until else NONE


def _taking_visits(case: _Case, it: _Try) -> Objections:
    return [Reason(ReasonCode.NOT_NOW)] if case.agent.paused else NONE


def _within_hours(case: _Case, it: _Try) -> Objections:
    if case.open.covers(it.start, it.end):
        return NONE
    day = it.wall.date()
    is_off = case.agent.hours.overrides.get(day) == ()
    return [Reason(ReasonCode.DAY_OFF if is_off else ReasonCode.OUTSIDE_HOURS, {"day": day})]


def _agent_free(case: _Case, it: _Try) -> Objections:
    is_taken = case.busy.meets(it.start - case.before, it.end + case.after)
    return [Reason(ReasonCode.AGENT_BUSY)] if is_taken else NONE


def _visitor_free(case: _Case, it: _Try) -> Objections:
    return [Reason(ReasonCode.VISITOR_BUSY)] if case.visitor_busy.meets(it.start, it.end) else NONE


def _within_limits(case: _Case, it: _Try) -> Objections:
    return case.limits_on(it.wall.date())


CHECKS: tuple[Callable[[_Case, _Try], Objections], ...] = (
    _on_grid,
    _first_time_round,
    _in_time,
    _within_horizon,
    _taking_visits,
    _within_hours,
    _agent_free,
    _visitor_free,
    _within_limits,
)


def explain(
    rules: BookingRules, agent: AgentFacts, *, visitor_busy: Sequence[Span], start: datetime, now: datetime
) -> list[Reason]:
    """Return every reason why this agent is not offered at `start`; an empty list means the slot is offered.

    `start` and `now` are aware instants (ValueError otherwise). Of in-the-past and too-soon only the first is
    named where both hold; so of day-off and outside-hours. Before 1970 and after 2200 only the clock is
    asked, because date arithmetic comes to its end.
    """
    if start.tzinfo is None or now.tzinfo is None:
        raise ValueError("A start and now are aware instants.")
    now = now.astimezone(UTC)
    if not FIRST_YEAR <= start.year <= LAST_YEAR:
        until = now + timedelta(days=rules.horizon_days)
        far = Reason(ReasonCode.BEYOND_HORIZON, {"until": until})
        return [Reason(ReasonCode.IN_THE_PAST) if start < now else far]
    start = start.astimezone(UTC)
    span = Span(start, start + _length(rules))
    case = _prepare(rules, agent, Timeline.join(visitor_busy), span, now)
    attempt = _attempt(case, span.start, span.end)
    return [reason for check in CHECKS for reason in check(case, attempt)]


def open_slots(
    rules: BookingRules,
    agents: Sequence[AgentFacts],
    *,
    visitor_busy: Sequence[Span],
    window: Span,
    now: datetime,
) -> list[Slot]:
    """Return the slots that start within `window` (half-open), by start, each with every agent offered."""
    now = now.astimezone(UTC)
    earliest = now + timedelta(minutes=rules.min_notice_minutes)
    latest = now + timedelta(days=rules.horizon_days)
    # Only a shortcut past days that the rules would refuse start by start.
    low, high = max(window.start, earliest), min(window.end, latest)
    if low >= high:
        return []
    length, taken, found = _length(rules), Timeline.join(visitor_busy), dict[datetime, list[int]]()
    for agent in sorted(agents, key=lambda each: each.agent):
        case = _prepare(rules, agent, taken, Span(low, high + length), now)
        for start in _candidates(rules, agent.hours, Span(low, high)):
            if _is_offered(case, start, start + length):
                found.setdefault(start, []).append(agent.agent)
    return [Slot(start, start + length, tuple(found[start])) for start in sorted(found)]


def _length(rules: BookingRules) -> timedelta:
    return timedelta(minutes=rules.duration_minutes)


def _attempt(case: _Case, start: datetime, end: datetime) -> _Try:
    return _Try(start, end, start.astimezone(case.zone))


def _is_offered(case: _Case, start: datetime, end: datetime) -> bool:
    attempt = _attempt(case, start, end)
    for check in CHECKS:  # noqa: SIM110 - a plain loop, because this runs for every start of every agent
        if check(case, attempt):
            return False
    return True


def _prepare(
    rules: BookingRules, agent: AgentFacts, visitor_busy: Timeline, window: Span, now: datetime
) -> _Case:
    """Join and count an agent's facts, right for every slot that lies within the window."""
    zone = ZoneInfo(agent.hours.timezone)
    return _Case(
        rules=rules,
        agent=agent,
        now=now,
        earliest=now + timedelta(minutes=rules.min_notice_minutes),
        until=now + timedelta(days=rules.horizon_days),
        zone=zone,
        open=open_times(agent.hours, window),
        busy=Timeline.join(agent.busy),
        before=timedelta(minutes=agent.buffer_before),
        after=timedelta(minutes=agent.buffer_after),
        visitor_busy=visitor_busy,
        limits_on=_limits_on(agent, zone),
    )


def _limits_on(agent: AgentFacts, zone: ZoneInfo) -> Callable[[date], Objections]:
    """Count the agent's visits once; return what tells (and remembers) the limits reached on a local date."""
    days = [visit.astimezone(zone).date() for visit in agent.visits]
    limits = agent.limits
    caps = [
        (ReasonCode.LIMIT_PER_DAY, limits.per_day, _same_day, Counter(days)),
        (ReasonCode.LIMIT_PER_WEEK, limits.per_week, _monday, Counter(map(_monday, days))),
        (ReasonCode.LIMIT_PER_MONTH, limits.per_month, _first_of_month, Counter(map(_first_of_month, days))),
    ]

    @cache
    def reached(day: date) -> Objections:
        return tuple(
            Reason(code, {"count": taken[period(day)], "limit": limit})
            for code, limit, period, taken in caps
            if limit is not None and taken[period(day)] >= limit
        )

    return reached


def _same_day(day: date) -> date:
    return day


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _first_of_month(day: date) -> date:
    return day.replace(day=1)


def _candidates(rules: BookingRules, hours: Hours, window: Span) -> Iterator[datetime]:
    """Give the wall times of the grid within the agent's hours, as instants in the window.

    None is missed: the first instant to show a wall time is open exactly when an interval holds that time.
    """
    offset, step = rules.slot_offset_minutes, rules.slot_step_minutes
    for day in local_dates(hours.timezone, window):
        intervals = hours.on(day)
        if not intervals:
            continue
        local = local_day(hours.timezone, day)
        minutes = {
            m for each in intervals for m in range(each.start + (offset - each.start) % step, each.end, step)
        }
        for minute in sorted(minutes):
            start = local.exact(minute)
            if start is not None and window.start <= start < window.end:
                yield start
