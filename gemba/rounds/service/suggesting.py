"""Which of many free starts are put before somebody: in the day rather than at night, on several days."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from gemba.rounds.pairing.grid import Grid
from gemba.rounds.pairing.values import TICK_SECONDS
from gemba.rounds.rules import USUAL_WEEK
from gemba.schedule.rules import AgentFacts, BookingRules, start_map
from gemba.schedule.sides import hours_from


def usual_starts(rules: BookingRules, zone: str, grid: Grid) -> int:
    """The starts at which a whole visit lies in the usual working week of a zone, as bits of the grid."""
    any_start = replace(rules, slot_step_minutes=5, slot_offset_minutes=0)
    hours = hours_from(zone, USUAL_WEEK, {}, [], "", [])
    return start_map(any_start, AgentFacts(0, hours), grid.first, grid.count).own


def spread(
    offers: Mapping[int, int], usual: int, grid: Grid, zone: ZoneInfo, most: int
) -> list[tuple[int, int]]:
    """At most so many starts of what agents offer, as (bit, agent): each agent once, and where it is possible
    in usual hours and each on a day of its own."""
    left, days = dict(offers), 0
    found: list[tuple[int, int]] = []

    def rank(agent: int) -> tuple[bool, bool, int, int]:
        bits = next(each for each in (left[agent] & usual & ~days, left[agent] & usual, left[agent]) if each)
        first = bits & -bits
        return not first & usual, bool(first & days), first.bit_length() - 1, agent

    while left and len(found) < most:
        *_ranked, bit, agent = min(map(rank, left))
        del left[agent]
        found.append((bit, agent))
        days |= _day(grid.instant(grid.first + bit), grid, zone)
    return sorted(found)


def _day(instant: datetime, grid: Grid, zone: ZoneInfo) -> int:
    """The bits of the local day in which an instant lies."""
    start = instant.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    edges = (start, start + timedelta(days=1))
    low, high = ((int(edge.timestamp()) // TICK_SECONDS) - grid.first for edge in edges)
    return (1 << max(high, 0)) - (1 << max(low, 0))
