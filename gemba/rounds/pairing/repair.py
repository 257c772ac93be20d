"""A plan after something fell through: who lost an agent finds another, and as few others as possible move.

Nobody who has been told of a visit loses it: people only ever move on, along the shortest chain.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gemba.rounds.pairing.admit import admit
from gemba.rounds.pairing.candidates import because, score_at
from gemba.rounds.pairing.grid import Grid
from gemba.rounds.pairing.network import NOBODY
from gemba.rounds.pairing.propose import lay
from gemba.rounds.pairing.values import Agent, Pair, Person, Pin


@dataclass(frozen=True, slots=True)
class Repaired:
    """What changes: new pairs of those who lost theirs, of others who move, and who finds nothing."""

    placed: tuple[Pair, ...]
    moved: tuple[Pair, ...]
    unplaced: tuple[int, ...]


def repair(
    agents: Sequence[Agent],
    people: Sequence[Person],
    grid: Grid,
    pairs: Sequence[Pin],
    *,
    stay: Collection[int] = (),
) -> Repaired:
    """Finds places for everyone without a pair among `people`; `pairs` are those that still hold.

    `stay` are ids of people who must not be moved (too near, or they said so). Raises NoSuchPin where a pair
    does not hold.
    """
    table = lay(agents, people, grid, pairs)
    seating, network = table.seating, table.network
    before = {number: seating.place[number] for number in table.pins}
    seating.fixed = frozenset(n for n in table.pins if table.people[n].id in set(stay))
    lost = table.order
    out = admit(seating, lost)
    table.see_again(out)
    out = admit(seating, out)

    def pair_of(number: int) -> Pair:
        place = seating.place[number]
        person, agent = table.people[number], network.agents[network.places[place].agent]
        bit = table.candidates.start_in(number, place)
        return Pair(
            person.id, agent.id, grid.first + bit, score_at(person, agent, bit), because(person, agent, bit)
        )

    return Repaired(
        placed=tuple(pair_of(number) for number in lost if seating.place[number] != NOBODY),
        moved=tuple(pair_of(number) for number, place in before.items() if seating.place[number] != place),
        unplaced=tuple(sorted(table.people[number].id for number in out)),
    )
