"""What was seen when, by calendar month: the order of a timeline and the figures of a trend."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

TREND_MONTHS = 12


@dataclass(frozen=True)
class Month:
    """A month, as its first day, and how many visits saw something in it."""

    first: date
    visits: int


def first_of(day: date, back: int = 0) -> date:
    """The first day of the month of `day`, or of the one so many months before."""
    count = day.year * 12 + day.month - 1 - back
    return date(count // 12, count % 12 + 1, 1)


def trend(seen: Iterable[date], today: date, months: int = TREND_MONTHS) -> list[Month]:
    """So many months up to today's, oldest first, with the visits counted whose days are given."""
    counts = Counter(first_of(day) for day in seen)
    firsts = [first_of(today, back) for back in range(months - 1, -1, -1)]
    return [Month(first, counts[first]) for first in firsts]


def curve(trend: list[Month], width: int, height: int) -> list[tuple[float, float]]:
    """The points of a line through the months in a box of this size, (0, 0) at its top left."""
    most = max((month.visits for month in trend), default=0) or 1
    step = width / max(len(trend) - 1, 1)
    return [
        (round(place * step, 1), round(height * (1 - month.visits / most), 1))
        for place, month in enumerate(trend)
    ]
