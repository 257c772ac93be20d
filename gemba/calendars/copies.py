"""What is kept of a calendar at an address, whoever's it is: what to read, what came of it, how old it is.

Only busy times are kept. A try that brought nothing leaves the last good copy, and says why.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gemba.calendars.rules import (
    DAYS_AHEAD,
    EVERY,
    FULL_AGAIN,
    REASON_SENTENCES,
    STALE_AFTER,
    Spans,
    Trouble,
    coming,
    next_wait,
)
from gemba.fetch import FetchFailed
from gemba.schedule.models import KeptCalendar


@dataclass(frozen=True)
class Order:
    """What the worker has to read. `repr` never shows it: the address is a secret."""

    source_id: int
    made: datetime
    url: str
    zone: str
    active: bool
    headers: dict[str, str]

    def __repr__(self) -> str:
        return f"Order({self.source_id})"


@dataclass(frozen=True)
class Copy:
    """What came of reading a calendar: busy times, or the code of an error, or neither: nothing changed."""

    error: str = ""
    spans: Spans | None = None
    events: int = 0
    known_until: datetime | None = None
    etag: str = ""
    last_modified: str = ""


def order_for(number: int, row: KeptCalendar, *, zone: str, active: bool, now: datetime) -> Order:
    """What is to be read for a row; its whole days are meant in `zone`."""
    known = {"If-None-Match": row.etag, "If-Modified-Since": row.last_modified}
    far = timedelta(days=DAYS_AHEAD) - FULL_AGAIN
    is_whole = row.known_until is not None and row.known_until - now > far
    return Order(
        source_id=number,
        made=row.created_at,
        url=row.url,
        zone=zone,
        active=active,
        headers={name: value for name, value in known.items() if value and is_whole},
    )


def note(row: KeptCalendar, copy: Copy, now: datetime) -> bool:
    """Writes down what came of a try; whether the busy times to come are others now."""
    row.tried_at, row.error = now, str(copy.error)
    return not copy.error and keep(row, copy, now)


def keep(row: KeptCalendar, copy: Copy, now: datetime) -> bool:
    """The new copy in place of the last; whether the busy times to come are others now."""
    row.fetched_at = now
    if copy.spans is None:
        return False
    is_different = coming(row.spans, now) != coming(copy.spans, now)
    row.spans, row.events, row.known_until = copy.spans, copy.events, copy.known_until
    row.etag, row.last_modified = copy.etag, copy.last_modified
    return is_different


def wait_after(row: KeptCalendar, now: datetime, every: timedelta = EVERY) -> timedelta:
    """How long until the next try: `every` after a good one, longer and longer after bad ones."""
    return next_wait(now - (row.fetched_at or row.created_at)) if row.error else every


def is_stale(row: KeptCalendar, now: datetime, after: timedelta = STALE_AFTER) -> bool:
    """Whether what is known may be old: the last try failed, or the last good one is longer ago."""
    if not row.url:
        return row.known_until is not None and row.known_until <= now
    if row.fetched_at is None:
        return bool(row.error)
    return bool(row.error) or now - row.fetched_at > after


def sentence_of(code: str) -> str:
    """The English sentence of an error that is kept with a source, "" for none."""
    if not code:
        return ""
    known = {each.code: (each.__doc__ or "").strip() for each in FetchFailed.__subclasses__()}
    return {**known, **REASON_SENTENCES}.get(code, REASON_SENTENCES[Trouble.UNREADABLE])
