"""The engine against OR-Tools' flow of least cost, on 400 rounds too large to try everything.

Only `make test-ortools` runs this: OR-Tools takes 240 MB and belongs to no other test.
"""

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest

from gemba.rounds.pairing.assign import PER_POINT, load_cost
from gemba.rounds.pairing.candidates import BEST
from gemba.rounds.pairing.propose import propose
from tests.rounds.pairing import brute
from tests.rounds.pairing.worlds import AUTUMN, SPRING, RoundWorld, make

flow = pytest.importorskip("ortools.graph.python.min_cost_flow", reason="run make test-ortools")
MUST = 10**7
"""What it costs to leave somebody out whom the engine serves."""


def _world(seed: int) -> RoundWorld:
    """A week's or a month's cap, not both: together they are no tree. Nobody met anybody."""
    start = (SPRING, AUTUMN)[seed % 2]
    world = make(seed, people=12 + seed % 30, agents=5 + seed % 10, start=start)
    agents = [replace(a, per_month=None if a.per_week is not None else a.per_month) for a in world.agents]
    return replace(world, agents=agents, people=[replace(p, met=frozenset()) for p in world.people])


def _best(world: RoundWorld, must: set[int]) -> tuple[int, int]:
    """How many can be served at most, and what it costs at least to serve these, as OR-Tools finds it."""
    numbers: dict[object, int] = {}

    def node(name: object) -> int:
        return numbers.setdefault(name, len(numbers))

    arcs: list[tuple[int, int, int, int]] = []
    unit = sum(agent.offered for agent in world.agents) / len(world.agents)
    seen: set[tuple[int, date]] = set()
    for person in world.people:
        arcs.append((node("from"), node(person), 1, 0))
        arcs.append((node(person), node("to"), 1, MUST if person.id in must else MUST // 100))
        for choice in brute.choices(world, person, met=True):
            room = node((choice.agent, choice.day))
            seen.add((choice.agent, choice.day))
            arcs.append((node(person), room, 1, PER_POINT * choice.lacks))
    for agent in world.agents:
        days = sorted(day for who, day in seen if who == agent.id)
        period = brute.week_of if agent.per_week is not None else brute.month_of
        for day in days:
            taken = agent.taken.get(day, 0)
            most = max((agent.per_day or 1) - taken, 0)
            arcs.append((node((agent.id, day)), node((agent.id, "of", period(day))), most, 0))
        cap = agent.per_week if agent.per_week is not None else agent.per_month
        for when in dict.fromkeys(period(day) for day in days):
            before = sum(count for day, count in agent.taken.items() if period(day) == when)
            arcs.append(
                (node((agent.id, "of", when)), node(agent.id), 99 if cap is None else max(cap - before, 0), 0)
            )
        for count in range(len(days) if agent.spare is None else min(agent.spare, len(days))):
            arcs.append((node(agent.id), node("to"), 1, load_cost(agent, count + 1, unit)))
    solver = flow.SimpleMinCostFlow()
    for tail, head, capacity, cost in arcs:
        solver.add_arc_with_capacity_and_unit_cost(tail, head, capacity, cost)
    solver.set_node_supply(node("from"), len(world.people))
    solver.set_node_supply(node("to"), -len(world.people))
    assert solver.solve() == solver.OPTIMAL
    left = [cost for at, (_t, _h, _c, cost) in enumerate(arcs) if cost >= MUST // 100 and solver.flow(at)]
    return len(world.people) - len(left), solver.optimal_cost() - sum(left)


@pytest.mark.parametrize("part", range(4))
def test_rounds_are_optimal(part: int) -> None:
    tight = 0
    for seed in range(part * 100, part * 100 + 100):
        world = _world(seed)
        plan = propose(world.agents, world.people, world.grid)
        served = {pair.person for pair in plan.pairs}
        loads = Counter(pair.agent for pair in plan.pairs)
        unit = sum(agent.offered for agent in world.agents) / len(world.agents)
        cost = sum(PER_POINT * (BEST - pair.score) for pair in plan.pairs)
        cost += sum(load_cost(a, n + 1, unit) for a in world.agents for n in range(loads[a.id]))
        assert _best(world, served) == (len(served), cost), seed
        tight += len(plan.left_out)
    assert tight > 50
