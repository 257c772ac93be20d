"""The mentor of a hands-on visit: both ways of asking the rules, against the minute-by-minute oracle."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gemba.schedule.rules import (
    AgentFacts,
    BookingRules,
    Hours,
    Interval,
    ReasonCode,
    Slot,
    Span,
    explain,
    open_slots,
)
from tests.schedule.oracle import Oracle
from tests.schedule.worlds import AGAINST_ORACLE, World, agent_facts, worlds

RULES = BookingRules(duration_minutes=60, slot_step_minutes=60, min_notice_minutes=0, horizon_days=999)
DAY = Span(datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC))
BEFORE = DAY.start - timedelta(days=1)
GRID = {"not-on-grid", "repeated-hour"}
CLOCK = {"in-the-past", "too-soon", "beyond-horizon"}


@st.composite
def guided_worlds(draw: st.DrawFn) -> tuple[World, list[AgentFacts]]:
    """A world and its mentors: nobody, others, or one of the agents too."""
    world = draw(worlds())
    numbers = draw(st.lists(st.sampled_from([3, 7, 8, 9]), max_size=2, unique=True))
    zone = draw(st.sampled_from(["UTC", world.agents[0].hours.timezone]))
    return world, [draw(agent_facts(number, zone, world.day)) for number in numbers]


def can_guide(mentor: Oracle, start: datetime) -> bool:
    """Say whether nothing of the mentor's own stands against a start, whatever the grid and the clock say."""
    own = set(mentor.codes(start)) - GRID - CLOCK
    return not {code for code in own if not code.startswith("visitor-")}


@given(guided_worlds())
@AGAINST_ORACLE
def test_hours_with_a_mentor_are_those_of_the_oracle(both: tuple[World, list[AgentFacts]]) -> None:
    world, mentors = both
    # A seat in a visit they lead is no hour to guide.
    mentors = [replace(each, joinable=()) for each in mentors]
    guides = {each.agent: world.oracle(each) for each in mentors}
    found = open_slots(
        world.rules,
        world.agents,
        visitors=world.visitors,
        window=world.window,
        now=world.now,
        mentors=mentors,
    )
    expected: dict[datetime, list[int]] = {}
    for agent in sorted(world.agents, key=lambda each: each.agent):
        for start in world.oracle(agent).starts(world.window):
            others = [oracle for number, oracle in guides.items() if number != agent.agent]
            if start in agent.joinable or any(can_guide(oracle, start) for oracle in others):
                expected.setdefault(start, []).append(agent.agent)
    length = timedelta(minutes=world.rules.duration_minutes)
    assert found == [Slot(at, at + length, tuple(expected[at])) for at in sorted(expected)]
    _explained_alike(world, mentors, expected)


def _explained_alike(world: World, mentors: list[AgentFacts], expected: dict[datetime, list[int]]) -> None:
    start = world.window.start
    while start < world.window.end:
        for agent in world.agents:
            reasons = explain(
                world.rules,
                agent,
                visitors=world.visitors,
                start=start,
                now=world.now,
                mentors=mentors,
            )
            assert (not reasons) == (agent.agent in expected.get(start, [])), (start, agent.agent, reasons)
        start += timedelta(minutes=25)


def person(number: int, first: int, last: int, **more: object) -> AgentFacts:
    """Somebody who works these hours of every day."""
    hours = Hours("UTC", dict.fromkeys(range(7), (Interval(first * 60, last * 60),)))
    return AgentFacts(number, hours, **more)  # type: ignore[arg-type]


def hours_of(agents: list[AgentFacts], mentors: list[AgentFacts]) -> dict[int, tuple[int, ...]]:
    """The hours offered on the day, each with its agents."""
    found = open_slots(RULES, agents, visitors=[], window=DAY, now=BEFORE, mentors=mentors)
    return {slot.start.hour: slot.agents for slot in found}


def test_nobody_guides_at_their_own_workplace() -> None:
    both, other = person(1, 9, 12), person(2, 9, 12)
    assert hours_of([both, other], [both]) == dict.fromkeys((9, 10, 11), (2,))
    assert hours_of([both], [both, person(3, 10, 11)]) == {10: (1,)}
    assert hours_of([both], []) == {}


def test_a_mentor_without_time_is_told_apart_from_one_who_is_taken() -> None:
    at = DAY.start + timedelta(hours=10)
    taken = person(3, 9, 12, busy=(Span(at, at + timedelta(minutes=30)),))

    def codes(mentors: list[AgentFacts]) -> list[ReasonCode]:
        found = explain(RULES, person(1, 9, 12), visitors=(), start=at, now=BEFORE, mentors=mentors)
        return [reason.code for reason in found]

    assert codes([taken]) == codes([person(2, 0, 1), taken]) == [ReasonCode.MENTORS_TAKEN]
    assert codes([person(2, 0, 1)]) == codes([]) == [ReasonCode.NO_MENTOR]
    assert codes([taken, person(4, 9, 12)]) == []
