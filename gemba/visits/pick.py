"""What the page of hours shows: days, hours, the chosen one, and the way out where nothing fits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from gemba.schedule.rules import Offer, Span
from gemba.schedule.rules.hours import local_day

# Until which hour of the day each part lasts.
PARTS = {"night": 6, "morning": 12, "afternoon": 17, "evening": 24}
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Day:
    """One day of the strip."""

    date: date
    free: int
    chosen: bool
    today: bool


@dataclass(frozen=True)
class Hour:
    """A start that can be booked, and how many agents offer it."""

    start: datetime
    end: datetime
    agents: int


@dataclass(frozen=True)
class Picker:
    """Everything the page of hours shows, in the visitor's zone."""

    days: list[Day]
    chosen_day: date
    parts: Mapping[str, list[Hour]]
    chosen: Hour | None
    next_free: datetime | None
    total: int
    earlier: date | None
    later: date | None


def pick(
    offer: Offer,
    *,
    zone: str,
    now: datetime,
    horizon_days: int,
    day: date | None,
    start: datetime | None,
) -> Picker:
    """Lays an offer on the week of `day` (default: that of `start`, else the first with a free hour)."""
    tz = ZoneInfo(zone)
    today = now.astimezone(tz).date()
    last = (now + timedelta(days=horizon_days)).astimezone(tz).date()
    soonest = offer.first_after(now)
    wanted = start.astimezone(tz).date() if start else day
    if wanted is None:
        wanted = soonest.astimezone(tz).date() if soonest else today
    wanted = min(max(wanted, today), last)
    monday = wanted - timedelta(days=wanted.weekday())
    week = [monday + timedelta(days=n) for n in range(7)]
    spans = [
        Span(low, high)
        for low, high in pairwise(local_day(zone, each).first for each in [*week, week[-1] + ONE_DAY])
    ]
    chosen_span = spans[week.index(wanted)]
    hours = _hours(offer, chosen_span)
    return Picker(
        days=[
            Day(each, offer.count(span), each == wanted, each == today)
            for each, span in zip(week, spans, strict=True)
        ],
        chosen_day=wanted,
        parts=_parts(hours, tz),
        chosen=next((hour for hour in hours if hour.start == start), None),
        next_free=offer.first_after(chosen_span.end) or soonest,
        total=offer.union.bit_count(),
        earlier=week[0] - ONE_DAY if week[0] > today else None,
        later=week[-1] + ONE_DAY if week[-1] < last else None,
    )


def _hours(offer: Offer, span: Span) -> list[Hour]:
    length = offer.rules.length
    return [Hour(start, start + length, count) for start, count in offer.how_many(span).items()]


def _parts(hours: list[Hour], tz: ZoneInfo) -> dict[str, list[Hour]]:
    parts: dict[str, list[Hour]] = {part: [] for part in PARTS}
    for each in hours:
        hour = each.start.astimezone(tz).hour
        parts[next(part for part, end in PARTS.items() if hour < end)].append(each)
    return parts
