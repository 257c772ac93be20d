"""From a calendar to the times at which somebody is busy. Runs in a child process that may be killed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar
from icalendar.prop import vDuration, vPeriod
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from gemba.calendars.rules import Spans, Trouble, Unreadable, joined
from gemba.calendars.rules.screen import MOST_TIMES, Screened, screen

DAY = timedelta(days=1)
FREE = {"TRANSP": {"TRANSPARENT"}, "STATUS": {"CANCELLED"}, "X-MICROSOFT-CDO-BUSYSTATUS": {"FREE"}}
"""What says of an occurrence that its person is free."""


@dataclass(frozen=True)
class Busy:
    """When somebody is busy, and how many entries of the calendar say so."""

    spans: Spans
    events: int


def expand(data: bytes, *, zone: str, start: datetime, end: datetime) -> Busy:
    """The busy times of a calendar between two instants, cut at both.

    `zone` (IANA) is the agent's: whole days and times without a zone are meant there, unless the calendar
    names a zone itself. Raises Unreadable.
    """
    screened = screen(data, start, end)
    here = _zone(screened.zone) or ZoneInfo(zone)
    found = []
    for begins, ends in _occurrences(screened, start, end, here):
        first, last = max(begins, start), min(ends, end)
        if first < last:
            found.append((int(first.timestamp() // 60), int(-(-last.timestamp() // 60))))
        if len(found) > MOST_TIMES:
            raise Unreadable(Trouble.TOO_MANY_TIMES)
    return Busy(joined(found), len(found))


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(WINDOWS_TO_OLSON.get(name, name)) if name else None
    except (ValueError, OSError, LookupError):
        return None


def _occurrences(
    screened: Screened, start: datetime, end: datetime, here: ZoneInfo
) -> Iterator[tuple[datetime, datetime]]:
    try:
        calendars = Calendar.from_ical(screened.text, multiple=True)
    except (ValueError, LookupError, TypeError) as error:
        raise Unreadable(Trouble.UNREADABLE) from error
    for calendar in calendars:
        query = recurring_ical_events.of(calendar, components=["VEVENT"], skip_bad_series=True)
        # A day more on both sides: times without a zone are placed only here.
        for event in query.between(start - DAY, end + DAY):
            times = None if _is_free(event) else _times(event, here)
            if times is not None:
                yield times
    for period in screened.periods:
        yield from _period(period)


def _is_free(event: Any) -> bool:
    return any(str(event.get(name, "")).strip().upper() in words for name, words in FREE.items())


def _times(event: Any, here: ZoneInfo) -> tuple[datetime, datetime] | None:
    """Start and end in UTC; None for what cannot be told or takes no time."""
    try:
        begins, ends = event.start, event.end
        return _instant(begins, here), _instant(ends, here)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError):
        return None


def _instant(value: date, here: ZoneInfo) -> datetime:
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    return (value if value.tzinfo else value.replace(tzinfo=here)).astimezone(UTC)


def _period(text: str) -> Iterator[tuple[datetime, datetime]]:
    """A FREEBUSY period; RFC 5545 wants it in UTC, anything else is passed over."""
    try:
        first, last = vPeriod.from_ical(text.strip())  # type: ignore[no-untyped-call]
    except (ValueError, LookupError, TypeError):
        return
    if isinstance(last, timedelta | vDuration):
        last = first + getattr(last, "dt", last)
    if first.tzinfo and last.tzinfo:
        yield first.astimezone(UTC), last.astimezone(UTC)
