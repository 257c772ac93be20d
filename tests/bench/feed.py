"""A calendar feed of 10,000 visits, beside its kept texts read by one bare SELECT and joined."""

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from flask import Flask
from sqlalchemy import delete, select, text
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app

from gemba.db import db, reading
from gemba.invites import feeds
from gemba.invites.models import FeedEvent
from gemba.people.models import Person
from gemba.visits.models import Visit
from tests.bench.measure import Cost, Row, cost
from tests.bench.worlds import DATABASES, World, world
from tests.conftest import MONDAY
from tests.crowd import add_coming

VISITS = 10_000
FLOOR = "joined kept texts"


def measure(folder: Path) -> Iterator[Row]:
    """Cold, warm, packed and unchanged, on both databases."""
    for database in DATABASES:
        with world(database, folder, agents=100, visits=2, insights=1) as made:
            _fill(made)
            first, whole = _cold(made)
            floor = cost(_joined(made))
            yield Row("feed, 10,000 visits: warm", database, cost(_get(made)), FLOOR, floor)
            packed = cost(_get(made, {"Accept-Encoding": "gzip"}))
            yield Row("feed, 10,000 visits: warm, gzip", database, packed, FLOOR, floor)
            known = {"If-None-Match": _etag(made)}
            unchanged = cost(_get(made, known, status=304))
            yield Row("feed, 10,000 visits: 304", database, unchanged, FLOOR, floor)
            yield Row("feed, 10,000 visits: cold, first byte", database, first, FLOOR, floor)
            yield Row("feed, 10,000 visits: cold, whole", database, whole, FLOOR, floor)


def _fill(made: World) -> None:
    with made.app.app_context():
        add_coming(made.cast, made.agents, VISITS, MONDAY)
        db.session.commit()
        db.session.execute(text("ANALYZE"))
        db.session.commit()


def _address(made: World) -> str:
    """A new feed of the lead of all these visits: each address may be read 60 times a minute."""
    with made.app.app_context():
        secret = feeds.make_address(db.session.get_one(Person, made.cast.lev.id), None, now=MONDAY)
        db.session.commit()
    return f"/calendar/{secret}.ics"


def _call(
    app: Flask, path: str, headers: dict[str, str] | None = None, *, buffered: bool = True
) -> tuple[Iterable[bytes], str, Headers]:
    environ = EnvironBuilder(path=path, headers=list((headers or {}).items())).get_environ()
    return run_wsgi_app(app, environ, buffered=buffered)


def _get(made: World, headers: dict[str, str] | None = None, status: int = 200) -> Callable[[], int]:
    path = _address(made)

    def call() -> int:
        body, line, _headers = _call(made.app, path, headers)
        if not line.startswith(str(status)):
            raise AssertionError(f"the feed answered {line}")
        return sum(len(piece) for piece in body)

    return call


def _etag(made: World) -> str:
    _body, _line, headers = _call(made.app, _address(made))
    return str(headers["ETag"])


def _cold(made: World) -> tuple[Cost, Cost]:
    """Nothing is kept yet: what it costs until the first byte, and until all is made, sent and kept."""
    path = _address(made)
    with made.app.app_context():
        db.session.execute(delete(FeedEvent))
        db.session.commit()
    cpu, wall = time.process_time(), time.perf_counter()
    body, _line, _headers = _call(made.app, path, buffered=False)
    size = len(next(iter(body)))
    first = Cost((time.process_time() - cpu) * 1000, (time.perf_counter() - wall) * 1000)
    size += sum(len(piece) for piece in body)
    whole = Cost((time.process_time() - cpu) * 1000, (time.perf_counter() - wall) * 1000)
    if size < VISITS * 300:
        raise AssertionError(f"the feed has only {size} bytes")
    return first, whole


def _joined(made: World) -> Callable[[], bytes]:
    """The floor: one SELECT of the texts of these visits, joined; nothing is checked."""
    with made.app.app_context():
        engine = db.engine
    query = (
        select(FeedEvent.text)
        .join(Visit, Visit.id == FeedEvent.visit_id)
        .where(Visit.lead_id == made.cast.lev.id, FeedEvent.locale == "en")
    )

    def join() -> bytes:
        with reading(), engine.connect() as connection:
            return "".join(connection.execute(query).scalars()).encode()

    if join().count(b"BEGIN:VEVENT") < VISITS:
        raise AssertionError("the texts were not kept")
    return join
