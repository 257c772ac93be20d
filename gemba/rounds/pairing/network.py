"""Agents' time as a forest of caps: agent ← month ← week ← day ← place. Each place takes one person.

With one visit a day a place is the whole local day, and the hour is chosen afterwards. With more, the day is
cut into places that lie far enough apart whatever is chosen in them.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

from gemba.rounds.pairing.grid import Grid, bits_of, lowest
from gemba.rounds.pairing.values import Agent

NOBODY = -1
PLENTY = 1 << 30
"""A cap that never binds."""


class Place(NamedTuple):
    """Room for one person: the agent's index and the starts (bits) of which one will be chosen."""

    agent: int
    starts: int


class Day(NamedTuple):
    """A local day of an agent: its starts, its places, the node above them, how many visits it takes."""

    starts: int
    places: range
    above: int
    most: int


class Network:
    """The forest and who sits where. Nodes are numbered; a place's node comes after those above it."""

    def __init__(
        self, agents: Sequence[Agent], grid: Grid, anchors: Mapping[int, Sequence[int]] | None = None
    ) -> None:
        """`anchors` are bits, by agent's id, that must be places of their own: starts that stay."""
        self.agents, self.grid = agents, grid
        self.places: list[Place] = []
        self.parent: list[int] = []
        self.cap: list[int] = []
        self.first: list[int] = []
        self.last: list[int] = []
        """A node's places are `first` to `last`, half-open."""
        self.chain: list[tuple[int, ...]] = []
        """By place: the nodes from the place's own up to its agent's."""
        self.of_agent: list[range] = []
        self.agent_node: list[int] = []
        self.days: list[list[Day]] = []
        self._anchors = anchors or {}
        self._same: dict[int, int] = {}
        for number, agent in enumerate(agents):
            self._grow(number, agent)
        self.used = [0] * len(self.parent)
        self.holder = [NOBODY] * len(self.places)

    def _grow(self, number: int, agent: Agent) -> None:
        """The nodes and places of one agent: there are tens of thousands of days."""
        begin = len(self.places)
        root = self._node((), PLENTY if agent.spare is None else max(agent.spare, 0))
        self.agent_node.append(root[0])
        chains: dict[date | tuple[date, date], tuple[int, ...]] = {}
        anchors = [bit for bit in self._anchors.get(agent.id, ()) if bit >= 0]
        own: list[Day] = []
        self.days.append(own)
        days = [(day, starts) for day, mask in self.grid.days(agent.zone) if (starts := mask & agent.starts)]
        shares = _week_shares(agent, [day for day, _starts in days])
        plain = None if agent.taken else PLENTY if agent.per_day is None else agent.per_day
        for day, open_starts in days:
            starts = self._same.setdefault(open_starts, open_starts)
            week = _month_for(agent, day), _week(day)
            chain = chains.get(week)
            if chain is None:
                if week[0] not in chains:
                    chains[week[0]] = self._branch(root, _left(agent, agent.per_month, day, _month))
                chain = chains[week] = self._branch(chains[week[0]], shares[week])
            per_day = _left(agent, agent.per_day, day, _day) if plain is None else plain
            parts = [starts]
            if per_day != 1:
                inside = [bit for bit in anchors if starts >> bit & 1]
                apart = parts_of_day(starts, agent.apart, per_day, inside)
                parts = [self._same.setdefault(part, part) for part in apart]
                if len(parts) > per_day:
                    chain = self._branch(chain, per_day)
            own.append(Day(starts, self._leaves(number, chain, parts), chain[0], per_day))
        self.of_agent.append(range(begin, len(self.places)))

    def _leaves(self, agent: int, chain: tuple[int, ...], parts: Sequence[int]) -> range:
        """Places below a chain of nodes."""
        begin = at = len(self.places)
        node = len(self.parent)
        for part in parts:
            self.chain.append((node, *chain))
            self.places.append(Place(agent, part))
            self.first.append(at)
            at += 1
            self.last.append(at)
            node += 1
        self.parent += [chain[0]] * len(parts)
        self.cap += [1] * len(parts)
        for above in chain:
            self.last[above] = at
        return range(begin, at)

    def _branch(self, chain: tuple[int, ...], cap: int) -> tuple[int, ...]:
        """A node for a cap that can bind, else the parent itself."""
        return chain if cap >= PLENTY else self._node(chain, cap)

    def _node(self, chain: tuple[int, ...], cap: int) -> tuple[int, ...]:
        """A node below others, given from the one above it on."""
        node, at = len(self.parent), len(self.places)
        self.parent.append(chain[0] if chain else NOBODY)
        self.cap.append(cap)
        self.first.append(at)
        self.last.append(at)
        return (node, *chain)

    def take(self, person: int, place: int) -> None:
        """Gives a place to a person's index."""
        self.holder[place] = person
        for node in self.chain[place]:
            self.used[node] += 1

    def leave(self, place: int) -> None:
        """Gives a place back."""
        self.holder[place] = NOBODY
        for node in self.chain[place]:
            self.used[node] -= 1

    def bottleneck(self, place: int) -> int:
        """The lowest full node above a place, NOBODY where there is none: then it is free."""
        for node in self.chain[place]:
            if self.used[node] >= self.cap[node]:
                return node
        return NOBODY

    def free(self) -> int:
        """The places (bits) above which nothing is full."""
        free = bytearray(b"1") * len(self.places)
        for used, cap, first, last in zip(self.used, self.cap, self.first, self.last, strict=True):
            if used >= cap:
                free[first:last] = b"0" * (last - first)
        return int(bytes(reversed(free)) or b"0", 2)

    def below(self, node: int) -> int:
        """The places below a node, as bits."""
        return (1 << self.last[node]) - (1 << self.first[node])

    def place_at(self, agent: int, bit: int) -> int:
        """The place of an agent that holds a start, NOBODY where none does."""
        for place in self.of_agent[agent]:
            starts = self.places[place].starts
            if starts.bit_length() > bit:  # an agent's places follow one another
                return place if starts >> bit & 1 else NOBODY
        return NOBODY


def capacity(agent: Agent, grid: Grid) -> int:
    """How many visits an agent can take at most, by their hours and caps alone."""
    network = Network([agent], grid)
    for place in range(len(network.places)):
        if network.bottleneck(place) == NOBODY:
            network.take(0, place)
    return network.used[network.agent_node[0]]


def _day(day: date) -> date:
    return day


@cache
def _week(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _month(day: date) -> date:
    return day.replace(day=1)


def _month_for(agent: Agent, day: date) -> date:
    """The month a day's week is a branch of: for who has no cap for months all are one."""
    return date.min if agent.per_month is None else _month(day)


def _left(agent: Agent, cap: int | None, day: date, period: Callable[[date], date]) -> int:
    """What is left of a cap in the period of a day, given the visits there are."""
    if cap is None:
        return PLENTY
    if not agent.taken:
        return cap
    return max(cap - sum(count for each, count in agent.taken.items() if period(each) == period(day)), 0)


def _week_shares(agent: Agent, days: Sequence[date]) -> dict[tuple[date, date], int]:
    """What is left of each week's cap, by (first of the month, Monday).

    A week that lies in two months is no branch of one: its cap is shared between both in proportion to the
    days on offer, so that neither the week's nor a month's cap can be exceeded. Only who has both caps can
    lose by that.
    """
    if agent.per_month is None:
        firsts = {_week(day): day for day in days}
        return {(date.min, week): _left(agent, agent.per_week, day, _week) for week, day in firsts.items()}
    open_days: dict[tuple[date, date], int] = {}
    for day in days:
        key = (_month_for(agent, day), _week(day))
        open_days[key] = open_days.get(key, 0) + 1
    shares: dict[tuple[date, date], int] = {}
    for (month, monday), count in sorted(open_days.items()):
        left = _left(agent, agent.per_week, monday, _week)
        other = sum(n for (first, week), n in open_days.items() if week == monday and first != month)
        if left == PLENTY or not other:
            shares[month, monday] = left
            continue
        earlier = [shares[first, week] for first, week in shares if week == monday]
        shares[month, monday] = (
            left - earlier[0] if earlier else (left * count * 2 + count + other) // (2 * (count + other))
        )
    return shares


def parts_of_day(starts: int, apart: int, most: int, anchors: Sequence[int] = ()) -> list[int]:
    """The starts of a day cut into places, `apart` ticks or more from each other whatever is chosen in them.

    One place where only one visit fits or is allowed; else as many as possible (the earliest first is best
    for visits of equal length). Each anchor is a place of its own.
    """
    if not starts or most <= 0:
        return []
    if most == 1 or starts.bit_length() - 1 - lowest(starts) < apart:
        return [starts]
    found: list[tuple[int, int]] = []
    edges = sorted(anchors)
    for after, before in zip([None, *edges], [*edges, None], strict=True):
        low = 0 if after is None else after + apart
        high = starts.bit_length() if before is None else before - apart + 1
        if high > low:
            found += _cut(starts & ((1 << high) - (1 << low)), apart)
    return [part for _bit, part in sorted([*found, *((bit, 1 << bit) for bit in edges)])]


def _cut(starts: int, apart: int) -> list[tuple[int, int]]:
    """(first bit, starts) of as many places as fit."""
    firsts: list[int] = []
    for bit in bits_of(starts):
        if not firsts or bit - firsts[-1] >= apart:
            firsts.append(bit)
    if not firsts:
        return []
    ends = [following - apart + 1 for following in firsts[1:]] + [starts.bit_length()]
    return [(bit, starts & ((1 << end) - (1 << bit))) for bit, end in zip(firsts, ends, strict=True)]
