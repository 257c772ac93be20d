"""Bounds and states of rounds, the lottery, and who goes before whom. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from gemba.rounds.pairing.values import TICK_SECONDS, LeftOut, Pair, Plan, Why

NOTE_MAX = 500
NAME_MAX = 80
PRODUCTS_MAX = 3
REFUSED_MAX = 10
CAPACITY_MAX = 50
INVITED_AT_ONCE = 3000
LONGEST_DAYS = 60
"""A round's visits lie within so many days."""
FIRST_IN_DAYS = 120
"""The first day of visits is at most so far away."""
SECONDS = 30.0
"""How long a proposal looks for the best match; who is served is settled before."""
USUAL_WEEK: Mapping[str, Sequence[Sequence[int]]] = {str(day): [[540, 1080]] for day in range(5)}
"""Free hours of whoever painted none: Monday to Friday, nine to six, in minutes."""


class RunState(StrEnum):
    """Where a proposal stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


UNDER_WAY = frozenset({RunState.WAITING, RunState.RUNNING})


class Step(StrEnum):
    """What a proposal is doing."""

    WAITS = "waits"
    READS = "reads"
    WHO = "who"
    MATCH = "match"
    READY = "ready"


class PairState(StrEnum):
    """Where a pair stands: proposed, about to be booked, booked, or lost (the hour went, somebody cannot)."""

    PROPOSED = "proposed"
    PUBLISHING = "publishing"
    BOOKED = "booked"
    LOST = "lost"


UNSETTLED = frozenset({PairState.PUBLISHING, PairState.LOST})
"""Pairs that a worker is about to book, or to replace."""


class Outcome(StrEnum):
    """What became of a sign-up."""

    OPEN = ""
    SERVED = "served"
    LEFT_OUT = "left-out"
    WITHDREW = "withdrew"


NOT_TRAINED = "not-trained"
NOT_AMONG = "not-among"
"""The reasons of whoever has steps of the training before them or may not take part any more: the engine
never sees them."""
NOT_PROPOSED = "not-proposed"
"""The reason of whoever signed up, changed their wish or was taken out after the pairs were worked out."""


class Turn(StrEnum):
    """Why somebody goes before others in the lottery."""

    LEFT_OUT_LAST = "left-out-last"
    NEVER_CAME = "never-came"
    CAME_BEFORE = "came-before"


TURNS = tuple(Turn)


def lot(seed: int, person_id: int) -> int:
    """The lot a person draws in a round: the same for the same seed, and nothing one can choose."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{person_id}".encode()).digest()[:4]) >> 1


def turn_of(*, left_out_last: bool, came: bool) -> Turn:
    """Which of the three groups somebody draws in."""
    if left_out_last:
        return Turn.LEFT_OUT_LAST
    return Turn.CAME_BEFORE if came else Turn.NEVER_CAME


def order_of(turn: Turn, seed: int, person_id: int) -> tuple[int, int]:
    """Who goes first: smaller is earlier."""
    return TURNS.index(turn), lot(seed, person_id)


def pair_values(pair: Pair) -> dict[str, Any]:
    """A pair as it is stored, without its round."""
    return {
        "person_id": pair.person,
        "agent_id": pair.agent,
        "tick": pair.start,
        "score": pair.score,
        "because": [word.value for word in pair.because],
        "mentor_id": pair.mentor,
    }


def left_values(left: LeftOut) -> dict[str, Any]:
    """Why somebody is left out, as JSON: `would_work` are seconds from 1970, `helps` kinds with values."""
    return {
        "person": left.person,
        "code": left.reason.code.value,
        "facts": dict(left.reason.facts),
        "would_work": [tick * TICK_SECONDS for tick in left.would_work],
        "helps": [{"kind": each.kind.value, "value": each.value, "zone": each.zone} for each in left.helps],
    }


def figures_values(plan: Plan) -> dict[str, Any]:
    """A plan's figures as JSON."""
    figures = plan.figures
    return {
        "served": figures.served,
        "bound": figures.bound,
        "people": figures.people,
        "fairness": figures.fairness,
        "score": figures.score,
        "complete": figures.complete,
    }


def is_scarce(left: Sequence[Mapping[str, Any]]) -> bool:
    """Whether somebody is left out because there are fewer places than people."""
    return any(each["code"] == Why.ALL_TAKEN for each in left)
