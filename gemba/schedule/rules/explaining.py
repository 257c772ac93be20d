"""Why a start is not offered, in words: every rule is one small function that objects or does not.

`open_slots` (offering.py) offers a start exactly when `explain` finds no reason; it reaches the same answer
for all starts of many agents at once (maps.py), and tests hold both against a minute-by-minute oracle. A
further rule is one code, one sentence, one function here and one line there.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from gemba.schedule.rules.facts import REST, AgentFacts, BookingRules, Limits, VisitorFacts
from gemba.schedule.rules.hours import Span, Timeline, open_times
from gemba.schedule.rules.reasons import DYNAMIC_REASONS, Reason, ReasonCode

FIRST_YEAR, LAST_YEAR = 1970, 2200
ONE_DAY = timedelta(days=1)

Objections = Sequence[Reason]
NONE: Objections = ()


@dataclass(frozen=True, slots=True)
class _Case:
    """One agent's facts, and the visitors who would come."""

    rules: BookingRules
    agent: AgentFacts
    visitors: Sequence[VisitorFacts]
    now: datetime
    around: Span

    @property
    def earliest(self) -> datetime:
        return self.now + timedelta(minutes=self.rules.min_notice_minutes)

    @property
    def until(self) -> datetime:
        return self.now + timedelta(days=self.rules.horizon_days)


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
    hours, day = case.agent.hours, it.wall.date()
    if open_times(hours, case.around).covers(it.start, it.end):
        return NONE
    override = hours.overrides.get(day)
    if override is None:
        for first, last in hours.time_off:
            if first <= day <= last:
                return [Reason(ReasonCode.TIME_OFF, {"first": first, "last": last})]
        if hours.is_holiday(day):
            return [Reason(ReasonCode.HOLIDAY, {"day": day})]
    return [Reason(ReasonCode.DAY_OFF if override == () else ReasonCode.OUTSIDE_HOURS, {"day": day})]


def _line_not_quiet(case: _Case, it: _Try) -> Objections:
    quiet = case.agent.quiet
    if quiet is None or not open_times(quiet, case.around).meets(it.start, it.end):
        return NONE
    return [Reason(ReasonCode.QUIET_HOURS)]


def _not_declined(case: _Case, it: _Try) -> Objections:
    start, end = it.start.timestamp(), it.end.timestamp()
    is_met = any(first < end and start < last for first, last in case.agent.declined)
    return [Reason(ReasonCode.DECLINED)] if is_met else NONE


def _agent_free(case: _Case, it: _Try) -> Objections:
    agent = case.agent
    start = it.start - timedelta(minutes=agent.buffer_before)
    end = it.end + timedelta(minutes=agent.buffer_after)
    taken = ((agent.busy, ReasonCode.AGENT_BUSY), (agent.calendar, ReasonCode.CALENDAR_BUSY))
    return [Reason(code) for spans, code in taken if Timeline.join(spans).meets(start, end)]


def _rested(case: _Case, it: _Try) -> Objections:
    if not case.agent.rest_between:
        return NONE
    is_close = Timeline.join(case.agent.visits).meets(it.start - REST, it.end + REST)
    return [Reason(ReasonCode.TWO_IN_A_ROW)] if is_close else NONE


def _within_limits(case: _Case, it: _Try) -> Objections:
    hours, limits = case.agent.hours, case.agent.limits
    days = [_local_date(visit.start, hours.zone_at(visit.start)) for visit in case.agent.visits]
    return list(_reached(limits, AGENT_CODES, days, it.wall.date()))


def _visitors_free(case: _Case, it: _Try) -> Objections:
    is_taken = any(Timeline.join(visitor.busy).meets(it.start, it.end) for visitor in case.visitors)
    return [Reason(ReasonCode.VISITOR_BUSY)] if is_taken else NONE


def _within_visitors_limits(case: _Case, it: _Try) -> Objections:
    found: dict[ReasonCode, Reason] = {}
    for visitor in case.visitors:
        days = [_local_date(start, visitor.timezone) for start in visitor.visits]
        day = _local_date(it.start, visitor.timezone)
        for reason in _reached(visitor.limits, VISITOR_CODES, days, day):
            found.setdefault(reason.code, reason)
    return list(found.values())


Check = Callable[[_Case, _Try], Objections]

JOINING: tuple[Check, ...] = (
    _in_time,
    _within_horizon,
    _taking_visits,
    _visitors_free,
    _within_visitors_limits,
)
"""What is asked where the hour takes place anyway and a seat in it is free."""

CHECKS: tuple[Check, ...] = (
    _on_grid,
    _first_time_round,
    _in_time,
    _within_horizon,
    _taking_visits,
    _within_hours,
    _line_not_quiet,
    _not_declined,
    _agent_free,
    _rested,
    _visitors_free,
    _within_limits,
    _within_visitors_limits,
)


GUIDING: tuple[Check, ...] = (
    _taking_visits,
    _within_hours,
    _line_not_quiet,
    _not_declined,
    _agent_free,
    _rested,
    _within_limits,
)
"""What is asked of a mentor: the grid of starts is the agent's, notice and horizon are the visitor's."""


def explain(
    rules: BookingRules,
    agent: AgentFacts,
    *,
    visitors: Sequence[VisitorFacts],
    start: datetime,
    now: datetime,
    mentors: Sequence[AgentFacts] | None = None,
) -> list[Reason]:
    """Return every reason why this agent is not offered at `start`; an empty list means the slot is offered.

    `mentors` are those of whom one has to be free as well, None where the programme needs none.

    `start` and `now` are aware instants (ValueError otherwise). Of in-the-past and too-soon only the first is
    named where both hold; so of what closes a day. Before 1970 and after 2200 only the clock is asked,
    because date arithmetic comes to its end.
    """
    if start.tzinfo is None or now.tzinfo is None:
        raise ValueError("A start and now are aware instants.")
    now = now.astimezone(UTC)
    if not FIRST_YEAR <= start.year <= LAST_YEAR:
        until = now + timedelta(days=rules.horizon_days)
        far = Reason(ReasonCode.BEYOND_HORIZON, {"until": until})
        return [Reason(ReasonCode.IN_THE_PAST) if start < now else far]
    start = start.astimezone(UTC)
    end = start + rules.length
    case = _Case(rules, agent, visitors, now, Span(start, end))
    attempt = _Try(start, end, start.astimezone(ZoneInfo(agent.hours.zone_at(start))))
    checks = JOINING if start in agent.joinable else CHECKS
    found = [reason for check in checks for reason in check(case, attempt)]
    if mentors is not None and checks is CHECKS:
        found += _guided(rules, [each for each in mentors if each.agent != agent.agent], start)
    return found


def guides_at(rules: BookingRules, mentor: AgentFacts, start: datetime) -> list[Reason]:
    """Return every reason why this mentor cannot guide a visit at `start`, in words about an agent."""
    start = start.astimezone(UTC)
    end = start + rules.length
    case = _Case(rules, mentor, (), start, Span(start, end))
    attempt = _Try(start, end, start.astimezone(ZoneInfo(mentor.hours.zone_at(start))))
    return [reason for check in GUIDING for reason in check(case, attempt)]


def _guided(rules: BookingRules, mentors: Iterable[AgentFacts], start: datetime) -> Objections:
    """Why none of these mentors can: other visits alone, or nobody works then."""
    is_taken = False
    for mentor in mentors:
        reasons = guides_at(rules, mentor, start)
        if not reasons:
            return NONE
        is_taken = is_taken or all(reason.code in DYNAMIC_REASONS for reason in reasons)
    return [Reason(ReasonCode.MENTORS_TAKEN if is_taken else ReasonCode.NO_MENTOR)]


Period = Callable[[date], date]


def _same_day(day: date) -> date:
    return day


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _first_of_month(day: date) -> date:
    return day.replace(day=1)


PERIODS: tuple[Period, Period, Period] = (_same_day, _monday, _first_of_month)
AGENT_CODES = (ReasonCode.LIMIT_PER_DAY, ReasonCode.LIMIT_PER_WEEK, ReasonCode.LIMIT_PER_MONTH)
VISITOR_CODES = (
    ReasonCode.VISITOR_LIMIT_PER_DAY,
    ReasonCode.VISITOR_LIMIT_PER_WEEK,
    ReasonCode.VISITOR_LIMIT_PER_MONTH,
)


def _local_date(instant: datetime, zone: str) -> date:
    return instant.astimezone(ZoneInfo(zone)).date()


def _reached(
    limits: Limits, codes: Sequence[ReasonCode], days: Iterable[date], day: date
) -> Iterator[Reason]:
    days = list(days)
    for code, period, limit in zip(
        codes, PERIODS, (limits.per_day, limits.per_week, limits.per_month), strict=True
    ):
        count = sum(period(each) == period(day) for each in days)
        if limit is not None and count >= limit:
            yield Reason(code, {"count": count, "limit": limit})
