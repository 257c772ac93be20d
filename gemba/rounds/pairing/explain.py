"""Why somebody is left out, and which hours would have worked."""

from collections import deque
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from gemba.rounds.pairing.admit import Seating
from gemba.rounds.pairing.candidates import mask_of
from gemba.rounds.pairing.help import hours, without
from gemba.rounds.pairing.network import NOBODY
from gemba.rounds.pairing.values import Help, Helps, LeftOut, Person, Reason, Why

SUGGESTED = 6
"""At most so many starts that would have worked are named."""
PATIENCE = 1000
"""After so many steps all places that come free when others move are worked out at once."""
MANY = 40
"""After so many steps, what else can be reached is kept for the others."""


class Explanation:
    """Reads a finished seating."""

    def __init__(self, seating: Seating, left: Sequence[int]) -> None:
        self.seating, self.candidates, self.left = seating, seating.candidates, left
        self._known: list[tuple[int, int]] = []
        """Places from which one can be sent on to each other, and all to which one can be sent from there."""
        self._crowds: dict[int, int] = {}
        self._good, self._bad, self._steps = seating.free, 0, 0
        """Places that are free or come free when others move, places of which neither is true, and what to
        know them has taken."""

    def left_out(self, number: int) -> LeftOut:
        """Why a person (by index) is left out."""
        person = self.candidates.people[number]
        every = self._would_work(number)
        some = sorted({every[len(every) * step // SUGGESTED] for step in range(SUGGESTED)}) if every else []
        works = tuple(self.candidates.network.grid.first + bit for bit in some)
        return LeftOut(person.id, self._reason(number), works, tuple(self._helps(person, every)))

    def _helps(self, person: Person, works: Sequence[int]) -> list[Help]:
        """What alone would help: hours, of which `works` are the starts, or a wish less."""
        grid = self.candidates.network.grid
        in_hours = hours(grid, person.zone, mask_of(works, grid.count))
        found = [in_hours] if in_hours is not None else []
        there = self.candidates.when(person.free)
        for kind, other in without(person):
            if places := self._could_be_had(there & self.candidates.fit(other, again=True)):
                found.append(Help(kind, self._which(kind, places)))
        return found

    def _which(self, kind: Helps, places: int) -> int | str | None:
        """The product, language or line that most of these places have."""
        fitting, masks = self.candidates.fitting, dict[Any, int]()
        if kind == Helps.PRODUCT:
            masks = fitting.products
        elif kind == Helps.LANGUAGE:
            masks = fitting.languages
        elif kind == Helps.LINE:
            masks = fitting.lines
        known = sorted(masks, key=str)
        return max(known, key=lambda key: (masks[key] & places).bit_count(), default=None)

    def _reason(self, number: int) -> Reason:
        person = self.candidates.people[number]
        if not self.candidates.fit(person, again=True):
            lift = [kind.value for kind, other in without(person) if self.candidates.fit(other, again=True)]
            return Reason(Why.NO_AGENT, {"lift": lift})
        if not self.candidates.every(number):
            return Reason(Why.NO_TIME)
        people, places = self._competition(number)
        return Reason(Why.ALL_TAKEN, {"people": people, "places": places})

    def _competition(self, number: int) -> tuple[int, int]:
        """How many compete for what this person could have, left out or not, and for how many places."""
        region = self._region(self.candidates.every(number))
        if region not in self._crowds:
            self._crowds[region] = sum(1 for each in self.left if self.candidates.every(each) & region)
        places = (region & self._taken).bit_count()
        # Where only pinned or packed pairs stand in between, nobody competes.
        return (places + self._crowds[region], places) if places else (0, 0)

    @cached_property
    def _taken(self) -> int:
        holder = self.seating.network.holder
        return mask_of([place for place, who in enumerate(holder) if who != NOBODY], len(holder))

    def _region(self, places: int, *, patience: int = MANY) -> int:
        """The places somebody could have if those who sit there went elsewhere, and they likewise.

        In a crowded round most of it is the same for nearly everybody: that is worked out once.
        """
        network, found, new, steps = self.seating.network, 0, places, 0
        while new:
            place = new.bit_length() - 1
            new &= (1 << place) - 1
            node = network.bottleneck(place)
            if node == NOBODY:
                continue  # a pinned pair or one that was packed stands in between
            reach = next((reach for known, reach in self._known if known >> place & 1), 0)
            if not reach and steps == patience:
                reach, steps = self._know(node), 0
            if not reach:
                reach, steps = network.below(node), steps + 1
                for other in network.holder[network.first[node] : network.last[node]]:
                    if other >= 0 and other not in self.seating.fixed:
                        new |= self.candidates.every(other)
            found |= reach
            new &= ~found
        return found

    def _know(self, node: int) -> int:
        """The same from a node on, kept for all places that lead there and back."""
        below = self.seating.network.below(node)
        found = self._region(below, patience=-1)
        self._known.append((_leading_to(self.seating, below) & found, found))
        return found

    def _would_work(self, number: int) -> list[int]:
        """Starts (bits) of agents who fit at which the person could have been served, ascending."""
        person = self.candidates.people[number]
        places = self._could_be_had(self.candidates.fit(person, again=True))
        return [bit for bit in self.candidates.starts_of(places) if not person.free >> bit & 1]

    def _could_be_had(self, places: int) -> int:
        """Those of the places that are free; only where none is, those that come free when others move."""
        if places & self.seating.free:
            return places & self.seating.free
        while unknown := places & ~(self._good | self._bad):
            self._look_from(unknown.bit_length() - 1)
            if self._steps > PATIENCE:
                self._good = _leading_to(self.seating, self.seating.free)
                self._bad = ~self._good
        return places & self._good

    def _look_from(self, place: int) -> None:
        """Finds out whether a place comes free when others move; if not, neither does all that was seen."""
        network = self.seating.network
        start = network.bottleneck(place)
        came, queue, seen = {start: NOBODY}, deque([start]), network.below(start)
        while queue:
            self._steps += 1
            node = queue.popleft()
            for other in network.holder[network.first[node] : network.last[node]]:
                if other < 0 or other in self.seating.fixed:
                    continue
                places = self.candidates.every(other)
                if places & self._good:
                    self._lead_there(node, came)
                    return
                new = places & ~(seen | self._bad)
                while new:
                    following = network.bottleneck(new.bit_length() - 1)
                    came[following] = node
                    queue.append(following)
                    seen |= network.below(following)
                    new &= ~seen
        self._bad |= seen

    def _lead_there(self, node: int, came: Mapping[int, int]) -> None:
        """All places that wait for nothing but these nodes come free."""
        network = self.seating.network
        while node != NOBODY:
            for place in range(network.first[node], network.last[node]):
                if network.bottleneck(place) == node:
                    self._good |= 1 << place
            node = came[node]


def _leading_to(seating: Seating, goal: int) -> int:
    """The places (bits) from which others can move on, one by one, until a place of the goal is taken."""
    network, every = seating.network, seating.candidates.every
    behind: dict[int, list[int]] = {}
    for place in range(len(network.places)):
        behind.setdefault(network.bottleneck(place), []).append(place)
    good, news = goal, True
    waiting = [each for each, at in enumerate(seating.place) if at != NOBODY and each not in seating.fixed]
    while news:
        news, still = False, []
        for each in waiting:
            if not every(each) & good:
                still.append(each)
                continue
            for node in network.chain[seating.place[each]]:
                for place in behind.pop(node, ()):
                    good |= 1 << place
                    news = True
        waiting = still
    return good


def explain(seating: Seating, left: Sequence[int]) -> list[LeftOut]:
    """Why each of these people (by index) is left out."""
    explanation = Explanation(seating, left)
    return [explanation.left_out(number) for number in left]
