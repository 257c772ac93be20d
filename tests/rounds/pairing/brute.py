"""Small rounds by trying everything: written apart from the engine, with datetimes and counters only."""

from collections import Counter
from collections.abc import Hashable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from gemba.rounds.pairing.assign import PER_POINT, load_cost
from gemba.rounds.pairing.values import TICK_SECONDS, Agent, Person
from tests.rounds.pairing.worlds import RoundWorld


class Choice(NamedTuple):
    """One visit a person could have: an agent's day and how far the match is from the best, in points."""

    agent: int
    day: date
    lacks: int


def choices(world: RoundWorld, person: Person, *, met: bool) -> list[Choice]:
    """The days on which a person could visit each agent who is none of those met (unless `met`)."""
    found: dict[tuple[int, date], int] = {}
    for agent in world.agents:
        if not _fits(person, agent) or (agent.id in person.met and not met):
            continue
        common = agent.starts & person.free
        while common:
            bit = common.bit_length() - 1
            common ^= 1 << bit
            at = datetime.fromtimestamp((world.grid.first + bit) * TICK_SECONDS, UTC)
            day = at.astimezone(ZoneInfo(agent.zone)).date()
            lacks = 10 - _points(person, agent, bit)
            found[agent.id, day] = min(found.get((agent.id, day), 99), lacks)
    return [Choice(agent, day, lacks) for (agent, day), lacks in sorted(found.items())]


def _fits(person: Person, agent: Agent) -> bool:
    return (
        bool(set(person.languages) & agent.languages)
        and (not person.insists or not person.products or bool(set(person.products) & agent.products))
        and (person.line is None or person.line == agent.line)
        and agent.id not in person.refuses
    )


def _points(person: Person, agent: Agent, bit: int) -> int:
    product = 5
    if person.products and person.products[0] not in agent.products:
        product = 3 if set(person.products) & agent.products else 0
    language = 2 if person.languages[0] in agent.languages else 0
    time = 3 if not person.preferred or person.preferred >> bit & 1 else 0
    return product + language + time


def plans(world: RoundWorld, people: list[Person]) -> Iterator[dict[int, Choice]]:
    """Every way to serve exactly these people (agents met before not looked at)."""
    agents = {agent.id: agent for agent in world.agents}
    options = [choices(world, person, met=False) for person in people]

    def go(at: int, taken: dict[int, Choice]) -> Iterator[dict[int, Choice]]:
        if at == len(people):
            yield dict(taken)
            return
        for choice in options[at]:
            taken[people[at].id] = choice
            if _within_caps(agents[choice.agent], [c.day for c in taken.values() if c.agent == choice.agent]):
                yield from go(at + 1, taken)
            del taken[people[at].id]

    return go(0, {})


def _within_caps(agent: Agent, days: list[date]) -> bool:
    if agent.spare is not None and len(days) > agent.spare:
        return False
    for cap, key in ((agent.per_day, _day), (agent.per_week, week_of), (agent.per_month, month_of)):
        counts: Counter[Hashable] = Counter(key(day) for day in days)
        for day, count in agent.taken.items():
            if key(day) in counts:
                counts[key(day)] += count
        if cap is not None and any(count > cap for count in counts.values()):
            return False
    return True


def _day(day: date) -> Hashable:
    return day


def week_of(day: date) -> Hashable:
    return day - timedelta(days=day.weekday())


def month_of(day: date) -> Hashable:
    return day.year, day.month


def served(world: RoundWorld) -> list[int]:
    """Who is served: in order, everyone with whom all who came before can still be served."""
    chosen: list[Person] = []
    for person in sorted(world.people, key=lambda each: (each.order, each.id)):
        if next(plans(world, [*chosen, person]), None) is not None:
            chosen.append(person)
    return sorted(person.id for person in chosen)


def least_cost(world: RoundWorld, ids: list[int]) -> int:
    """The least cost of serving exactly these people."""
    unit = sum(agent.offered for agent in world.agents) / len(world.agents)
    agents = {agent.id: agent for agent in world.agents}
    people = [person for person in world.people if person.id in ids]
    return min(
        sum(PER_POINT * choice.lacks for choice in plan.values())
        + sum(
            load_cost(agents[agent], number + 1, unit)
            for agent, count in Counter(choice.agent for choice in plan.values()).items()
            for number in range(count)
        )
        for plan in plans(world, people)
    )
