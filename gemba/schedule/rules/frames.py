"""How a zone's clock runs over a stretch of five-minute ticks, worked out once and kept.

A tick is five minutes of UTC, numbered from 1970. A *local tick* is what the clock on the wall shows as if
it had never been changed: tick + UTC offset. Every zone's offset since 1972 is a multiple of five minutes.
Bit i of a map stands for the tick `first + i`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from gemba.schedule.rules.hours import local_day

TICK_SECONDS = 300
DAY_TICKS = 24 * 12
WEEK_TICKS = 7 * DAY_TICKS
EPOCH_DAY = date(1970, 1, 1).toordinal()
MONDAY_TICK = 3 * DAY_TICKS
"""1970 began on a Thursday: added to a local tick, it counts from a Monday."""


def tick_at(instant: datetime) -> int:
    """Return the number of the tick that holds an instant."""
    return int(instant.timestamp() // TICK_SECONDS)


def tick_from(instant: datetime) -> int:
    """Return the number of the first tick that begins at an instant or later."""
    return -int(-instant.timestamp() // TICK_SECONDS)


def instant_of(tick: int) -> datetime:
    """Return when a tick begins."""
    return datetime.fromtimestamp(tick * TICK_SECONDS, UTC)


def run(low: int, high: int) -> int:
    """Return a map with the bits from `low` up to, not including, `high`; none where that is empty."""
    low = max(low, 0)
    return (1 << high - low) - 1 << low if high > low else 0


def ones(bits: int) -> Iterator[int]:
    """Give the numbers of the bits that are set, ascending."""
    digits = bin(bits)[:1:-1]
    at = digits.find("1")
    while at >= 0:
        yield at
        at = digits.find("1", at + 1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Ticks from `low` up to `high` (bits of the map) in which the offset is the same number of ticks."""

    low: int
    high: int
    offset: int


@dataclass(frozen=True, slots=True, eq=False)  # one of each is kept: compared and hashed as objects are
class Frame:
    """A zone over `count` ticks from `first`: stretches of one offset, days that are not 24 hours long.

    `again` has the bits of the wall times that come a second time.
    """

    zone: str
    first: int
    count: int
    stretches: tuple[Stretch, ...]
    odd_days: tuple[date, ...]
    again: int

    def repeat(self, week: int) -> int:
        """Lay a local week (bit 0 is Monday 00:00) on the whole stretch."""
        bits = 0
        for each in self.stretches:
            phase = (self.first + each.low + each.offset + MONDAY_TICK) % WEEK_TICKS
            length = each.high - each.low
            weeks = -(-(phase + length) // WEEK_TICKS)
            done = 1
            while done < weeks:
                week |= week << WEEK_TICKS * done
                done *= 2
            bits |= (week >> phase & (1 << length) - 1) << each.low
        return bits

    def local_run(self, low: int, high: int) -> int:
        """Return the bits whose local tick lies from `low` up to `high`."""
        bits = 0
        for each in self.stretches:
            shift = self.first + each.offset
            bits |= run(max(low - shift, each.low), min(high - shift, each.high))
        return bits

    def day_run(self, day: date) -> tuple[int, int]:
        """Return from which bit up to which a local date lasts; may lie outside of the map."""
        return _day_start(self.zone, day) - self.first, _day_start(self.zone, next_day(day)) - self.first

    def day_at(self, second: int) -> int:
        """Return the local date of a second, both counted from 1970 (the second in UTC)."""
        tick = second // TICK_SECONDS
        bit = tick - self.first
        for each in self.stretches:
            if each.low <= bit < each.high:
                return (tick + each.offset) // DAY_TICKS
        return datetime.fromtimestamp(second, ZoneInfo(self.zone)).toordinal() - EPOCH_DAY

    @lru_cache(maxsize=512)  # noqa: B019 (frames are few and kept anyway)
    def grid(self, step: int, offset: int) -> int:
        """Return the bits whose wall time comes first and is `offset` modulo `step` ticks of its day."""
        per_day = sum(1 << tick for tick in range(offset % step, DAY_TICKS, step))
        return self.repeat(per_day * sum(1 << DAY_TICKS * n for n in range(7))) & ~self.again


def next_day(day: date) -> date:
    """Return the day after."""
    return day + timedelta(days=1)


@lru_cache(maxsize=1024)
def frame_of(zone: str, first: int, count: int) -> Frame:
    """Work out a zone's clock over `count` ticks from `first`."""
    tz = ZoneInfo(zone)
    edges = _changes(tz, first * TICK_SECONDS, (first + count) * TICK_SECONDS)
    stretches, again = [], 0
    for (start, offset), (end, _) in pairwise([*edges, ((first + count) * TICK_SECONDS, 0)]):
        low, high = _bit_from(start, first), _bit_from(end, first)
        if low < high:
            stretches.append(Stretch(low, high, offset // TICK_SECONDS))
    # One from before the stretch may still repeat its hour within it.
    for change, gone in _steps_back(tz, first * TICK_SECONDS, edges):
        again |= run(_bit_from(change, first), min(_bit_from(change + gone, first), count))
    low_day = instant_of(first).astimezone(tz).date() - timedelta(days=1)
    days = [low_day + timedelta(days=n) for n in range(count // DAY_TICKS + 4)]
    odd = tuple(day for day in days if not local_day(zone, day).even)
    return Frame(zone, first, count, tuple(stretches), odd, again)


@lru_cache(maxsize=65536)
def _day_start(zone: str, day: date) -> int:
    return tick_from(local_day(zone, day).first)


def _changes(tz: ZoneInfo, start: int, end: int) -> list[tuple[int, int]]:
    """Return (second, offset in seconds) at the start and at each change of offset before the end."""
    found = [(start, _offset(tz, start))]
    for hour in range(start, end, 3600):
        upto = min(hour + 3600, end)
        if _offset(tz, upto) != found[-1][1]:
            low, high = hour, upto
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _offset(tz, middle) == found[-1][1] else (low, middle)
            if high < end:
                found.append((high, _offset(tz, high)))
    return found


def _steps_back(tz: ZoneInfo, start: int, edges: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Give each change that repeats wall time: when, and how many seconds come twice."""
    before = _changes(tz, start - 86400, start)
    known = [*before, *(edge for edge in edges if edge[0] > start or edge[1] != before[-1][1])]
    for (_, old), (change, new) in pairwise(known):
        if new < old:
            yield change, old - new


def _bit_from(second: int, first: int) -> int:
    return -(-second // TICK_SECONDS) - first


def _offset(tz: ZoneInfo, second: int) -> int:
    offset = datetime.fromtimestamp(second, tz).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0
