"""The life of a visit: what may follow what, which ticks it takes, who takes it."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from gemba.schedule.rules import Span

TICK = timedelta(minutes=5)
TICK_SECONDS = 300
REASON_MAX = 500
OUTCOME_ASKED_AFTER = timedelta(minutes=15)


class Status(StrEnum):
    """Where a visit stands. Only `booked` visits and those that took place occupy time."""

    BOOKED = "booked"
    HELD = "held"
    NOT_HELD = "not_held"
    CANCELLED = "cancelled"


COUNTED = (Status.BOOKED, Status.HELD)
"""The visits that count towards an agent's limits."""


class TookPlace(StrEnum):
    """What one side says afterwards."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


def ticks(start: datetime, end: datetime) -> range:
    """The numbers of the five-minute ticks that [start, end) touches, counted from 1970 in UTC."""
    first = int(start.timestamp()) // TICK_SECONDS
    last = -(-int(end.timestamp()) // TICK_SECONDS)
    return range(first, last)


def spans_of(numbers: Iterable[int]) -> tuple[Span, ...]:
    """Ascending tick numbers joined into spans."""
    run: list[int] = sorted(set(numbers))
    if not run:
        return ()
    breaks = [i + 1 for i, (one, two) in enumerate(pairwise(run)) if two != one + 1]
    edges = [0, *breaks, len(run)]
    return tuple(Span(_instant(run[low]), _instant(run[high - 1] + 1)) for low, high in pairwise(edges))


def _instant(tick: int) -> datetime:
    return datetime.fromtimestamp(tick * TICK_SECONDS, UTC)


@dataclass(frozen=True)
class Candidate:
    """An agent who is free at the asked hour, with what speaks for and against taking them."""

    agent: int
    met: bool
    recent: int
    """Visits in the last 90 days and those to come."""


def choose(candidates: Sequence[Candidate], start: datetime) -> Candidate:
    """Who takes an "any agent" visit: one the visitor has not met, then whose turn it is.

    Ties are broken by a hash of hour and agent, so that the choice can be repeated and favours nobody.
    """

    def key(candidate: Candidate) -> tuple[bool, int, str]:
        seed = f"{start.isoformat()}:{candidate.agent}".encode()
        return candidate.met, candidate.recent, hashlib.sha256(seed).hexdigest()

    return min(candidates, key=key)


def status_after(answers: Iterable[TookPlace]) -> Status:
    """Where the visit stands after what the sides said: held or not only where nobody contradicts."""
    given = set(answers)
    if TookPlace.YES in given and TookPlace.NO not in given:
        return Status.HELD
    if TookPlace.NO in given and TookPlace.YES not in given:
        return Status.NOT_HELD
    return Status.BOOKED


def nearest(starts: Iterable[datetime], wanted: datetime, count: int = 3) -> list[datetime]:
    """The starts closest to the wanted one, in order of time."""
    return sorted(sorted(starts, key=lambda start: (abs(start - wanted), start))[:count])
