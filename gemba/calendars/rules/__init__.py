"""What may go wrong with a calendar, in words, and when it is read again. Light: pages import this.

How busy times come out of a file is in `screen` and `expand`, which only the child process imports.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

LIMIT_BYTES = 2 * 1024 * 1024
MOST_SOURCES = 10
NAME_MAX = 80
DAYS_AHEAD = 120
EVERY = timedelta(minutes=30)
LONGEST_WAIT = timedelta(hours=6)
FULL_AGAIN = timedelta(days=1)
"""How old a last full copy may grow: what has not changed says nothing about the days that came into view."""
STALE_AFTER = timedelta(hours=2)
"""A calendar that was not read for so long is called out of date even where nobody saw an error."""

Spans = list[list[int]]
"""`[[start, end], …]` in whole minutes since 1970 in UTC, half-open, sorted and apart."""


class Trouble(StrEnum):
    """Why a calendar brought nothing; kept with the source."""

    NOT_A_CALENDAR = "not-a-calendar"
    CUT_SHORT = "cut-short"
    TOO_LARGE = "too-large"
    TOO_MANY_EVENTS = "too-many-events"
    TOO_MANY_DATES = "too-many-dates"
    TOO_MANY_TIMES = "too-many-times"
    TOO_OFTEN = "too-often"
    BAD_RULE = "bad-rule"
    TOO_MUCH_WORK = "too-much-work"
    UNREADABLE = "unreadable"
    DENIED = "denied"
    GONE = "gone"
    SERVER_TROUBLE = "server-trouble"
    OVERLOADED = "overloaded"


REASON_SENTENCES: dict[str, str] = {
    Trouble.NOT_A_CALENDAR: "This is no calendar file. Copy the address that ends in .ics.",
    Trouble.CUT_SHORT: "The calendar breaks off in the middle.",
    Trouble.TOO_LARGE: "The calendar is larger than 2 MB. Share a smaller one, or one without old entries.",
    Trouble.TOO_MANY_EVENTS: "The calendar has more than 5,000 entries. Share one without old entries.",
    Trouble.TOO_MANY_DATES: "An entry of the calendar lists more than 500 dates.",
    Trouble.TOO_MANY_TIMES: "The entries repeat more than 20,000 times in four months.",
    Trouble.TOO_OFTEN: "An entry of the calendar repeats every minute or every second.",
    Trouble.BAD_RULE: "An entry of the calendar has a rule of repetition that cannot be followed.",
    Trouble.TOO_MUCH_WORK: "The calendar takes too long to work out.",
    Trouble.UNREADABLE: "The calendar cannot be read.",
    Trouble.DENIED: "The server does not let us in. Its owner may have made a new secret address.",
    Trouble.GONE: "There is no calendar at this address any more.",
    Trouble.SERVER_TROUBLE: "The server that holds the calendar has trouble.",
    Trouble.OVERLOADED: "Several calendars are being worked out right now. Please try again in a minute.",
}


class Unreadable(Exception):
    """A calendar that is not used, and why."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


def trouble_of_status(status: int) -> Trouble | None:
    """What an HTTP status other than 200 and 304 means."""
    if status in (200, 304):
        return None
    if status in (401, 403, 407):
        return Trouble.DENIED
    if status in (404, 410):
        return Trouble.GONE
    return Trouble.SERVER_TROUBLE


def window(now: datetime) -> tuple[datetime, datetime]:
    """The time of which busy times are kept: from yesterday on, up to a midnight (UTC) in 120 days."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=1), midnight + timedelta(days=DAYS_AHEAD)


def next_wait(since_good: timedelta) -> timedelta:
    """The wait after a try that brought nothing, `since_good` after the last that did: as long again, but
    half an hour at least and six hours at most. So the waits double without anyone counting."""
    return min(max(since_good, EVERY), LONGEST_WAIT)


def joined(spans: Iterable[Sequence[int]]) -> Spans:
    """Spans sorted, those that touch or overlap made one."""
    found: Spans = []
    for start, end in sorted((int(start), int(end)) for start, end in spans):
        if found and start <= found[-1][1]:
            found[-1][1] = max(found[-1][1], end)
        elif start < end:
            found.append([start, end])
    return found


def coming(spans: Spans, now: datetime, *, days: int = DAYS_AHEAD) -> Spans:
    """Those of the spans that are not over, and begin within so many days."""
    first = int(now.timestamp() // 60)
    last = first + days * 24 * 60
    return [span for span in spans if span[1] > first and span[0] < last]
