"""The JSON shape of an agent's availability: read strictly, written in one normal form.

    {"timezone": "Europe/Berlin",
     "weekly": [{"weekday": "mon", "start": "09:00", "end": "13:00"}],
     "overrides": [{"date": "2026-12-31", "intervals": []}],
     "buffer_before": 0, "buffer_after": 10,
     "limits": {"per_day": 1, "per_week": 3, "per_month": null},
     "time_off": [{"first": "2026-12-24", "last": "2027-01-03"}], "holidays": "DE",
     "zone_changes": [{"date": "2026-12-01", "timezone": "Asia/Tbilisi"}], "rest_between": false}

Times are wall time in `timezone`, buffers minutes. `timezone` and `weekly` are needed; what else is left out
is empty, 0, false or no limit. Every problem is reported at once, under a path such as `weekly.2.end`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from gemba.schedule.rules.facts import Limits
from gemba.schedule.rules.holidays import holiday_countries
from gemba.schedule.rules.hours import DAY_MINUTES, Hours, Interval, known_zones

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TOP_FIELDS = (
    "timezone",
    "weekly",
    "overrides",
    "buffer_before",
    "buffer_after",
    "limits",
    "time_off",
    "holidays",
    "zone_changes",
    "rest_between",
)
STEP_MINUTES = 5
MAX_BUFFER = 240
MAX_LIMIT = 50
MAX_INTERVALS = 100
MAX_OVERRIDES = 400
MAX_TIMES_OFF = 100
MAX_DAYS_OFF = 366
MAX_ZONE_CHANGES = 20
FIRST_DATE, LAST_DATE = date(2000, 1, 1), date(2100, 12, 31)
TIME = re.compile(r"([0-9]{2}):([0-9]{2})")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Problem(StrEnum):
    """What can be wrong; the value is the English sentence, which says what would be accepted."""

    DOCUMENT = (
        "Please give an object with timezone, weekly, overrides, buffer_before, buffer_after, limits, "
        "time_off, holidays, zone_changes and rest_between, and nothing else."
    )
    ENTRY = "Please give an object with weekday, start and end, and nothing else."
    OVERRIDE = "Please give an object with date and intervals, and nothing else."
    INTERVAL = "Please give an object with start and end, and nothing else."
    LIMITS = "Please give an object with per_day, per_week and per_month, and nothing else."
    INTERVALS = "Please give a list of at most 100 intervals."
    OVERRIDES = "Please give a list of at most 400 dates."
    ZONE = "Please choose a time zone by its IANA name, such as Europe/Berlin."
    WEEKDAY = "Please choose one of mon, tue, wed, thu, fri, sat and sun."
    START = "Please give the start as HH:MM in steps of five minutes, from 00:00 to 23:55."
    END = "Please give the end as HH:MM in steps of five minutes, from 00:05 to 24:00."
    ORDER = "Please choose an end that is later than the start; hours past midnight belong to the next day."
    OVERLAP = "Please choose hours that do not overlap other hours of the same day."
    DATE = "Please give a date as YYYY-MM-DD, from 2000-01-01 to 2100-12-31."
    DATE_TWICE = "Please name each date only once, with all its hours together."
    BUFFER = "Please give whole minutes from 0 to 240, in steps of five."
    LIMIT = "Please give a whole number from 1 to 50, or null for no limit."
    TIMES_OFF = "Please give a list of at most 100 times off."
    TIME_OFF = "Please give an object with first and last, and nothing else."
    TIME_OFF_ORDER = "Please choose a last day that is not before the first, and at most 366 days in all."
    TIME_OFF_OVERLAP = "Please choose days that do not overlap another time off."
    HOLIDAYS = "Please choose a country by its code, such as DE or DE-BY, or leave it empty."
    ZONE_CHANGES = "Please give a list of at most 20 changes of the time zone."
    ZONE_CHANGE = "Please give an object with date and timezone, and nothing else."
    YES_NO = "Please give true or false."


class BadAvailability(ValueError):
    """Some of these hours need another look."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__("; ".join(f"{path}: {' '.join(sentences)}" for path, sentences in errors.items()))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class ParsedAvailability:
    """An agent's availability as checked values. Buffers are minutes."""

    hours: Hours
    buffer_before: int = 0
    buffer_after: int = 0
    limits: Limits = field(default_factory=Limits)
    rest_between: bool = False


def parse_availability(doc: object) -> ParsedAvailability:
    """Read the JSON shape. Raises BadAvailability with every problem found."""
    found = _Findings()
    top = found.fields(doc, "", TOP_FIELDS, Problem.DOCUMENT)
    if top is None:
        raise BadAvailability(found.errors)
    timezone = _timezone(found, top.get("timezone"))
    hours = Hours(
        timezone,
        _weekly(found, top.get("weekly")),
        _overrides(found, top.get("overrides", [])),
        _times_off(found, top.get("time_off", [])),
        _holidays(found, top.get("holidays", "")),
        _zone_changes(found, top.get("zone_changes", [])),
    )
    buffer_before = _buffer(found, "buffer_before", top.get("buffer_before", 0))
    buffer_after = _buffer(found, "buffer_after", top.get("buffer_after", 0))
    limits = _limits(found, top.get("limits", {}))
    rest_between = _yes_no(found, "rest_between", top.get("rest_between", False))
    if found.errors:
        raise BadAvailability(found.errors)
    return ParsedAvailability(hours, buffer_before, buffer_after, limits, rest_between)


def dump_availability(parsed: ParsedAvailability) -> dict[str, object]:
    """Write the JSON shape, sorted by weekday, date and start. `parse_availability` undoes it."""
    hours, limits = parsed.hours, parsed.limits
    return {
        "timezone": hours.timezone,
        "weekly": [
            {"weekday": WEEKDAYS[weekday]} | interval
            for weekday in sorted(hours.weekly)
            for interval in _dump_intervals(hours.weekly[weekday])
        ],
        "overrides": [
            {"date": day.isoformat(), "intervals": _dump_intervals(hours.overrides[day])}
            for day in sorted(hours.overrides)
        ],
        "buffer_before": parsed.buffer_before,
        "buffer_after": parsed.buffer_after,
        "limits": {"per_day": limits.per_day, "per_week": limits.per_week, "per_month": limits.per_month},
        "time_off": [
            {"first": first.isoformat(), "last": last.isoformat()} for first, last in sorted(hours.time_off)
        ],
        "holidays": hours.holidays,
        "zone_changes": [
            {"date": day.isoformat(), "timezone": zone} for day, zone in sorted(hours.zone_changes)
        ],
        "rest_between": parsed.rest_between,
    }


def _dump_intervals(intervals: Iterable[Interval]) -> list[dict[str, str]]:
    return [{"start": _clock(each.start), "end": _clock(each.end)} for each in sorted(intervals)]


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


class _Findings:
    """Collects problems by path while the document is read."""

    def __init__(self) -> None:
        self.errors: dict[str, list[str]] = {}

    def add(self, path: str, problem: Problem) -> None:
        self.errors.setdefault(path, []).append(problem.value)

    def fields(
        self, value: object, path: str, known: tuple[str, ...], problem: Problem
    ) -> Mapping[str, object] | None:
        """Return an object's fields, None if it is none; fields it should not have are reported."""
        if not isinstance(value, dict):
            self.add(path or "availability", problem)
            return None
        for key in value:
            if key not in known:
                self.add(f"{path}.{str(key)[:60]}".lstrip("."), problem)
        return value

    def items(self, value: object, path: str, longest: int, problem: Problem) -> list[object]:
        """Return the items; one too long is reported and not read."""
        if isinstance(value, list) and len(value) <= longest:
            return value
        self.add(path, problem)
        return []


def _timezone(found: _Findings, value: object, path: str = "timezone") -> str:
    if isinstance(value, str) and value in known_zones():
        return value
    found.add(path, Problem.ZONE)
    return "UTC"


def _times_off(found: _Findings, value: object) -> tuple[tuple[date, date], ...]:
    entries: list[tuple[date, date, str]] = []
    for index, item in enumerate(found.items(value, "time_off", MAX_TIMES_OFF, Problem.TIMES_OFF)):
        path = f"time_off.{index}"
        fields = found.fields(item, path, ("first", "last"), Problem.TIME_OFF)
        if fields is not None:
            first = _date(found, f"{path}.first", fields.get("first"))
            last = _date(found, f"{path}.last", fields.get("last"))
            if first is not None and last is not None:
                entries.append((first, last, path))
    before = date.min
    for first, last, path in sorted(entries):
        if not 0 <= (last - first).days < MAX_DAYS_OFF:
            found.add(f"{path}.last", Problem.TIME_OFF_ORDER)
        elif first <= before:
            found.add(f"{path}.first", Problem.TIME_OFF_OVERLAP)
        before = max(before, last)
    return tuple((first, last) for first, last, _ in sorted(entries))


def _holidays(found: _Findings, value: object) -> str:
    if isinstance(value, str) and (value == "" or value in holiday_countries()):
        return value
    found.add("holidays", Problem.HOLIDAYS)
    return ""


def _zone_changes(found: _Findings, value: object) -> tuple[tuple[date, str], ...]:
    days: dict[date, str] = {}
    for index, item in enumerate(found.items(value, "zone_changes", MAX_ZONE_CHANGES, Problem.ZONE_CHANGES)):
        path = f"zone_changes.{index}"
        fields = found.fields(item, path, ("date", "timezone"), Problem.ZONE_CHANGE)
        if fields is not None:
            day = _date(found, f"{path}.date", fields.get("date"))
            zone = _timezone(found, fields.get("timezone"), f"{path}.timezone")
            if day is not None and day in days:
                found.add(f"{path}.date", Problem.DATE_TWICE)
            elif day is not None:
                days[day] = zone
    return tuple(sorted(days.items()))


def _yes_no(found: _Findings, path: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    found.add(path, Problem.YES_NO)
    return False


def _weekly(found: _Findings, value: object) -> dict[int, tuple[Interval, ...]]:
    days: dict[int, list[tuple[str, Interval]]] = {}
    for index, item in enumerate(found.items(value, "weekly", MAX_INTERVALS, Problem.INTERVALS)):
        path = f"weekly.{index}"
        fields = found.fields(item, path, ("weekday", "start", "end"), Problem.ENTRY)
        if fields is not None:
            weekday = _weekday(found, f"{path}.weekday", fields.get("weekday"))
            interval = _interval(found, path, fields)
            if weekday is not None and interval is not None:
                days.setdefault(weekday, []).append((path, interval))
    return {weekday: _day(found, days[weekday]) for weekday in sorted(days)}


def _weekday(found: _Findings, path: str, value: object) -> int | None:
    if isinstance(value, str) and value in WEEKDAYS:
        return WEEKDAYS.index(value)
    found.add(path, Problem.WEEKDAY)
    return None


def _overrides(found: _Findings, value: object) -> dict[date, tuple[Interval, ...]]:
    days: dict[date, tuple[Interval, ...]] = {}
    for index, item in enumerate(found.items(value, "overrides", MAX_OVERRIDES, Problem.OVERRIDES)):
        path = f"overrides.{index}"
        fields = found.fields(item, path, ("date", "intervals"), Problem.OVERRIDE)
        if fields is not None:
            day = _date(found, f"{path}.date", fields.get("date"))
            intervals = _intervals(found, f"{path}.intervals", fields.get("intervals"))
            if day is not None and day in days:
                found.add(f"{path}.date", Problem.DATE_TWICE)
            elif day is not None:
                days[day] = intervals
    return dict(sorted(days.items()))


def _intervals(found: _Findings, path: str, value: object) -> tuple[Interval, ...]:
    entries = []
    for index, item in enumerate(found.items(value, path, MAX_INTERVALS, Problem.INTERVALS)):
        at = f"{path}.{index}"
        fields = found.fields(item, at, ("start", "end"), Problem.INTERVAL)
        if fields is not None:
            interval = _interval(found, at, fields)
            if interval is not None:
                entries.append((at, interval))
    return _day(found, entries)


def _day(found: _Findings, entries: list[tuple[str, Interval]]) -> tuple[Interval, ...]:
    """Sort one day's intervals; one that begins before an earlier one ends is reported."""
    entries = sorted(entries, key=lambda entry: entry[1])
    latest = 0
    for path, interval in entries:
        if interval.start < latest:
            found.add(f"{path}.start", Problem.OVERLAP)
        latest = max(latest, interval.end)
    return tuple(interval for _, interval in entries)


def _interval(found: _Findings, path: str, fields: Mapping[str, object]) -> Interval | None:
    start, end = _minute(fields.get("start")), _minute(fields.get("end"))
    if start is None or start == DAY_MINUTES:
        found.add(f"{path}.start", Problem.START)
        start = None
    if end is None or end == 0:
        found.add(f"{path}.end", Problem.END)
        end = None
    if start is None or end is None:
        return None
    if start >= end:
        found.add(f"{path}.end", Problem.ORDER)
        return None
    return Interval(start, end)


def _minute(value: object) -> int | None:
    """Return minutes after midnight of HH:MM in five-minute steps, 24:00 included; None if it is not one."""
    match = TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    hour, minute = int(match[1]), int(match[2])
    total = hour * 60 + minute
    is_time = minute < 60 and total <= DAY_MINUTES and total % STEP_MINUTES == 0
    return total if is_time else None


def _date(found: _Findings, path: str, value: object) -> date | None:
    if isinstance(value, str) and DATE.fullmatch(value):
        try:
            day = date.fromisoformat(value)
        except ValueError:
            day = date.min
        if FIRST_DATE <= day <= LAST_DATE:
            return day
    found.add(path, Problem.DATE)
    return None


def _buffer(found: _Findings, path: str, value: object) -> int:
    if type(value) is int and 0 <= value <= MAX_BUFFER and value % STEP_MINUTES == 0:
        return value
    found.add(path, Problem.BUFFER)
    return 0


def _limits(found: _Findings, value: object) -> Limits:
    fields = found.fields(value, "limits", ("per_day", "per_week", "per_month"), Problem.LIMITS) or {}
    return Limits(
        per_day=_limit(found, "limits.per_day", fields.get("per_day")),
        per_week=_limit(found, "limits.per_week", fields.get("per_week")),
        per_month=_limit(found, "limits.per_month", fields.get("per_month")),
    )


def _limit(found: _Findings, path: str, value: object) -> int | None:
    # Not isinstance: JSON true is an int in Python.
    if value is None or (type(value) is int and 1 <= value <= MAX_LIMIT):
        return value
    found.add(path, Problem.LIMIT)
    return None
