"""Rounds whose visits need a mentor: valid, nearly as many as trying everything, explained, in order."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from gemba.rounds.pairing.grid import bits_of
from gemba.rounds.pairing.guiding import propose_guided
from gemba.rounds.pairing.propose import NoSuchPin
from gemba.rounds.pairing.validate import spoilt, violations
from gemba.rounds.pairing.values import Agent, Because, Figures, Pair, Person, Pin, Plan, Why
from tests.rounds.pairing.worlds import AUTUMN, SPRING, RoundWorld, make, shuffled, with_help

World = tuple[RoundWorld, list[Agent]]


def _world(seed: int, people: int = 12, agents: int = 6, mentors: int = 2) -> World:
    """Mentors are made like agents; every third world has one who is an agent as well."""
    world = make(seed, people, agents, most_a_day=1 + seed % 3, start=(SPRING, AUTUMN)[seed % 2])
    made = make(seed + 5000, 0, mentors, most_a_day=3, start=(SPRING, AUTUMN)[seed % 2]).agents
    guides = [replace(each, id=each.id + 2000) for each in made]
    if seed % 3 == 0:
        guides[0] = replace(guides[0], id=world.agents[0].id)
    return world, guides


def _plan(world: World, **options: object) -> Plan:
    round_, mentors = world
    return propose_guided(round_.agents, mentors, round_.people, round_.grid, **options)  # type: ignore[arg-type]


def _faults(world: World, plan: Plan, *pins: Pin) -> list[str]:
    round_, mentors = world
    return violations(round_.agents, round_.people, round_.grid.first, plan, pins, mentors=mentors)


def test_guided_rounds_break_no_rule_and_pins_hold() -> None:
    served = bound = 0
    for seed in range(80):
        world = _world(seed)
        plan = _plan(world)
        assert _faults(world, plan) == [], seed
        served, bound = served + plan.figures.served, bound + plan.figures.bound
        pins = [Pin(pair.person, pair.agent, pair.start) for pair in plan.pairs[::4]]
        again = _plan(world, pins=pins)
        assert _faults(world, again, *pins) == [], seed
        assert {pair.person for pair in again.pairs if Because.PINNED in pair.because} == {
            pin.person for pin in pins
        }
    assert served > 0.65 * bound


@pytest.mark.parametrize("fault", ["nobody", "agent", "visitor", "late", "shared", "unneeded"])
def test_faults_of_mentors_are_caught(fault: str) -> None:
    seen = 0
    for seed in range(16):
        world = _world(seed)
        plan = _plan(world)
        if len(plan.pairs) < 2:
            continue
        first, other = plan.pairs[0], plan.pairs[1]
        if fault == "unneeded":
            round_ = world[0]
            assert violations(round_.agents, round_.people, round_.grid.first, plan) != []
        else:
            changes: dict[str, object] = {
                "nobody": {"mentor": None},
                "agent": {"mentor": first.agent},
                "visitor": {"mentor": first.person},
                "late": {"mentor": first.mentor, "start": first.start + 1},
                "shared": {"mentor": other.mentor, "agent": other.agent, "start": other.start},
            }[fault]  # type: ignore[assignment]
            assert _faults(world, spoilt(plan, 0, **changes)) != []
        seen += 1
    assert seen > 8


def _few(seed: int) -> World:
    """Four people who have three starts each that some agent offers, three agents, two mentors."""
    world, mentors = _world(seed, people=4, agents=3)
    rng, some = random.Random(seed), 0
    for agent in world.agents:
        some |= agent.starts
    guides = [replace(each, starts=each.starts | some & world.grid.every) for each in mentors]
    starts = bits_of(some)
    if not starts:
        return world, guides
    people = [
        replace(each, free=sum({1 << bit for bit in rng.choices(starts, k=3)}), met=frozenset())
        for each in world.people
    ]
    return (replace(world, people=people), guides)


def _most(world: World) -> int:
    """How many can be served at most, by trying everything."""
    round_, mentors = world
    first, people = round_.grid.first, round_.people

    def seats(person: Person) -> Iterator[Pair]:
        for agent in round_.agents:
            for mentor in mentors:
                for bit in bits_of(person.free & agent.starts & mentor.starts):
                    pair = Pair(person.id, agent.id, first + bit, 0, (), mentor.id)
                    if not _broken(round_, mentors, [pair], [person]):
                        yield pair

    options = [list(seats(person)) for person in people]

    def go(at: int, taken: list[Pair], most: int) -> int:
        if at == len(people) or len(taken) + len(people) - at <= most:
            return max(most, len(taken))
        for pair in options[at]:
            if not _broken(round_, mentors, [*taken, pair], people):
                most = go(at + 1, [*taken, pair], most)
        return go(at + 1, taken, most)

    return go(0, [], 0)


def _broken(world: RoundWorld, mentors: list[Agent], pairs: list[Pair], people: list[Person]) -> bool:
    there = [person for person in people if any(pair.person == person.id for pair in pairs)]
    figures = Figures(len(pairs), len(pairs), len(pairs), 1.0, 0.0, True)
    plan = Plan(tuple(pairs), (), figures)
    return violations(world.agents, there, world.grid.first, plan, mentors=mentors) != []


def test_small_guided_rounds_serve_nearly_as_many_as_can_be() -> None:
    served = most = 0
    for seed in range(40):
        world = _few(seed)
        plan = _plan(world)
        best = _most(world)
        assert plan.figures.served <= best <= plan.figures.bound
        served, most = served + plan.figures.served, most + best
    assert served >= 0.98 * most > 60


def test_the_order_of_the_rows_does_not_matter_with_mentors() -> None:
    for seed in range(20):
        world, mentors = _world(seed)
        assert _plan((shuffled(world, 1), mentors[::-1])) == _plan((world, mentors))


def test_who_finds_no_mentor_is_told_so_and_what_is_named_would_help() -> None:
    tried: Counter[object] = Counter()
    for seed in range(24):
        world, mentors = _world(seed)
        plan = _plan((world, mentors))
        people = {person.id: person for person in world.people}
        for left in plan.left_out:
            person = people[left.person]
            changed = [
                replace(person, free=person.free | 1 << start - world.grid.first)
                for start in left.would_work[:1]
            ]
            changed += [with_help(person, each, world.grid) for each in left.helps]
            others = [Pin(pair.person, pair.agent, pair.start) for pair in plan.pairs]
            for one in changed:
                rest = [replace(world, people=[p if p.id != one.id else one for p in world.people])]
                then = _plan((rest[0], mentors), pins=others)
                tried[one.id in [pair.person for pair in then.pairs]] += 1
            tried[left.reason.code] += 1
    assert tried[True] > 100
    assert tried[False] <= tried[True] // 50
    assert tried[Why.NO_MENTOR] > 50


def test_without_any_mentor_everybody_is_told_that_no_mentor_is_free() -> None:
    world, _mentors = _world(4)
    plan = _plan((world, []))
    assert plan.figures.served == plan.figures.bound == 0
    assert {left.reason.code for left in plan.left_out} <= {Why.NO_MENTOR, Why.NO_TIME, Why.NO_AGENT}
    with pytest.raises(NoSuchPin):
        _plan((world, []), pins=[Pin(world.people[0].id, world.agents[0].id, world.grid.first + 1)])
