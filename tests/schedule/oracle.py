"""The slow truth: walk the UTC minutes one by one, look at the clock on the wall, ask everything anew.

Shares no code with `gemba.schedule.rules` but its value types. All instants are whole UTC minutes.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from holidays import country_holidays

from gemba.schedule.rules import AgentFacts, BookingRules, Hours, Limits, Span, VisitorFacts

MINUTE = timedelta(minutes=1)


class Walk:
    """What the clock on the wall shows at each UTC minute of [first, last), where the zone may change.

    `zones` are (UTC instant, zone) in order, the first at or before `first`. `peak` is the latest time shown
    so far in the zone in force, `again` says that this very time was shown before in it.
    """

    def __init__(self, zones: Sequence[tuple[datetime, str]], first: datetime, last: datetime) -> None:
        self.first = first
        self.wall: list[datetime] = []
        self.peak: list[datetime] = []
        self.again: list[bool] = []
        for begins, zone, ends in _parts(zones, first, last):
            shown = zone_walk(zone, first, last)
            for number in range((begins - first) // MINUTE, (ends - first) // MINUTE):
                self.wall.append(shown.wall[number])
                self.peak.append(shown.peak[number])
                self.again.append(shown.again[number])

    def index(self, instant: datetime) -> int:
        """Return the number of a minute in the walk."""
        index = (instant - self.first) // MINUTE
        assert 0 <= index < len(self.wall)
        return index

    def open_minutes(self, hours: Hours) -> set[int]:
        """Return the numbers of the open minutes: an interval has been reached and its end has not."""
        return {index for index, peak in enumerate(self.peak) if is_within(hours, peak)}


class ZoneWalk:
    """The same for one zone, which everything else is cut from."""

    def __init__(self, zone: str, first: datetime, last: datetime) -> None:
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


@lru_cache(maxsize=64)
def zone_walk(zone: str, first: datetime, last: datetime) -> ZoneWalk:
    """One zone's walk, kept: it takes a while."""
    return ZoneWalk(zone, first, last)


def _parts(
    zones: Sequence[tuple[datetime, str]], first: datetime, last: datetime
) -> list[tuple[datetime, str, datetime]]:
    ends = [begins for begins, _ in zones[1:]] + [last]
    cut = [
        (max(begins, first), zone, min(end, last)) for (begins, zone), end in zip(zones, ends, strict=True)
    ]
    return [(begins, zone, end) for begins, zone, end in cut if begins < end]


def walk_around(hours: Hours, day: date) -> Walk:
    """Walk from three days before to five days after a date."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    first, last = noon - timedelta(days=3), noon + timedelta(days=5)
    zones = [(first, hours.timezone)]
    for change, zone in hours.zone_changes:
        shown = zone_walk(zone, first, last)
        reached = (n for n, peak in enumerate(shown.peak) if peak.date() >= change)
        zones.append((first + MINUTE * next(reached), zone))
    return Walk(zones, first, last)


def is_closed(hours: Hours, day: date) -> bool:
    """Say whether a day without hours of its own is one of rest."""
    if any(first <= day <= last for first, last in hours.time_off):
        return True
    return bool(hours.holidays) and day in holidays_of(hours.holidays, day.year)


@lru_cache
def holidays_of(country: str, year: int) -> frozenset[date]:
    """Public holidays, straight from the library."""
    return frozenset(country_holidays(country, years=year))


def is_within(hours: Hours, shown: datetime) -> bool:
    """Say whether the hours hold what the clock shows."""
    day, minute = shown.date(), shown.hour * 60 + shown.minute
    if day in hours.overrides:
        intervals = hours.overrides[day]
    else:
        intervals = () if is_closed(hours, day) else hours.weekly.get(day.weekday(), ())
    return any(each.start <= minute < each.end for each in intervals)


def overlaps(spans: Sequence[Span], start: datetime, end: datetime) -> bool:
    """Say whether any span has an instant in common with [start, end)."""
    return any(max(span.start, start) < min(span.end, end) for span in spans)


class Oracle:
    """Answers for one agent, on one walk; `quiet` are the numbers of the quiet minutes in it."""

    def __init__(
        self,
        walk: Walk,
        rules: BookingRules,
        agent: AgentFacts,
        visitors: Sequence[VisitorFacts],
        now: datetime,
        quiet: set[int],
    ) -> None:
        self.walk, self.rules, self.agent, self.visitors, self.now = walk, rules, agent, visitors, now
        self.open, self.quiet = walk.open_minutes(agent.hours), quiet
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
        found = self.clock_codes(start) + self.visitor_codes(start)
        found += ["not-now"] if self.agent.paused else []
        if start in self.agent.joinable:
            return sorted(found)
        found += [] if self.is_on_grid(start) else ["not-on-grid"]
        found += ["repeated-hour"] if self.walk.again[index] else []
        minutes = range(index, index + self.rules.duration_minutes)
        if not all(minute in self.open for minute in minutes):
            found.append(self.closed_code(day))
        if any(minute in self.quiet for minute in minutes):
            found.append("quiet-hours")
        return sorted(found + self.agent_codes(start) + self.limit_codes(day))

    def closed_code(self, day: date) -> str:
        """Return how a day without enough hours is called."""
        hours = self.agent.hours
        if day in hours.overrides:
            return "outside-hours" if hours.overrides[day] else "day-off"
        if any(first <= day <= last for first, last in hours.time_off):
            return "time-off"
        return "holiday" if is_closed(hours, day) else "outside-hours"

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

    def visitor_codes(self, start: datetime) -> list[str]:
        """Return what stands against a start because of those who would come."""
        found = set()
        for visitor in self.visitors:
            if overlaps(visitor.busy, start, start + self.length):
                found.add("visitor-busy")
            tz = ZoneInfo(visitor.timezone)
            days = [each.astimezone(tz).date() for each in visitor.visits]
            codes = reached(visitor.limits, days, start.astimezone(tz).date())
            found |= {f"visitor-{code}" for code in codes}
        return sorted(found)

    def agent_codes(self, start: datetime) -> list[str]:
        """Return what stands against a start because the agent is taken."""
        agent = self.agent
        before, after = timedelta(minutes=agent.buffer_before), timedelta(minutes=agent.buffer_after)
        found = []
        if overlaps(agent.busy, start - before, start + self.length + after):
            found.append("agent-busy")
        if overlaps(agent.calendar, start - before, start + self.length + after):
            found.append("calendar-busy")
        if any(
            first < (start + self.length).timestamp() and start.timestamp() < last
            for first, last in agent.declined
        ):
            found.append("declined")
        hour = timedelta(hours=1)
        if agent.rest_between and overlaps(agent.visits, start - hour, start + self.length + hour):
            found.append("two-in-a-row")
        return found

    def limit_codes(self, day: date) -> list[str]:
        """Return the limits reached on a local date."""
        hours = self.agent.hours
        starts = [(visit.start, _zone_then(hours, visit.start)) for visit in self.agent.visits]
        days = [start.astimezone(ZoneInfo(zone)).date() for start, zone in starts]
        return reached(self.agent.limits, days, day)

    def starts(self, window: Span) -> list[datetime]:
        """Return every offered start within the window."""
        count = (window.end - window.start) // MINUTE
        minutes = [window.start + MINUTE * number for number in range(count)]
        likely = [each for each in minutes if each in self.agent.joinable or self.is_on_grid(each)]
        return [each for each in likely if not self.codes(each)]


def _zone_then(hours: Hours, instant: datetime) -> str:
    """The zone in force: the last one whose calendar has shown its date, looked at by the minute."""
    zone = hours.timezone
    for change, other in hours.zone_changes:
        tz = ZoneInfo(other)
        lately = (instant - MINUTE * n for n in range(180))
        if any(each.astimezone(tz).date() >= change for each in lately):
            zone = other
    return zone


def reached(limits: Limits, days: Sequence[date], day: date) -> list[str]:
    """Return the limits reached on a local date."""
    found = []
    if limits.per_day is not None and sum(each == day for each in days) >= limits.per_day:
        found.append("limit-per-day")
    in_week = sum(each.isocalendar()[:2] == day.isocalendar()[:2] for each in days)
    if limits.per_week is not None and in_week >= limits.per_week:
        found.append("limit-per-week")
    in_month = sum((each.year, each.month) == (day.year, day.month) for each in days)
    if limits.per_month is not None and in_month >= limits.per_month:
        found.append("limit-per-month")
    return found
