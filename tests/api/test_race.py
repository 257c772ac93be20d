"""Two hundred at once, through gunicorn, on both databases: the database decides, nobody is in two visits."""

import http.client
import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from gemba.api.fields import utc
from gemba.clock import system_clock
from gemba.db import db
from gemba.people import service as people
from gemba.people.models import Person, PersonRole
from gemba.people.rules import Role
from gemba.schedule.models import Availability
from gemba.visits.models import Visit
from tests.cast import Cast, let_go, make_cast
from tests.conftest import running, settings_for
from tests.serving import gunicorn

pytestmark = pytest.mark.load
CROWD = 200
BERLIN = ZoneInfo("Europe/Berlin")


@dataclass
class Answer:
    """What one of the crowd was told."""

    status: int
    media: str
    body: dict[str, Any]


@dataclass
class House:
    """A running gunicorn, its cast, and a token for each of the crowd."""

    port: int
    cast: Cast
    tokens: list[str]
    url: str
    folder: Path

    def post(self, token: str, body: dict[str, Any], start: threading.Barrier) -> Answer:
        """One booking, sent when everyone is ready."""
        start.wait(60)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        try:
            connection.request("POST", "/api/v1/visits", json.dumps(body), headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers["Content-Type"], json.loads(answer.read()))
        finally:
            connection.close()

    def crowd(self, tokens: list[str], bodies: list[dict[str, Any]]) -> list[Answer]:
        """Everyone at once."""
        start = threading.Barrier(len(tokens))
        with ThreadPoolExecutor(len(tokens)) as pool:
            return list(pool.map(self.post, tokens, bodies, [start] * len(tokens)))


def _populate(url: str, folder: Path) -> tuple[Cast, list[str]]:
    now = system_clock()
    with running(settings_for(url, folder), system_clock):
        cast = make_cast(now)
        crowd = [
            Person(email=f"v{n}@gemba.example", name=f"Visitor {n}", created_at=now) for n in range(CROWD)
        ]
        for visitor in crowd:
            visitor.role_rows = [PersonRole(role=Role.VISITOR)]
        db.session.add_all(_more_agents(now))
        db.session.add_all(crowd)
        db.session.flush()
        tokens = [people.make_token(visitor, "race", "write", now) for visitor in crowd]
        db.session.commit()
        return let_go(cast), tokens


def _more_agents(now: datetime) -> list[Any]:
    """Nine who are open on Saturdays from ten to twelve in Berlin, as Alice is made to be; nobody else is."""
    people = [Person(email=f"a{n}@gemba.example", name=f"Agent {n}", created_at=now) for n in range(9)]
    for person in people:
        person.role_rows = [PersonRole(role=Role.AGENT)]
    db.session.add_all(people)
    db.session.flush()
    ids = [person.id for person in people]
    alice = db.session.scalars(select(Availability).order_by(Availability.person_id)).first()
    assert alice is not None
    alice.weekly = {**alice.weekly, "5": SATURDAY}
    return [
        Availability(person_id=one, timezone="Europe/Berlin", weekly={"5": SATURDAY}, overrides={})
        for one in ids
    ]


SATURDAY = [[10 * 60, 12 * 60]]


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    """Gunicorn as in production, on a free port of this machine."""
    cast, tokens = _populate(database_url, tmp_path)
    with gunicorn("wsgi:app", database_url.replace("+psycopg", ""), tmp_path) as (port, _server):
        yield House(port, cast, tokens, database_url, tmp_path)


def _weekday() -> datetime:
    """Ten in the morning in Berlin on a working day two days ahead or later."""
    day = datetime.now(BERLIN).replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=2)
    while day.weekday() > 4:
        day += timedelta(days=1)
    return day.astimezone(UTC)


def _visits(house: House) -> list[tuple[datetime, datetime, set[int]]]:
    """Every booked visit as (start, end, agent and visitors), read from the rows and not from the ticks."""
    with running(settings_for(house.url, house.folder), system_clock):
        rows = db.session.scalars(select(Visit).where(Visit.status == "booked")).unique().all()
        return [(row.starts_at, row.ends_at, {row.agent_id, *(v.id for v in row.visitors)}) for row in rows]


def _nobody_is_twice(visits: list[tuple[datetime, datetime, set[int]]]) -> bool:
    times: dict[int, list[tuple[datetime, datetime]]] = {}
    for start, end, members in visits:
        for person in members:
            times.setdefault(person, []).append((start, end))
    return all(one[1] <= two[0] for spans in times.values() for one, two in pairwise(sorted(spans)))


def _one_wins(answers: list[Answer]) -> None:
    assert Counter(answer.status for answer in answers) == {201: 1, 409: len(answers) - 1}
    for answer in answers:
        if answer.status == 409:
            assert answer.media == "application/problem+json"
            assert answer.body["type"].endswith("/slot-taken")
            assert len(answer.body["alternatives"]) == 3
            assert all(text.endswith("Z") for text in answer.body["alternatives"])


def test_two_hundred_for_one_slot(house: House) -> None:
    body = {"programme": "shadow", "start": utc(_weekday()), "agent": house.cast.alice.id}
    _one_wins(house.crowd(house.tokens, [body] * CROWD))
    assert len(_visits(house)) == 1


def test_two_hundred_for_any_of_ten_agents(house: House) -> None:
    start = _weekday()
    while start.astimezone(BERLIN).weekday() != 5:
        start += timedelta(days=1)
    start = start.astimezone(BERLIN).replace(hour=10).astimezone(UTC)
    answers = house.crowd(house.tokens, [{"programme": "shadow", "start": utc(start)}] * CROWD)
    assert Counter(answer.status for answer in answers) == {201: 10, 409: CROWD - 10}
    refused = [answer.body for answer in answers if answer.status == 409]
    assert all(len(body["alternatives"]) == 3 for body in refused)
    visits = _visits(house)
    assert len({min(members) for _, _, members in visits} | {max(m) for _, _, m in visits}) == 20
    assert {start for start, _, _ in visits} == {start}
    assert _nobody_is_twice(visits)


def test_one_person_two_hundred_times(house: House) -> None:
    body = {"programme": "shadow", "start": utc(_weekday()), "agent": house.cast.alice.id}
    _one_wins(house.crowd([house.tokens[0]] * CROWD, [body] * CROWD))
    assert len(_visits(house)) == 1


def test_two_hundred_on_overlapping_starts(house: House) -> None:
    starts = [_weekday() + timedelta(minutes=30 * step) for step in (-2, -1, 0, 1, 2, 8, 9, 10, 11, 12)]
    agents = [house.cast.alice.id, house.cast.anton.id, house.cast.ada.id, None]
    # Fifty people of four requests each, so that visitors meet themselves as well as agents.
    tokens = [house.tokens[number % 50] for number in range(CROWD)]
    bodies = [
        {"programme": "shadow", "start": utc(starts[n % 10]), "agent": agents[(n // 10 + n) % 4]}
        for n in range(CROWD)
    ]
    answers = house.crowd(tokens, bodies)
    counted = Counter(answer.status for answer in answers)
    assert set(counted) <= {201, 409, 422}
    visits = _visits(house)
    assert len(visits) == counted[201] >= 3
    assert _nobody_is_twice(visits)
