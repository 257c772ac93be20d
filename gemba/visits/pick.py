"""What the page of hours shows: days, hours, the chosen one, and the way out where nothing fits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from gemba.schedule.rules import Slot

# Until which hour of the day each part lasts.
PARTS = {"night": 6, "morning": 12, "afternoon": 17, "evening": 24}


@dataclass(frozen=True)
class Day:
    """One day of the strip."""

    date: date
    free: int
    chosen: bool
    today: bool


@dataclass(frozen=True)
class Picker:
    """Everything the page of hours shows, in the visitor's zone."""

    days: list[Day]
    chosen_day: date
    parts: Mapping[str, list[Slot]]
    chosen: Slot | None
    next_free: Slot | None
    total: int
    earlier: date | None
    later: date | None


def pick(
    slots: Sequence[Slot],
    *,
    zone: str,
    now: datetime,
    horizon_days: int,
    day: date | None,
    start: datetime | None,
) -> Picker:
    """Lays slots on the week of `day` (default: the day of `start`, else the first with a free hour)."""
    tz = ZoneInfo(zone)
    by_day: dict[date, list[Slot]] = {}
    for slot in slots:
        by_day.setdefault(slot.start.astimezone(tz).date(), []).append(slot)
    today = now.astimezone(tz).date()
    last = (now + timedelta(days=horizon_days)).astimezone(tz).date()
    wanted = start.astimezone(tz).date() if start else day
    if wanted is None:
        wanted = min(by_day, default=today)
    wanted = min(max(wanted, today), last)
    monday = wanted - timedelta(days=wanted.weekday())
    week = [monday + timedelta(days=n) for n in range(7)]
    hours = by_day.get(wanted, [])
    return Picker(
        days=[Day(each, len(by_day.get(each, ())), each == wanted, each == today) for each in week],
        chosen_day=wanted,
        parts=_parts(hours, tz),
        chosen=next((slot for slot in slots if slot.start == start), None),
        next_free=next((slot for slot in slots if slot.start.astimezone(tz).date() > wanted), None)
        or next(iter(slots), None),
        total=len(slots),
        earlier=week[0] - timedelta(days=1) if week[0] > today else None,
        later=week[-1] + timedelta(days=1) if week[-1] < last else None,
    )


def _parts(hours: Sequence[Slot], tz: ZoneInfo) -> dict[str, list[Slot]]:
    parts: dict[str, list[Slot]] = {part: [] for part in PARTS}
    for slot in hours:
        hour = slot.start.astimezone(tz).hour
        parts[next(part for part, end in PARTS.items() if hour < end)].append(slot)
    return parts
