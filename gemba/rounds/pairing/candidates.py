"""Who fits whom, and how well: 0 to 10 by product, language and time.

Places are bits too: who could take which is asked for thousands at once, as one number for each person.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any, NamedTuple, TypeVar

from gemba.rounds.pairing.grid import bits_of, lowest
from gemba.rounds.pairing.network import Network
from gemba.rounds.pairing.values import Agent, Because, Person

K = TypeVar("K")
Spans = tuple[int, ...]
"""Starts that follow one another: turn of the first, number, and again."""
FIRST_PRODUCT, OTHER_PRODUCT, LANGUAGE, PREFERRED = 5, 3, 2, 3
BEST = FIRST_PRODUCT + LANGUAGE + PREFERRED
KEPT_BYTES = 34 * 1024 * 1024
"""What is kept of people's places, so that it need not be worked out again."""


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


class Group(NamedTuple):
    """Places of agents who match a wish equally well: the match without the time, and the places' bits."""

    score: int
    places: int


class Fitting:
    """Whose places fit a wish, and how well: people who wish the same share it."""

    def __init__(self, network: Network) -> None:
        self._everyone = (1 << len(network.places)) - 1
        self.products: dict[int, int] = {}
        self.languages: dict[str, int] = {}
        self.lines: dict[int, int] = {}
        """Places (bits) of agents by product, language and line."""
        self._known: dict[tuple[tuple[int, ...], str], tuple[Group, ...]] = {}
        self._unions: dict[tuple[Any, ...], int] = {}
        for agent, places in zip(network.agents, network.of_agent, strict=True):
            mask = (1 << places.stop) - (1 << places.start)
            for product in agent.products:
                self.products[product] = self.products.get(product, 0) | mask
            for language in agent.languages:
                self.languages[language] = self.languages.get(language, 0) | mask
            if agent.line is not None:
                self.lines[agent.line] = self.lines.get(agent.line, 0) | mask

    def groups(self, person: Person) -> tuple[Group, ...]:
        """All places in groups that match equally well or are named by a group before; the best first."""
        wish = person.products, person.languages[0] if person.languages else ""
        if wish not in self._known:
            self._known[wish] = tuple(self._groups(*wish))
        return self._known[wish]

    def _groups(self, products: tuple[int, ...], language: str) -> Iterator[Group]:
        spoken = self.languages.get(language, 0) if language else self._everyone
        first = self.products.get(products[0], 0) if products else self._everyone
        some = self._any(self.products, products) | first
        groups = (
            Group(FIRST_PRODUCT + LANGUAGE, first & spoken),
            Group(FIRST_PRODUCT, first | some & spoken),
            Group(OTHER_PRODUCT, some),
            Group(LANGUAGE, spoken),
            Group(0, self._everyone),
        )
        before = 0
        for group in groups:
            if group.places & ~before:
                yield group
            before |= group.places

    def fit(self, person: Person) -> int:
        """The places of agents who fit a person, whatever the time and whoever they are."""
        fit = self._any(self.languages, person.languages) if person.languages else self._everyone
        if person.insists and person.products:
            fit &= self._any(self.products, person.products)
        if person.line is not None:
            fit &= self.lines.get(person.line, 0)
        return fit

    def _any(self, masks: Mapping[K, int], keys: tuple[K, ...]) -> int:
        if keys not in self._unions:
            self._unions[keys] = reduce(or_, (masks.get(key, 0) for key in keys), 0)
        return self._unions[keys]


class Candidates:
    """Which places each person could take."""

    def __init__(self, people: Sequence[Person], network: Network) -> None:
        self.people, self.network, self.fitting = people, network, Fitting(network)
        self.again: set[int] = set()
        """Indices of those who may see agents they have met before."""
        self._at = dict(sorted(_places_at(network).items()))
        self._union = reduce(or_, (1 << bit for bit in self._at), 0)
        self._turn = {bit: turn for turn, bit in enumerate(self._at)}
        self._one, self._two = list(self._at.values()), dict[int, int]()
        """The places that hold a start, by its turn, and those that hold it or the one after it."""
        self._spans: dict[int, tuple[Spans, Spans]] = {}
        self._of_agent = dict(zip((agent.id for agent in network.agents), network.of_agent, strict=True))
        self._every: dict[int, int] = {}
        self._liked: dict[int, int] = {}
        self._most_kept = KEPT_BYTES // (len(network.places) // 8 + 100)
        self._keeps_liked = 2 * len(people) <= self._most_kept

    def when(self, starts: int) -> int:
        """The places that hold one of these starts."""
        return self._during(self._spans_of(starts))

    def _spans_of(self, starts: int) -> Spans:
        found: list[int] = []
        end = -1
        for bit in bits_of(starts & self._union):
            turn = self._turn[bit]
            if turn == end:
                found[-1] += 1
            else:
                found += turn, 1
            end = turn + 1
        return tuple(found)

    def _during(self, spans: Spans) -> int:
        found, at = 0, iter(spans)
        for first, count in zip(at, at, strict=True):
            for turn in range(first, first + count - 1, 2):
                if turn not in self._two:
                    self._two[turn] = self._one[turn] | self._one[turn + 1]
                found |= self._two[turn]
            if count % 2:
                found |= self._one[first + count - 1]
        return found

    def starts_of(self, places: int) -> list[int]:
        """The starts (bits) that these places hold, ascending."""
        return [bit for bit, there in self._at.items() if there & places]

    def fit(self, person: Person, *, again: bool) -> int:
        """The places of agents who fit, whatever the time; `again` lets people see whom they have met."""
        found = self.fitting.fit(person)
        out = {person.id, *person.refuses} if again else {person.id, *person.refuses, *person.met}
        for agent in out:
            if theirs := self._of_agent.get(agent):
                found &= ~((1 << theirs.stop) - (1 << theirs.start))
        return found

    def every(self, number: int) -> int:
        """All places a person (by index) could take."""
        found = self._every.get(number)
        if found is None:
            likes, others = self._times(number)
            found = (self._during(likes) | self._during(others)) & self.fit(
                self.people[number], again=number in self.again
            )
            if len(self._every) < self._most_kept:
                self._every[number] = found
        return found

    def both(self, number: int) -> tuple[int, int]:
        """All places a person could take, and those of them that hold a start they like."""
        every, liked = self.every(number), self._liked.get(number)
        if liked is None:
            likes, others = self._times(number)
            liked = self._during(likes) & every if others else every
            if liked == every:
                liked = every
            if self._keeps_liked:
                self._liked[number] = liked
        return every, liked

    def _times(self, number: int) -> tuple[Spans, Spans]:
        """When a person likes to come, and when else they could."""
        if number not in self._spans:
            person = self.people[number]
            likes = person.free & person.preferred or person.free
            self._spans[number] = self._spans_of(likes), self._spans_of(person.free & ~likes)
        return self._spans[number]

    def forget(self, numbers: Sequence[int]) -> None:
        """What these people could take has changed."""
        for number in numbers:
            self._every.pop(number, None)
            self._liked.pop(number, None)

    def classes(self, number: int) -> list[Group]:
        """The places a person could take in classes that suit equally well, 10 to 0, the best first."""
        every, liked = self.both(number)
        found: dict[int, int] = {}
        for time, extra in ((liked, PREFERRED), (every & ~liked, 0)):
            part = time
            for score, places in self.fitting.groups(self.people[number]):
                if part & places:
                    found[score + extra] = found.get(score + extra, 0) | part & places
                part &= ~places
        return [Group(score, found[score]) for score in sorted(found, reverse=True)]

    def best(self, number: int, among: int) -> int:
        """The place of these (bits; at least one is the person's) that suits best.

        Among equals each person begins at another agent, so that not all ask the same one first.
        """
        every, liked = self.both(number)
        groups = self.fitting.groups(self.people[number])
        best, score = 0, -1
        for time, extra in ((liked, PREFERRED), (every, 0)):
            part = time & among
            for group in groups if part else ():
                if group.score + extra <= score:
                    break
                if part & group.places:
                    best, score = part & group.places, group.score + extra
                    break
        turn = (self.people[number].id * 2654435761 >> 7) % len(self.network.places)
        return turn + lowest(best >> turn) if best >> turn else lowest(best)

    def agents(self, number: int) -> Iterator[int]:
        """The indices of agents whom a person could see, the best match first."""
        seen: set[int] = set()
        places = self.network.places
        for group in self.classes(number):
            for place in bits_of(group.places):
                index = places[place].agent
                if index not in seen:
                    seen.add(index)
                    yield index

    def start_in(self, number: int, place: int) -> int:
        """The bit of the start chosen for a person in a place: the earliest they like, else the earliest."""
        person = self.people[number]
        common = self.network.places[place].starts & person.free
        return lowest(common & person.preferred or common)


def mask_of(numbers: Sequence[int], count: int) -> int:
    """These bits of so many."""
    held = bytearray(count // 8 + 1)
    for number in numbers:
        held[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(held, "little")


def _places_at(network: Network) -> dict[int, int]:
    """By start (bit), the places that hold it; many places have the same starts."""
    same: dict[int, list[int]] = {}
    for number, place in enumerate(network.places):
        same.setdefault(place.starts, []).append(number)
    found: dict[int, int] = {}
    for starts, numbers in same.items():
        mask = mask_of(numbers, numbers[-1] + 1)
        for bit in bits_of(starts):
            found[bit] = found.get(bit, 0) | mask
    return found
