"""Phase A: who is served. People in order, each let in if the others can be seated around them.

The sets of people that can be served together are the independent sets of a matroid (people matched into a
laminar family of caps), so this greedy serves as many as possible *and* keeps the order: nobody is left out
for somebody behind them (Schrijver 2003, section 40.1; Roth, Sönmez and Ünver 2005).
"""

from collections import deque
from collections.abc import Collection, Sequence

from gemba.rounds.pairing.candidates import Candidates
from gemba.rounds.pairing.network import NOBODY, Network


class Seating:
    """Who sits where, and the search for one more."""

    def __init__(self, network: Network, candidates: Candidates, fixed: Collection[int] = ()) -> None:
        """`fixed` are the indices of people who are never moved."""
        self.network, self.candidates = network, candidates
        self.place = [NOBODY] * len(candidates.people)
        self.fixed = frozenset(fixed)
        self.free = 0
        """The places (bits) above which nothing is full; while people come in there are ever fewer."""
        self.dead = 0
        """Places from which no free one can be reached: they stay so while people only come in."""
        self.look_again()

    def look_again(self) -> None:
        """Finds the free places anew, and takes none for dead: after people rose, or may go elsewhere."""
        self.dead, self.free = 0, self.network.free()

    def seat(self, person: int, place: int) -> None:
        """Puts a person into a place."""
        network = self.network
        self.place[person] = place
        network.take(person, place)
        for node in reversed(network.chain[place]):
            if network.used[node] >= network.cap[node]:
                self.free &= ~network.below(node)
                break

    def let_in(self, person: int) -> list[int] | None:
        """Seats one more, moving as few others as possible; returns who moved, None where it cannot be done.

        A search that fails marks what it saw: nobody will come free there.
        """
        candidates, network, seen = self.candidates, self.network, self.dead
        came: dict[int, tuple[int, int]] = {person: (NOBODY, NOBODY)}
        queue = deque([person])
        while queue:
            who = queue.popleft()
            new = candidates.every(who)
            if new & self.free:
                return self._shift(who, candidates.best(who, self.free), came)
            new &= ~seen
            while new:
                place = new.bit_length() - 1
                node = network.bottleneck(place)
                first, last = network.first[node], network.last[node]
                seen |= network.below(node)
                # Places are looked at from the last to the first, and a node's lie side by side.
                new &= (1 << first) - 1
                for other in network.holder[first:last]:
                    if other >= 0 and other not in came and other not in self.fixed:
                        came[other] = who, place
                        queue.append(other)
        self.dead = seen
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
            who, place = came[who]
            if who == NOBODY:
                return moved


def admit(seating: Seating, order: Sequence[int]) -> list[int]:
    """Lets people in, in order; returns who cannot be served."""
    return [person for person in order if seating.let_in(person) is None]
