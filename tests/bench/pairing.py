"""The pairing engine, beside first come first served on the same round."""

from collections.abc import Iterator

from gemba.rounds.pairing.propose import propose
from tests.bench.measure import Cost, Row, cost
from tests.bench.rounds import BenchRound, bench_round, first_come

SIZES = ((50, 20, 14), (500, 200, 14), (2000, 800, 14))


def measure() -> Iterator[Row]:
    """A preview (who is served) and a whole plan, with what they gain."""
    for people, agents, days in SIZES:
        world = bench_round(7, people, agents, days)
        by_hand = first_come(world)
        floor = cost(lambda world=world: first_come(world))  # type: ignore[misc]
        name = f"round of {people} people and {agents} agents"
        yield _row(f"{name}: preview", floor, world, by_hand, best_match=False)
        yield _row(f"{name}: plan", floor, world, by_hand, best_match=True)


def _row(what: str, floor: Cost, world: BenchRound, by_hand: int, *, best_match: bool) -> Row:
    figures = propose(world.agents, world.people, world.grid, best_match=best_match).figures
    found = cost(lambda: propose(world.agents, world.people, world.grid, best_match=best_match))
    gain = 100 * (figures.served / by_hand - 1)
    told = f"{what} (+{gain:.1f} %, {figures.served} of at most {figures.bound})"
    return Row(told, "none", found, "first come first served", floor)
