"""Pages, each as a ratio to a page that shows one row of the same database."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from gemba.db import db, reading
from gemba.people.models import Person
from gemba.programmes.models import Programme
from gemba.schedule.rules import Span
from gemba.visits import service as visits
from gemba.visits.forms import stamp
from tests.bench.floors import BareInsert, bare_page, one_row_page
from tests.bench.measure import Cost, Row, cost, cost_each
from tests.bench.worlds import DATABASES, World, world
from tests.conftest import MONDAY

AGENTS = (14, 200, 1000)
BOOKINGS = 60


def measure(folder: Path) -> Iterator[Row]:
    """All pages on both databases."""
    bare = cost(bare_page().get("/"))
    for database in DATABASES:
        for agents in AGENTS:
            with world(
                database, folder, agents=agents, insights=2000 if agents == AGENTS[-1] else 80
            ) as made:
                floor = cost(one_row_page(made).get("/"))
                if agents == AGENTS[0]:
                    yield Row("a page of one row", database, floor, "bare Flask page", bare)
                    yield from _pages(made, database, floor)
                yield _booking_page(made, database, floor, agents)
                if agents == AGENTS[1]:
                    yield _booking(made, database)
                if agents == AGENTS[-1]:
                    yield from _large_backlog(made, database, floor)


def _pages(made: World, database: str, floor: Cost) -> Iterator[Row]:
    vera = made.caller(made.cast.vera.id)
    for what, path in (
        ("home", "/"),
        ("a visit", f"/visits/{made.visits[-1]}"),
        ("visits, 100", "/visits"),
        ("notes of a visit", f"/visits/{made.visits[-2]}/notes"),
        ("backlog, 80 insights", "/backlog"),
        ("an insight", f"/insights/{made.insights[0]}"),
    ):
        yield Row(what, database, cost(vera.get(path)), "one row", floor)


def _booking_page(made: World, database: str, floor: Cost, agents: int) -> Row:
    page = made.caller(made.cast.vera.id).get("/visits/book")
    return Row(f"booking page, {agents} agents", database, cost(page), "one row", floor)


def _large_backlog(made: World, database: str, floor: Cost) -> Iterator[Row]:
    vera = made.caller(made.cast.vera.id)
    yield Row("backlog, 2000 insights", database, cost(vera.get("/backlog")), "one row", floor)
    search = vera.get("/backlog?q=refund+клиент")
    yield Row("search in 2000 insights", database, cost(search), "one row", floor)


def _booking(made: World, database: str) -> Row:
    """Bookings of any of 200 agents, with ticks, three invites in the outbox and the log, by 60 people."""
    with made.app.app_context(), reading():
        programme = db.session.get_one(Programme, made.cast.programme.id)
        visitor = db.session.get_one(Person, made.cast.eve.id)
        window = Span(MONDAY, MONDAY + timedelta(days=14))
        slots = visits.open_slots(programme, visitor, window=window, now=MONDAY).slots()
        starts = [stamp(slot.start) for slot in slots if len(slot.agents) > 20]
        db.session.rollback()
    step = max(1, len(starts) // BOOKINGS)
    posts = [
        made.caller(person).post("/visits/book", {"start": starts[number * step]})
        for number, person in enumerate(made.agents[-BOOKINGS:])
    ]
    insert = cost(BareInsert(made))
    return Row("book, any of 200 agents", database, cost_each(posts), "bare INSERT", insert)
