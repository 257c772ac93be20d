"""The JSON shape of an availability: there and back, and a sentence for everything that is not it."""

import copy
import json
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemba.schedule.rules import (
    BadAvailability,
    Hours,
    Interval,
    Limits,
    ParsedAvailability,
    Problem,
    dump_availability,
    known_zones,
    parse_availability,
)

DOC: dict[str, Any] = {
    "timezone": "Europe/Berlin",
    "weekly": [
        {"weekday": "mon", "start": "09:00", "end": "13:00"},
        {"weekday": "mon", "start": "13:00", "end": "17:30"},
        {"weekday": "sun", "start": "20:05", "end": "24:00"},
    ],
    "overrides": [
        {"date": "2026-12-30", "intervals": [{"start": "00:00", "end": "24:00"}]},
        {"date": "2026-12-31", "intervals": []},
    ],
    "buffer_before": 0,
    "buffer_after": 15,
    "limits": {"per_day": 1, "per_week": 3, "per_month": None},
    "time_off": [
        {"first": "2026-12-24", "last": "2027-01-03"},
        {"first": "2027-05-03", "last": "2027-05-03"},
    ],
    "holidays": "DE-BY",
    "zone_changes": [
        {"date": "2026-12-01", "timezone": "Asia/Tbilisi"},
        {"date": "2027-03-01", "timezone": "Europe/Berlin"},
    ],
    "rest_between": True,
}


def changed(path: str, value: object) -> dict[str, Any]:
    """DOC with one field replaced; the path is written as errors write it."""
    doc = copy.deepcopy(DOC)
    at: Any = doc
    *way, last = path.split(".")
    for step in way:
        at = at[int(step)] if isinstance(at, list) else at[step]
    at[int(last) if isinstance(at, list) else last] = value
    return doc


def problems(doc: object) -> dict[str, list[str]]:
    """What is said about a document that is refused."""
    with pytest.raises(BadAvailability) as caught:
        parse_availability(doc)
    return caught.value.errors


def test_the_shape_is_read() -> None:
    assert parse_availability(DOC) == ParsedAvailability(
        hours=Hours(
            "Europe/Berlin",
            {0: (Interval(540, 780), Interval(780, 1050)), 6: (Interval(1205, 1440),)},
            {date(2026, 12, 30): (Interval(0, 1440),), date(2026, 12, 31): ()},
            ((date(2026, 12, 24), date(2027, 1, 3)), (date(2027, 5, 3), date(2027, 5, 3))),
            "DE-BY",
            ((date(2026, 12, 1), "Asia/Tbilisi"), (date(2027, 3, 1), "Europe/Berlin")),
        ),
        buffer_before=0,
        buffer_after=15,
        limits=Limits(1, 3, None),
        rest_between=True,
    )


def test_the_shape_is_written_as_it_was_read() -> None:
    assert dump_availability(parse_availability(DOC)) == DOC
    assert json.loads(json.dumps(dump_availability(parse_availability(DOC)))) == DOC


def test_only_zone_and_weekly_hours_are_needed() -> None:
    assert parse_availability({"timezone": "UTC", "weekly": []}) == ParsedAvailability(Hours("UTC"))
    assert problems({}) == {"timezone": [Problem.ZONE], "weekly": [Problem.INTERVALS]}


def test_order_does_not_matter() -> None:
    lists = ("weekly", "overrides", "time_off", "zone_changes")
    doc = {**DOC, **{name: DOC[name][::-1] for name in lists}}
    assert dump_availability(parse_availability(doc)) == DOC


@pytest.mark.parametrize("doc", [None, [], "x", 3, True])
def test_something_else_than_an_object(doc: object) -> None:
    assert problems(doc) == {"availability": [Problem.DOCUMENT]}


REFUSED: list[tuple[str, list[object], Problem]] = [
    (
        "timezone",
        [None, 3, "", "Berlin", "europe/berlin", "Europe", "../etc", "localtime", "Factory"],
        Problem.ZONE,
    ),
    ("timezone", ["right/Europe/Berlin", "UTC\x00", "Москва", ["UTC"]], Problem.ZONE),
    ("weekly", [None, {}, "mon", 3], Problem.INTERVALS),
    ("weekly.0", [None, [], "mon"], Problem.ENTRY),
    ("weekly.0.colour", ["red"], Problem.ENTRY),
    ("weekly.0.weekday", [None, 0, "Mon", "monday", "", ["mon"]], Problem.WEEKDAY),
    ("weekly.0.start", [None, 9, 540, "9:00", "09:00:00", "09:03", "24:00", "24:05", "-1:00"], Problem.START),
    ("weekly.0.start", ["09:60", "25:00", " 09:00", "09:00\n", "٠٩:٠٠", "0900", True], Problem.START),
    ("weekly.0.end", [None, "00:00", "24:05", "12:59", "25:00", "1pm"], Problem.END),
    ("weekly.0.end", ["09:00", "08:55"], Problem.ORDER),
    ("weekly.1.start", ["12:55", "09:00"], Problem.OVERLAP),
    ("overrides", [None, {}, "none"], Problem.OVERRIDES),
    ("overrides.1", [None, "2026-12-31"], Problem.OVERRIDE),
    ("overrides.1.reason", ["holiday"], Problem.OVERRIDE),
    (
        "overrides.1.date",
        [None, 20261231, "20261231", "2026-W01-1", "31.12.2026", "2026-02-30"],
        Problem.DATE,
    ),
    ("overrides.1.date", ["1999-12-31", "2101-01-01", "0001-01-01", "2026-12-31T00:00"], Problem.DATE),
    ("overrides.1.date", ["2026-12-30"], Problem.DATE_TWICE),
    ("overrides.1.intervals", [None, "off", {}], Problem.INTERVALS),
    ("overrides.0.intervals.0", [None, []], Problem.INTERVAL),
    ("overrides.0.intervals.0.weekday", ["mon"], Problem.INTERVAL),
    ("overrides.0.intervals.0.start", ["24:00", None], Problem.START),
    ("overrides.0.intervals.0.end", ["00:00", None], Problem.END),
    ("buffer_before", [None, -5, 3, 245, 5.0, "5", True, 10**30], Problem.BUFFER),
    ("buffer_after", [None, -5, 3, 245, float("nan"), [5]], Problem.BUFFER),
    ("limits", [None, 3, []], Problem.LIMITS),
    ("limits.per_year", [9], Problem.LIMITS),
    ("limits.per_day", [0, -1, 51, 1.0, "1", True, False], Problem.LIMIT),
    ("limits.per_week", [0, 51], Problem.LIMIT),
    ("limits.per_month", [0, 51], Problem.LIMIT),
    ("time_off", [None, {}, "2026-12-24"], Problem.TIMES_OFF),
    ("time_off.0", [None, [], "2026-12-24"], Problem.TIME_OFF),
    ("time_off.0.reason", ["ill"], Problem.TIME_OFF),
    ("time_off.0.first", [None, 20261224, "24.12.2026", "2026-02-30", "1999-12-31"], Problem.DATE),
    ("time_off.0.last", [None, "", "2101-01-01", "2026-12-32"], Problem.DATE),
    ("time_off.1.last", ["2027-05-02", "2028-05-03"], Problem.TIME_OFF_ORDER),
    ("time_off.1.first", ["2027-01-03", "2026-12-30", "2026-12-24"], Problem.TIME_OFF_OVERLAP),
    ("holidays", [None, 3, "de", "Germany", "DE-XX", "XX", "DE-", "-BY", " DE", ["DE"]], Problem.HOLIDAYS),
    ("zone_changes", [None, {}, "Asia/Tbilisi"], Problem.ZONE_CHANGES),
    ("zone_changes.0", [None, [], "Asia/Tbilisi"], Problem.ZONE_CHANGE),
    ("zone_changes.0.hour", ["00:00"], Problem.ZONE_CHANGE),
    ("zone_changes.0.date", [None, "1 December", "2026-12-00"], Problem.DATE),
    ("zone_changes.1.date", ["2026-12-01"], Problem.DATE_TWICE),
    ("zone_changes.0.timezone", [None, "", "Tbilisi", "Factory", 4], Problem.ZONE),
    ("rest_between", [None, 0, 1, "true", "no", []], Problem.YES_NO),
    ("extra", [1], Problem.DOCUMENT),
]


@pytest.mark.parametrize(("path", "values", "problem"), REFUSED)
def test_each_field_says_what_it_would_accept(path: str, values: list[object], problem: Problem) -> None:
    for value in values:
        assert problems(changed(path, value)) == {path: [problem]}, value


def test_every_problem_can_happen() -> None:
    assert {problem for _, _, problem in REFUSED} | {Problem.DOCUMENT} == set(Problem)


def test_all_problems_are_told_at_once() -> None:
    doc = changed("weekly.2.end", "25:00") | {
        "timezone": "Mars",
        "buffer_after": 7,
        "limits": {"per_day": 99},
    }
    doc["weekly"][0] = {}
    assert problems(doc) == {
        "timezone": [Problem.ZONE],
        "weekly.0.weekday": [Problem.WEEKDAY],
        "weekly.0.start": [Problem.START],
        "weekly.0.end": [Problem.END],
        "weekly.2.end": [Problem.END],
        "buffer_after": [Problem.BUFFER],
        "limits.per_day": [Problem.LIMIT],
    }


def test_hours_that_lie_within_others_overlap_too() -> None:
    hours = [("09:00", "17:00"), ("10:00", "11:00"), ("12:00", "13:00"), ("17:00", "18:00")]
    doc = {"timezone": "UTC", "weekly": [{"weekday": "mon", "start": a, "end": b} for a, b in hours]}
    assert problems(doc) == {"weekly.1.start": [Problem.OVERLAP], "weekly.2.start": [Problem.OVERLAP]}


def test_lists_have_an_end() -> None:
    parts = [{"start": f"{n // 12:02}:{n % 12 * 5:02}", "end": "24:00"} for n in range(101)]
    days = [{"date": (date(2026, 1, 1) + timedelta(days=n)).isoformat(), "intervals": []} for n in range(401)]
    assert problems({"timezone": "UTC", "weekly": [part | {"weekday": "mon"} for part in parts]}) == {
        "weekly": [Problem.INTERVALS]
    }
    assert problems(changed("overrides.1.intervals", parts)) == {"overrides.1.intervals": [Problem.INTERVALS]}
    assert problems({**DOC, "overrides": days}) == {"overrides": [Problem.OVERRIDES]}
    assert len(parse_availability({**DOC, "overrides": days[:400]}).hours.overrides) == 400
    off = [{"first": day["date"], "last": day["date"]} for day in days]
    assert problems({**DOC, "time_off": off[:101]}) == {"time_off": [Problem.TIMES_OFF]}
    assert len(parse_availability({**DOC, "time_off": off[:100]}).hours.time_off) == 100
    moves = [{"date": day["date"], "timezone": "UTC"} for day in days]
    assert problems({**DOC, "zone_changes": moves[:21]}) == {"zone_changes": [Problem.ZONE_CHANGES]}
    assert len(parse_availability({**DOC, "zone_changes": moves[:20]}).hours.zone_changes) == 20


def test_longest_time_off_is_a_leap_year() -> None:
    year = [{"first": "2028-01-01", "last": "2028-12-31"}]
    assert parse_availability({**DOC, "time_off": year}).hours.time_off == (
        (date(2028, 1, 1), date(2028, 12, 31)),
    )


def test_times_off_within_others_overlap_whatever_their_order() -> None:
    off = [("2027-03-20", "2027-03-21"), ("2027-03-05", "2027-03-06"), ("2027-03-01", "2027-03-20")]
    doc = {**DOC, "time_off": [{"first": first, "last": last} for first, last in off]}
    assert problems(doc) == {
        "time_off.0.first": [Problem.TIME_OFF_OVERLAP],
        "time_off.1.first": [Problem.TIME_OFF_OVERLAP],
    }


@st.composite
def days(draw: st.DrawFn) -> tuple[Interval, ...]:
    """One day's hours in order; adjacent ones are kept apart."""
    points = sorted(draw(st.sets(st.integers(0, 288), min_size=2, max_size=8)))
    parts = tuple(Interval(start * 5, end * 5) for start, end in pairwise(points))
    return parts[:: draw(st.integers(1, 2))]


@st.composite
def times_off(draw: st.DrawFn) -> tuple[tuple[date, date], ...]:
    """Times off in order that do not overlap; some touch."""
    drawn = draw(st.sets(st.integers(0, 300), max_size=8))
    points = [date(2027, 1, 1) + timedelta(days=point) for point in sorted(drawn)]
    pairs = list(zip(points[::2], points[1::2], strict=False))
    return tuple((first, last - timedelta(days=draw(st.integers(0, 1)))) for first, last in pairs)


ZONES = st.sampled_from(sorted(known_zones()))
DATES = st.dates(date(2000, 1, 1), date(2100, 12, 31))
LIMITS = st.none() | st.integers(1, 50)
PARSED = st.builds(
    ParsedAvailability,
    hours=st.builds(
        Hours,
        timezone=ZONES,
        weekly=st.dictionaries(st.integers(0, 6), days()),
        overrides=st.dictionaries(DATES, st.just(()) | days()),
        time_off=times_off(),
        holidays=st.sampled_from(["", "DE", "DE-BY", "GE", "RU"]),
        zone_changes=st.dictionaries(DATES, ZONES, max_size=4).map(
            lambda changes: tuple(sorted(changes.items()))
        ),
    ),
    buffer_before=st.integers(0, 48).map(lambda steps: steps * 5),
    buffer_after=st.integers(0, 48).map(lambda steps: steps * 5),
    limits=st.builds(Limits, per_day=LIMITS, per_week=LIMITS, per_month=LIMITS),
    rest_between=st.booleans(),
)


@given(PARSED)
@settings(derandomize=True, deadline=None, max_examples=100)
def test_what_is_written_is_read_again(parsed: ParsedAvailability) -> None:
    written = json.loads(json.dumps(dump_availability(parsed)))
    assert parse_availability(written) == parsed
    assert dump_availability(parse_availability(written)) == written


PARTS = ("weekday", "start", "end", "date", "intervals", "first", "last", "timezone")
SPOTS = (
    "weekly.0",
    "weekly.1.end",
    "overrides.0",
    "overrides.0.intervals.0",
    "time_off.1",
    "time_off.0.last",
    "zone_changes.1",
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["mon", "09:00"]),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.sampled_from([*DOC, *PARTS]), children)
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from([*DOC, *SPOTS]))
@settings(derandomize=True, deadline=None, max_examples=200)
def test_any_json_is_read_or_refused_with_known_sentences(value: object, path: str) -> None:
    for doc in (value, changed(path, value)):
        try:
            parsed = parse_availability(doc)
        except BadAvailability as refusal:
            told = [sentence for sentences in refusal.errors.values() for sentence in sentences]
        else:
            told = [Problem.DOCUMENT]
            assert parse_availability(dump_availability(parsed)) == parsed
        assert told
        assert set(told) <= set(Problem)
