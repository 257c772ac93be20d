"""A whole round whose visits need a mentor: who is served, by whom, guided by whom and when."""

from collections.abc import Callable, Sequence

from gemba.rounds.pairing.candidates import because, score_at
from gemba.rounds.pairing.grid import Grid
from gemba.rounds.pairing.guided import Guided, bound
from gemba.rounds.pairing.help import hours, without
from gemba.rounds.pairing.hosts import spread
from gemba.rounds.pairing.propose import NoSuchPin, jain, never
from gemba.rounds.pairing.values import (
    Agent,
    Because,
    Figures,
    Help,
    Helps,
    LeftOut,
    Pair,
    Person,
    Pin,
    Plan,
    Reason,
    Why,
)

SUGGESTED = 6
ROUNDS = 2
"""So often everybody looks for something better."""


def propose_guided(
    agents: Sequence[Agent],
    mentors: Sequence[Agent],
    people: Sequence[Person],
    grid: Grid,
    *,
    pins: Sequence[Pin] = (),
    expired: Callable[[], bool] = never,
    preview: Callable[[Plan], None] | None = None,
) -> Plan:
    """The plan of such a round; the same for any order of the rows. Raises NoSuchPin."""
    agents = sorted(agents, key=lambda agent: agent.id)
    mentors = sorted(mentors, key=lambda mentor: mentor.id)
    people = sorted(people, key=lambda person: person.id)
    table = Guided(agents, mentors, people, grid)
    _pin(table, pins)
    order = sorted(range(len(people)), key=lambda number: (people[number].order, people[number].id))
    left = [number for number in order if number not in table.fixed and not table.let_in(number)]
    table.again.update(number for number in left if people[number].met)
    left = [number for number in left if not (number in table.again and table.let_in(number))]
    most = bound(agents, mentors, people, grid) if left else len(people)
    if preview is not None:
        preview(_plan(table, left, most, complete=False))
    complete = all(table.improve(order, expired) for _turn in range(ROUNDS))
    return _plan(table, left, most, complete=complete)


def _pin(table: Guided, pins: Sequence[Pin]) -> None:
    index_of = {person.id: number for number, person in enumerate(table.people)}
    agent_of = {host.agent.id: number for number, host in enumerate(table.agents)}
    for pin in sorted(pins, key=lambda pin: pin.person):
        number, agent = index_of.get(pin.person), agent_of.get(pin.agent)
        if number is None or agent is None or number in table.seats or not table.pin(number, pin, agent):
            raise NoSuchPin(pin)


def _plan(table: Guided, left: Sequence[int], most: int, *, complete: bool) -> Plan:
    pairs = []
    for number, seat in sorted(table.seats.items()):
        person, agent = table.people[number], table.agents[seat.agent].agent
        words = because(person, agent, seat.bit)
        if number in table.fixed:
            words = (Because.PINNED, *words)
        pairs.append(
            Pair(
                person.id,
                agent.id,
                table.grid.first + seat.bit,
                score_at(person, agent, seat.bit),
                words,
                table.mentors[seat.mentor].agent.id,
            )
        )
    figures = Figures(
        served=len(pairs),
        bound=max(most, len(pairs)),
        people=len(table.people),
        fairness=jain([host.share for host in table.agents if host.agent.starts]),
        score=round(sum(pair.score for pair in pairs) / len(pairs), 2) if pairs else 0.0,
        complete=complete,
    )
    return Plan(tuple(pairs), tuple(_left_out(table, number) for number in sorted(left)), figures)


def _left_out(table: Guided, number: int) -> LeftOut:
    person = table.people[number]
    fit = table.fitting(person, again=True)
    works = 0
    for agent in fit:
        works |= table.open_for(person, agent)
    works &= ~person.free
    in_hours = hours(table.grid, person.zone, works)
    helps = [in_hours] if in_hours is not None else []
    for kind, other in without(person):
        there = [
            agent for agent in table.fitting(other, again=True) if person.free & table.open_for(other, agent)
        ]
        if there:
            helps.append(Help(kind, _value(kind, table.agents[there[0]].agent)))
    starts = tuple(table.grid.first + bit for bit in spread(works, SUGGESTED))
    return LeftOut(person.id, _reason(table, person, fit), starts, tuple(helps))


def _value(kind: Helps, agent: Agent) -> int | str | None:
    """What of an agent it is that helps."""
    if kind == Helps.PRODUCT:
        return min(agent.products, default=None)
    if kind == Helps.LANGUAGE:
        return min(agent.languages, default=None)
    return agent.line if kind == Helps.LINE else None


def _reason(table: Guided, person: Person, fit: Sequence[int]) -> Reason:
    if not fit:
        lift = [kind.value for kind, other in without(person) if table.fitting(other, again=True)]
        return Reason(Why.NO_AGENT, {"lift": lift})
    common = 0
    for agent in fit:
        common |= table.agents[agent].agent.starts & person.free
    if not common:
        return Reason(Why.NO_TIME)
    guides = open_now = 0
    for host in table.mentors:
        if host.agent.id != person.id:
            guides |= host.agent.starts
            open_now |= host.open
    agents_open = 0
    for agent in fit:
        agents_open |= table.agents[agent].open & person.free
    if not common & guides or (agents_open and not agents_open & open_now):
        return Reason(Why.NO_MENTOR)
    places = sum(1 for seat in table.seats.values() if common >> seat.bit & 1)
    rivals = sum(1 for each in table.people if each.free & common)
    return Reason(
        Why.ALL_TAKEN, {"people": rivals, "places": places} if places else {"people": 0, "places": 0}
    )
