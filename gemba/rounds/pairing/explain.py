"""Why somebody is left out, and which hours would have worked."""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from gemba.rounds.pairing.admit import Places, Seating
from gemba.rounds.pairing.candidates import Candidates
from gemba.rounds.pairing.grid import bits_of
from gemba.rounds.pairing.network import NOBODY
from gemba.rounds.pairing.values import LeftOut, Person, Reason, Why

SUGGESTED = 6
"""At most so many starts that would have worked are named."""
LIFTED: Mapping[str, Mapping[str, Any]] = {
    "language": {"languages": ()},
    "product": {"insists": False},
    "line": {"line": None},
    "refuses": {"refuses": frozenset()},
}
"""The rules that bind an agent and a person whatever the time: the wish without each."""


class Explanation:
    """Reads a finished seating."""

    def __init__(self, seating: Seating, candidates: Candidates, few: Places, every: Places) -> None:
        self.seating, self.candidates, self.few, self.every = seating, candidates, few, every

    def left_out(self, number: int) -> LeftOut:
        """Why a person (by index) is left out."""
        person = self.candidates.people[number]
        works = tuple(self.candidates.network.grid.first + bit for bit in self._would_work(number))
        return LeftOut(person.id, self._reason(number), works)

    def _reason(self, number: int) -> Reason:
        person = replace(self.candidates.people[number], met=frozenset())
        if not self._is_anybody_for(person):
            lift = [rule for rule, wish in LIFTED.items() if self._is_anybody_for(replace(person, **wish))]
            return Reason(Why.NO_AGENT, {"lift": lift})
        if next(iter(self.every(number)), None) is None:
            return Reason(Why.NO_TIME)
        people, places = self._region(number)
        return Reason(Why.ALL_TAKEN, {"people": people, "places": places})

    def _is_anybody_for(self, person: Person) -> bool:
        return next(self.candidates.fit(person), None) is not None

    def _region(self, number: int) -> tuple[int, int]:
        """How many people compete for what this person could have, and for how many places."""
        network, seen, queue = self.seating.network, {number}, deque([number])
        while queue:
            for place in self.every(queue.popleft()):
                node = network.bottleneck(place)
                if node == NOBODY:
                    continue  # a pinned pair or one that was packed stands in between
                for other in network.holder[network.first[node] : network.last[node]]:
                    if other >= 0 and other not in seen:
                        seen.add(other)
                        queue.append(other)
        return len(seen), sum(1 for each in seen if self.seating.place[each] != NOBODY)

    def _would_work(self, number: int) -> list[int]:
        """Starts of agents who fit at which the person could have been served, spread over the days.

        Free places first; those that come free by moving others only where there are none.
        """
        return self._starts_in(number, self._free) or self._starts_in(number, self._within_reach)

    @cached_property
    def _free(self) -> frozenset[int]:
        network = self.seating.network
        return frozenset(n for n in range(len(network.places)) if network.bottleneck(n) == NOBODY)

    @cached_property
    def _within_reach(self) -> frozenset[int]:
        """The places that are free, or come free when others move to their best agents: one pass back."""
        return frozenset(_reaching_room(self.seating, self.few, self._free))

    def _starts_in(self, number: int, places: frozenset[int]) -> list[int]:
        person, network = self.candidates.people[number], self.candidates.network
        bits = 0
        for index in self.candidates.fit(person):
            for place in network.of_agent[index]:
                if place in places:
                    bits |= network.places[place].starts
        every = bits_of(bits & ~person.free)
        return sorted({every[len(every) * step // SUGGESTED] for step in range(SUGGESTED)}) if every else []


def _reaching_room(seating: Seating, places_of: Places, free: Collection[int]) -> set[int]:
    network = seating.network
    seated = [
        each for each, place in enumerate(seating.place) if place != NOBODY and each not in seating.fixed
    ]
    wanting: dict[int, list[int]] = {}
    for each in seated:
        for place in places_of(each):
            wanting.setdefault(place, []).append(each)
    behind: dict[int, list[int]] = {}
    good, queue = set(free), deque(sorted(free))
    for place in range(len(network.places)):
        if place not in good:
            behind.setdefault(network.bottleneck(place), []).append(place)
    while queue:
        for mover in wanting.get(queue.popleft(), ()):
            for node in network.chain[seating.place[mover]]:
                for place in behind.pop(node, ()):
                    good.add(place)
                    queue.append(place)
    return good


def explain(
    seating: Seating, candidates: Candidates, few: Places, every: Places, left: Sequence[int]
) -> list[LeftOut]:
    """Why each of these people (by index) is left out; `few` and `every` give the places each may have."""
    explanation = Explanation(seating, candidates, few, every)
    return [explanation.left_out(number) for number in left]
