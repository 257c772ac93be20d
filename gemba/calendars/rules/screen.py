"""The first look at a calendar, as text: refuses what would take for ever, and lets only times through.

Titles, places, people and notes are dropped here, before anything understands the file. The library that
works out repetitions runs for hours on a few lines of a hostile calendar; what it gets is bounded here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from gemba.calendars.rules import LIMIT_BYTES, Trouble, Unreadable

MOST_EVENTS = 5_000
MOST_DATES = 500
MOST_DATES_IN_ALL = 5_000
MOST_TIMES = 20_000
MOST_ZONES = 200
DEEPEST = 4
FIRST_DAY = "19700101"
KEPT = {
    "VCALENDAR": frozenset({"VERSION", "PRODID"}),
    "VTIMEZONE": frozenset({"TZID"}),
    "STANDARD": frozenset({"DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE", "TZNAME"}),
    "DAYLIGHT": frozenset({"DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE", "TZNAME"}),
    "VEVENT": frozenset(
        {
            "UID",
            "DTSTAMP",
            "DTSTART",
            "DTEND",
            "DURATION",
            "RRULE",
            "RDATE",
            "EXDATE",
            "RECURRENCE-ID",
            "SEQUENCE",
            "STATUS",
            "TRANSP",
            "X-MICROSOFT-CDO-BUSYSTATUS",
        }
    ),
    "VFREEBUSY": frozenset({"FREEBUSY"}),
}
"""What is let through, by component."""
_LINE = re.compile(r'([A-Za-z0-9-]++)(?=[;:])((?:"[^"]*+"|[^":]++)*+):(.*)', re.DOTALL)
_DAY = re.compile(r"\d{8}", re.ASCII)
_LENGTH = re.compile(r"[+-]?P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T.*)?", re.ASCII)
_A_DAY = {"HOURLY": 24.0, "DAILY": 1.0, "WEEKLY": 1 / 7, "MONTHLY": 1 / 28, "YEARLY": 1 / 365}


@dataclass(frozen=True)
class Screened:
    """What is left: the text of a calendar with times only, the zone it names ("" for none), and the periods
    of plain free/busy lists as `start/end`."""

    text: str
    zone: str
    periods: tuple[str, ...]


@dataclass
class _Event:
    """The lines of one VEVENT, each as (name, parameters, value)."""

    lines: list[tuple[str, str, str]] = field(default_factory=list)

    def value(self, name: str) -> str:
        return next((value for each, _params, value in self.lines if each == name), "")

    def has(self, *names: str) -> bool:
        return any(each in names for each, _params, _value in self.lines)

    def dates(self) -> int:
        return sum(value.count(",") + 1 for name, _p, value in self.lines if name in ("RDATE", "EXDATE"))


def screen(data: bytes, start: datetime, end: datetime) -> Screened:
    """The times of a calendar that matter between `start` and `end`. Raises Unreadable."""
    if len(data) > LIMIT_BYTES:
        raise Unreadable(Trouble.TOO_LARGE)
    text = data.decode("utf-8-sig", "replace").lstrip("\ufeff \t\r\n")
    if not text[:15].upper().startswith("BEGIN:VCALENDAR"):
        raise Unreadable(Trouble.NOT_A_CALENDAR)
    return _Sieve(start, end).run(text)


class _Sieve:
    """Goes through the lines once."""

    def __init__(self, start: datetime, end: datetime) -> None:
        self._first, self._last = _day(start - timedelta(days=2)), _day(end + timedelta(days=2))
        self._days = (end - start).days + 2
        self._kept: list[str] = []
        self._periods: list[str] = []
        self._zone = ""
        self._event: _Event | None = None
        self._events = self._dates = self._zones = 0
        self._times = 0.0

    def run(self, text: str) -> Screened:
        """The whole. Raises Unreadable."""
        within: list[str] = []
        for name, params, value in _lines(text):
            if name == "BEGIN":
                within.append(value.strip().upper())
                self._begin(within)
            elif name == "END":
                ended = value.strip().upper()
                if not within or within[-1] != ended:
                    torn = bool(within) and within[-1].startswith(ended)
                    raise Unreadable(Trouble.CUT_SHORT if torn else Trouble.UNREADABLE)
                self._end(within)
                within.pop()
            elif all(each in KEPT for each in within) and within:
                self._property(within[-1], name, params, value)
        if within:
            raise Unreadable(Trouble.CUT_SHORT)
        return Screened("\r\n".join([*self._kept, ""]), self._zone, tuple(self._periods))

    def _begin(self, within: Sequence[str]) -> None:
        if len(within) > DEEPEST:
            raise Unreadable(Trouble.UNREADABLE)
        if not all(each in KEPT for each in within) or within[-1] == "VFREEBUSY":
            return
        if within[-1] == "VEVENT":
            self._event = _Event()
            return
        self._zones += within[-1] == "VTIMEZONE"
        if self._zones > MOST_ZONES:
            raise Unreadable(Trouble.UNREADABLE)
        self._kept.append(f"BEGIN:{within[-1]}")

    def _end(self, within: Sequence[str]) -> None:
        if not all(each in KEPT for each in within) or within[-1] == "VFREEBUSY":
            return
        if within[-1] != "VEVENT":
            self._kept.append(f"END:{within[-1]}")
        elif self._event is not None:
            self._take(self._event)
            self._event = None

    def _property(self, component: str, name: str, params: str, value: str) -> None:
        if component == "VCALENDAR" and name == "X-WR-TIMEZONE":
            # Kept apart: given to the library it would move UTC series by an hour when clocks change.
            self._zone = value.strip()[:100]
        if name not in KEPT[component]:
            return
        if name == "RRULE":
            check_rule(value)
        if component == "VFREEBUSY":
            if "FBTYPE=FREE" not in params.upper():
                self._periods += value.split(",")
                self._count_times(value.count(",") + 1)
        elif self._event is not None:
            self._event.lines.append((name, params, value))
        else:
            self._count_dates(value.count(",") + 1 if name == "RDATE" else 0)
            self._kept.append(f"{name}{params}:{value}")

    def _take(self, event: _Event) -> None:
        self._count_dates(event.dates())
        if self._is_out_of_sight(event):
            return
        self._events += 1
        if self._events > MOST_EVENTS:
            raise Unreadable(Trouble.TOO_MANY_EVENTS)
        self._count_times(self._times_of(event))
        self._kept.append("BEGIN:VEVENT")
        self._kept += [f"{name}{params}:{value}" for name, params, value in event.lines]
        self._kept.append("END:VEVENT")

    def _is_out_of_sight(self, event: _Event) -> bool:
        """Whether an event happens never, or once but neither near nor in the window."""
        begins, ends = _date_in(event.value("DTSTART")), _date_in(event.value("DTEND"))
        if not begins:
            return True
        if event.has("RRULE", "RDATE", "RECURRENCE-ID"):
            return False
        if not event.has("DTEND", "DURATION"):
            ends = begins
        return begins > self._last or "" < ends < self._first

    def _times_of(self, event: _Event) -> float:
        """About how often it happens, a little too high rather than too low."""
        rule = _parts(event.value("RRULE"))
        if not rule:
            return 1 + event.dates()
        if _date_in(event.value("DTSTART")) < FIRST_DAY and rule.get("FREQ") != "YEARLY":
            raise Unreadable(Trouble.BAD_RULE)
        times = _rate(rule) * (self._days + _length_days(event))
        if rule.get("COUNT", "").isdecimal():
            times = min(times, float(rule["COUNT"][:9]))
        return times + event.dates()

    def _count_times(self, times: float) -> None:
        self._times += times
        if self._times > MOST_TIMES:
            raise Unreadable(Trouble.TOO_MANY_TIMES)

    def _count_dates(self, dates: int) -> None:
        self._dates += dates
        if dates > MOST_DATES or self._dates > MOST_DATES_IN_ALL:
            raise Unreadable(Trouble.TOO_MANY_DATES)


def check_rule(value: str) -> None:
    """Raises Unreadable for an RRULE that is broken or repeats faster than hourly."""
    rule = _parts(value)
    if rule.get("FREQ") in ("SECONDLY", "MINUTELY"):
        raise Unreadable(Trouble.TOO_OFTEN)
    interval = rule.get("INTERVAL", "1")
    if rule.get("FREQ") not in _A_DAY or not interval.isdecimal() or int(interval[:9]) < 1:
        raise Unreadable(Trouble.BAD_RULE)


def _rate(rule: Mapping[str, str]) -> float:
    """How often a day, at most. The parts of a day multiply, and days cannot come more often than daily."""

    def listed(name: str) -> int:
        return rule[name].count(",") + 1 if rule.get(name) else 1

    within = listed("BYHOUR") * listed("BYMINUTE") * listed("BYSECOND")
    days = _A_DAY[rule["FREQ"]]
    if rule["FREQ"] == "HOURLY":
        return days * listed("BYMINUTE") * listed("BYSECOND") / int(rule.get("INTERVAL", "1")[:9])
    each = 1 if rule["FREQ"] == "WEEKLY" else 5
    for name, most in (("BYDAY", each), ("BYMONTHDAY", 1), ("BYYEARDAY", 1), ("BYWEEKNO", 7), ("BYMONTH", 1)):
        days *= listed(name) * (most if rule.get(name) else 1)
    return min(1.0, days / int(rule.get("INTERVAL", "1")[:9])) * within


def _length_days(event: _Event) -> int:
    """How many days one occurrence may reach."""
    if event.has("DTEND"):
        try:
            begins, ends = (date.fromisoformat(_date_in(event.value(each))) for each in ("DTSTART", "DTEND"))
        except ValueError:
            return 0
        return max(0, (ends - begins).days)
    match = _LENGTH.fullmatch(event.value("DURATION").strip().upper())
    weeks, days = match.groups() if match else (None, None)
    return int(weeks or 0) * 7 + int(days or 0)


def _lines(text: str) -> Iterator[tuple[str, str, str]]:
    """Unfolded content lines as (name in capitals, parameters as written, value)."""
    for line in re.split(r"\r\n|\n|\r", re.sub(r"(?:\r\n|\n|\r)[ \t]", "", text)):
        match = _LINE.fullmatch(line)
        if match:
            yield match[1].upper(), match[2], match[3]


def _parts(rule: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in rule.strip().upper().split(";"))
    return {name.strip(): value.strip() for name, _equals, value in pairs if name.strip()}


def _date_in(value: str) -> str:
    match = _DAY.match(value.strip())
    return match[0] if match else ""


def _day(instant: datetime) -> str:
    return instant.strftime("%Y%m%d")
