"""The life of a visit, as plain sentences."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemba.visits.rules import (
    Candidate,
    Member,
    Status,
    TookPlace,
    Turn,
    in_order,
    nearest,
    status_after,
    ticks,
    turns,
)

START = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_an_hour_takes_twelve_ticks_and_the_next_hour_none_of_them() -> None:
    one, two = ticks(START, START + HOUR), ticks(START + HOUR, START + 2 * HOUR)
    assert len(one) == 12
    assert not set(one) & set(two)


FAIR = Turn(2, 2.0)


def test_any_agent_prefers_language_then_who_was_not_met_then_product_then_whose_turn_it_is() -> None:
    behind = Turn(1, 3.5)
    order = [
        Candidate(1, behind),
        Candidate(2, FAIR),
        Candidate(3, behind, same_product=False),
        Candidate(4, behind, met=True),
        Candidate(5, behind, speaks=False),
    ]
    assert in_order(order[::-1], START) == order


@given(st.permutations([Candidate(n, FAIR) for n in range(6)]))
@settings(derandomize=True, deadline=None)
def test_choice_does_not_depend_on_the_order(candidates: list[Candidate]) -> None:
    assert in_order(candidates, START) == in_order(sorted(candidates, key=lambda each: each.agent), START)


DAYS = [date(2026, 11, 2) + timedelta(days=n) for n in range(12)]


def test_visits_are_shared_by_weight() -> None:
    found = turns([Member(1, 40), Member(2, 20)], {1: DAYS[:1], 2: DAYS[:2]})
    assert (found[1].done, found[2].done) == (1, 2)
    assert [found[1].share, found[2].share] == pytest.approx([2, 1])
    assert found[1].debt == pytest.approx(1)


def test_a_newcomer_owes_nothing_of_before_and_nobody_for_days_away() -> None:
    new, away = Member(1, 1, joined=DAYS[6]), Member(2, 1, absences=((DAYS[0], DAYS[3]),))
    found = turns([new, away, Member(3, 1)], {3: DAYS})
    # Days 0 to 3: three alone; 4 and 5: two of them; 6 to 11: all three.
    assert found[1].share == pytest.approx(6 / 3)
    assert found[2].share == pytest.approx(2 / 2 + 6 / 3)
    assert found[3].share == pytest.approx(4 + 2 / 2 + 6 / 3)


def day_by_day(members: list[Member], visits: dict[int, list[date]]) -> dict[int, float]:
    """The same share, each visit by itself."""
    shares = dict.fromkeys((member.agent for member in members), 0.0)
    for day in (day for days in visits.values() for day in days):
        there = [
            member
            for member in members
            if member.joined <= day and not any(first <= day <= last for first, last in member.absences)
        ]
        for member in there:
            shares[member.agent] += member.weight / sum(each.weight for each in there)
    return shares


AWAY = st.tuples(st.sampled_from(DAYS), st.integers(0, 4)).map(
    lambda given: (given[0], given[0] + timedelta(days=given[1]))
)
MEMBERS = st.builds(
    Member,
    agent=st.just(0),
    weight=st.sampled_from([1.0, 2.5, 40.0]),
    joined=st.sampled_from([date.min, *DAYS]),
    absences=st.lists(AWAY, max_size=3).map(tuple),
)


@given(
    st.lists(MEMBERS, min_size=1, max_size=4),
    st.lists(st.lists(st.sampled_from(DAYS), max_size=6), min_size=4, max_size=4),
)
@settings(derandomize=True, deadline=None)
def test_shares_are_those_of_each_visit_by_itself(members: list[Member], days: list[list[date]]) -> None:
    everyone = [replace(member, agent=number) for number, member in enumerate(members)]
    visits = {member.agent: days[member.agent] for member in everyone}
    found = turns(everyone, visits)
    assert {agent: turn.share for agent, turn in found.items()} == pytest.approx(day_by_day(everyone, visits))
    assert all(turn.done == len(visits[agent]) for agent, turn in found.items())


def test_outcome_follows_only_where_nobody_contradicts() -> None:
    yes, no, unknown = TookPlace.YES, TookPlace.NO, TookPlace.UNKNOWN
    assert status_after([yes]) == status_after([yes, unknown]) == Status.HELD
    assert status_after([no, unknown]) == Status.NOT_HELD
    assert status_after([yes, no]) == status_after([unknown]) == status_after([]) == Status.BOOKED


def test_nearest_are_the_three_closest_in_order_of_time() -> None:
    starts = [START + n * HOUR for n in (-5, -1, 2, 3, 9)]
    assert nearest(starts, START) == [START - HOUR, START + 2 * HOUR, START + 3 * HOUR]
