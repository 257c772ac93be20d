"""Random worlds for property tests: rules, agents and busy people around a day on which clocks change.

Every hindrance is rare by itself, so that most worlds have slots to offer and no rule hides another.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import Phase, settings
from hypothesis import strategies as st

from gemba.schedule.rules import AgentFacts, BookingRules, Hours, Interval, Limits, Span, VisitorFacts
from gemba.schedule.rules.facts import seconds_of
from tests.schedule.oracle import Oracle, walk_around

CHANGES = [
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),  # half an hour back
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Africa/Casablanca", date(2026, 2, 15)),  # back for Ramadan
    ("Africa/Casablanca", date(2026, 3, 22)),
    ("Europe/Moscow", date(2014, 10, 26)),
    ("Asia/Kolkata", date(2026, 11, 23)),  # no change, +5:30
    ("Asia/Kathmandu", date(2026, 11, 23)),  # no change, +5:45
    ("Pacific/Apia", date(2011, 12, 30)),  # a day that never was
    ("America/Santiago", date(2026, 9, 6)),  # midnight is skipped
    ("America/Santiago", date(2026, 4, 5)),  # the hour before midnight comes twice
    ("Asia/Beirut", date(2026, 3, 29)),
    ("Asia/Beirut", date(2026, 10, 25)),
    ("America/Havana", date(2026, 11, 1)),  # the hour after midnight comes twice
    ("America/St_Johns", date(2010, 11, 7)),  # 00:01 goes back to 23:01 of the day before
    ("Antarctica/Troll", date(2026, 3, 29)),  # two hours forward
    ("Asia/Pyongyang", date(2018, 5, 4)),  # half an hour before midnight is skipped
]


# Shrinking a world takes minutes with so slow an oracle: add Phase.shrink by hand once a test has failed.
AGAINST_ORACLE = settings(derandomize=True, deadline=None, max_examples=70, phases=[Phase.generate])


@dataclass(frozen=True)
class World:
    """One question to both: the rules and the oracle."""

    day: date
    rules: BookingRules
    agents: list[AgentFacts]
    visitors: list[VisitorFacts]
    window: Span
    now: datetime

    def oracle(self, agent: AgentFacts) -> Oracle:
        """Return the slow truth about one of the agents."""
        walk = walk_around(agent.hours, self.day)
        quiet = walk_around(agent.quiet, self.day).open_minutes(agent.quiet) if agent.quiet else set()
        return Oracle(walk, self.rules, agent, self.visitors, self.now, quiet)


POINTS = st.one_of(
    st.sampled_from([0, 24, 25, 30, 36, 108, 156, 276, 282, 288]), st.integers(0, 288)
)  # five-minute steps of a day, more often where clocks change


@st.composite
def intervals(draw: st.DrawFn) -> tuple[Interval, ...]:
    """Some hours of a day, often adjacent, often touching midnight."""
    points = sorted(draw(st.sets(POINTS, min_size=3, max_size=7)))
    parts = [Interval(start * 5, end * 5) for start, end in pairwise(points)]
    return tuple(part for part in parts if draw(st.sampled_from([True, True, True, False])))


def instants(day: date, before: int, after: int, step: int = 5) -> st.SearchStrategy[datetime]:
    """Instants between so many hours before and after noon UTC of a date."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    count = st.integers(-before * 60 // step, after * 60 // step)
    return count.map(lambda number: noon + timedelta(minutes=number * step))


def spans(day: date, longest: int) -> st.SearchStrategy[Span]:
    """Spans of up to so many minutes around a date, at any minute."""
    starts = instants(day, 36, 48, step=1)
    return st.builds(
        lambda start, minutes: Span(start, start + timedelta(minutes=minutes)),
        starts,
        st.integers(0, longest),
    )


@st.composite
def agent_facts(draw: st.DrawFn, agent: int, zone: str, day: date) -> AgentFacts:
    """An agent with everything that can matter near a date."""
    rarely = st.sampled_from([False, False, True])
    all_day = (Interval(0, 1440),)
    weekly = {weekday: draw(intervals()) if draw(rarely) else all_day for weekday in range(7)}
    near = st.integers(-1, 2).map(lambda days: day + timedelta(days=days))
    overrides = (
        draw(st.dictionaries(near, st.just(()) | intervals(), min_size=1, max_size=2)) if draw(rarely) else {}
    )
    limits = draw(some_limits()) if draw(rarely) else Limits()
    buffers = st.integers(0, 6).map(lambda steps: steps * 5)
    return AgentFacts(
        agent=agent,
        hours=Hours(
            zone,
            weekly,
            overrides,
            time_off=draw(times_off(day)) if draw(rarely) else (),
            holidays=draw(st.sampled_from(["DE", "US", "RU", "CL"])) if draw(rarely) else "",
            zone_changes=draw(zone_changes(day)) if draw(rarely) else (),
        ),
        buffer_before=draw(buffers),
        buffer_after=draw(buffers),
        limits=limits,
        paused=draw(rarely) and draw(rarely),
        busy=tuple(draw(st.lists(spans(day, 300), max_size=3))),
        visits=tuple(draw(st.lists(visits(day), max_size=5))),
        calendar=tuple(draw(st.lists(spans(day, 300), max_size=2))) if draw(rarely) else (),
        declined=tuple(map(seconds_of, draw(st.lists(spans(day, 90), max_size=2)))) if draw(rarely) else (),
        rest_between=draw(rarely),
        quiet=draw(quiet_hours(zone)) if draw(rarely) else None,
        joinable=tuple(draw(st.lists(instants(day, 24, 24), max_size=2))) if draw(rarely) else (),
    )


def some_limits() -> st.SearchStrategy[Limits]:
    """Limits, most of them none."""
    limit = st.one_of(st.none(), st.none(), st.integers(1, 3))
    return st.builds(Limits, limit, limit, limit)


def visits(day: date) -> st.SearchStrategy[Span]:
    """Visits of an hour within weeks of a date, more often near it."""
    starts = st.one_of(instants(day, 24 * 20, 24 * 20), instants(day, 24, 24))
    return starts.map(lambda start: Span(start, start + timedelta(hours=1)))


def times_off(day: date) -> st.SearchStrategy[tuple[tuple[date, date], ...]]:
    """One time off around a date."""
    return st.builds(
        lambda first, days: ((day + timedelta(days=first), day + timedelta(days=first + days)),),
        st.integers(-3, 2),
        st.integers(0, 2),
    )


def zone_changes(day: date) -> st.SearchStrategy[tuple[tuple[date, str], ...]]:
    """A journey on or near a date."""
    return st.builds(
        lambda days, zone: ((day + timedelta(days=days), zone),),
        st.integers(-1, 1),
        st.sampled_from(["Asia/Tokyo", "America/Los_Angeles", "Asia/Kathmandu", "Europe/London"]),
    )


def quiet_hours(zone: str) -> st.SearchStrategy[Hours]:
    """An hour or two of most days."""
    peak = st.builds(
        lambda start, length: (Interval(start * 5, (start + length) * 5),),
        st.integers(0, 260),
        st.integers(1, 24),
    )
    week = st.fixed_dictionaries({n: st.just(()) | peak for n in range(7)})
    return st.builds(Hours, st.sampled_from([zone, "UTC"]), week)


@st.composite
def visitor_facts(draw: st.DrawFn, day: date) -> VisitorFacts:
    """A visitor who may be taken, and may have had enough."""
    rarely = st.sampled_from([False, False, True])
    return VisitorFacts(
        timezone=draw(st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York"])),
        busy=tuple(draw(st.lists(spans(day, 120), max_size=2))),
        visits=tuple(draw(st.lists(instants(day, 24 * 20, 24 * 20), max_size=3))),
        limits=draw(some_limits()) if draw(rarely) else Limits(),
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A world around one of the changes; the second agent may live in another zone."""
    zone, day = draw(st.sampled_from(CHANGES))
    other = draw(st.sampled_from([zone, "UTC", "Asia/Kathmandu"]))
    rules = BookingRules(
        duration_minutes=draw(st.sampled_from([5, 15, 30, 45, 60, 90, 240])),
        slot_step_minutes=draw(st.sampled_from([5, 10, 15, 20, 30, 45, 60, 90])),
        slot_offset_minutes=draw(st.sampled_from([0, 0, 5, 10, 75])),
        min_notice_minutes=draw(st.sampled_from([0, 0, 61, 600])),
        horizon_days=draw(st.sampled_from([4, 4, 5, 5, 1])),
    )
    agents = [draw(agent_facts(7, zone, day))]
    if draw(st.booleans()):
        agents.append(draw(agent_facts(3, other, day)))
    start = draw(instants(day, 24, 0))
    window = Span(start, start + timedelta(hours=draw(st.sampled_from([20, 30, 24, 1]))))
    visitors = draw(st.lists(visitor_facts(day), max_size=2))
    ago = draw(st.sampled_from([24 * 60, 24 * 60, 30, 600 * 3, -200]))
    return World(day, rules, agents, visitors, window, start - timedelta(minutes=ago))
