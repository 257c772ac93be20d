"""A whole round: who is served, by whom, when, and why not the others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gemba.rounds.pairing.admit import Seating, admit
from gemba.rounds.pairing.assign import Assignment
from gemba.rounds.pairing.candidates import Candidates, because, score_at
from gemba.rounds.pairing.explain import explain
from gemba.rounds.pairing.grid import Grid
from gemba.rounds.pairing.network import NOBODY, Network
from gemba.rounds.pairing.pack import Packing
from gemba.rounds.pairing.values import Agent, Because, Figures, Pair, Person, Pin, Plan


class NoSuchPin(ValueError):
    """A pinned pair does not stand: the agent or person is not there, or the start is not open to both."""

    def __init__(self, pin: Pin) -> None:
        super().__init__(f"person {pin.person} with agent {pin.agent} at tick {pin.start}")
        self.pin = pin


@dataclass
class Table:
    """The seating of a round while it is made: first choices, then agents met before."""

    people: list[Person]
    network: Network
    candidates: Candidates
    seating: Seating
    order: list[int]
    pins: dict[int, tuple[int, int]]

    def see_again(self, left: Sequence[int]) -> None:
        """Lets those who are left see agents they have met before."""
        met = [number for number in left if self.people[number].met]
        self.candidates.again.update(met)
        self.candidates.forget(met)


def lay(agents: Sequence[Agent], people: Sequence[Person], grid: Grid, pins: Sequence[Pin]) -> Table:
    """Seats the pinned pairs. Raises NoSuchPin."""
    agents = sorted(agents, key=lambda agent: agent.id)
    people = sorted(people, key=lambda person: person.id)
    anchors: dict[int, list[int]] = {}
    for pin in pins:
        anchors.setdefault(pin.agent, []).append(pin.start - grid.first)
    network = Network(agents, grid, anchors)
    index_of = {person.id: number for number, person in enumerate(people)}
    agent_of = {agent.id: number for number, agent in enumerate(agents)}
    fixed: dict[int, tuple[int, int]] = {}
    seats: dict[int, int] = {}
    taken: dict[int, list[int]] = {}
    for pin in sorted(pins, key=lambda pin: pin.person):
        bit, who, index = pin.start - grid.first, index_of.get(pin.person), agent_of.get(pin.agent)
        if who is None or index is None or bit < 0 or who in fixed or not people[who].free >> bit & 1:
            raise NoSuchPin(pin)
        place = network.place_at(index, bit)
        same = taken.setdefault(index, [])
        if place == NOBODY or (same and any(abs(other - bit) < agents[index].apart for other in same)):
            raise NoSuchPin(pin)
        same.append(bit)
        fixed[who], seats[who] = (index, bit), place
    for who, place in seats.items():
        if network.bottleneck(place) != NOBODY:
            raise NoSuchPin(next(pin for pin in pins if pin.person == people[who].id))
        network.take(who, place)
    candidates = Candidates(people, network)
    seating = Seating(network, candidates, fixed)
    for who, place in seats.items():
        seating.place[who] = place
    waiting = [number for number in range(len(people)) if number not in fixed]
    waiting.sort(key=lambda number: (people[number].order, people[number].id))
    return Table(people, network, candidates, seating, waiting, fixed)


def never() -> bool:
    """Time does not run out."""
    return False


def propose(
    agents: Sequence[Agent],
    people: Sequence[Person],
    grid: Grid,
    *,
    pins: Sequence[Pin] = (),
    expired: Callable[[], bool] = never,
    best_match: bool = True,
    preview: Callable[[Plan], None] | None = None,
) -> Plan:
    """The plan of a round; the same for any order of the rows.

    `expired` says when time is over: who is served is then settled, only the match may be better. With
    `best_match` false only that is asked; `preview` is told it before the match is looked for.
    Raises NoSuchPin.
    """
    table = lay(agents, people, grid, pins)
    left = _admit(table)
    bound = len(table.people)
    if left:
        bound = _most(table, left) if _is_flow(table) and not table.pins else _bound(table)
    complete = False
    if preview is not None:
        seats = Packing(table.seating)
        seats.chosen.update(table.pins)
        preview(_plan(table, seats, left, bound, complete))
    if best_match:
        complete = _match(table, expired)
    packing = Packing(table.seating)
    packing.chosen.update(table.pins)
    left = [number for number in left if not packing.let_in(number)]
    table.seating.look_again()
    return _plan(table, packing, left, bound, complete)


def _admit(table: Table) -> list[int]:
    """Phase A; agents met before only for those who would be left out."""
    left = admit(table.seating, table.order)
    table.see_again(left)
    return admit(table.seating, left) if table.candidates.again else left


def _is_flow(table: Table) -> bool:
    """Whether no day was cut, so that what phase A serves is the most that can be served."""
    return all(len(day.places) <= 1 for days in table.network.days for day in days)


def _most(table: Table, left: Sequence[int]) -> int:
    """The most that can be served, of a seating whose days are whole: others may see agents again too."""
    seating, network, again = table.seating, table.network, table.candidates.again
    if again:
        kept, few = (seating.place[:], network.holder[:], network.used[:]), sorted(again)
        table.see_again(range(len(table.people)))
        seating.look_again()
        left = admit(seating, left)
        seating.place, network.holder, network.used = kept
        table.candidates.forget(sorted(again))
        again.intersection_update(few)
        seating.look_again()
    return len(table.people) - len(left)


def _bound(table: Table) -> int:
    """A number of people nobody can exceed: days take their cap, whatever their visits' length."""
    roomy = [
        Agent(
            id=agent.id, starts=agent.starts, zone=agent.zone, apart=1, per_day=agent.per_day,
            per_week=agent.per_week, per_month=agent.per_month, spare=agent.spare, taken=agent.taken,
            products=agent.products, languages=agent.languages, line=agent.line,
        )
        for agent in table.network.agents
    ]  # fmt: skip
    network = Network(roomy, table.network.grid)
    candidates = Candidates(table.people, network)
    everyone = range(len(table.people))
    candidates.again.update(everyone)
    return len(table.people) - len(admit(Seating(network, candidates), everyone))


def _match(table: Table, expired: Callable[[], bool]) -> bool:
    """Phase B: seats the same people anew at least cost; whether time sufficed."""
    seating, served = table.seating, [n for n in table.order if table.seating.place[n] != NOBODY]
    for number in served:
        seating.network.leave(seating.place[number])
        seating.place[number] = NOBODY
    late = Assignment(seating).seat_all(served, expired)
    seating.look_again()
    for number in late:
        seating.let_in(number)  # Whoever phase A let in can be seated around the others.
    return not late


def _plan(table: Table, packing: Packing, left: list[int], bound: int, complete: bool) -> Plan:
    grid, network, pairs = table.network.grid, table.network, []
    loads = [0] * len(network.agents)
    for number, person in enumerate(table.people):
        place = table.seating.place[number]
        if number in packing.chosen:
            index, bit = packing.chosen[number]
        elif place != NOBODY:
            index, bit = network.places[place].agent, table.candidates.start_in(number, place)
        else:
            continue
        loads[index] += 1
        agent = network.agents[index]
        words = because(person, agent, bit)
        if number in table.pins:
            words = (Because.PINNED, *words)
        pairs.append(Pair(person.id, agent.id, grid.first + bit, score_at(person, agent, bit), words))
    out = explain(table.seating, left)
    figures = Figures(
        served=len(pairs),
        bound=max(bound, len(pairs)),
        people=len(table.people),
        fairness=_fairness(network.agents, loads),
        score=round(sum(pair.score for pair in pairs) / len(pairs), 2) if pairs else 0.0,
        complete=complete,
    )
    return Plan(tuple(pairs), tuple(sorted(out, key=lambda each: each.person)), figures)


def _fairness(agents: Sequence[Agent], loads: Sequence[int]) -> float:
    """How evenly all visits lie on those who offer anything, against what they offer."""
    return jain(
        [
            (load + agent.load) / max(agent.offered, 0.01)
            for load, agent in zip(loads, agents, strict=True)
            if agent.starts
        ]
    )


def jain(loads: Sequence[float]) -> float:
    """Jain's index of fairness: 1 where all are equal, 1/n where one has all (Jain, Chiu and Hawe 1984)."""
    squares = sum(load * load for load in loads)
    return round(sum(loads) ** 2 / (len(loads) * squares), 4) if squares else 1.0
