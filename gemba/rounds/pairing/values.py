"""What the engine is told and what it answers. Starts are bits: bit i is the tick `Grid.first + i`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

TICK_SECONDS = 300
"""Length of a tick: five minutes, counted from 1970 in UTC."""


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody who can be visited.

    `starts` are the starts that every rule allows by itself; between two new visits lie at least `apart`
    ticks from start to start. `zone` is the IANA zone of the caps' days; `taken` counts the visits there are
    by local date, `spare` is how many the agent takes in this round (None: as many as the caps allow).
    `load` are visits of the past that count for fairness, `offered` the hours opened (any unit, > 0).
    """

    id: int
    starts: int
    zone: str
    apart: int
    products: frozenset[int] = frozenset()
    languages: frozenset[str] = frozenset()
    line: int | None = None
    per_day: int | None = 1
    per_week: int | None = None
    per_month: int | None = None
    spare: int | None = None
    taken: Mapping[date, int] = field(default_factory=dict)
    load: int = 0
    offered: float = 1.0


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who wants one visit.

    `free` are the starts at which the person can come, `preferred` those they like best. `products` are
    wishes, best first; with `insists` only agents of one of them will do. `languages` are those the person
    understands, best first. `line` is a wish that binds. `refuses` are agents whom the person (or who them)
    does not want, `met` those met before. `order` decides who goes first: smaller is earlier. `zone` is the
    IANA zone in which hours that would help are told.
    """

    id: int
    free: int
    order: tuple[int, ...] = ()
    preferred: int = 0
    products: tuple[int, ...] = ()
    insists: bool = False
    languages: tuple[str, ...] = ()
    line: int | None = None
    refuses: frozenset[int] = frozenset()
    met: frozenset[int] = frozenset()
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Pin:
    """A pair that stays as it is: agent and start (a tick)."""

    person: int
    agent: int
    start: int


class Because(StrEnum):
    """Why a pair is a good one."""

    PINNED = "pinned"
    FIRST_PRODUCT = "first-product"
    OTHER_PRODUCT = "other-product"
    LANGUAGE = "language"
    PREFERRED_TIME = "preferred-time"
    MET_BEFORE = "met-before"
    SHARES_LOAD = "shares-load"


class Why(StrEnum):
    """Why somebody is left out."""

    NO_AGENT = "no-agent"
    NO_TIME = "no-time"
    NO_MENTOR = "no-mentor"
    ALL_TAKEN = "all-taken"


@dataclass(frozen=True, slots=True)
class Pair:
    """A visit that is proposed: `start` is a tick, `score` the match from 0 to 10, `mentor` who guides it."""

    person: int
    agent: int
    start: int
    score: int
    because: tuple[Because, ...]
    mentor: int | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody is left out, with its facts.

    `NO_AGENT` has `lift`: the rules of which one alone, taken away, would leave agents. `ALL_TAKEN` has
    `people` and `places`: so many people compete for so many places.
    """

    code: Why
    facts: Mapping[str, Any] = field(default_factory=dict)


class Helps(StrEnum):
    """What alone would have given somebody a visit."""

    HOURS = "hours"
    PRODUCT = "product"
    LANGUAGE = "language"
    LINE = "line"
    REFUSES = "refuses"


@dataclass(frozen=True, slots=True)
class Help:
    """A change that alone would have given somebody a visit, whoever else has one keeping theirs.

    `value` is for `HOURS` the weekday (0 is Monday) and the minute of the local day from which one visit's
    length each week would do (in `zone`), else a product's id, a language, a line's id; None where any would.
    """

    kind: Helps
    value: tuple[int, int] | int | str | None = None
    zone: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Somebody who could not be served, why, starts (ticks) that would have worked, and what would help."""

    person: int
    reason: Reason
    would_work: tuple[int, ...] = ()
    helps: tuple[Help, ...] = ()


@dataclass(frozen=True, slots=True)
class Figures:
    """How good a plan is: `bound` is a number of people nobody can exceed, `fairness` Jain's index of load
    against hours offered, `complete` false where time ran out before the best match was found."""

    served: int
    bound: int
    people: int
    fairness: float
    score: float
    complete: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer: pairs by person's id, who is left out by id, and figures."""

    pairs: tuple[Pair, ...]
    left_out: tuple[LeftOut, ...]
    figures: Figures
