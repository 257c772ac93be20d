"""Small rounds against trying everything: who is served, and at what cost."""

from collections import Counter
from dataclasses import replace

import pytest

from gemba.rounds.pairing.assign import PER_POINT, load_cost
from gemba.rounds.pairing.candidates import BEST
from gemba.rounds.pairing.propose import propose
from gemba.rounds.pairing.values import Plan
from tests.rounds.pairing import brute
from tests.rounds.pairing.worlds import RoundWorld, make


def _world(seed: int) -> RoundWorld:
    """Four agents, five people, few hours. Who has a week's cap has none for the month: both are no tree."""
    world = make(seed, people=5, agents=4, days=5)
    agents = [replace(a, per_month=None if a.per_week is not None else a.per_month) for a in world.agents]
    people = [replace(person, met=frozenset()) for person in world.people]
    return replace(world, agents=agents, people=people)


def _cost(world: RoundWorld, plan: Plan) -> int:
    unit = sum(agent.offered for agent in world.agents) / len(world.agents)
    loads = Counter(pair.agent for pair in plan.pairs)
    return sum(PER_POINT * (BEST - pair.score) for pair in plan.pairs) + sum(
        load_cost(agent, number + 1, unit) for agent in world.agents for number in range(loads[agent.id])
    )


@pytest.mark.parametrize("part", range(4))
def test_small_rounds_are_optimal(part: int) -> None:
    tight = 0
    for seed in range(part * 75, part * 75 + 75):
        world = _world(seed)
        plan = propose(world.agents, world.people, world.grid)
        who = [pair.person for pair in plan.pairs]
        assert who == brute.served(world), seed
        assert plan.figures.served == plan.figures.bound
        if who:
            assert _cost(world, plan) == brute.least_cost(world, who), seed
        tight += len(plan.left_out)
    assert tight > 20


def test_agents_met_before_only_serve_who_would_be_left_out() -> None:
    seen = 0
    for seed in range(150):
        world = make(seed, people=6, agents=4, days=5)
        plan = propose(world.agents, world.people, world.grid)
        people = {person.id: person for person in world.people}
        again = [pair for pair in plan.pairs if pair.agent in people[pair.person].met]
        fresh = propose(
            world.agents, [replace(p, refuses=p.refuses | p.met) for p in world.people], world.grid
        )
        assert {pair.person for pair in fresh.pairs} <= {pair.person for pair in plan.pairs}
        assert len(again) == len(plan.pairs) - len(fresh.pairs)
        seen += len(again)
    assert seen > 10
