"""How far a seating is at most from the best match there is, told by prices and not by the search itself.

Any prices of places give a bound (Lagrange): nobody can pay less than their cheapest place with its price,
and no agent can earn more than the dearest places their caps let them sell, load taken off.
"""

from gemba.rounds.pairing.assign import Assignment, cost_of, load_cost
from gemba.rounds.pairing.candidates import Candidates, mask_of, score_at
from gemba.rounds.pairing.grid import Grid
from gemba.rounds.pairing.network import NOBODY, Network
from gemba.rounds.pairing.propose import Table


def cost_and_bound(table: Table, assignment: Assignment) -> tuple[int, int]:
    """What a finished assignment costs, and what any costs at least that serves the same people."""
    served = [number for number, place in enumerate(table.seating.place) if place != NOBODY]
    return _cost(table, served), _paid(table.candidates, assignment, served) - _earned(
        table.network, assignment
    )


def _unit(network: Network) -> float:
    return sum(agent.offered for agent in network.agents) / max(len(network.agents), 1)


def _cost(table: Table, served: list[int]) -> int:
    network, total = table.network, 0
    for number in served:
        place = table.seating.place[number]
        agent = network.agents[network.places[place].agent]
        bit = table.candidates.start_in(number, place)
        total += cost_of(score_at(table.people[number], agent, bit))
    unit = _unit(network)
    for agent, node in zip(network.agents, network.agent_node, strict=True):
        total += sum(load_cost(agent, count + 1, unit) for count in range(network.used[node]))
    return total


def _paid(candidates: Candidates, assignment: Assignment, served: list[int]) -> int:
    """The least that each pays at these prices, together."""
    prices = assignment.prices
    at: dict[int, list[int]] = {}
    for place, price in enumerate(prices):
        at.setdefault(price, []).append(place)
    masks = sorted((price, mask_of(places, len(prices))) for price, places in at.items())
    total = 0
    for number in served:
        best = 1 << 60
        for score, places in candidates.classes(number):
            for price, mask in masks:
                if price + cost_of(score) >= best:
                    break
                if mask & places:
                    best = price + cost_of(score)
                    break
        total += best
    return total


def _earned(network: Network, assignment: Assignment) -> int:
    """The most that agents earn at these prices within their caps: the dearest places first (a matroid)."""
    prices, unit, total = assignment.prices, _unit(network), 0
    for number, agent in enumerate(network.agents):
        empty, count = Network([agent], Grid(network.grid.first, network.grid.count)), 0
        first = network.of_agent[number].start
        for place in sorted(range(len(empty.places)), key=lambda each: -prices[first + each]):
            gain = prices[first + place] - load_cost(agent, count + 1, unit)
            if gain <= 0:
                break
            if empty.bottleneck(place) == NOBODY:
                empty.take(0, place)
                total, count = total + gain, count + 1
    return total
