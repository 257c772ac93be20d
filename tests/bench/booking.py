"""Booking over a WSGI call: with the invites, the ticks and all rules, beside an INSERT in a bare app."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import update

from gemba.db import db
from gemba.people.models import ApiToken, Person, PersonRole
from gemba.people.rules import Role
from gemba.people.service.tokens import make_token
from gemba.visits.forms import stamp
from tests.bench.bare import bare_insert
from tests.bench.measure import Cost, Row, cost_each, cost_in_turn
from tests.bench.worlds import DATABASES, Caller, World, world
from tests.conftest import MONDAY
from tests.crowd import ZONES

AGENTS, VISITORS = 200, 200


def measure(folder: Path) -> Iterator[Row]:
    """The API's call with a named agent and with any, on both databases."""
    for database in DATABASES:
        with world(database, folder, agents=AGENTS, visits=2, insights=1) as made:
            bookings = _bookings(made, [{"agent": agent} for agent in made.agents])
            floor, named = cost_in_turn(_bare_inserts(made), bookings)
            yield _row("book an agent: rules, ticks, 3 invites, log", database, named, floor)
        with world(database, folder, agents=AGENTS, visits=2, insights=1) as made:
            whoever = cost_each(_bookings(made, [{} for _ in made.agents]))
            yield _row(f"book any of {AGENTS} agents", database, whoever, floor)


def _row(what: str, database: str, found: Cost, floor: Cost) -> Row:
    return Row(f"{what} ({1000 / found.wall:.0f} a second)", database, found, "bare INSERT call", floor)


def _bare_inserts(made: World) -> list[Callable[[], bytes]]:
    """POSTs to a bare Flask app: one INSERT under UNIQUE(agent, start) and a commit."""
    with made.app.app_context():
        app = bare_insert(db.engine)
    caller = Caller(app)
    return [caller.post_json("/", {"agent": number % 50, "start": number}) for number in range(200)]


def _bookings(made: World, asks: list[dict[str, int]]) -> list[Callable[[], bytes]]:
    """A booking by someone else each time, at hours that most agents have free."""
    tokens = visitors(made, len(asks), MONDAY)
    calls = []
    for number, (token, ask) in enumerate(zip(tokens, asks, strict=True)):
        start = _ten_at(ask["agent"]) if ask else MONDAY + timedelta(days=2 + number % 3, hours=1)
        body = {"programme": "shadow", "start": stamp(start), **ask}
        calls.append(Caller(made.app, token=token).post_json("/api/v1/visits", body))
    return calls


def _ten_at(agent: int) -> datetime:
    """Ten o'clock on Thursday where an agent of the crowd lives."""
    day = (MONDAY + timedelta(days=3)).replace(hour=10, minute=0, tzinfo=None)
    return day.replace(tzinfo=ZoneInfo(ZONES[agent % len(ZONES)]))


def visitors(made: World, count: int, now: datetime) -> list[str]:
    """Tokens of so many new visitors, whose use has just been noted, as it is once an hour."""
    with made.app.app_context():
        crowd = [
            Person(email=f"b{n}@gemba.example", name=f"Booker {n}", created_at=now) for n in range(count)
        ]
        for person in crowd:
            person.role_rows = [PersonRole(role=Role.VISITOR)]
        db.session.add_all(crowd)
        db.session.flush()
        tokens = [make_token(person, "bench", "write", now) for person in crowd]
        db.session.flush()
        db.session.execute(update(ApiToken).values(last_used_at=now))
        db.session.commit()
    return tokens
