"""Slots offered: readable examples, then the oracle over random worlds and every change of the clocks."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from gemba.schedule.rules import (
    AgentFacts,
    BookingRules,
    Hours,
    Interval,
    Limits,
    Slot,
    Span,
    known_zones,
    open_minutes,
    open_slots,
)
from tests.schedule.oracle import Oracle, Walk
from tests.schedule.worlds import AGAINST_ORACLE, World, worlds

NOON_TO_TWO = (Interval(12 * 60, 14 * 60),)
NIGHT = (Interval(0, 5 * 60),)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def rules(
    duration: int = 60, step: int = 30, offset: int = 0, notice: int = 0, horizon: int = 999
) -> BookingRules:
    """Rules that hinder nobody unless told to."""
    return BookingRules(
        duration_minutes=duration,
        slot_step_minutes=step,
        slot_offset_minutes=offset,
        min_notice_minutes=notice,
        horizon_days=horizon,
    )


def agent(zone: str = "UTC", hours: tuple[Interval, ...] = NOON_TO_TWO, number: int = 1) -> AgentFacts:
    """An agent with the same hours every day."""
    return AgentFacts(number, Hours(zone, dict.fromkeys(range(7), hours)))


def day_of(year: int, month: int, day: int, zone: str = "UTC") -> Span:
    """A local day of 24 hours or what the clocks made of it."""
    tz = ZoneInfo(zone)
    first = datetime(year, month, day, tzinfo=tz)
    return Span(first.astimezone(UTC), (first + timedelta(days=1)).astimezone(UTC))


def local_starts(facts: AgentFacts, window: Span, booking: BookingRules | None = None) -> list[str]:
    """The starts offered, as the agent's clock shows them."""
    slots = open_slots(booking or rules(), [facts], visitors=[], window=window, now=LONG_AGO)
    zone = ZoneInfo(facts.hours.timezone)
    return [slot.start.astimezone(zone).strftime("%H:%M%z") for slot in slots]


def test_slots_lie_wholly_within_the_hours() -> None:
    assert local_starts(agent(), day_of(2026, 11, 23)) == ["12:00+0000", "12:30+0000", "13:00+0000"]


def test_agents_of_one_start_are_listed_together_in_order() -> None:
    berlin, utc = agent("Europe/Berlin", number=9), agent(number=4)
    found = open_slots(rules(step=60), [berlin, utc], visitors=[], window=day_of(2026, 11, 23), now=LONG_AGO)
    at = datetime(2026, 11, 23, 11, tzinfo=UTC)
    hour = timedelta(hours=1)
    assert found == [
        Slot(at, at + hour, (9,)),
        Slot(at + hour, at + 2 * hour, (4, 9)),
        Slot(at + 2 * hour, at + 3 * hour, (4,)),
    ]


def test_the_grid_is_wall_time_with_an_offset() -> None:
    assert local_starts(
        agent("Asia/Kathmandu"), day_of(2026, 11, 23, "Asia/Kathmandu"), rules(offset=10)
    ) == [
        "12:10+0545",
        "12:40+0545",
    ]


def test_an_override_replaces_the_day_and_an_empty_one_is_a_day_off() -> None:
    hours = Hours(
        "UTC",
        {0: NOON_TO_TWO, 1: NOON_TO_TWO},
        {date(2026, 11, 23): (Interval(60, 120),), date(2026, 11, 24): ()},
    )
    both = Span(datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC))
    assert local_starts(AgentFacts(1, hours), both) == ["01:00+0000"]


def test_a_visit_may_cross_midnight_where_the_hours_touch() -> None:
    hours = Hours("UTC", {0: (Interval(23 * 60, 1440),), 1: (Interval(0, 60),)})
    two_days = Span(datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC))
    assert local_starts(AgentFacts(1, hours), two_days) == ["23:00+0000", "23:30+0000", "00:00+0000"]


def test_when_clocks_go_forward_the_missing_hour_is_skipped_and_the_hours_join() -> None:
    berlin = agent("Europe/Berlin", NIGHT)
    assert local_starts(berlin, day_of(2026, 3, 29, "Europe/Berlin"), rules(step=60)) == [
        "00:00+0100",
        "01:00+0100",
        "03:00+0200",
        "04:00+0200",
    ]


def test_when_clocks_go_back_only_the_first_of_two_hours_is_a_start() -> None:
    berlin = agent("Europe/Berlin", NIGHT)
    assert local_starts(berlin, day_of(2026, 10, 25, "Europe/Berlin"), rules(step=60)) == [
        "00:00+0200",
        "01:00+0200",
        "02:00+0200",
        "03:00+0100",
        "04:00+0100",
    ]


def test_an_hour_that_comes_twice_is_open_both_times() -> None:
    berlin = agent("Europe/Berlin", (Interval(120, 180),))
    assert local_starts(berlin, day_of(2026, 10, 25, "Europe/Berlin"), rules(120, 60)) == ["02:00+0200"]


def test_a_skipped_midnight_and_a_skipped_day_have_no_slots() -> None:
    santiago = agent("America/Santiago", (Interval(0, 180),))
    assert local_starts(santiago, day_of(2026, 9, 6, "America/Santiago"), rules(step=60)) == [
        "01:00-0300",
        "02:00-0300",
    ]
    apia = agent("Pacific/Apia")
    three_days = Span(datetime(2011, 12, 29, 12, tzinfo=UTC), datetime(2011, 12, 31, 12, tzinfo=UTC))
    slots = open_slots(rules(), [apia], visitors=[], window=three_days, now=datetime(2011, 12, 1, tzinfo=UTC))
    dates = {slot.start.astimezone(ZoneInfo("Pacific/Apia")).date() for slot in slots}
    assert dates == {date(2011, 12, 29), date(2011, 12, 31)}


def test_buffers_keep_their_distance_from_busy_time_but_not_from_the_edge_of_the_hours() -> None:
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    busy = (Span(noon + timedelta(minutes=60), noon + timedelta(minutes=65)),)
    facts = AgentFacts(1, agent().hours, buffer_before=30, buffer_after=0, busy=busy)
    found = local_starts(facts, day_of(2026, 11, 23), rules(25, 5))
    assert (found[0], found[-2:], len(found)) == ("12:00+0000", ["12:35+0000", "13:35+0000"], 9)


def an_hour(start: datetime) -> Span:
    """A visit of an hour."""
    return Span(start, start + timedelta(hours=1))


def test_limits_count_in_the_agents_own_week() -> None:
    sunday_evening_in_new_york = datetime(2026, 11, 23, 2, tzinfo=UTC)
    hours = agent("America/New_York").hours
    facts = AgentFacts(1, hours, limits=Limits(per_week=1), visits=(an_hour(sunday_evening_in_new_york),))
    assert local_starts(facts, day_of(2026, 11, 22, "America/New_York")) == []
    assert local_starts(facts, day_of(2026, 11, 23, "America/New_York")) != []


def test_notice_includes_its_last_minute_and_the_horizon_does_not() -> None:
    now = datetime(2026, 11, 23, 11, tzinfo=UTC)
    window = Span(now, now + timedelta(days=3))
    found = open_slots(rules(step=60, notice=120, horizon=1), [agent()], visitors=[], window=window, now=now)
    assert [slot.start for slot in found] == [now + timedelta(hours=2)]
    found = open_slots(
        rules(step=60, horizon=1),
        [agent(hours=(Interval(660, 780),))],
        visitors=[],
        window=window,
        now=now,
    )
    assert [slot.start for slot in found] == [now, now + timedelta(hours=1)]


def test_an_empty_or_endless_window_is_answered() -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    ever = Span(datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC))
    assert open_slots(rules(), [agent()], visitors=[], window=Span(now, now), now=now) == []
    assert len(open_slots(rules(horizon=2), [agent()], visitors=[], window=ever, now=now)) == 6


def test_open_minutes_are_real_time_from_now_on() -> None:
    hours = agent("Europe/Berlin", NIGHT).hours
    saturday = datetime(2026, 10, 24, 22, tzinfo=UTC)
    assert open_minutes(hours, now=saturday, weeks=1) == 7 * 5 * 60 + 60
    assert open_minutes(hours, now=saturday + timedelta(hours=1), weeks=1) == 7 * 5 * 60 + 60 - 60
    assert open_minutes(Hours("UTC"), now=saturday) == 0


def test_values_refuse_what_they_cannot_mean() -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    with pytest.raises(ValueError, match="UTC"):
        Span(now.replace(tzinfo=None), now)
    with pytest.raises(ValueError, match="UTC"):
        Span(now, now.astimezone(ZoneInfo("Europe/Berlin")))
    with pytest.raises(ValueError, match="no earlier"):
        Span(now, now - timedelta(minutes=1))
    for start, end in [(-5, 5), (5, 5), (10, 5), (0, 1445)]:
        with pytest.raises(ValueError, match="within one day"):
            Interval(start, end)
    for wrong in ({"step": 0}, {"duration": -60}, {"step": 7}, {"duration": 62}, {"offset": 3}):
        with pytest.raises(ValueError, match="five minutes"):
            rules(**wrong)


@given(worlds())
@AGAINST_ORACLE
def test_slots_are_those_of_the_minute_by_minute_oracle(world: World) -> None:
    found = open_slots(world.rules, world.agents, visitors=world.visitors, window=world.window, now=world.now)
    expected: dict[datetime, list[int]] = {}
    for facts in sorted(world.agents, key=lambda each: each.agent):
        for start in world.oracle(facts).starts(world.window):
            expected.setdefault(start, []).append(facts.agent)
    length = timedelta(minutes=world.rules.duration_minutes)
    assert found == [Slot(at, at + length, tuple(expected[at])) for at in sorted(expected)]


def changes(first: datetime, last: datetime) -> Iterator[tuple[str, datetime]]:
    """Give every day on which an IANA zone changes its clocks; zones that change alike are given once."""
    seen: set[tuple[object, ...]] = set()
    for name in sorted(known_zones()):
        zone, at, before = ZoneInfo(name), first, first.astimezone(ZoneInfo(name)).utcoffset()
        while at < last:
            then = at + timedelta(days=1)
            after = then.astimezone(zone).utcoffset()
            if before != after:
                key = (at, before, after, *(hour(at, n).astimezone(zone).utcoffset() for n in range(24)))
                if key not in seen:
                    seen.add(key)
                    yield name, at
            at, before = then, after


def hour(at: datetime, number: int) -> datetime:
    """So many hours later."""
    return at + timedelta(hours=number)


def test_every_change_of_the_clocks_until_2028_agrees_with_the_oracle() -> None:
    checked = 0
    intervals = (Interval(0, 95), Interval(95, 155), Interval(165, 300), Interval(1290, 1440))
    booking = rules(duration=50, step=15)
    for zone, at in changes(datetime(2026, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)):
        facts = agent(zone, intervals)
        first, last = at - timedelta(hours=6), at + timedelta(hours=28)
        walk = Walk([(first, zone)], first, last)
        window = Span(at - timedelta(hours=3), at + timedelta(hours=27))
        found = open_slots(booking, [facts], visitors=[], window=window, now=LONG_AGO - timedelta(days=9))
        oracle = Oracle(walk, booking, facts, [], LONG_AGO - timedelta(days=9), set())
        assert [slot.start for slot in found] == oracle.starts(window), (zone, at)
        checked += 1
    assert checked > 100
