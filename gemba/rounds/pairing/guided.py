"""Rounds whose visits need a mentor: an hour of three people, not of two.

With a third side a round is no flow any more (three-dimensional matching; Karp 1972), so who is served is
found by letting people in by the same published order, each with at most two others moved for them; nobody
who is in falls out. The bound is that of the agents alone and of the mentors alone, whichever is less.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gemba.rounds.pairing.admit import Seating, admit
from gemba.rounds.pairing.assign import cost_of, load_cost
from gemba.rounds.pairing.candidates import Candidates, match, score_at
from gemba.rounds.pairing.grid import Grid, lowest
from gemba.rounds.pairing.hosts import Host, anyone
from gemba.rounds.pairing.network import Network
from gemba.rounds.pairing.values import Agent, Person, Pin

DEPTH = 2
"""At most so many others move for one."""
TRIES = 4000
"""So many moves are tried for one person."""


@dataclass(frozen=True, slots=True)
class Seat:
    """Where somebody sits: indices of agent and mentor, and the bit of the start."""

    agent: int
    mentor: int
    bit: int


class Guided:
    """Who has which agent, mentor and start, and the search for one more."""

    def __init__(
        self, agents: Sequence[Agent], mentors: Sequence[Agent], people: Sequence[Person], grid: Grid
    ) -> None:
        self.people, self.grid = list(people), grid
        self.agents = [Host(agent, grid) for agent in agents]
        self.mentors = [Host(mentor, grid) for mentor in mentors]
        self.seats: dict[int, Seat] = {}
        self.fixed: set[int] = set()
        self.again: set[int] = set()
        """Indices of those who may see agents they have met before."""
        self._unit = sum(agent.offered for agent in agents) / max(len(agents), 1)
        both = {host.agent.id: host for host in self.agents}
        self._twin = {
            host.agent.id: (both[host.agent.id], host) for host in self.mentors if host.agent.id in both
        }
        self._tries = 0

    def fitting(self, person: Person, *, again: bool) -> list[int]:
        """The indices of agents who fit a person, whatever the time, the best match first."""
        out = {person.id, *person.refuses} if again else {person.id, *person.refuses, *person.met}
        found = [
            (-match(person, host.agent), number)
            for number, host in enumerate(self.agents)
            if host.agent.id not in out and fits(person, host.agent)
        ]
        return [number for _score, number in sorted(found)]

    def open_for(self, person: Person, agent: int) -> int:
        """The starts (bits) that an agent and any mentor have open for a person, whether free or not."""
        host = self.agents[agent]
        if not host.open:
            return 0
        return host.open & anyone(self.mentors, frozenset((host.agent.id, person.id)))

    def let_in(self, number: int, *, depth: int = DEPTH) -> bool:
        """Seats one more, moving at most `depth` others."""
        self._tries = TRIES
        return self._let_in(number, depth)

    def _let_in(self, number: int, depth: int) -> bool:
        if (seat := self.choice(number)) is not None:
            self.sit(number, seat)
            return True
        person = self.people[number]
        mine = set(self.fitting(person, again=number in self.again)) if depth else set()
        for other in sorted(self.seats.keys() - self.fixed) if mine else ():
            before = self.seats[other]
            if before.agent not in mine and not self._shares_time(before, person):
                continue
            self._tries -= 1
            if self._tries < 0:
                return False
            self.rise(other)
            if (seat := self.choice(number)) is not None:
                self.sit(number, seat)
                if self._let_in(other, depth - 1):
                    return True
                self.rise(number)
            self.sit(other, before)
        return False

    def _shares_time(self, seat: Seat, person: Person) -> bool:
        """Whether a mentor who would come free could be of use to a person."""
        return bool(self.mentors[seat.mentor].agent.starts & person.free)

    def choice(self, number: int) -> Seat | None:
        """The cheapest seat that is open to somebody."""
        person, best = self.people[number], (1 << 60, 0, 0)
        for agent in self.fitting(person, again=number in self.again):
            starts = person.free & self.agents[agent].open
            if not starts or not (starts := starts & self.open_for(person, agent)):
                continue
            bit = lowest(starts & person.preferred or starts)
            host = self.agents[agent]
            cost = cost_of(score_at(person, host.agent, bit))
            cost += load_cost(host.agent, len(host.visits) + 1, self._unit)
            best = min(best, (cost, (agent - person.id) % len(self.agents), bit))
        if best[0] == 1 << 60:
            return None
        agent = (best[1] + person.id) % len(self.agents)
        return Seat(agent, self.mentor_at(agent, person, best[2]), best[2])

    def mentor_at(self, agent: int, person: Person, bit: int) -> int:
        """The mentor who guides a visit, -1 where none can: of those free the one with the least share."""
        out = self.agents[agent].agent.id, person.id
        free = [
            (host.share, number)
            for number, host in enumerate(self.mentors)
            if host.open >> bit & 1 and host.agent.id not in out
        ]
        return min(free)[1] if free else -1

    def sit(self, number: int, seat: Seat) -> None:
        """Gives somebody a seat."""
        self.seats[number] = seat
        self.agents[seat.agent].take(seat.bit)
        self.mentors[seat.mentor].take(seat.bit)
        self._tell_twins(seat)

    def rise(self, number: int) -> None:
        """Gives a seat back."""
        seat = self.seats.pop(number)
        self.agents[seat.agent].leave(seat.bit)
        self.mentors[seat.mentor].leave(seat.bit)
        self._tell_twins(seat)

    def _tell_twins(self, seat: Seat) -> None:
        """Nobody guides and is visited at once."""
        for host in (self.agents[seat.agent], self.mentors[seat.mentor]):
            if host.agent.id in self._twin:
                agent, mentor = self._twin[host.agent.id]
                agent.elsewhere, mentor.elsewhere = mentor.visits, agent.visits
                agent.look_again()
                mentor.look_again()

    def pin(self, number: int, pin: Pin, agent: int) -> bool:
        """Seats a pair that stays; whether agent and a mentor have that start."""
        bit, person = pin.start - self.grid.first, self.people[number]
        if bit < 0 or not person.free >> bit & self.agents[agent].open >> bit & 1:
            return False
        self._tries = TRIES
        if not self._guide(number, agent, bit, DEPTH + 1):
            return False
        self.fixed.add(number)
        return True

    def _guide(self, number: int, agent: int, bit: int, depth: int) -> bool:
        """Finds a mentor for a pair, others being guided by somebody else for it."""
        if (mentor := self.mentor_at(agent, self.people[number], bit)) >= 0:
            self.sit(number, Seat(agent, mentor, bit))
            return True
        for other in sorted(self.seats) if depth else ():
            before = self.seats[other]
            self._tries -= 1
            if self._tries < 0:
                return False
            self.rise(other)
            if (mentor := self.mentor_at(agent, self.people[number], bit)) >= 0:
                self.sit(number, Seat(agent, mentor, bit))
                if self._guide(other, before.agent, before.bit, depth - 1):
                    return True
                self.rise(number)
            self.sit(other, before)
        return False

    def improve(self, order: Sequence[int], expired: Callable[[], bool]) -> bool:
        """Everyone looks whether something better is open by now; whether time sufficed."""
        for number in order:
            if expired():
                return False
            if number in self.seats and number not in self.fixed:
                before = self.seats[number]
                self.rise(number)
                self.sit(number, self.choice(number) or before)
        return True


def fits(person: Person, agent: Agent) -> bool:
    """Whether all that binds holds, the time and who is refused apart."""
    return (
        (not person.languages or not agent.languages.isdisjoint(person.languages))
        and (not person.insists or not person.products or not agent.products.isdisjoint(person.products))
        and (person.line is None or person.line == agent.line)
    )


def bound(agents: Sequence[Agent], mentors: Sequence[Agent], people: Sequence[Person], grid: Grid) -> int:
    """A number of people nobody can exceed: what agents alone, and mentors alone, could serve at most."""
    guides = some = 0
    for mentor in mentors:
        guides |= mentor.starts
    for agent in agents:
        some |= agent.starts
    by_agents = _most([replace(each, starts=each.starts & guides) for each in agents], people, grid)
    wishless = [
        replace(
            each,
            free=each.free & some,
            products=(),
            insists=False,
            languages=(),
            line=None,
            refuses=frozenset(),
            met=frozenset(),
        )
        for each in people
    ]
    return min(by_agents, _most(mentors, wishless, grid), len(people))


def _most(hosts: Sequence[Agent], people: Sequence[Person], grid: Grid) -> int:
    network = Network([replace(host, apart=1) for host in hosts], grid)
    candidates = Candidates(people, network)
    everyone = range(len(people))
    candidates.again.update(everyone)
    return len(people) - len(admit(Seating(network, candidates), everyone))
