"""Phase B: the cheapest way to serve exactly those whom phase A let in.

Successive shortest paths with potentials (Ahuja, Magnanti and Orlin 1993, section 9.7), one person after the
other, each search ending at the first free place. Costs are integers: how far a pair is from the best match,
and what one more visit weighs on the agent, which grows with each (convex), so that load is shared.
"""

from collections.abc import Callable, Mapping, Sequence
from heapq import heappop, heappush
from itertools import pairwise

from gemba.rounds.pairing.admit import Seating
from gemba.rounds.pairing.network import NOBODY
from gemba.rounds.pairing.values import Agent

PER_POINT = 100
FAIRNESS = 300
"""The knee: more makes load hardly more even and costs matches."""
ROUNDED_TO = 25

Costs = Sequence[Mapping[int, int]]
"""By person's index: what each place they could take costs."""


def load_cost(agent: Agent, count: int, unit: float) -> int:
    """What an agent's visit number `count` of this round costs; `unit` is the mean of what agents offer."""
    weight = FAIRNESS * (2 * count - 1 + 2 * agent.load) * unit / max(agent.offered, 0.01)
    return round(weight / ROUNDED_TO) * ROUNDED_TO


class Assignment:
    """A seating of least cost, grown by one person at a time."""

    def __init__(self, seating: Seating, costs: Costs, agents: Sequence[Agent]) -> None:
        self.seating, self.costs, self.agents = seating, costs, agents
        network = self.network = seating.network
        self._people = len(network.parent)
        self._sink = self._people + len(costs)
        self._price = [0] * (self._sink + 1)
        self._below: list[list[int]] = [[] for _ in network.parent]
        for node, parent in enumerate(network.parent):
            if parent != NOBODY:
                self._below[parent].append(node)
        self._place_of = {node: place for place, node in enumerate(network.node_of)}
        self._agent_of = {node: number for number, node in enumerate(network.agent_node)}
        self._unit = sum(agent.offered for agent in agents) / max(len(agents), 1)

    def seat_all(self, order: Sequence[int], expired: Callable[[], bool]) -> list[int]:
        """Seats these people (by index) at least cost; returns those who were not reached in time."""
        for number, person in enumerate(order):
            if number % 16 == 0 and expired():
                return list(order[number:])
            self._seat(person)
        return []

    def _seat(self, person: int) -> None:
        distance, came = self._search(person)
        steps = [self._sink]
        while steps[-1] != self._people + person:
            steps.append(came[steps[-1]])
        steps.reverse()
        moves = [
            (node - self._people, self._place_of[following])
            for node, following in pairwise(steps)
            if node >= self._people
        ]
        seating = self.seating
        for who, _place in moves[1:]:
            seating.network.leave(seating.place[who])
        for who, place in moves:
            seating.seat(who, place)
        end = distance[self._sink]
        for node, far in distance.items():
            if far < end:
                self._price[node] += far - end

    def _search(self, person: int) -> tuple[dict[int, int], dict[int, int]]:
        """The distances that are final when the sink is reached, and each node's forerunner."""
        source, sink, price = self._people + person, self._sink, self._price
        found = {source: 0}
        came: dict[int, int] = {}
        final: dict[int, int] = {}
        heap = [(0, source)]
        while heap:
            far, node = heappop(heap)
            if node in final:
                continue
            final[node] = far
            if node == sink:
                return final, came
            base = far + price[node]
            for following, cost in self._arcs(node):
                total = base + cost - price[following]
                if following not in final and total < found.get(following, total + 1):
                    found[following] = total
                    came[following] = node
                    heappush(heap, (total, following))
        raise AssertionError("phase A let in only people for whom there is room")

    def _arcs(self, node: int) -> list[tuple[int, int]]:
        """Where flow can go from a node, and at what cost: on along free room, back along what is taken."""
        network = self.network
        if node >= self._people:
            person = node - self._people
            own = self.seating.place[person]
            return [(network.node_of[p], cost) for p, cost in self.costs[person].items() if p != own]
        arcs = []
        used = network.used[node]
        if used < network.cap[node]:
            parent = network.parent[node]
            if parent == NOBODY:
                agent = self.agents[self._agent_of[node]]
                arcs.append((self._sink, load_cost(agent, used + 1, self._unit)))
            else:
                arcs.append((parent, 0))
        if used:
            place = self._place_of.get(node)
            if place is None:
                arcs += [(child, 0) for child in self._below[node] if network.used[child]]
            else:
                holder = network.holder[place]
                if holder not in self.seating.fixed:
                    arcs.append((self._people + holder, -self.costs[holder][place]))
        return arcs
