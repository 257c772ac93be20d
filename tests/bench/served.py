"""Booking as people meet it: gunicorn as in production, eight at once over HTTP, beside the bare INSERT.

The processors' time of the server's processes is what /proc tells; where there is no /proc (macOS) these
rows are missing. PostgreSQL's own processes are not in it.
"""

import http.client
import json
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from gemba.visits.forms import stamp
from tests.bench.booking import visitors
from tests.bench.measure import Cost, Row
from tests.bench.worlds import DATABASES, World, world
from tests.crowd import ZONES
from tests.serving import gunicorn

AGENTS, DAYS, AT_ONCE, WARM = 200, 2, 8, 40
PROC = Path("/proc")


@dataclass(frozen=True)
class Call:
    """A POST of JSON; `token` may be empty."""

    path: str
    token: str
    body: dict[str, object]


def measure(folder: Path) -> Iterator[Row]:
    """Bookings of a named agent, with invites and ticks, on both databases."""
    if not (PROC / "self" / "stat").exists():
        return
    for database in DATABASES:
        with world(database, folder, agents=AGENTS, visits=2, insights=1) as made:
            url = made.app.config["SQLALCHEMY_DATABASE_URI"]
            floor = _cost("tests.bench.bare:app", url, folder, _inserts())
            found = _cost("wsgi:app", url, folder, _bookings(made))
        yield Row(
            f"book an agent over HTTP, {AT_ONCE} at once ({1000 / found.wall:.0f} a second)",
            database,
            found,
            f"bare INSERT over HTTP, {1000 / floor.wall:.0f} a second",
            floor,
        )


def _inserts() -> list[Call]:
    return [Call("/", "", {"agent": number % 50, "start": number}) for number in range(AGENTS * DAYS)]


def _bookings(made: World) -> list[Call]:
    """Each agent at ten o'clock on two working days, by somebody else each day."""
    tokens = visitors(made, AGENTS, datetime.now(UTC))
    return [
        Call("/api/v1/visits", token, {"programme": "shadow", "start": stamp(start), "agent": agent})
        for day in range(DAYS)
        for agent, token in zip(made.agents, tokens, strict=False)
        for start in [_ten_at(agent, day)]
    ]


def _ten_at(agent: int, number: int) -> datetime:
    """Ten o'clock where an agent of the crowd lives, on the first or second Thursday that is far enough."""
    zone = ZoneInfo(ZONES[agent % len(ZONES)])
    day = datetime.now(zone) + timedelta(days=3)
    day += timedelta(days=(3 - day.weekday()) % 7 + 7 * number)
    return day.replace(hour=10, minute=0, second=0, microsecond=0)


def _cost(app: str, url: str, folder: Path, calls: Sequence[Call]) -> Cost:
    """Milliseconds of the server's processors, and by the clock on the wall, for each call."""
    with gunicorn(app, url, folder) as (port, server):
        _send(port, calls[:WARM])
        cpu, wall = _processor_seconds(server.pid), time.perf_counter()
        _send(port, calls[WARM:])
        count = len(calls) - WARM
        spent = _processor_seconds(server.pid) - cpu
        return Cost(spent * 1000 / count, (time.perf_counter() - wall) * 1000 / count)


def _send(port: int, calls: Sequence[Call]) -> None:
    def part(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for call in calls[number::AT_ONCE]:
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {call.token}"}
            connection.request("POST", call.path, json.dumps(call.body), headers)
            answer = connection.getresponse()
            told = answer.read()
            if answer.status != 201:
                raise AssertionError(f"{call.path} answered {answer.status}: {told[:300]!r}")
        connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(part, range(AT_ONCE)))


def _processor_seconds(server: int) -> float:
    """What gunicorn's processes have used, user and system time: proc_pid_stat(5), fields 4, 14 and 15."""
    ticks = 0
    for stat in PROC.glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(stat.parent.name) == server or int(fields[1]) == server:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
