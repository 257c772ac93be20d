"""Phase A: who is served. People in order, each let in if the others can be seated around them.

The sets of people that can be served together are the independent sets of a matroid (people matched into a
laminar family of caps), so this greedy serves as many as possible *and* keeps the order: nobody is left out
for somebody behind them (Schrijver 2003, section 40.1; Roth, Sönmez and Ünver 2005).
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence

from gemba.rounds.pairing.network import NOBODY, Network

Places = Callable[[int], Iterable[int]]
"""The places a person (by index) could take."""


class Seating:
    """Who sits where, and the search for one more."""

    def __init__(self, network: Network, people: int, fixed: Collection[int] = ()) -> None:
        """`fixed` are the indices of people who are never moved."""
        self.network = network
        self.place = [NOBODY] * people
        self.fixed = frozenset(fixed)
        self._seen_place = [0] * len(network.places)
        self._seen_node = [0] * len(network.parent)
        self._seen_person = [0] * people
        self._search = 0
        self.dead_nodes: set[int] = set()
        """Full nodes from which no free place can be reached: they stay so while people only come in."""

    def seat(self, person: int, place: int) -> None:
        """Puts a person into a free place."""
        self.place[person] = place
        self.network.take(person, place)

    def rise(self, person: int) -> None:
        """Takes a person out of their place; what was out of reach may be in reach again."""
        self.network.leave(self.place[person])
        self.place[person] = NOBODY
        self.dead_nodes.clear()

    def let_in(self, person: int, places: Places, *, is_all: bool = True) -> list[int] | None:
        """Seats one more, moving as few others as possible; returns who moved, None where it cannot be done.

        A search over all places (`is_all`) that fails marks what it saw: nobody will come free there.
        """
        network, search = self.network, self._search + 1
        self._search = search
        came: dict[int, tuple[int, int]] = {}
        queue, full = deque([person]), []
        self._seen_person[person] = search
        while queue:
            who = queue.popleft()
            for place in places(who):
                if self._seen_place[place] == search:
                    continue
                self._seen_place[place] = search
                node = network.bottleneck(place)
                if node == NOBODY:
                    return self._shift(who, place, came)
                if node in self.dead_nodes or self._seen_node[node] == search:
                    continue
                self._seen_node[node] = search
                full.append(node)
                for other in network.holder[network.first[node] : network.last[node]]:
                    if other >= 0 and self._seen_person[other] != search and other not in self.fixed:
                        self._seen_person[other] = search
                        came[other] = (who, place)
                        queue.append(other)
        if is_all:
            self.dead_nodes.update(full)
        return None

    def _shift(self, who: int, place: int, came: dict[int, tuple[int, int]]) -> list[int]:
        """Everyone on the path moves on by one place."""
        moved = []
        while True:
            old = self.place[who]
            if old != NOBODY:
                self.network.leave(old)
                moved.append(who)
            self.seat(who, place)
            if who not in came:
                return moved
            who, place = came[who]


def admit(seating: Seating, order: Sequence[int], few: Places, every: Places) -> list[int]:
    """Lets people in, in order; returns who cannot be served.

    `few` are a person's best places, looked at first; only `every` place decides that there is none.
    """
    left = []
    for person in order:
        if seating.let_in(person, few, is_all=False) is None and seating.let_in(person, every) is None:
            left.append(person)
    return left
