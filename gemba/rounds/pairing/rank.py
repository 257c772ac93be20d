"""Who suits one person best among all agents, for an hour by itself: nobody else is moved for it.

Agents are bits here, so that of thousands only those are looked at who fit and match well enough.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from gemba.rounds.pairing.candidates import FIRST_PRODUCT, LANGUAGE, OTHER_PRODUCT, PREFERRED
from gemba.rounds.pairing.grid import bits_of
from gemba.rounds.pairing.values import Agent, Person

LOAD = 3.0
"""What a full share of an agent's own capacity weighs, in points of the match."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """An agent with all starts (bits) that both have, and how well they match, load taken off."""

    agent: Agent
    starts: int
    worth: float


class Ranking:
    """Agents ready to be ranked for one person after the other."""

    def __init__(self, agents: Sequence[Agent]) -> None:
        self.agents = sorted(agents, key=lambda agent: agent.id)
        self._everyone = (1 << len(self.agents)) - 1
        self._products: dict[Any, int] = {}
        self._languages: dict[Any, int] = {}
        self._lines: dict[Any, int] = {}
        self._at = {agent.id: number for number, agent in enumerate(self.agents)}
        self._loads = [LOAD * agent.load / max(agent.offered, 0.01) for agent in self.agents]
        for number, agent in enumerate(self.agents):
            for known, keys in (
                (self._products, agent.products),
                (self._languages, agent.languages),
                (self._lines, (agent.line,)),
            ):
                for key in keys:
                    known[key] = known.get(key, 0) | 1 << number

    def best(self, person: Person, most: int, *, whatever: bool = False) -> list[Ranked]:
        """The agents who suit a person best, at most so many, the best first.

        Without `whatever` only those who fit all that binds, and nobody met before.
        """
        among, found = self._among(person, whatever=whatever), list[tuple[float, int, int]]()
        for score, group in self._groups(person):
            if len(found) >= most and -found[most - 1][0] >= score + PREFERRED:
                break  # nobody further down can be worth more
            for number in bits_of(group & among):
                starts = self.agents[number].starts & person.free
                if starts:
                    liked = not person.preferred or starts & person.preferred
                    worth = score + (PREFERRED if liked else 0) - self._loads[number]
                    found.append((-worth, number, starts))
            among &= ~group
            found.sort()
        return [Ranked(self.agents[number], starts, -worth) for worth, number, starts in found[:most]]

    def _among(self, person: Person, *, whatever: bool) -> int:
        found = self._everyone
        out: Iterable[int] = (person.id, *person.refuses)
        if not whatever:
            out = (*out, *person.met)
            if person.languages:
                found &= _any(self._languages, person.languages)
            if person.insists and person.products:
                found &= _any(self._products, person.products)
            if person.line is not None:
                found &= self._lines.get(person.line, 0)
        for one in out:
            if one in self._at:
                found &= ~(1 << self._at[one])
        return found

    def _groups(self, person: Person) -> Iterator[tuple[int, int]]:
        """Agents by how well they match, the time apart; each may be named by a group before."""
        spoken = self._languages.get(person.languages[0], 0) if person.languages else self._everyone
        first = self._products.get(person.products[0], 0) if person.products else self._everyone
        some = _any(self._products, person.products) | first
        yield FIRST_PRODUCT + LANGUAGE, first & spoken
        yield FIRST_PRODUCT, first
        yield OTHER_PRODUCT + LANGUAGE, some & spoken
        yield OTHER_PRODUCT, some
        yield LANGUAGE, spoken
        yield 0, self._everyone


def _any(masks: Mapping[Any, int], keys: Iterable[Any]) -> int:
    return reduce(or_, (masks.get(key, 0) for key in keys), 0)
