"""Who fits whom, and how well: 0 to 10 by product, language and time."""

from collections.abc import Iterator, Sequence
from functools import cached_property

from gemba.rounds.pairing.grid import lowest
from gemba.rounds.pairing.network import Network
from gemba.rounds.pairing.values import Agent, Because, Person

FIRST_PRODUCT, OTHER_PRODUCT, LANGUAGE, PREFERRED = 5, 3, 2, 3
BEST = FIRST_PRODUCT + LANGUAGE + PREFERRED
RULES = ("language", "product", "line", "refuses")
"""The rules that bind an agent and a person, whatever the time."""


def fits(person: Person, agent: Agent, but: str = "") -> bool:
    """Whether every binding rule allows the pair; the rule named `but` is not asked."""
    if agent.id == person.id:
        return False
    if but != "language" and person.languages and agent.languages.isdisjoint(person.languages):
        return False
    if but != "product" and person.insists and person.products and agent.products.isdisjoint(person.products):
        return False
    if but != "line" and person.line is not None and agent.line != person.line:
        return False
    return but == "refuses" or agent.id not in person.refuses


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


class Candidates:
    """Which places each person could take. People who wish the same share the list of agents that fit."""

    def __init__(self, people: Sequence[Person], network: Network, *, again: bool = False) -> None:
        """`again` lets people see agents whom they have met before."""
        self.people, self.network, self.again = people, network, again
        self._by_wish: dict[tuple[object, ...], list[tuple[int, int]]] = {}
        self._every: dict[int, tuple[int, ...]] = {}

    @cached_property
    def _starts(self) -> list[int]:
        return [agent.starts for agent in self.network.agents]

    def agents(self, number: int) -> list[tuple[int, int]]:
        """(minus match, agent's index) of the agents that fit a person, best first, the time not asked."""
        person = self.people[number]
        wish = (person.products, person.insists, person.languages, person.line)
        if wish not in self._by_wish:
            self._by_wish[wish] = sorted(
                (-match(person, agent), index)
                for index, agent in enumerate(self.network.agents)
                if fits(person, agent, but="refuses")
            )
        return self._by_wish[wish]

    def open(self, number: int) -> Iterator[tuple[int, int]]:
        """(match, agent's index) of those who fit and have a start in common, best first.

        Among equals each person begins at another agent, so that not all ask the same one first.
        """
        person, starts = self.people[number], self._starts
        fitting = self.agents(number)
        agents, out = self.network.agents, person.refuses if self.again else person.refuses | person.met
        at = 0
        while at < len(fitting):
            end = at
            while end < len(fitting) and fitting[end][0] == fitting[at][0]:
                end += 1
            turn = (person.id * 2654435761 >> 7) % (end - at)
            for each in range(end - at):
                score, index = fitting[at + (each + turn) % (end - at)]
                if (
                    person.free & starts[index]
                    and agents[index].id not in out
                    and agents[index].id != person.id
                ):
                    yield -score, index
            at = end

    def best(self, number: int, most: int) -> tuple[int, ...]:
        """Places of the `most` agents who fit best, preferred times first."""
        found: list[int] = []
        for count, (_score, index) in enumerate(self.open(number)):
            if count >= most:
                break
            found += self.places(number, index)
        return tuple(found)

    def every(self, number: int) -> tuple[int, ...]:
        """All places the person could take."""
        if number not in self._every:
            self._every[number] = self.best(number, len(self.network.agents))
        return self._every[number]

    def places(self, number: int, index: int) -> list[int]:
        """The places of one agent that hold a start the person can come to, preferred ones first."""
        person, network = self.people[number], self.network
        common = person.free & self._starts[index]
        liked = [], []  # type: tuple[list[int], list[int]]
        for place in network.of_agent[index]:
            starts = network.places[place].starts & common
            if starts:
                liked[0 if starts & person.preferred else 1].append(place)
        return liked[0] + liked[1]

    def score(self, number: int, place: int) -> int:
        """How well a place suits a person: 0 to 10."""
        room = self.network.places[place]
        return score_at(self.people[number], self.network.agents[room.agent], self.start_in(number, place))

    def start_in(self, number: int, place: int) -> int:
        """The bit of the start chosen for a person in a place: the earliest they like, else the earliest."""
        person = self.people[number]
        common = self.network.places[place].starts & person.free
        return lowest(common & person.preferred or common)
