"""The pairing engine, beside first come first served on the same round."""

import time
from collections.abc import Callable, Iterator

from gemba.rounds.pairing.propose import propose
from gemba.rounds.pairing.values import Plan
from tests.bench.measure import Cost, Row, cost
from tests.bench.rounds import BenchRound, bench_round, first_come

SIZES = ((50, 20, 14), (500, 200, 14), (2000, 800, 14), (10000, 3000, 21), (10000, 3000, 14))
"""People, agents, days; the last has fewer places than people."""
GOALS = {
    (50, 14): (0.01, 0.03),
    (500, 14): (0.05, 0.3),
    (2000, 14): (0.3, 2.0),
    (10000, 21): (2.0, 20.0),
    (10000, 14): (16.0, 45.0),
}
"""By people and days: at most so many CPU seconds for a preview and for a plan."""
ONCE = 10000


def measure() -> Iterator[Row]:
    """A preview (who is served) and a whole plan, with what they gain."""
    for people, agents, days in SIZES:
        world = bench_round(7, people, agents, days)
        by_hand = first_come(world)
        floor = _cost(world, lambda world=world: first_come(world))  # type: ignore[misc]
        name = f"round of {people} people and {agents} agents, {days} days"
        for best_match, goal in zip((False, True), GOALS[people, days], strict=True):
            what = f"{name}: {'plan' if best_match else 'preview'}"
            yield _row(what, floor, world, by_hand, goal, best_match=best_match)


def _cost(world: BenchRound, call: Callable[[], object]) -> Cost:
    """What a call costs; the largest are made once."""
    if len(world.people) < ONCE:
        return cost(call)
    cpu, wall = time.process_time(), time.perf_counter()
    call()
    return Cost((time.process_time() - cpu) * 1000, (time.perf_counter() - wall) * 1000)


def _row(what: str, floor: Cost, world: BenchRound, by_hand: int, goal: float, *, best_match: bool) -> Row:
    plans: list[Plan] = []
    found = _cost(
        world,
        lambda: plans.append(propose(world.agents, world.people, world.grid, best_match=best_match)),
    )
    figures = plans[-1].figures
    gain = 100 * (figures.served / by_hand - 1)
    met = "met" if found.cpu <= goal * 1000 else "NOT met"
    told = f"{what} (+{gain:.1f} %, {figures.served} of at most {figures.bound}; goal {goal} s {met})"
    return Row(told, "none", found, "first come first served", floor)
