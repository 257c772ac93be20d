"""The life of a visit, as plain sentences."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from gemba.schedule.rules import Span
from gemba.visits.rules import Candidate, Status, TookPlace, choose, nearest, spans_of, status_after, ticks

START = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_an_hour_takes_twelve_ticks_and_the_next_hour_none_of_them() -> None:
    one, two = ticks(START, START + HOUR), ticks(START + HOUR, START + 2 * HOUR)
    assert len(one) == 12
    assert not set(one) & set(two)


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 20)), max_size=8))
@settings(derandomize=True, deadline=None)
def test_spans_cover_exactly_the_ticks(runs: list[tuple[int, int]]) -> None:
    numbers = sorted({first + n for first, length in runs for n in range(length)})
    spans = spans_of(numbers)
    assert [tick for span in spans for tick in ticks(span.start, span.end)] == numbers
    assert all(one.end < two.start for one, two in pairwise(spans))


def test_ticks_joined_again_are_the_span() -> None:
    assert spans_of(ticks(START, START + HOUR)) == (Span(START, START + HOUR),)


def test_any_agent_prefers_who_was_not_met_then_who_did_least() -> None:
    met_idle, new_busy, new_idle = Candidate(1, True, 0), Candidate(2, False, 5), Candidate(3, False, 1)
    assert choose([met_idle, new_busy, new_idle], START) == new_idle
    assert choose([met_idle, new_busy], START) == new_busy


@given(st.permutations([Candidate(n, False, 2) for n in range(6)]))
@settings(derandomize=True, deadline=None)
def test_choice_does_not_depend_on_the_order(candidates: list[Candidate]) -> None:
    assert choose(candidates, START) == choose(sorted(candidates, key=lambda each: each.agent), START)


def test_outcome_follows_only_where_nobody_contradicts() -> None:
    yes, no, unknown = TookPlace.YES, TookPlace.NO, TookPlace.UNKNOWN
    assert status_after([yes]) == status_after([yes, unknown]) == Status.HELD
    assert status_after([no, unknown]) == Status.NOT_HELD
    assert status_after([yes, no]) == status_after([unknown]) == status_after([]) == Status.BOOKED


def test_nearest_are_the_three_closest_in_order_of_time() -> None:
    starts = [START + n * HOUR for n in (-5, -1, 2, 3, 9)]
    assert nearest(starts, START) == [START - HOUR, START + 2 * HOUR, START + 3 * HOUR]
