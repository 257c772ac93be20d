"""What people do without an engine: four ways to fill a round one by one, on the same places.

*open*: first come, earliest open hour. *turn*: the same, and of the agents then free the one
who has had least of what they offer (the rule of Cal.com). *match*: first come, best match. *hard*: a
coordinator who serves whoever has fewest places first, with the agent who has had least.
"""

from collections.abc import Callable, Mapping
from functools import partial

from gemba.rounds.pairing.admit import Seating
from gemba.rounds.pairing.candidates import Candidates
from gemba.rounds.pairing.grid import bits_of, lowest
from gemba.rounds.pairing.network import Network
from tests.bench.rounds import BenchRound

Rank = Callable[[Seating, int, int], tuple[float, ...]]
"""Of a seating, a person's index and a place: the smallest is taken."""


def _hour(seating: Seating, who: int, place: int) -> int:
    return lowest(seating.network.places[place].starts & seating.candidates.people[who].free)


def _share(seating: Seating, place: int) -> float:
    network = seating.network
    index = network.places[place].agent
    return network.used[network.agent_node[index]] / network.agents[index].offered


def _open(seating: Seating, who: int, place: int) -> tuple[float, ...]:
    return _hour(seating, who, place), place


def _turn(seating: Seating, who: int, place: int) -> tuple[float, ...]:
    return _hour(seating, who, place), _share(seating, place), place


def _hard(seating: Seating, _who: int, place: int) -> tuple[float, ...]:
    return _share(seating, place), place


def fill(world: BenchRound, rank: Rank | None, *, hardest_first: bool = False) -> Seating:
    """The seating that comes of it; without a rank the best match is taken."""
    network = Network(sorted(world.agents, key=lambda agent: agent.id), world.grid)
    people = sorted(world.people, key=lambda person: person.id)
    candidates = Candidates(people, network)
    seating, order = Seating(network, candidates), list(range(len(people)))
    if hardest_first:
        order.sort(key=lambda number: candidates.every(number).bit_count())
    for number in order:
        if there := candidates.every(number) & seating.free:
            if rank is None:
                best = next(places & there for _score, places in candidates.classes(number) if places & there)
                seating.seat(number, min(bits_of(best), key=partial(_open, seating, number)))
            else:
                seating.seat(number, min(bits_of(there), key=partial(rank, seating, number)))
    return seating


WAYS: Mapping[str, Callable[[BenchRound], Seating]] = {
    "open": lambda world: fill(world, _open),
    "turn": lambda world: fill(world, _turn),
    "match": lambda world: fill(world, None),
    "hard": lambda world: fill(world, _hard, hardest_first=True),
}


def served(seating: Seating) -> int:
    """How many have a place."""
    return sum(place >= 0 for place in seating.place)
