"""Rounds: made, signed up to, worked out, published; see the modules."""

from gemba.rounds.errors import RoundClosed
from gemba.rounds.service.campaigns import (
    Counts,
    Plan,
    counts,
    get_round,
    is_open,
    list_rounds,
    managed,
)
from gemba.rounds.service.opening import make
from gemba.rounds.service.wishing import Wish, sign_up, withdraw

__all__ = [
    "Counts",
    "Plan",
    "RoundClosed",
    "Wish",
    "counts",
    "get_round",
    "is_open",
    "list_rounds",
    "make",
    "managed",
    "sign_up",
    "withdraw",
]
