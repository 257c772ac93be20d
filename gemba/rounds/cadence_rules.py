"""When somebody should come back, and how long a department has kept coming. Pure."""

from calendar import monthrange
from collections.abc import Collection
from datetime import date, datetime, timedelta
from enum import StrEnum

SOON = timedelta(days=30)
AGAIN_AFTER = timedelta(days=30)
"""So long after somebody was due they hear a second time, and their head of department may hear of it."""
LONGEST_STREAK = 60


class Standing(StrEnum):
    """How somebody stands: a visit is booked, all is well, due soon, overdue, or never there."""

    BOOKED = "booked"
    FRESH = "fresh"
    SOON = "soon"
    OVERDUE = "overdue"
    NEVER = "never"


def add_months(instant: datetime, months: int) -> datetime:
    """The same day so many months later, the last of the month where there is no such day."""
    number = instant.month - 1 + months
    year, month = instant.year + number // 12, number % 12 + 1
    return instant.replace(year=year, month=month, day=min(instant.day, monthrange(year, month)[1]))


def standing_of(due: datetime | None, *, booked: bool, now: datetime) -> Standing:
    """How somebody stands whose next visit is due then (None: they never came)."""
    if booked:
        return Standing.BOOKED
    if due is None:
        return Standing.NEVER
    if due <= now:
        return Standing.OVERDUE
    return Standing.SOON if due - now <= SOON else Standing.FRESH


def streak(months: Collection[tuple[int, int]], today: date) -> int:
    """Months in a row with a visit, up to the last one that is over; this month counts once it has one."""
    year, month = today.year, today.month
    found = 1 if (year, month) in months else 0
    while found < LONGEST_STREAK:
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
        if (year, month) not in months:
            return found
        found += 1
    return found
