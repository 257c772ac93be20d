"""The score: transparent, bounded, and never lower for more evidence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemba.insights.rules.kinds import Kind
from gemba.insights.rules.score import Evidence, ScoreParts, mean_severity, score

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
PAINS = [kind for kind in Kind if kind.is_pain]


def parts(evidence: Evidence) -> ScoreParts:
    found = score(evidence, NOW)
    assert found is not None
    return found


def seen(severity: float | None, visits: int, watched: int, agents: int, days: int = 0) -> Evidence:
    return Evidence(Kind.TOOL_PAIN, severity, visits, watched, agents, NOW - timedelta(days=days))


evidences = st.builds(
    Evidence,
    kind=st.sampled_from(PAINS),
    severity=st.none() | st.floats(0, 4),
    visits=st.integers(1, 400),
    watched=st.integers(0, 500),
    agents=st.integers(1, 60),
    last_seen=st.datetimes(datetime(2020, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
)


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (seen(4, 14, 14, 14), 100),
        (seen(3.6, 9, 14, 5), 77),
        (seen(3, 1, 14, 1), 25),
        (seen(3, 1, 14, 1, days=360), 16),
        (seen(0, 9, 14, 5), 0),
    ],
)
def test_examples(evidence: Evidence, expected: int) -> None:
    assert parts(evidence).score == expected


@given(evidences)
def test_the_parts_make_the_score(evidence: Evidence) -> None:
    found = parts(evidence)
    product = found.severity_factor * found.reach_factor * found.agents_factor * found.fresh_factor
    assert found.score == round(100 * product)
    assert 0 <= found.score <= 100
    assert found.watched >= found.visits


@given(evidences, st.data())
def test_more_evidence_never_lowers_it(evidence: Evidence, data: st.DataObject) -> None:
    now = parts(evidence).score
    worse = data.draw(st.floats(2.0 if evidence.severity is None else evidence.severity, 4))
    assert parts(replace(evidence, severity=worse)).score >= now
    assert parts(replace(evidence, visits=evidence.visits + 1, watched=evidence.watched + 1)).score >= now
    assert parts(replace(evidence, agents=evidence.agents + 1)).score >= now
    assert evidence.last_seen is not None
    assert parts(replace(evidence, last_seen=evidence.last_seen + timedelta(days=30))).score >= now


@given(evidences)
def test_a_visit_that_did_not_see_it_never_raises_it(evidence: Evidence) -> None:
    assert parts(replace(evidence, watched=evidence.watched + 1)).score <= parts(evidence).score


def test_what_works_well_and_what_nobody_saw_have_no_score() -> None:
    assert score(replace(seen(4, 3, 3, 3), kind=Kind.WORKS_WELL), NOW) is None
    assert score(Evidence(Kind.TOOL_PAIN, None, 0, 9, 0, None), NOW) is None


def test_an_unrated_insight_counts_as_middling_and_says_so() -> None:
    assert parts(seen(None, 2, 4, 2)).score == parts(seen(2, 2, 4, 2)).score
    assert not parts(seen(None, 2, 4, 2)).is_rated


def test_mean_severity() -> None:
    assert mean_severity([None, 3, 4, 4]) == 3.7
    assert mean_severity([None]) is None
