"""The process that works a round out: what goes in and comes back, its time, and its end."""

from dataclasses import replace

import pytest

from gemba.rounds.pairing.guiding import propose_guided
from gemba.rounds.pairing.propose import propose
from gemba.rounds.pairing.values import Pin
from gemba.rounds.pairing.wire import Task
from gemba.rounds.working import NoPlan, digest_of, work_out
from tests.rounds.pairing.worlds import make, shuffled


def _task(seed: int = 3) -> Task:
    world = make(seed, people=14, agents=6)
    return Task(tuple(world.agents), tuple(world.people), world.grid, (), 30.0)


def test_the_process_says_what_the_engine_says_with_mentors_and_without() -> None:
    task = _task()
    (first, is_final), (plan, last) = work_out(task, wanted=lambda: True)
    assert (is_final, last) == (False, True)
    assert first.figures.served == plan.figures.served
    assert plan == propose(task.agents, task.people, task.grid)
    assert any(left.helps for left in plan.left_out)
    mentors = tuple(replace(agent, id=agent.id + 500) for agent in task.agents[:2])
    *_rest, (guided, _final) = work_out(replace(task, mentors=mentors), wanted=lambda: True)
    assert guided == propose_guided(task.agents, mentors, task.people, task.grid)
    assert {pair.mentor for pair in guided.pairs} <= {mentor.id for mentor in mentors}
    assert guided.pairs


def test_where_time_is_over_the_first_plan_is_the_last() -> None:
    task = _task()
    *_rest, (plan, final) = work_out(replace(task, seconds=-1.0), wanted=lambda: True)
    whole = propose(task.agents, task.people, task.grid)
    assert final
    assert not plan.figures.complete
    assert [pair.person for pair in plan.pairs] == [pair.person for pair in whole.pairs]
    with pytest.raises(NoPlan, match="no-plan"):
        list(work_out(task, wanted=lambda: True, longest=0.0))
    assert list(work_out(task, wanted=lambda: False, longest=0.0)) == []


def test_a_pin_that_does_not_stand_and_the_digest() -> None:
    task, world = _task(), shuffled(make(3, people=14, agents=6), 5)
    with pytest.raises(NoPlan, match="pin"):
        list(work_out(replace(task, pins=(Pin(1, 1, 1),)), wanted=lambda: True))
    other = Task(tuple(world.agents), tuple(world.people), world.grid, (), 30.0)
    assert digest_of(other) == digest_of(task)
    assert digest_of(replace(task, mentors=())) != digest_of(task)
