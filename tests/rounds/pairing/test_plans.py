"""Plans of random rounds over both changes of clocks: valid, the same for any order, explained, repaired."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import cycle, pairwise

import pytest

from gemba.rounds.pairing.propose import NoSuchPin, propose
from gemba.rounds.pairing.repair import repair
from gemba.rounds.pairing.validate import spoilt, violations
from gemba.rounds.pairing.values import Agent, Because, Helps, Pin, Plan, Why
from tests.rounds.pairing.worlds import AUTUMN, SPRING, RoundWorld, make, shuffled, with_help


def _plan(world: RoundWorld, **options: object) -> Plan:
    return propose(world.agents, world.people, world.grid, **options)  # type: ignore[arg-type]


def _faults(world: RoundWorld, plan: Plan, *pins: Pin) -> list[str]:
    return violations(world.agents, world.people, world.grid.first, plan, pins)


@pytest.mark.parametrize("part", range(4))
def test_a_thousand_rounds_break_no_rule(part: int) -> None:
    left = 0
    for seed in range(part * 250, part * 250 + 250):
        world = make(seed, people=14, agents=6, most_a_day=1 + seed % 4, start=(SPRING, AUTUMN)[seed % 2])
        plan = _plan(world)
        assert _faults(world, plan) == [], seed
        left += len(plan.left_out)
    assert left > 300


def _drop(plan: Plan) -> Plan:
    return replace(plan, pairs=plan.pairs[1:])


def _twice(plan: Plan) -> Plan:
    return replace(plan, pairs=(*plan.pairs, plan.pairs[0]))


def _both(plan: Plan) -> Plan:
    return spoilt(plan, 1, person=plan.pairs[0].person)


def _late(plan: Plan) -> Plan:
    return spoilt(plan, 0, start=plan.pairs[0].start + 1)


def _before(plan: Plan) -> Plan:
    return spoilt(plan, 0, start=0)


def _nobody(plan: Plan) -> Plan:
    return spoilt(plan, 0, agent=1)


def _boast(plan: Plan) -> Plan:
    return replace(plan, figures=replace(plan.figures, bound=0))


@pytest.mark.parametrize("fault", [_drop, _twice, _both, _late, _before, _nobody, _boast])
def test_planted_faults_are_caught(fault: Callable[[Plan], Plan]) -> None:
    for seed in range(30):
        world = make(seed, people=10, agents=6)
        plan = _plan(world)
        if len(plan.pairs) > 1:
            assert _faults(world, fault(plan)) != [], seed


@pytest.mark.parametrize(
    "rule", ["languages", "products", "line", "spare", "per_day", "per_week", "per_month"]
)
def test_a_rule_made_stricter_afterwards_is_seen_broken(rule: str) -> None:
    caught = 0
    for seed in range(60):
        world = make(seed, people=14, agents=5, most_a_day=3)
        plan = _plan(world)
        loaded = {pair.agent for pair in plan.pairs}
        values = {"languages": frozenset({"de"}), "products": frozenset({99}), "line": 99}
        changed = [
            replace(agent, **{rule: values.get(rule, 0)}) if agent.id in loaded else agent  # type: ignore[arg-type]
            for agent in world.agents
        ]
        asks = {
            "products": any(p.insists and p.products for p in world.people if _is_paired(plan, p.id)),
            "line": any(p.line for p in world.people if _is_paired(plan, p.id)),
        }
        if plan.pairs and asks.get(rule, True):
            assert violations(changed, world.people, world.grid.first, plan) != [], seed
            caught += 1
    assert caught > 20


def _is_paired(plan: Plan, person: int) -> bool:
    return any(pair.person == person for pair in plan.pairs)


def test_visits_too_near_to_each_other_are_seen() -> None:
    world = make(3, people=14, agents=5, most_a_day=4)
    apart = [replace(agent, apart=10**6) for agent in world.agents]
    assert any(
        "too near" in fault for fault in violations(apart, world.people, world.grid.first, _plan(world))
    )


def test_the_order_of_the_rows_does_not_matter() -> None:
    for seed in range(40):
        world = make(seed, people=20, agents=8, most_a_day=1 + seed % 3)
        plan = _plan(world)
        assert all(_plan(shuffled(world, turn)) == plan for turn in range(3))


def test_the_hash_seed_does_not_matter() -> None:
    code = (
        "from tests.rounds.pairing.worlds import make\n"
        "from gemba.rounds.pairing.propose import propose\n"
        "worlds = [make(seed, 20, 8, most_a_day=1 + seed % 3) for seed in range(8)]\n"
        "print([propose(w.agents, w.people, w.grid) for w in worlds])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2", "77")
    }
    assert len(said) == 1


def test_pins_hold_and_the_others_are_proposed_around_them() -> None:
    for seed in range(60):
        world = make(seed, people=14, agents=6, most_a_day=1 + seed % 3)
        first = _plan(world)
        pins = [Pin(pair.person, pair.agent, pair.start) for pair in first.pairs[::3]]
        again = _plan(world, pins=pins)
        assert _faults(world, again, *pins) == []
        for pair in again.pairs:
            pinned = any(pin.person == pair.person for pin in pins)
            assert (Because.PINNED in pair.because) is pinned


def test_a_pin_that_does_not_stand_is_refused() -> None:
    world = make(5, people=10, agents=5)
    pair = _plan(world).pairs[0]
    for bad in (
        Pin(pair.person, 1, pair.start),
        Pin(99, pair.agent, pair.start),
        Pin(pair.person, pair.agent, pair.start + 1),
        Pin(pair.person, pair.agent, world.grid.first - 5),
    ):
        with pytest.raises(NoSuchPin):
            _plan(world, pins=[bad])
    twice = Pin(pair.person, pair.agent, pair.start)
    with pytest.raises(NoSuchPin):
        _plan(world, pins=[twice, twice])


def test_without_time_the_same_people_are_served() -> None:
    for seed in range(40):
        world = make(seed, people=14, agents=6)
        best, hurried = _plan(world), _plan(world, expired=lambda: True)
        preview = _plan(world, best_match=False)
        assert _faults(world, hurried) == _faults(world, preview) == []
        for plan in (hurried, preview):
            assert [pair.person for pair in plan.pairs] == [pair.person for pair in best.pairs]
        assert best.figures.complete
        assert not preview.figures.complete
        assert preview.figures.score <= 10


def test_everybody_left_out_hears_why_and_the_hours_named_would_work() -> None:
    tried, kinds = 0, Counter[Helps]()
    for seed in range(60):
        world = make(seed, people=16, agents=4, days=7)
        zones = cycle(("Europe/Berlin", "America/New_York", "Asia/Almaty"))
        world = replace(
            world, people=[replace(p, zone=zone) for p, zone in zip(world.people, zones, strict=False)]
        )
        plan = _plan(world)
        people = {person.id: person for person in world.people}
        for left in plan.left_out:
            for start in left.would_work[-1:]:
                person = people[left.person]
                free = person.free | 1 << start - world.grid.first
                others = [each for each in world.people if each.id != person.id]
                then = propose(world.agents, [*others, replace(person, free=free)], world.grid)
                assert left.person in [pair.person for pair in then.pairs], (seed, left)
                assert then.figures.served >= plan.figures.served
                tried += 1
            for helps in left.helps:
                others = [each for each in world.people if each.id != left.person]
                changed = with_help(people[left.person], helps, world.grid)
                then = propose(world.agents, [*others, changed], world.grid, best_match=False)
                assert left.person in [pair.person for pair in then.pairs], (seed, left)
                kinds[helps.kind] += 1
    assert tried > 30
    assert min(kinds[kind] for kind in Helps) > 1


def test_reasons_tell_what_binds() -> None:
    world = make(1, people=1, agents=3)
    agents = [replace(agent, languages=frozenset({"ru"}), line=1) for agent in world.agents]
    person = replace(
        world.people[0], languages=("en",), insists=False, line=None, refuses=frozenset(), met=frozenset()
    )
    (left,) = propose(agents, [person], world.grid).left_out
    assert (left.reason.code, left.reason.facts) == (Why.NO_AGENT, {"lift": ["language"]})
    (left,) = propose(agents, [replace(person, languages=("ru",), free=0)], world.grid).left_out
    assert left.reason.code is Why.NO_TIME
    assert left.would_work
    one = [replace(agents[0], spare=1, starts=agents[0].starts | 1)]
    crowd = [replace(person, id=n, languages=("ru",), free=one[0].starts, order=(n,)) for n in (1, 2, 3)]
    plan = propose(one, crowd, world.grid)
    assert [pair.person for pair in plan.pairs] == [1]
    assert [(left.person, left.reason.code) for left in plan.left_out] == [
        (2, Why.ALL_TAKEN),
        (3, Why.ALL_TAKEN),
    ]
    assert plan.left_out[0].reason.facts == {"people": 3, "places": 1}


def _ill(agent: Agent) -> Agent:
    return replace(agent, starts=0)


def test_after_an_illness_nobody_who_was_told_loses_a_visit() -> None:
    lost = moved = 0
    for seed in range(80):
        world = make(seed, people=24, agents=9)
        plan = _plan(world)
        if not plan.pairs:
            continue
        ill = plan.pairs[0].agent
        agents = [_ill(agent) if agent.id == ill else agent for agent in world.agents]
        kept = [Pin(pair.person, pair.agent, pair.start) for pair in plan.pairs if pair.agent != ill]
        served = {pair.person for pair in plan.pairs}
        people = [person for person in world.people if person.id in served]
        done = repair(agents, people, world.grid, kept, stay=[pin.person for pin in kept[::4]])
        after = {pin.person: pin for pin in kept}
        after |= {
            pair.person: Pin(pair.person, pair.agent, pair.start) for pair in (*done.placed, *done.moved)
        }
        assert after.keys() | set(done.unplaced) == served
        assert all(after[pin.person] == pin for pin in kept[::4])
        whole = replace(
            plan,
            pairs=tuple(
                replace(plan.pairs[0], person=pin.person, agent=pin.agent, start=pin.start)
                for pin in after.values()
            ),
            left_out=(),
            figures=replace(plan.figures, served=len(after), people=len(after), bound=len(after)),
        )
        there = [person for person in people if person.id in after]
        assert violations(agents, there, world.grid.first, whole) == []
        lost += len(plan.pairs) - len(kept)
        moved += len(done.moved)
    assert lost > 80
    assert moved < lost


def test_repair_serves_as_many_as_pairing_everybody_anew() -> None:
    for seed in range(60):
        world = make(seed, people=24, agents=9)
        plan = _plan(world)
        if not plan.pairs:
            continue
        ill = plan.pairs[0].agent
        agents = [_ill(agent) if agent.id == ill else agent for agent in world.agents]
        served = {pair.person for pair in plan.pairs}
        people = [replace(person, met=frozenset()) for person in world.people if person.id in served]
        kept = [Pin(pair.person, pair.agent, pair.start) for pair in plan.pairs if pair.agent != ill]
        done = repair(agents, people, world.grid, kept)
        anew = propose(agents, people, world.grid)
        assert len(kept) + len(done.placed) == anew.figures.served, seed


def test_days_are_those_of_the_agent() -> None:
    world = make(2, people=1, agents=1, start=SPRING)
    for zone, hours in (("Europe/Berlin", {23, 24}), ("America/New_York", {24}), ("Asia/Almaty", {24})):
        lengths = [mask.bit_count() for _day, mask in world.grid.days(zone)[1:-1]]
        assert {length // 12 for length in lengths} == hours
    days = [day for day, _mask in world.grid.days("Europe/Berlin")]
    assert all(two - one == timedelta(days=1) for one, two in pairwise(days))
