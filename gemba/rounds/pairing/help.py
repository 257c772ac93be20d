"""What alone would have given somebody a visit: free hours on a weekday, or another wish."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from gemba.rounds.pairing.grid import Grid, bits_of
from gemba.rounds.pairing.values import TICK_SECONDS, Help, Helps, Person

LIFTED: Mapping[Helps, Mapping[str, Any]] = {
    Helps.LANGUAGE: {"languages": ()},
    Helps.PRODUCT: {"insists": False},
    Helps.LINE: {"line": None},
    Helps.REFUSES: {"refuses": frozenset()},
}
"""The rules that bind an agent and a person whatever the time: the wish without each."""


def without(person: Person) -> Iterator[tuple[Helps, Person]]:
    """The person without each wish they have that binds."""
    binding = {
        Helps.LANGUAGE: person.languages,
        Helps.PRODUCT: person.insists and person.products,
        Helps.LINE: person.line is not None,
        Helps.REFUSES: person.refuses,
    }
    for kind, wish in LIFTED.items():
        if binding[kind]:
            yield kind, replace(person, **wish)


def hours(grid: Grid, zone: str, starts: int) -> Help | None:
    """The weekday and time of day at which most of these starts (bits) lie; None where there are none."""
    if not starts:
        return None
    weekday = max(range(7), key=lambda day: ((_weekdays(grid, zone)[day] & starts).bit_count(), -day))
    where = ZoneInfo(zone)
    times = Counter(
        at.hour * 60 + at.minute
        for bit in bits_of(_weekdays(grid, zone)[weekday] & starts)
        for at in [datetime.fromtimestamp((grid.first + bit) * TICK_SECONDS, where)]
    )
    return Help(Helps.HOURS, (weekday, min(times, key=lambda minute: (-times[minute], minute))), zone)


@lru_cache(maxsize=64)
def _weekdays(grid: Grid, zone: str) -> tuple[int, ...]:
    """By weekday, the ticks (bits) that begin on it in a zone."""
    found = [0] * 7
    for day, mask in grid.days(zone):
        found[day.weekday()] |= mask
    return tuple(found)
