"""Pages, each as a ratio to a page that shows one row of the same database."""

from collections.abc import Iterator
from pathlib import Path

from tests.bench.floors import bare_page, one_row_page
from tests.bench.measure import Cost, Row, cost
from tests.bench.worlds import DATABASES, World, world

AGENTS = (14, 200, 1000)


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
