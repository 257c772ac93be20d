"""Rounds to measure the pairing engine on: made from a seed, as like a company as we know how.

Nine zones, over the change of clocks of March 2027; full-time, part-time and shift agents with a quarter of
the days busy, some a week away, caps of one to three visits a week and one a day; people with one to eight
windows of one to four hours in which the whole visit must lie, wishes for twelve products of which few are
wanted by many, languages, a line, agents met whom they must not meet again. In a *segmented* round nine of
ten insist on their product and three of ten on a line.
"""

import random
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from gemba.rounds.pairing.grid import Grid
from gemba.rounds.pairing.network import capacity
from gemba.rounds.pairing.values import TICK_SECONDS, Agent, Person

ZONES = {
    "Europe/Moscow": 45,
    "Asia/Yekaterinburg": 12,
    "Asia/Almaty": 8,
    "Europe/Berlin": 10,
    "Asia/Novosibirsk": 7,
    "Asia/Yerevan": 5,
    "Europe/Belgrade": 6,
    "Europe/Lisbon": 4,
    "Asia/Singapore": 3,
}
START = date(2027, 3, 15)
PRODUCTS, STEP, HOUR = 12, 30, 12


@dataclass(frozen=True)
class BenchRound:
    """A round to be paired."""

    agents: list[Agent]
    people: list[Person]
    grid: Grid


def bench_round(
    seed: int, people: int, agents: int, days: int, *, segmented: bool = False, a_day: int = 1
) -> BenchRound:
    """A round of this size from that seed; with `a_day` agents take so many visits a day and 5 a week."""
    rng = random.Random(seed)
    first = datetime(START.year, START.month, START.day, tzinfo=UTC) - timedelta(days=1)
    grid = Grid(int(first.timestamp()) // TICK_SECONDS, (days + 2) * 24 * HOUR)
    dates = [START + timedelta(days=n) for n in range(days)]
    walls = _Walls(grid)
    made = [_agent(rng, 100_000 + n, walls, dates) for n in range(agents)]
    if a_day > 1:
        made = [replace(agent, per_day=a_day, per_week=5) for agent in made]
    made = [replace(agent, offered=float(max(capacity(agent, grid), 1))) for agent in made]
    binds = (0.9, 0.3) if segmented else (0.45, 0.12)
    return BenchRound(made, [_person(rng, 1 + n, walls, dates, agents, binds) for n in range(people)], grid)


class _Walls:
    """Local starts as bits; each local midnight is looked up once."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._known: dict[tuple[date, int, str], int] = {}

    def starts(self, day: date, low: int, high: int, zone: str) -> int:
        """Starts every half an hour of visits of an hour in [low, high), in hours after midnight."""
        bits = 0
        for half in range(low * 2, high * 2 - 1):
            key = (day, half, zone)
            if key not in self._known:
                naive = datetime(day.year, day.month, day.day) + timedelta(minutes=STEP * half)
                tick = int(naive.replace(tzinfo=ZoneInfo(zone)).timestamp()) // TICK_SECONDS
                self._known[key] = 1 << tick - self._grid.first
            bits |= self._known[key]
        return bits


def _zipf(rng: random.Random, count: int) -> tuple[int, ...]:
    weights = [1 / (n + 1) for n in range(PRODUCTS)]
    return tuple(dict.fromkeys(rng.choices(range(PRODUCTS), weights, k=count)))


def _agent(rng: random.Random, number: int, walls: _Walls, dates: list[date]) -> Agent:
    zone = rng.choices(list(ZONES), list(ZONES.values()))[0]
    kind = rng.choices(("full", "part", "shift"), (60, 20, 20))[0]
    low = rng.choice((8, 9, 10)) if kind != "shift" else rng.choice((6, 14))
    length = {"full": 8, "part": 4, "shift": 8}[kind]
    away = rng.choice(dates) if rng.random() < 0.05 else None
    bits = 0
    for day in dates:
        works = day.weekday() < 5 if kind != "shift" else rng.random() < 5 / 7
        gone = away is not None and 0 <= (day - away).days < 7
        if works and not gone and rng.random() > 0.25:
            bits |= walls.starts(day, low, low + length, zone)
    return Agent(
        id=number,
        starts=bits,
        zone=zone,
        apart=HOUR,
        products=frozenset(_zipf(rng, rng.choice((1, 2, 3)))),
        languages=frozenset(rng.choices((("ru",), ("en",), ("ru", "en")), (55, 15, 30))[0]),
        line=rng.randrange(10),
        per_day=1,
        per_week=rng.choices((1, 2, 3), (60, 30, 10))[0],
    )


def _person(
    rng: random.Random,
    number: int,
    walls: _Walls,
    dates: list[date],
    agents: int,
    binds: tuple[float, float],
) -> Person:
    """`binds` are the shares of people who insist on a product, and on a line."""
    zone = rng.choices(list(ZONES), list(ZONES.values()))[0]
    free = liked = 0

    for window in range(rng.randint(1, 8)):
        low = rng.randint(8, 17)
        bits = walls.starts(rng.choice(dates), low, low + rng.randint(1, 4), zone)
        free |= bits
        if window == 0 or rng.random() < 0.5:
            liked |= bits
    insists = rng.random() < binds[0]
    return Person(
        id=number,
        free=free,
        order=(0 if rng.random() < 0.08 else 1, number),
        preferred=liked,
        products=_zipf(rng, rng.choice((1, 1, 2) if insists else (0, 1, 1, 2))),
        insists=insists,
        languages=rng.choices((("ru",), ("en",), ("ru", "en"), ("en", "ru")), (50, 10, 30, 10))[0],
        line=rng.randrange(10) if rng.random() < binds[1] else None,
        refuses=frozenset(100_000 + rng.randrange(agents) for _ in range(rng.randint(0, 3))),
    )
