"""Phase B: the cheapest way to serve exactly those whom phase A let in.

The primal-dual method for flows of least cost (Ahuja, Magnanti and Orlin 1993, section 9.8), over all places
of everybody. Costs are integers: how far a pair is from the best match, and what one more visit weighs on the
agent, which grows with each (convex), so that load is shared.

Each person has a price and so has each place: a person's is never more than the cost of any of their places
and that place's price together, and as much as that for the place they have. A place that nobody has costs
what the lowest full node above it costs, or what its agent costs where none is full.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import gcd

from gemba.rounds.pairing.admit import Seating
from gemba.rounds.pairing.candidates import BEST, PREFERRED, Group, mask_of
from gemba.rounds.pairing.grid import bits_of
from gemba.rounds.pairing.network import NOBODY
from gemba.rounds.pairing.values import Agent

PER_POINT = 100
FAIRNESS = 300
"""The knee: more makes load hardly more even and costs matches."""
ROUNDED_TO = 25
FAR = 1 << 60
MOST_KEPT = 600
"""Of so many wishes and prices at once it is kept which places they lead to."""


def load_cost(agent: Agent, count: int, unit: float) -> int:
    """What an agent's visit number `count` of this round costs; `unit` is the mean of what agents offer."""
    weight = FAIRNESS * (2 * count - 1 + 2 * agent.load) * unit / max(agent.offered, 0.01)
    return round(weight / ROUNDED_TO) * ROUNDED_TO


def cost_of(score: int) -> int:
    """What a pair of this match costs."""
    return PER_POINT * (BEST - score)


@dataclass
class _Seen:
    """What can be reached at the prices there are: the places as bits too."""

    people: list[int] = field(default_factory=list)
    nodes: set[int] = field(default_factory=set)
    places: list[int] = field(default_factory=list)
    bits: int = 0


class Assignment:
    """A seating of least cost.

    In each phase everyone who can be seated at the prices there are is seated, moving others at no cost; then
    the prices of all that was seen rise until something else comes into reach. Being rounded, there are few.
    """

    def __init__(self, seating: Seating) -> None:
        """Everyone has risen but those who are fixed."""
        self.seating, self.candidates = seating, seating.candidates
        network = self.network = seating.network
        self._unit = sum(agent.offered for agent in network.agents) / max(len(network.agents), 1)
        self._agent_of = {root: number for number, root in enumerate(network.agent_node)}
        self._full = bytearray(used >= cap for used, cap in zip(network.used, network.cap, strict=True))
        self._inside = _inside(seating)
        self._taken = 0
        self._sinks = 0
        """Places (bits) whose agents have time for one more at their price, as far as known."""
        wishes = [self.candidates.fitting.groups(person) for person in self.candidates.people]
        same = {id(groups): _costs(groups) for groups in wishes}
        self._groups = [same[id(groups)] for groups in wishes]
        """Of each person; people who wish the same share it."""
        self._tight_for: dict[tuple[int, int], tuple[int, int]] = {}
        self._node_price = [0] * len(network.parent)
        """Of agents' nodes and of full ones."""
        self._price = [0] * len(network.places)
        """Of each place: of having it, or of seating whoever has it elsewhere."""
        for number, root in enumerate(network.agent_node):
            price = self._node_price[root] = self._load(root)
            for place in network.of_agent[number]:
                self._price[place] = price
        self._person_price = [0] * len(seating.place)
        by_price: dict[int, list[int]] = {}
        for place, price in enumerate(self._price):
            by_price.setdefault(price, []).append(place)
        self._never = _never_free(seating)
        can = (1 << len(self._price)) - 1
        for node in self._never:
            can &= ~network.below(node)
        self._can = can
        self._at = {price: mask_of(by_price[price], len(self._price)) & can for price in sorted(by_price)}
        """By price, the places (bits) that cost so much."""
        self._sinks = can

    @property
    def prices(self) -> list[int]:
        """What each place costs in the end, whoever has it: they prove that nothing is cheaper."""
        return self._price

    def _load(self, root: int) -> int:
        """What one more visit of an agent costs."""
        network = self.network
        return load_cost(network.agents[self._agent_of[root]], network.used[root] + 1, self._unit)

    def seat_all(self, order: Sequence[int], expired: Callable[[], bool]) -> list[int]:
        """Seats these people (by index) at least cost; returns those who were not reached in time."""
        waiting = list(order)
        values = sorted(self._at)
        for person in waiting:
            self._person_price[person] = _slack(self._classes(person), -1, values, self._at, FAR) - 1
        while waiting and not expired():
            seen = _Seen()
            still = [person for person in waiting if not self._seat(person, seen)]
            if len(still) == len(waiting):
                self._raise_prices(seen)
            waiting = still
        return waiting

    def _classes(self, person: int) -> list[tuple[int, int, int]]:
        """(cost, time, fit): places in `time` and `fit` cost so much, or less by an entry before."""
        every, liked = self.candidates.both(person)
        found = [(cost, liked, places) for cost, _dearer, places in self._groups[person]]
        if liked is not every:
            found += [(dearer, every, places) for _cost, dearer, places in self._groups[person]]
        return found

    def _tight(self, person: int, seen: int) -> int:
        """The places not seen that a person can have at their price."""
        groups, price = self._groups[person], self._person_price[person]
        key = id(groups), price
        found = self._tight_for.get(key)
        if found is None:
            if len(self._tight_for) >= MOST_KEPT:
                self._tight_for.clear()
            found = self._tight_for[key] = self._at_price(groups, price)
        gladly, otherwise = found
        new = self.candidates.every(person) & ~seen
        if gladly & new:
            gladly &= self.candidates.both(person)[1]
        return (gladly | otherwise) & new

    def _at_price(self, groups: Sequence[tuple[int, int, int]], price: int) -> tuple[int, int]:
        """The places that people of this wish and price can have, where they like the time and where not."""
        gladly = otherwise = 0
        for cost, dearer, fit in groups:
            gladly |= self._at.get(price - cost, 0) & fit
            otherwise |= self._at.get(price - dearer, 0) & fit
        return gladly, otherwise

    def _seat(self, person: int, seen: _Seen) -> bool:
        """Seats a person at their price if that can be done past what was `seen`, which leads nowhere."""
        if not self._tight(person, seen.bits):  # so it is for nearly all of a crowd
            seen.people.append(person)
            return False
        holder = self.network.holder
        came: dict[int, tuple[int, int]] = {person: (NOBODY, NOBODY)}
        stack = [person]
        while stack:
            who = stack.pop()
            new = self._tight(who, seen.bits)
            if hit := new & self._sinks:
                self._shift(who, self.candidates.best(who, hit), came)
                return True
            seen.people.append(who)
            taken = new & self._taken
            new ^= taken
            while new:
                place = new.bit_length() - 1
                others = self._reach(place, seen)
                if others is None:
                    self._shift(who, place, came)
                    return True
                for other in others:
                    came[other] = who, place
                stack += others
                new &= ~seen.bits
            taken &= ~seen.bits
            seen.bits |= taken
            for place in bits_of(taken):
                seen.places.append(place)
                came[holder[place]] = who, place
                stack.append(holder[place])
        return False

    def _reach(self, place: int, seen: _Seen) -> list[int] | None:
        """Who would have to go elsewhere, at no cost, for somebody to have a place; None if nobody."""
        network, price = self.network, self._price
        node = network.bottleneck(place)
        if node == NOBODY:
            node = network.chain[place][-1]
            if self._load(node) == self._node_price[node]:
                return None
        mine, first, last = self._node_price[node], network.first[node], network.last[node]
        before, bits, found = seen.bits >> first & (1 << last - first) - 1, 0, []
        for at in range(first, last):
            if price[at] == mine and not before >> (at - first) & 1:
                who = network.holder[at]
                if who in self.seating.fixed:
                    continue
                if who != NOBODY:
                    found.append(who)
                seen.places.append(at)
                bits |= 1 << (at - first)
        seen.bits |= bits << first
        seen.nodes.add(node)
        seen.nodes.update(n for n in self._inside[node] if self._full[n] and self._node_price[n] == mine)
        return found

    def _shift(self, who: int, place: int, came: dict[int, tuple[int, int]]) -> None:
        """Everyone on the path moves on by one place; what becomes full by it costs what its places did."""
        network, seating = self.network, self.seating
        root = network.chain[place][-1]
        moves = [(who, place)]
        while came[who][0] != NOBODY:
            who, place = came[who]
            moves.append((who, place))
        left = {seating.place[who] for who, _place in moves[:-1]}
        for old in left:
            network.leave(old)
            self._taken ^= 1 << old
        for who, place in moves:
            seating.place[who] = place
            network.take(who, place)
            self._taken |= 1 << place
        for place in left.symmetric_difference(place for _who, place in moves):
            for node in network.chain[place]:
                is_full = network.used[node] >= network.cap[node]
                if is_full and not self._full[node]:
                    self._node_price[node] = self._price[place]
                self._full[node] = is_full
        if self._load(root) != self._node_price[root]:
            self._sinks &= ~network.below(root)
        for _who, place in moves:
            node = network.bottleneck(place)
            if node != NOBODY:
                self._sinks &= ~network.below(node)

    def _raise_prices(self, seen: _Seen) -> None:
        """The prices of all that was seen rise until something else costs no more."""
        out = {price: rest for price, places in self._at.items() if (rest := places & ~seen.bits)}
        step = self._step(seen, out)
        for person in seen.people:
            self._person_price[person] += step
        for node in seen.nodes:
            self._node_price[node] += step
        for place in seen.places:
            self._price[place] += step
        for price, places in self._at.items():
            if raised := places & seen.bits:
                out[price + step] = out.get(price + step, 0) | raised
        self._at = out
        self._tight_for.clear()
        for node in seen.nodes:
            if node in self._agent_of and not self._full[node] and self._load(node) == self._node_price[node]:
                self._sinks |= self._open_below(node)

    def _step(self, seen: _Seen, out: Mapping[int, int]) -> int:
        """How far they rise; `out` are the places, by price, that were not seen."""
        values, step = sorted(out), FAR
        least = gcd(PER_POINT, ROUNDED_TO)  # all prices are multiples of it, once everybody has risen
        for node in sorted(seen.nodes):
            if step > least:
                step = min(step, self._gap(node, seen))
        for person in seen.people:
            if step > least:
                step = _slack(self._classes(person), self._person_price[person], values, out, step)
        if step == FAR:
            raise AssertionError("phase A let in only people for whom there is room")
        return step

    def _open_below(self, root: int) -> int:
        """The places (bits) of an agent above which nothing is full."""
        network = self.network
        found = network.below(root)
        for node in self._inside[root]:
            if self._full[node]:
                found &= ~network.below(node)
        return found & ~self._taken & self._can

    def _gap(self, node: int, seen: _Seen) -> int:
        """How far a node's price may rise before something else below it, or its agent's time, is as dear."""
        network, mine = self.network, self._node_price[node]
        first, last, fixed = network.first[node], network.last[node], self.seating.fixed
        bits = seen.bits >> first
        found = [
            self._price[place] - mine
            for place in range(first, last)
            if network.holder[place] != NOBODY and not bits >> (place - first) & 1
            if network.holder[place] not in fixed
        ]
        found += [
            self._node_price[other] - mine
            for other in self._inside[node]
            if self._full[other] and other not in seen.nodes and other not in self._never
        ]
        if not self._full[node]:
            found.append(self._load(node) - mine)
        return min(found, default=FAR)


def _costs(groups: Sequence[Group]) -> list[tuple[int, int, int]]:
    """(cost at a time that is liked, at another, places)."""
    return [(cost_of(score + PREFERRED), cost_of(score), places) for score, places in groups]


def _slack(
    classes: Sequence[tuple[int, int, int]],
    price: int,
    values: Sequence[int],
    at: Mapping[int, int],
    best: int,
) -> int:
    """How much a person's price must rise, less than `best`, to reach one of the places `at` their prices."""
    for cost, time, fit in classes:
        low = price - cost
        for value in values[bisect_right(values, low) :]:
            if value - low >= best:
                break
            if at[value] & time & fit:
                best = value - low
                break
    return best


def _never_free(seating: Seating) -> set[int]:
    """The nodes that pinned people fill: nobody else ever sits below them."""
    network = seating.network
    pinned = Counter(node for who in seating.fixed for node in network.chain[seating.place[who]])
    return {node for node, cap in enumerate(network.cap) if cap <= pinned[node]}


def _inside(seating: Seating) -> dict[int, list[int]]:
    """By node that is no place's own, those further below."""
    network = seating.network
    own = {chain[0] for chain in network.chain}
    found: dict[int, list[int]] = {}
    for node in range(len(network.parent)):
        if node not in own:
            found[node] = []
            above = network.parent[node]
            while above != NOBODY:
                found[above].append(node)
                above = network.parent[above]
    return found
