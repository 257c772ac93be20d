"""Phase B: the cheapest way to serve exactly those whom phase A let in.

The primal-dual method for flows of least cost (Ahuja, Magnanti and Orlin 1993, section 9.8). Costs are
integers: how far a pair is from the best match, and what one more visit weighs on the agent, which grows with
each (convex), so that load is shared.
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
    """A seating of least cost.

    In each phase one search from all who wait finds how dear the next place is, and everyone who can have one
    at that price is seated; prices only rise, and being rounded there are few of them.
    """

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
        self._wishes = [[(network.node_of[place], cost) for place, cost in mine.items()] for mine in costs]

    def seat_all(self, order: Sequence[int], expired: Callable[[], bool]) -> list[int]:
        """Seats these people (by index) at least cost; returns those who were not reached in time."""
        waiting = list(order)
        while waiting and not expired():
            self._raise_prices(waiting)
            while True:
                seen = bytearray(self._sink + 1)
                still = [person for person in waiting if not self._seat(person, seen)]
                if len(still) == len(waiting):
                    break
                waiting = still
        return waiting

    def _raise_prices(self, waiting: Sequence[int]) -> None:
        """Dijkstra from all who wait to the first free place; the ways there then cost nothing more."""
        price, sink = self._price, self._sink
        found = {self._people + person: 0 for person in waiting}
        final: dict[int, int] = {}
        heap = [(0, node) for node in found]
        end = 0
        while heap:
            far, node = heappop(heap)
            if node in final:
                continue
            if node == sink:
                end = far
                break
            final[node] = far
            base = far + price[node]
            for following, cost in self._arcs(node):
                total = base + cost - price[following]
                if total < found.get(following, total + 1) and following not in final:
                    found[following] = total
                    heappush(heap, (total, following))
        else:
            raise AssertionError("phase A let in only people for whom there is room")
        for node, far in final.items():
            price[node] += far - end

    def _seat(self, person: int, seen: bytearray) -> bool:
        """Seats a person along arcs that cost nothing more, depth first; what was `seen` leads nowhere."""
        price, sink, source = self._price, self._sink, self._people + person
        path, arcs = [source], [iter(self._arcs(source))]
        seen[source] = 1
        while path:
            node = path[-1]
            base = price[node]
            for following, cost in arcs[-1]:
                if not seen[following] and base + cost == price[following]:
                    path.append(following)
                    if following == sink:
                        self._shift(path)
                        return True
                    seen[following] = 1
                    arcs.append(iter(self._arcs(following)))
                    break
            else:
                path.pop()
                arcs.pop()
        return False

    def _shift(self, path: Sequence[int]) -> None:
        """Everyone on the path moves on by one place."""
        moves = [
            (node - self._people, self._place_of[following])
            for node, following in pairwise(path)
            if node >= self._people
        ]
        seating = self.seating
        for who, _place in moves[1:]:
            seating.network.leave(seating.place[who])
        for who, place in moves:
            seating.seat(who, place)

    def _arcs(self, node: int) -> list[tuple[int, int]]:
        """Where one more can go from a node, and at what cost: on to free room, back along what is taken."""
        network = self.network
        if node >= self._people:
            person = node - self._people
            own = self.seating.place[person]
            if own == NOBODY:
                return self._wishes[person]
            own = network.node_of[own]
            return [arc for arc in self._wishes[person] if arc[0] != own]
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
