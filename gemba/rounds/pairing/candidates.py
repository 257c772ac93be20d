"""Who fits whom, and how well: 0 to 10 by product, language and time."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_

from gemba.rounds.pairing.grid import bits_of, lowest
from gemba.rounds.pairing.network import Network
from gemba.rounds.pairing.values import Agent, Because, Person

FIRST_PRODUCT, OTHER_PRODUCT, LANGUAGE, PREFERRED = 5, 3, 2, 3
BEST = FIRST_PRODUCT + LANGUAGE + PREFERRED
FEW = 20
"""So many of the best agents are looked at for each person before all are."""


def match(person: Person, agent: Agent) -> int:
    """How well agent and person fit, the time apart: 0 to 7."""
    score = 0
    if person.products:
        if person.products[0] in agent.products:
            score += FIRST_PRODUCT
        elif not agent.products.isdisjoint(person.products):
            score += OTHER_PRODUCT
    else:
        score += FIRST_PRODUCT  # no wish is fulfilled by anybody
    if not person.languages or person.languages[0] in agent.languages:
        score += LANGUAGE
    return score


def score_at(person: Person, agent: Agent, bit: int) -> int:
    """How well a pair fits at a start: 0 to 10."""
    likes = not person.preferred or person.preferred >> bit & 1
    return match(person, agent) + (PREFERRED if likes else 0)


def because(person: Person, agent: Agent, bit: int) -> tuple[Because, ...]:
    """What speaks for a pair at a start."""
    found = []
    if person.products and person.products[0] in agent.products:
        found.append(Because.FIRST_PRODUCT)
    elif not agent.products.isdisjoint(person.products):
        found.append(Because.OTHER_PRODUCT)
    if person.languages and person.languages[0] in agent.languages:
        found.append(Because.LANGUAGE)
    if person.preferred >> bit & 1:
        found.append(Because.PREFERRED_TIME)
    if agent.id in person.met:
        found.append(Because.MET_BEFORE)
    return tuple(found)


class Fitting:
    """Which agents fit a wish, as bits by agent's index, and how well: people who wish the same share it."""

    def __init__(self, agents: Sequence[Agent]) -> None:
        self._everyone = (1 << len(agents)) - 1
        self._products: dict[int, int] = {}
        self._languages: dict[str, int] = {}
        self._lines: dict[int, int] = {}
        self._known: dict[tuple[object, ...], list[list[int]]] = {}
        for number, agent in enumerate(agents):
            for product in agent.products:
                self._products[product] = self._products.get(product, 0) | 1 << number
            for language in agent.languages:
                self._languages[language] = self._languages.get(language, 0) | 1 << number
            if agent.line is not None:
                self._lines[agent.line] = self._lines.get(agent.line, 0) | 1 << number

    def groups(self, person: Person) -> list[list[int]]:
        """The agents that fit, in groups that match equally well, the best group first."""
        wish = (person.products, person.insists, person.languages, person.line)
        if wish not in self._known:
            self._known[wish] = self._groups(person)
        return self._known[wish]

    def _groups(self, person: Person) -> list[list[int]]:
        first = self._products.get(person.products[0], 0) if person.products else self._everyone
        some = reduce(or_, (self._products.get(each, 0) for each in person.products), first)
        speak = reduce(or_, (self._languages.get(each, 0) for each in person.languages), 0)
        if not person.languages:
            speak = self._everyone
        best = self._languages.get(person.languages[0], 0) if person.languages else self._everyone
        fit = speak & (some if person.insists else self._everyone)
        if person.line is not None:
            fit &= self._lines.get(person.line, 0)
        groups: dict[int, int] = {}
        for mask, product in ((first, FIRST_PRODUCT), (some & ~first, OTHER_PRODUCT), (~some, 0)):
            for spoken, language in ((best, LANGUAGE), (~best, 0)):
                score = product + language
                groups[score] = groups.get(score, 0) | mask & spoken & fit & self._everyone
        return [bits_of(groups[score]) for score in sorted(groups, reverse=True) if groups[score]]


class Candidates:
    """Which places each person could take."""

    def __init__(
        self, people: Sequence[Person], network: Network, fitting: Fitting, *, again: bool = False
    ) -> None:
        """`again` lets people see agents whom they have met before."""
        self.people, self.network, self.fitting, self.again = people, network, fitting, again
        self._found: dict[int, list[tuple[int, ...]]] = {}
        self._rest: dict[int, Iterator[int]] = {}
        self._starts = [agent.starts for agent in network.agents]
        self._ids = [agent.id for agent in network.agents]
        self._firsts = [
            [lowest(network.places[place].starts) for place in network.of_agent[index]]
            for index in range(len(network.agents))
        ]

    def open(self, number: int) -> Iterator[int]:
        """The indices of agents who fit and have a start in common, best first.

        Among equals each person begins at another agent, so that not all ask the same one first.
        """
        person, starts = self.people[number], self._starts
        free = person.free
        return (index for index in self.fit(person) if free & starts[index])

    def fit(self, person: Person) -> Iterator[int]:
        """The indices of agents who fit, whatever their time, best first."""
        ids = self._ids
        out = {person.id, *person.refuses} if self.again else {person.id, *person.refuses, *person.met}
        for group in self.fitting.groups(person):
            turn = (person.id * 2654435761 >> 7) % len(group)
            for index in (*group[turn:], *group[:turn]):
                if ids[index] not in out:
                    yield index

    def few(self, number: int) -> Iterator[int]:
        """Places of the agents who fit best, preferred times first."""
        return self._walk(number, FEW)

    def every(self, number: int) -> Iterator[int]:
        """All places the person could take, in the same order."""
        return self._walk(number, len(self.network.agents))

    def _walk(self, number: int, most: int) -> Iterator[int]:
        """The places of at most so many agents; each agent is looked at when first asked for, and once."""
        if number not in self._found:
            self._found[number], self._rest[number] = [], self.open(number)
        found, at = self._found[number], 0
        while at < most:
            if at == len(found):
                index = next(self._rest[number], None)
                if index is None:
                    return
                found.append(tuple(self.places(number, index)))
            yield from found[at]
            at += 1

    def places(self, number: int, index: int) -> list[int]:
        """The places of one agent that hold a start the person can come to, preferred ones first."""
        person = self.people[number]
        common = person.free & self._starts[index]
        liked = self._holding(index, common & person.preferred) if person.preferred else []
        return list(dict.fromkeys([*liked, *self._holding(index, common)]))

    def _holding(self, index: int, bits: int) -> list[int]:
        """Which of an agent's places hold one of these starts; places lie one after the other, with gaps."""
        firsts, base, places = self._firsts[index], self.network.of_agent[index].start, self.network.places
        found = []
        while bits:
            at = bisect_right(firsts, lowest(bits))
            if at and places[base + at - 1].starts & bits:
                found.append(base + at - 1)
            if at == len(firsts):
                break
            bits = bits >> firsts[at] << firsts[at]
        return found

    def score(self, number: int, place: int) -> int:
        """How well a place suits a person: 0 to 10."""
        room = self.network.places[place]
        return score_at(self.people[number], self.network.agents[room.agent], self.start_in(number, place))

    def start_in(self, number: int, place: int) -> int:
        """The bit of the start chosen for a person in a place: the earliest they like, else the earliest."""
        person = self.people[number]
        common = self.network.places[place].starts & person.free
        return lowest(common & person.preferred or common)
