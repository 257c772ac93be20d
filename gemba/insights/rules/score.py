"""The score of an insight, 0 to 100: how much it hurts, by evidence one can look up.

    100 x how bad x how widely seen x by how many agents x how fresh x who it hurts x minutes lost

The first four are between 0 and 1 and have a floor where little evidence must not mean none: one visit is a
snapshot, yet somebody was hurt in it. The last two are 1 until somebody fills them in, and raise the score,
never above 100. A programme weighs each part: the factor to the power of the weight, so that 0 leaves it out
and 200 counts it twice. Votes are shown beside the score and never enter it. What works well has no score.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gemba.insights.rules.kinds import SEVERITY_MAX, Hurts, Kind

UNRATED_SEVERITY = 2.0
REACH_FLOOR = 0.4
AGENTS_FLOOR = 0.6
FRESH_FLOOR = 0.5
FRESH_HALF_LIFE_DAYS = 180.0
BOTH_FACTOR = 1.25
MINUTES_MORE = 0.5
MINUTES_HALF = 10.0
WEIGHT_MAX = 200


@dataclass(frozen=True)
class Weights:
    """How much each part counts, in per cent from 0 to WEIGHT_MAX."""

    severity: int = 100
    reach: int = 100
    agents: int = 100
    hurts: int = 100
    minutes: int = 100
    fresh: int = 100


PLAIN = Weights()


@dataclass(frozen=True)
class Evidence:
    """What the score is counted from, over an insight and all that was merged into it.

    `hurts` is a Hurts or "" where nobody said; `minutes` are lost each time it happens.
    `severity` is the mean rating 0-4, or None where nobody rated; `visits` are distinct visits that
    saw it, of `watched` visits in all; `agents` are distinct; `last_seen` is None without evidence.
    """

    kind: Kind
    severity: float | None
    visits: int
    watched: int
    agents: int
    last_seen: datetime | None
    hurts: str = ""
    minutes: int | None = None


@dataclass(frozen=True)
class ScoreParts:
    """The score with what it is made of, so that a page can open it. Factors are weighed already."""

    score: int
    severity: float
    is_rated: bool
    severity_factor: float
    visits: int
    watched: int
    reach_factor: float
    agents: int
    agents_factor: float
    days_ago: int
    fresh_factor: float
    hurts: str = ""
    hurts_factor: float = 1.0
    minutes: int | None = None
    minutes_factor: float = 1.0


def mean_severity(ratings: Iterable[int | None]) -> float | None:
    """The mean of the ratings given, to a tenth; None where nobody rated."""
    given = [rating for rating in ratings if rating is not None]
    return round(sum(given) / len(given), 1) if given else None


def score(evidence: Evidence, now: datetime, weights: Weights = PLAIN) -> ScoreParts | None:
    """The score with its parts; None for what works well and for what no visit has seen."""
    if not evidence.kind.is_pain or not evidence.visits or evidence.last_seen is None:
        return None
    severity = UNRATED_SEVERITY if evidence.severity is None else evidence.severity
    days = max(0, (now - evidence.last_seen).days)
    factors = (
        _weighed(_severity_factor(severity), weights.severity),
        _weighed(_reach_factor(evidence.visits, evidence.watched), weights.reach),
        _weighed(_agents_factor(evidence.agents), weights.agents),
        _weighed(_fresh_factor(days), weights.fresh),
        _weighed(BOTH_FACTOR if evidence.hurts == Hurts.BOTH else 1.0, weights.hurts),
        _weighed(_minutes_factor(evidence.minutes), weights.minutes),
    )
    return ScoreParts(
        score=min(100, round(100 * math.prod(factors))),
        severity=severity,
        is_rated=evidence.severity is not None,
        severity_factor=factors[0],
        visits=evidence.visits,
        watched=max(evidence.watched, evidence.visits),
        reach_factor=factors[1],
        agents=evidence.agents,
        agents_factor=factors[2],
        days_ago=days,
        fresh_factor=factors[3],
        hurts=evidence.hurts,
        hurts_factor=factors[4],
        minutes=evidence.minutes,
        minutes_factor=factors[5],
    )


def _weighed(factor: float, weight: int) -> float:
    return factor if weight == 100 else round(factor ** (weight / 100), 4)


def _minutes_factor(minutes: int | None) -> float:
    """Rises from 1 towards 1.5; ten minutes are half of the way."""
    return round(1 + MINUTES_MORE * (1 - math.exp2(-(minutes or 0) / MINUTES_HALF)), 4)


def _severity_factor(severity: float) -> float:
    return round(min(max(severity, 0.0), SEVERITY_MAX) / SEVERITY_MAX, 4)


def _reach_factor(visits: int, watched: int) -> float:
    """Grows with the square root of the share of visits: the first ones tell most."""
    share = visits / max(watched, visits)
    return round(REACH_FLOOR + (1 - REACH_FLOOR) * math.sqrt(share), 4)


def _agents_factor(agents: int) -> float:
    """Each further agent halves what is missing to certainty that it is not one person's habit."""
    return round(AGENTS_FLOOR + (1 - AGENTS_FLOOR) * (1 - math.exp2(-max(agents - 1, 0))), 4)


def _fresh_factor(days: int) -> float:
    """Falls by half of what is above the floor every FRESH_HALF_LIFE_DAYS."""
    return round(FRESH_FLOOR + (1 - FRESH_FLOOR) * math.exp2(-days / FRESH_HALF_LIFE_DAYS), 4)
