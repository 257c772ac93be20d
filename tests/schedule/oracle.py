"""The slow truth: walk the UTC minutes one by one, look at the clock on the wall, ask everything anew.

Shares no code with `gemba.schedule.rules` but its value types. All instants are whole UTC minutes.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from gemba.schedule.rules import AgentFacts, BookingRules, Hours, Span

MINUTE = timedelta(minutes=1)


class Walk:
    """What the clock of a zone shows at each UTC minute of [first, last).

    `peak` is the latest time shown so far, `again` says that this very time was shown before.
    """

    def __init__(self, zone: str, first: datetime, last: datetime) -> None:
        self.first = first
        self.wall: list[datetime] = []
        self.peak: list[datetime] = []
        self.again: list[bool] = []
        tz, instant, seen, peak = ZoneInfo(zone), first, set[datetime](), datetime.min
        while instant < last:
            shown = instant.astimezone(tz).replace(tzinfo=None, fold=0)
            peak = max(peak, shown)
            self.wall.append(shown)
            self.peak.append(peak)
            self.again.append(shown in seen)
            seen.add(shown)
            instant += MINUTE

    def index(self, instant: datetime) -> int:
        """Return the number of a minute in the walk."""
        index = (instant - self.first) // MINUTE
        assert 0 <= index < len(self.wall)
        return index

    def open_minutes(self, hours: Hours) -> set[int]:
        """Return the numbers of the open minutes: an interval has been reached and its end has not."""
        return {index for index, peak in enumerate(self.peak) if is_within(hours, peak)}


@cache
def walk_around(zone: str, day: date) -> Walk:
    """Walk from three days before to five days after a date."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return Walk(zone, noon - timedelta(days=3), noon + timedelta(days=5))


def is_within(hours: Hours, shown: datetime) -> bool:
    """Say whether the hours hold what the clock shows."""
    day, minute = shown.date(), shown.hour * 60 + shown.minute
    intervals = hours.overrides[day] if day in hours.overrides else hours.weekly.get(day.weekday(), ())
    return any(each.start <= minute < each.end for each in intervals)


def overlaps(spans: Sequence[Span], start: datetime, end: datetime) -> bool:
    """Say whether any span has an instant in common with [start, end)."""
    return any(max(span.start, start) < min(span.end, end) for span in spans)


class Oracle:
    """Answers for one agent, on one walk."""

    def __init__(
        self,
        walk: Walk,
        rules: BookingRules,
        agent: AgentFacts,
        visitor_busy: Sequence[Span],
        now: datetime,
    ) -> None:
        self.walk, self.rules, self.agent, self.visitor_busy, self.now = walk, rules, agent, visitor_busy, now
        self.open = walk.open_minutes(agent.hours)
        self.length = timedelta(minutes=rules.duration_minutes)

    def is_on_grid(self, start: datetime) -> bool:
        """Say whether the agent's clock shows a time of the grid."""
        shown = self.walk.wall[self.walk.index(start)]
        rules = self.rules
        return (shown.hour * 60 + shown.minute) % rules.slot_step_minutes == (
            rules.slot_offset_minutes % rules.slot_step_minutes
        )

    def codes(self, start: datetime) -> list[str]:
        """Return the code of every rule that stands against a start, sorted."""
        index = self.walk.index(start)
        day = self.walk.wall[index].date()
        found = [] if self.is_on_grid(start) else ["not-on-grid"]
        if self.walk.again[index]:
            found.append("repeated-hour")
        if not all(minute in self.open for minute in range(index, index + self.rules.duration_minutes)):
            found.append("day-off" if self.agent.hours.overrides.get(day) == () else "outside-hours")
        return sorted(found + self.clock_codes(start) + self.people_codes(start) + self.limit_codes(day))

    def clock_codes(self, start: datetime) -> list[str]:
        """Return what stands against a start because of `now`."""
        found = []
        if start < self.now:
            found.append("in-the-past")
        elif start < self.now + timedelta(minutes=self.rules.min_notice_minutes):
            found.append("too-soon")
        if not start < self.now + timedelta(hours=24 * self.rules.horizon_days):
            found.append("beyond-horizon")
        return found

    def people_codes(self, start: datetime) -> list[str]:
        """Return what stands against a start because somebody is taken."""
        agent = self.agent
        before, after = timedelta(minutes=agent.buffer_before), timedelta(minutes=agent.buffer_after)
        found = ["not-now"] if agent.paused else []
        if overlaps(agent.busy, start - before, start + self.length + after):
            found.append("agent-busy")
        if overlaps(self.visitor_busy, start, start + self.length):
            found.append("visitor-busy")
        return found

    def limit_codes(self, day: date) -> list[str]:
        """Return the limits reached on a local date."""
        zone, limits, found = ZoneInfo(self.agent.hours.timezone), self.agent.limits, []
        days = [visit.astimezone(zone).date() for visit in self.agent.visits]
        if limits.per_day is not None and sum(each == day for each in days) >= limits.per_day:
            found.append("limit-per-day")
        in_week = sum(each.isocalendar()[:2] == day.isocalendar()[:2] for each in days)
        if limits.per_week is not None and in_week >= limits.per_week:
            found.append("limit-per-week")
        in_month = sum((each.year, each.month) == (day.year, day.month) for each in days)
        if limits.per_month is not None and in_month >= limits.per_month:
            found.append("limit-per-month")
        return found

    def starts(self, window: Span) -> list[datetime]:
        """Return every offered start within the window."""
        count = (window.end - window.start) // MINUTE
        minutes = [window.start + MINUTE * number for number in range(count)]
        return [each for each in minutes if self.is_on_grid(each) and not self.codes(each)]
