"""One ranking out of several whose measures cannot be compared.

Reciprocal rank fusion: Cormack, Clarke and Büttcher, SIGIR 2009; K is theirs.
"""

from collections import defaultdict
from collections.abc import Sequence

K = 60


def fused(*rankings: Sequence[int]) -> list[int]:
    """Everything ranked, best first, each by the sum of 1 / (K + its place); ties as they first came."""
    worth: dict[int, float] = defaultdict(float)
    for ranking in rankings:
        for place, id_ in enumerate(ranking, start=1):
            worth[id_] += 1 / (K + place)
    return sorted(worth, key=lambda id_: -worth[id_])
