"""The life of a visit: what may follow what, which ticks it takes, who takes it."""

import hashlib
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

TICK = timedelta(minutes=5)
TICK_SECONDS = 300
ONE_DAY = timedelta(days=1)
EPSILON = 1e-9
REASON_MAX = 500
NOTE_MAX = 500
LINK_MAX = 500
DEBRIEF_MAX = 2000
OUTCOME_ASKED_AFTER = timedelta(minutes=15)


class Status(StrEnum):
    """Where a visit stands.

    A request waits for a lead's yes, an offer for someone on the waitlist; both hold the hour, or a seat in a
    visit that there is, until they expire. A seat that was taken is `joined` to that visit. What was
    declined, lapsed, cancelled or joined takes nobody's time.
    """

    REQUESTED = "requested"
    OFFERED = "offered"
    BOOKED = "booked"
    HELD = "held"
    NOT_HELD = "not_held"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    LAPSED = "lapsed"
    JOINED = "joined"


COUNTED = (Status.REQUESTED, Status.OFFERED, Status.BOOKED, Status.HELD)
"""The visits that count towards people's limits."""

FREE = (Status.CANCELLED, Status.DECLINED, Status.LAPSED, Status.JOINED)
"""The visits that take nobody's time."""

OCCUPYING = tuple(status for status in Status if status not in FREE)
"""All others."""

HAPPENING = (Status.BOOKED, Status.HELD, Status.NOT_HELD)
"""The visits that everyone agreed on and nobody called off."""

AT_LEAST = timedelta(minutes=15)
"""How long somebody has to answer, whatever the hour."""
BEFORE_THE_START = timedelta(hours=1)
"""A request is answered so long before the visit, so that the agent hears of it in time."""


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


@dataclass(frozen=True)
class Member:
    """An agent among whom visits are shared: their part (weekly hours, say), since when, and when not.

    Absences are first and last dates, both included.
    """

    agent: int
    weight: float
    joined: date = date.min
    absences: tuple[tuple[date, date], ...] = ()


@dataclass(frozen=True)
class Turn:
    """How many visits an agent had, and how many a fair share would have been."""

    done: int
    share: float

    @property
    def debt(self) -> float:
        """How many visits the agent is behind."""
        return self.share - self.done


def turns(members: Sequence[Member], visits: Mapping[int, Sequence[date]]) -> dict[int, Turn]:
    """Shares all visits of these members among them by weight, each day's among those who were there.

    A newcomer owes nothing of the time before, nobody owes anything for days away, and nothing is ever
    forgotten. Works like virtual time in fair queueing: a day with n visits and members of weight W present
    brings each of them n / W per unit of weight.
    """
    days = sorted({day for dates in visits.values() for day in dates})
    counts = Counter(day for dates in visits.values() for day in dates)
    change: defaultdict[date, float] = defaultdict(float)
    for member in members:
        for first, last in _presence(member):
            change[first] += member.weight
            if last < date.max:
                change[last + ONE_DAY] -= member.weight
    total, present, edges = [0.0], 0.0, sorted(change.items())
    at = 0
    for day in days:
        while at < len(edges) and edges[at][0] <= day:
            present += edges[at][1]
            at += 1
        total.append(total[-1] + (counts[day] / present if present > EPSILON else 0.0))

    def upto(day: date, *, after: bool) -> float:
        return total[bisect_right(days, day) if after else bisect_left(days, day)]

    found = {}
    for member in members:
        earned = sum(upto(last, after=True) - upto(first, after=False) for first, last in _presence(member))
        found[member.agent] = Turn(len(visits.get(member.agent, ())), member.weight * earned)
    return found


def _presence(member: Member) -> list[tuple[date, date]]:
    """When a member is there: first and last dates of the stretches between absences."""
    stretches, since = [], member.joined
    for first, last in sorted(member.absences):
        if first > since:
            stretches.append((since, first - ONE_DAY))
        since = max(since, last + ONE_DAY if last < date.max else date.max)
    return [*stretches, (since, date.max)]


@dataclass(frozen=True)
class Candidate:
    """An agent who is free at the asked hour, with what speaks for and against taking them."""

    agent: int
    turn: Turn
    met: bool = False
    speaks: bool = True
    """Whether they can be visited in the visitor's language."""
    same_product: bool = True
    """Whether they support a product of the visitor's."""


def in_order(candidates: Sequence[Candidate], start: datetime) -> list[Candidate]:
    """Who takes an "any agent" visit, best first: language, someone new, product, then whose turn it is.

    Ties are broken by a hash of hour and agent, so that the choice can be repeated and favours nobody.
    """

    def key(candidate: Candidate) -> tuple[bool, bool, bool, float, str]:
        seed = f"{start.isoformat()}:{candidate.agent}".encode()
        order = hashlib.sha256(seed).hexdigest()
        unlike = not candidate.speaks, candidate.met, not candidate.same_product
        return (*unlike, -round(candidate.turn.debt, 6), order)

    return sorted(candidates, key=key)


def decide_until(start: datetime, limit: timedelta, *, now: datetime) -> datetime:
    """Until when a request for `start` can be answered."""
    return max(min(now + limit, start - BEFORE_THE_START), now + AT_LEAST)


def take_until(start: datetime, limit: timedelta, notice: timedelta, *, now: datetime) -> datetime:
    """Until when an offer of `start` can be taken: afterwards the hour can be booked by nobody else."""
    return min(now + limit, start - notice)


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
