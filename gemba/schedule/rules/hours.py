"""Wall-clock hours laid on the UTC line.

Hours are wall time in an IANA zone because they recur; everything else here is an aware UTC instant. Ranges
are half-open everywhere.

How a wall time becomes an instant: it is *reached* at the first instant whose wall time is the same or later.
So a wall time that the clocks skip is reached when they jump, and of a wall time that comes twice the first
counts. An interval is open from the instant its start is reached until the instant its end is reached. When
the clocks go back from 03:00 to 02:00, the interval 02:00-03:00 is thus two hours long and 03:00-04:00
follows it without a hole; when they go forward from 02:00 to 03:00, 02:00-03:00 is empty and 01:00-02:00
joins 03:00-04:00.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from gemba.schedule.rules.holidays import public_holidays

DAY_MINUTES = 24 * 60
ONE_DAY = timedelta(days=1)
FIRST_INSTANT, LAST_INSTANT = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
NOT_PLACES = frozenset({"Factory", "localtime"})  # what some systems keep beside the zones: no agreed meaning


@dataclass(frozen=True, slots=True)
class Span:
    """From an aware UTC instant up to, not including, another. Raises ValueError for anything else."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        # The quick look first, for there are many spans.
        if not (self.start.tzinfo is UTC is self.end.tzinfo) and (
            self.start.utcoffset() != timedelta(0) or self.end.utcoffset() != timedelta(0)
        ):
            raise ValueError("A span is made of aware UTC instants.")
        if self.end < self.start:
            raise ValueError("A span ends no earlier than it starts.")


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """Minutes after local midnight, 0 <= start < end <= 1440, half-open. Raises ValueError for others."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end <= DAY_MINUTES:
            raise ValueError("An interval lies within one day and ends after it starts.")


@dataclass(frozen=True, slots=True)
class Hours:
    """An agent's open hours: wall time in `timezone`, by weekday (0 = Monday).

    An override replaces the whole day of its date; an empty one is a day off. Where none does, a day within
    `time_off` (first and last date, both included) and a public holiday of `holidays` (a country of
    `public_holidays`) are closed. `zone_changes` are dates, ascending, from whose local midnight on the same
    wall times are meant in another zone.
    """

    timezone: str
    weekly: Mapping[int, tuple[Interval, ...]] = field(default_factory=dict, hash=False)
    overrides: Mapping[date, tuple[Interval, ...]] = field(default_factory=dict, hash=False)
    time_off: tuple[tuple[date, date], ...] = ()
    holidays: str = ""
    zone_changes: tuple[tuple[date, str], ...] = ()
    week: int = field(default=0, init=False, repr=False, compare=False)
    """The weekly hours as bits of five minutes; bit 0 is Monday 00:00."""

    def __post_init__(self) -> None:
        bits = 0
        for weekday, intervals in self.weekly.items():
            for each in intervals:
                bits |= (1 << weekday * 288 + each.end // 5) - (1 << weekday * 288 + each.start // 5)
        object.__setattr__(self, "week", bits)

    def on(self, day: date) -> tuple[Interval, ...]:
        """Return the intervals of one local date."""
        override = self.overrides.get(day)
        if override is not None:
            return override
        return () if self.is_time_off(day) or self.is_holiday(day) else self.weekly.get(day.weekday(), ())

    def is_time_off(self, day: date) -> bool:
        """Say whether a local date lies in one of the times off."""
        return any(first <= day <= last for first, last in self.time_off)

    def is_holiday(self, day: date) -> bool:
        """Say whether a local date is a public holiday where the agent lives."""
        return bool(self.holidays) and day in public_holidays(self.holidays, day.year)

    def zones(self) -> Iterator[tuple[datetime, str]]:
        """Give each zone with the instant it begins, in order; the first begins with time itself."""
        begins = FIRST_INSTANT
        yield begins, self.timezone
        for day, zone in self.zone_changes:
            begins = max(begins, local_day(zone, day).first)
            yield begins, zone

    def zone_at(self, instant: datetime) -> str:
        """Return the zone whose clock counts at an instant."""
        if not self.zone_changes:
            return self.timezone
        return next(zone for begins, zone in reversed(list(self.zones())) if begins <= instant)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Spans sorted and joined where they touch or overlap, so that a question costs one bisection."""

    starts: tuple[datetime, ...]
    ends: tuple[datetime, ...]

    @classmethod
    def join(cls, spans: Iterable[Span]) -> "Timeline":
        """Build one from spans in any order; empty ones vanish."""
        starts: list[datetime] = []
        ends: list[datetime] = []
        for start, end in sorted((span.start, span.end) for span in spans if span.start < span.end):
            if ends and start <= ends[-1]:
                ends[-1] = max(ends[-1], end)
            else:
                starts.append(start)
                ends.append(end)
        return cls(tuple(starts), tuple(ends))

    def __iter__(self) -> Iterator[Span]:
        """Give the joined spans in order."""
        return map(Span, self.starts, self.ends)

    def covers(self, start: datetime, end: datetime) -> bool:
        """Say whether [start, end) lies wholly inside one joined span."""
        index = bisect_right(self.starts, start) - 1
        return index >= 0 and end <= self.ends[index]

    def meets(self, start: datetime, end: datetime) -> bool:
        """Say whether [start, end) overlaps any span."""
        index = bisect_left(self.starts, end) - 1
        return index >= 0 and start < self.ends[index]


@dataclass(frozen=True, slots=True)
class LocalDay:
    """One calendar date of a zone on the UTC line, made by `local_day`."""

    zone: ZoneInfo
    midnight: datetime  # naive wall time
    first: datetime  # the instant midnight is reached
    even: bool  # 24 hours long: no clock was changed, so minutes can simply be added

    def reach(self, minute: int) -> datetime:
        """Return the first instant whose wall time is this minute of the day (0 to 1440) or later."""
        if self.even:
            return self.first + timedelta(minutes=minute)
        return first_instant(self.midnight + timedelta(minutes=minute), self.zone)


def wall_time(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return what the clock on the wall shows, naive."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def first_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the first UTC instant whose wall time in `zone` is `wall` (naive) or later."""
    instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if wall_time(instant, zone) == wall:
        return instant
    # The clocks skip this wall time. PEP 495: fold=0 gives an instant after the jump, fold=1 one before it.
    low = int(wall.replace(tzinfo=zone, fold=1).timestamp())
    high = int(instant.timestamp())

    def shown(second: int) -> datetime:
        return wall_time(datetime.fromtimestamp(second, UTC), zone)

    return datetime.fromtimestamp(low + bisect_left(range(low, high), wall, key=shown), UTC)


@lru_cache(maxsize=8192)
def local_day(timezone: str, day: date) -> LocalDay:
    """Return one date of a zone. Kept, because asking the zone for every minute is what makes slots slow."""
    zone = ZoneInfo(timezone)
    midnight = datetime.combine(day, time())
    first = first_instant(midnight, zone)
    even = first_instant(midnight + ONE_DAY, zone) - first == ONE_DAY
    return LocalDay(zone, midnight, first, even)


def local_dates(timezone: str, window: Span) -> list[date]:
    """Return every local date that can touch the window, with a day to spare on both sides."""
    zone = ZoneInfo(timezone)
    first = wall_time(window.start, zone).date() - ONE_DAY
    last = wall_time(window.end, zone).date() + ONE_DAY
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def open_times(hours: Hours, window: Span) -> Timeline:
    """Return the open time of all local dates that can touch the window, joined (also across midnight)."""
    spans: list[Span] = []
    for zone, part in zones_within(hours, window):
        for day in local_dates(zone, part):
            local = local_day(zone, day)
            for each in hours.on(day):
                start, end = local.reach(each.start), local.reach(each.end)
                if hours.zone_changes:
                    start, end = max(start, part.start), min(end, part.end)
                spans += [Span(start, end)] if start < end else []
    return Timeline.join(spans)


def zones_within(hours: Hours, window: Span) -> list[tuple[str, Span]]:
    """Return the zones whose clock counts within the window, each with its part of it."""
    if not hours.zone_changes:
        return [(hours.timezone, window)]
    begins = [*hours.zones(), (LAST_INSTANT, "")]
    parts = (
        (zone, max(start, window.start), min(end, window.end)) for (start, zone), (end, _) in pairwise(begins)
    )
    return [(zone, Span(start, end)) for zone, start, end in parts if start < end]


def open_minutes(hours: Hours, *, now: datetime, weeks: int = 4) -> int:
    """Return how many real minutes these hours open in the coming weeks, counted from `now`."""
    window = Span(now, now + timedelta(weeks=weeks))
    parts = (
        min(span.end, window.end) - max(span.start, window.start)
        for span in open_times(hours, window)
        if span.start < window.end and window.start < span.end
    )
    return sum(parts, timedelta()) // timedelta(minutes=1)


@lru_cache(maxsize=1)
def known_zones() -> frozenset[str]:
    """Return the names of the IANA time zones that can be chosen."""
    return frozenset(available_timezones() - NOT_PLACES)
