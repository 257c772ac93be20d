"""Random rounds: agents and people of nine zones around a change of clocks, all from a seed."""

import random
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from gemba.rounds.pairing.grid import Grid
from gemba.rounds.pairing.values import TICK_SECONDS, Agent, Help, Helps, Person

ZONES = (
    "Europe/Moscow",
    "Asia/Yekaterinburg",
    "Asia/Almaty",
    "Europe/Berlin",
    "Asia/Novosibirsk",
    "Asia/Yerevan",
    "Europe/Belgrade",
    "Europe/Lisbon",
    "America/New_York",
)
SPRING, AUTUMN = date(2027, 3, 22), date(2027, 10, 25)
"""Mondays before both changes of clocks in Europe; New York changes within two weeks of either."""
HOUR = 12


@dataclass(frozen=True)
class RoundWorld:
    """A round to be paired."""

    agents: list[Agent]
    people: list[Person]
    grid: Grid


def tick(at: datetime) -> int:
    """The tick that begins at an instant."""
    return int(at.timestamp()) // TICK_SECONDS


def grid_of(start: date, days: int) -> Grid:
    """Ticks from the day before a date to the day after the last, so that every zone's days are in it."""
    first = datetime(start.year, start.month, start.day, tzinfo=UTC) - timedelta(days=1)
    return Grid(tick(first), (days + 2) * 24 * HOUR)


def wall(grid: Grid, day: date, minute: int, zone: str) -> int:
    """The bit of a local wall time; the first of two, what follows a gap."""
    naive = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)
    return tick(naive.replace(tzinfo=ZoneInfo(zone))) - grid.first


def starts_between(grid: Grid, day: date, low: int, high: int, zone: str, step: int = 30) -> int:
    """Bits of the local starts every `step` minutes of [low, high), in minutes after midnight."""
    bits = 0
    for minute in range(low, high, step):
        bits |= 1 << wall(grid, day, minute, zone)
    return bits


def make(
    seed: int, people: int, agents: int, *, days: int = 10, most_a_day: int = 1, start: date | None = None
) -> RoundWorld:
    """A round of this size; with `most_a_day` above 1 some agents take several visits a day."""
    rng = random.Random(seed)
    begin = start or rng.choice((SPRING, AUTUMN))
    grid = grid_of(begin, days)
    dates = [begin + timedelta(days=n) for n in range(days)]
    return RoundWorld(
        [_agent(rng, 1000 + n, grid, dates, most_a_day) for n in range(agents)],
        [_person(rng, 1 + n, grid, dates, agents) for n in range(people)],
        grid,
    )


def _agent(rng: random.Random, number: int, grid: Grid, dates: list[date], most_a_day: int) -> Agent:
    zone, low = rng.choice(ZONES), rng.choice((8, 9, 10, 13)) * 60
    length = rng.choice((2, 4, 8)) * 60
    bits = 0
    for day in dates:
        if day.weekday() < 5 and rng.random() > 0.25:
            bits |= starts_between(grid, day, low, low + length, zone)
    taken = {rng.choice(dates): 1} if rng.random() < 0.2 else {}
    return Agent(
        id=number,
        starts=bits,
        zone=zone,
        apart=rng.choice((HOUR, HOUR, HOUR + 3, 2 * HOUR)),
        products=frozenset(rng.sample(range(1, 7), rng.choice((1, 1, 2, 3)))),
        languages=frozenset(rng.choice((("ru",), ("en",), ("en", "ru")))),
        line=rng.choice((1, 2, 3)),
        per_day=rng.choice((1, most_a_day, None)) if most_a_day > 1 else 1,
        per_week=rng.choice((None, 1, 2, 3)),
        per_month=rng.choice((None, None, 3, 4)),
        spare=rng.choice((None, None, 1, 4)),
        taken=taken,
        load=rng.choice((0, 0, 1, 4)),
        offered=float(length * 5),
    )


def _person(rng: random.Random, number: int, grid: Grid, dates: list[date], agents: int) -> Person:
    zone = rng.choice(ZONES)
    bits = 0
    for _ in range(rng.choice((1, 2, 3, 5, 8))):
        low = rng.choice((8, 9, 10, 12, 14, 16)) * 60
        bits |= starts_between(grid, rng.choice(dates), low, low + rng.choice((1, 2, 4)) * 60, zone)
    some = frozenset(1000 + rng.randrange(max(agents, 1)) for _ in range(rng.choice((0, 0, 1, 3))))
    return Person(
        id=number,
        free=bits,
        order=(rng.choice((0, 1, 1, 1)), rng.randrange(50)),
        preferred=bits & rng.getrandbits(grid.count) if rng.random() < 0.7 else 0,
        products=tuple(rng.sample(range(1, 7), rng.choice((0, 1, 1, 2)))),
        insists=rng.random() < 0.4,
        languages=rng.choice((("ru",), ("en",), ("ru", "en"))),
        line=rng.choice((1, 2, 3)) if rng.random() < 0.12 else None,
        refuses=frozenset(rng.sample(sorted(some), min(len(some), 1))),
        met=some,
    )


def shuffled(world: RoundWorld, seed: int) -> RoundWorld:
    """The same round with its rows in another order."""
    rng = random.Random(seed)
    return replace(
        world,
        agents=rng.sample(world.agents, len(world.agents)),
        people=rng.sample(world.people, len(world.people)),
    )


def with_help(person: Person, helps: Help, grid: Grid) -> Person:
    """The person after the change that would help."""
    value = helps.value
    if isinstance(value, tuple):
        weekday, minute = value
        where, free = ZoneInfo(person.zone), person.free
        for bit in range(grid.count):
            at = datetime.fromtimestamp((grid.first + bit) * TICK_SECONDS, where)
            if (at.weekday(), at.hour * 60 + at.minute) == (weekday, minute):
                free |= 1 << bit
        return replace(person, free=free)
    if helps.kind == Helps.REFUSES:
        return replace(person, refuses=frozenset())
    if helps.kind == Helps.LINE:
        return replace(person, line=int(value or 0))
    if helps.kind == Helps.LANGUAGE:
        return replace(person, languages=(*person.languages, str(value)))
    return replace(person, products=(*person.products, int(value or 0)))
