"""Stopwatch and table.

CPU time of this process is the judge: it hardly changes when the machine is busy with other things. What
PostgreSQL's own processes spend is not in it.
"""

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

BATCHES = 5


@dataclass(frozen=True)
class Cost:
    """Milliseconds per call: of the processor, and by the clock on the wall."""

    cpu: float
    wall: float


@dataclass(frozen=True)
class Row:
    """A line of the table: what, on which database, its cost, and the floor it is compared with."""

    what: str
    database: str
    cost: Cost
    floor: str
    floor_cost: Cost

    @property
    def ratio(self) -> float:
        """How many times the floor."""
        return self.cost.cpu / self.floor_cost.cpu

    def plain(self) -> dict[str, object]:
        """For JSON."""
        return {**asdict(self), "ratio": round(self.ratio, 4)}


def cost(call: Callable[[], object], seconds: float = 0.4) -> Cost:
    """What one call costs: the median of batches that take about `seconds` together."""
    call()
    began = time.process_time()
    call()
    once = max(time.process_time() - began, 1e-6)
    batches = BATCHES if once < seconds else 2
    count = max(1, int(seconds / batches / once))
    return _middle(_batch([call] * count) for _ in range(batches))


def cost_each(calls: Iterable[Callable[[], object]]) -> Cost:
    """The same for calls that can be made only once each, in five batches."""
    calls = list(calls)
    size = len(calls) // BATCHES
    return _middle(_batch(calls[number * size : (number + 1) * size]) for number in range(BATCHES))


def cost_in_turn(
    floor: Sequence[Callable[[], object]], calls: Sequence[Callable[[], object]], size: int = 10
) -> tuple[Cost, Cost]:
    """The same for two at once, in turn: a machine that is slow for a while is so for both."""
    pairs = [
        (_batch(floor[at : at + size]), _batch(calls[at : at + size]))
        for at in range(0, min(len(floor), len(calls)), size)
    ]
    return _middle(one for one, _other in pairs), _middle(other for _one, other in pairs)


def _batch(calls: Sequence[Callable[[], object]]) -> Cost:
    cpu, wall = time.process_time(), time.perf_counter()
    for call in calls:
        call()
    return Cost(
        (time.process_time() - cpu) * 1000 / len(calls), (time.perf_counter() - wall) * 1000 / len(calls)
    )


def _middle(costs: Iterable[Cost]) -> Cost:
    costs = list(costs)
    return Cost(statistics.median(c.cpu for c in costs), statistics.median(c.wall for c in costs))


@dataclass(frozen=True)
class Goal:
    """A goal that is no cost: its number, what is asked and what was measured."""

    number: str
    asked: str
    measured: str
    met: bool

    def plain(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


WIDTHS = (34, 10, 8, 8, 7, 0)


def heading() -> str:
    """What stands over the lines of a part."""
    words = _cells(("what", "database", "CPU ms", "wall ms", "times", "the floor (CPU ms)"))
    return f"{words}\n{'-' * len(words)}"


def line(row: Row | Goal) -> str:
    """A row, in columns."""
    if isinstance(row, Goal):
        return f"goal {row.number}: {row.asked} | {row.measured} | {'met' if row.met else 'NOT met'}"
    cost, floor = row.cost, row.floor_cost
    numbers = _number(cost.cpu), _number(cost.wall), _number(row.ratio)
    return _cells((row.what, row.database, *numbers, f"{row.floor} ({_number(floor.cpu)})"))


def _cells(words: Sequence[str]) -> str:
    cells = [
        word.rjust(width) if 2 <= column <= 4 else word.ljust(width)
        for column, (word, width) in enumerate(zip(words, WIDTHS, strict=True))
    ]
    return "  ".join(cells).rstrip()


def _number(value: float) -> str:
    digits = 4 if value < 0.01 else 3 if value < 1 else 2 if value < 10 else 1
    return f"{value:.{digits}f}"
