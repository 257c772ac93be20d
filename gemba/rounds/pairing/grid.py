"""Ticks of a round and the local days, weeks and months they belong to."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from gemba.rounds.pairing.values import TICK_SECONDS

MANY = 6


@dataclass(frozen=True, slots=True)
class Grid:
    """`count` ticks from tick `first` on."""

    first: int
    count: int

    @property
    def every(self) -> int:
        """The bits of all ticks."""
        return (1 << self.count) - 1

    def instant(self, tick: int) -> datetime:
        """When a tick begins, in UTC."""
        return datetime.fromtimestamp(tick * TICK_SECONDS, UTC)

    def days(self, zone: str) -> tuple[tuple[date, int], ...]:
        """The local dates of a zone, each with the bits of the ticks that begin on it, ascending."""
        return _days(self.first, self.count, zone)


@lru_cache(maxsize=1024)
def _days(first: int, count: int, zone: str) -> tuple[tuple[date, int], ...]:
    where, end = ZoneInfo(zone), first + count
    tick, found = first, []
    while tick < end:
        day = datetime.fromtimestamp(tick * TICK_SECONDS, where).date()
        following = min(_first_of(day + timedelta(days=1), where), end)
        found.append((day, (1 << following - first) - (1 << tick - first)))
        tick = following
    return tuple(found)


def _first_of(day: date, where: ZoneInfo) -> int:
    """The first tick that begins on a local date or later; a midnight that does not exist moves on."""
    guess = int(datetime(day.year, day.month, day.day, tzinfo=where).timestamp()) // TICK_SECONDS
    tick = guess - 24
    while datetime.fromtimestamp(tick * TICK_SECONDS, where).date() < day:
        tick += 1
    return tick


def bits_of(bits: int) -> list[int]:
    """The numbers of the bits that are set, ascending."""
    found = []
    if bits.bit_count() > MANY:  # to look for the next one in a text costs less than to take the lowest away
        digits = bin(bits)[:1:-1]
        at = digits.find("1")
        while at >= 0:
            found.append(at)
            at = digits.find("1", at + 1)
        return found
    while bits:
        low = bits & -bits
        found.append(low.bit_length() - 1)
        bits ^= low
    return found


def lowest(bits: int) -> int:
    """The number of the lowest bit that is set."""
    return (bits & -bits).bit_length() - 1
