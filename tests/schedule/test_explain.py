"""Why a start is not offered: each reason by example, and agreement with the slots and with the oracle."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemba.schedule.rules import (
    DYNAMIC_REASONS,
    REASON_SENTENCES,
    AgentFacts,
    BookingRules,
    Hours,
    Interval,
    Limits,
    Reason,
    ReasonCode,
    Span,
    VisitorFacts,
    explain,
    open_slots,
)
from tests.schedule.worlds import AGAINST_ORACLE, World, worlds

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)  # a Monday
NOON = NOW.replace(hour=12)
HOUR = timedelta(hours=1)
RULES = BookingRules(duration_minutes=60, slot_step_minutes=30, min_notice_minutes=120, horizon_days=28)
HOURS = Hours(
    "UTC",
    {0: (Interval(9 * 60, 13 * 60),), 1: (Interval(9 * 60, 13 * 60),)},
    {date(2026, 11, 24): ()},
)


def reasons(start: datetime, visitor_busy: tuple[Span, ...] = (), **facts: Any) -> list[Reason]:
    """Ask about the agent of HOURS, who has nothing else unless told."""
    agent = AgentFacts(**{"agent": 1, "hours": HOURS, **facts})
    return explain(RULES, agent, visitors=[VisitorFacts(busy=visitor_busy)], start=start, now=NOW)


def codes(start: datetime, visitor_busy: tuple[Span, ...] = (), **facts: Any) -> list[str]:
    """The codes alone."""
    return [reason.code for reason in reasons(start, visitor_busy, **facts)]


def test_an_offered_slot_has_no_reasons() -> None:
    assert reasons(NOON) == []


def test_a_start_is_an_instant_whatever_its_zone() -> None:
    assert reasons(NOON.astimezone(timezone(timedelta(hours=3)))) == []
    with pytest.raises(ValueError, match="aware"):
        reasons(NOON.replace(tzinfo=None))


@pytest.mark.parametrize("off", [timedelta(minutes=10), timedelta(seconds=1), timedelta(microseconds=1)])
def test_not_on_grid(off: timedelta) -> None:
    assert codes(NOON - off) == ["not-on-grid"]


def test_in_the_past_and_too_soon() -> None:
    assert codes(NOW - HOUR) == ["in-the-past", "outside-hours"]
    assert reasons(NOW + HOUR) == [Reason(ReasonCode.TOO_SOON, {"earliest": NOW + 2 * HOUR})]
    assert codes(NOW + 2 * HOUR) == []


def test_beyond_horizon() -> None:
    assert reasons(NOON + timedelta(days=28)) == [
        Reason(ReasonCode.BEYOND_HORIZON, {"until": NOW + timedelta(days=28)})
    ]


def test_day_off_and_outside_hours() -> None:
    assert reasons(NOON + timedelta(days=1)) == [Reason(ReasonCode.DAY_OFF, {"day": date(2026, 11, 24)})]
    assert reasons(NOON + timedelta(days=2)) == [
        Reason(ReasonCode.OUTSIDE_HOURS, {"day": date(2026, 11, 25)})
    ]
    assert codes(NOON + HOUR / 2) == ["outside-hours"]


def test_not_now_is_said_beside_everything_else() -> None:
    assert codes(NOON + timedelta(days=1, minutes=7), paused=True) == ["not-on-grid", "not-now", "day-off"]


def test_busy_people() -> None:
    span = Span(NOON + HOUR, NOON + 2 * HOUR)
    assert codes(NOON, busy=(span,)) == []
    assert codes(NOON, busy=(span,), buffer_after=5) == ["agent-busy"]
    assert codes(NOON - HOUR, busy=(span,), buffer_after=60) == []
    assert codes(NOON, (span,), buffer_after=60) == []
    assert codes(NOON, (Span(NOON, NOON + HOUR),)) == ["visitor-busy"]
    assert codes(NOON, (Span(NOON, NOON),)) == []


def test_limits() -> None:
    starts = (NOW, NOW + timedelta(days=6), NOW - timedelta(days=20))
    visits = tuple(Span(start, start + HOUR) for start in starts)
    assert reasons(NOON, limits=Limits(1, 2, 3), visits=visits) == [
        Reason(ReasonCode.LIMIT_PER_DAY, {"count": 1, "limit": 1}),
        Reason(ReasonCode.LIMIT_PER_WEEK, {"count": 2, "limit": 2}),
        Reason(ReasonCode.LIMIT_PER_MONTH, {"count": 3, "limit": 3}),
    ]
    assert reasons(NOON, limits=Limits(2, 3, 4), visits=visits) == []


def test_the_second_of_two_equal_hours_is_named() -> None:
    berlin = Hours("Europe/Berlin", {6: (Interval(0, 300),)})
    agent = AgentFacts(1, berlin)
    now = datetime(2026, 10, 20, tzinfo=UTC)
    second = datetime(2026, 10, 25, 1, tzinfo=UTC)
    found = explain(RULES, agent, visitors=(), start=second, now=now)
    assert [reason.code for reason in found] == ["repeated-hour"]
    assert explain(RULES, agent, visitors=(), start=second - HOUR, now=now) == []


def test_instants_at_the_end_of_time_are_answered() -> None:
    zone = timezone(timedelta(hours=-5))
    assert codes(datetime(1, 1, 1, tzinfo=UTC)) == ["in-the-past"]
    assert codes(datetime(9999, 12, 31, 23, 59, tzinfo=zone)) == ["beyond-horizon"]


def test_every_code_has_a_sentence_that_its_params_fill() -> None:
    assert set(REASON_SENTENCES) == set(ReasonCode)
    params: dict[str, int | str | date | datetime] = {
        "day": date(2026, 11, 24),
        "first": date(2026, 11, 24),
        "last": date(2026, 11, 24),
        "earliest": NOW,
        "until": NOW,
        "count": 1,
        "limit": 1,
    }
    for code in ReasonCode:
        assert Reason(code, params).detail.endswith(".")
    assert reasons(NOON + timedelta(days=1))[0].detail == "The agent has a day off on 2026-11-24."
    others = {code for code in ReasonCode if code.endswith("busy") or code.startswith("limit")}
    others |= {ReasonCode.TWO_IN_A_ROW, ReasonCode.MENTORS_TAKEN}
    assert others - {ReasonCode.CALENDAR_BUSY} == DYNAMIC_REASONS


@given(worlds(), st.data())
@AGAINST_ORACLE
def test_reasons_are_those_of_the_oracle_and_slots_have_none(world: World, data: st.DataObject) -> None:
    agent = world.agents[0]
    oracle = world.oracle(agent)
    slots = open_slots(world.rules, [agent], visitors=world.visitors, window=world.window, now=world.now)
    offered = {slot.start for slot in slots}
    minutes = (world.window.end - world.window.start) // timedelta(minutes=1)
    picked = data.draw(st.sets(st.integers(0, max(minutes - 1, 0)), max_size=25)) if minutes else set()
    step = timedelta(minutes=world.rules.slot_step_minutes)
    near = {start + away for start in list(offered)[:20] for away in (-step, timedelta(0), step)}
    for start in {world.window.start + timedelta(minutes=number) for number in picked} | near:
        found = explain(world.rules, agent, visitors=world.visitors, start=start, now=world.now)
        assert sorted(reason.code for reason in found) == oracle.codes(start)
        if world.window.start <= start < world.window.end:
            assert (not found) == (start in offered)
        assert all(reason.detail for reason in found)
