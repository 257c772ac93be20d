"""How bad something is, 0 to 4, from three answers given after the visit (after Nielsen's severity ratings).

How hard it hits counts double; how often it comes and whether one gets used to it add to that.
"""

from enum import StrEnum

from gemba.insights.rules.kinds import Frequency, _n


class Persistence(StrEnum):
    """Whether it stays a hindrance once somebody knows it."""

    PASSES = "passes"
    STAYS = "stays"


IMPACT_LABELS: dict[int, str] = {
    0: _n("hardly noticed"),
    1: _n("slows down"),
    2: _n("hurts"),
    3: _n("stops the work"),
}
PERSISTENCE_LABELS: dict[Persistence, str] = {
    Persistence.PASSES: _n("easy once one knows it"),
    Persistence.STAYS: _n("in the way each time"),
}
_OFTEN = {Frequency.ONCE: 0, Frequency.SOMETIMES: 1, Frequency.OFTEN: 2, Frequency.ALWAYS: 3}
_FROM = (8, 6, 4, 1)
"""So many of ten points make a 4, a 3, a 2, a 1."""


def severity_of(frequency: Frequency, impact: int, persistence: Persistence) -> int:
    """The severity 0-4 that three answers make; `impact` 0-3."""
    points = 2 * impact + _OFTEN[frequency] + (persistence is Persistence.STAYS)
    return next((4 - step for step, least in enumerate(_FROM) if points >= least), 0)
