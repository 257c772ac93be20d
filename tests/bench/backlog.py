"""A backlog of 100,000 insights: its first page, filters, search, board and "similar".

Pages are compared with a page of the same kind that lists one insight, and with the floor of one row; the
statements of search and "similar" with one bare indexed SELECT.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import text

from gemba.db import db
from gemba.insights import service
from gemba.insights.rules.filters import InsightFilter, Order
from tests.bench.floors import one_row_page
from tests.bench.measure import Cost, Row, cost
from tests.bench.worlds import DATABASES, World, world
from tests.conftest import MONDAY
from tests.insights.many import TWINS, complaints, fill

SIZE = 100_000
PAGES = (
    ("first page", "/backlog"),
    ("newest", "/backlog?status=all&order=recent"),
    ("filter", "/backlog?status=new,planned&kind=workaround&product=2"),
    ("search", "/backlog?q=возврат+чека+ночью"),
    ("board", "/backlog/board"),
)


def measure(folder: Path, size: int = SIZE) -> Iterator[Row]:
    """All on both databases."""
    for database in DATABASES:
        with world(database, folder, agents=14, insights=1) as made:
            one = cost(made.caller(made.cast.vera.id).get("/backlog"))
        with world(database, folder, agents=14, insights=1) as made:
            with made.app.app_context():
                fill(made.cast, made.visits, [old for old, _new in TWINS] + list(complaints(size)), MONDAY)
                db.session.commit()
            floor = cost(one_row_page(made).get("/"))
            vera = made.caller(made.cast.vera.id)
            for what, path in PAGES:
                page = cost(vera.get(path))
                yield Row(f"{what} of {size:,}", database, page, "list of one", one)
                yield Row(f"{what} of {size:,}", database, page, "one row", floor)
            yield from _questions(made, database, size)


def _questions(made: World, database: str, size: int) -> Iterator[Row]:
    """The 95th percentile of what search and "similar" take, each question once."""
    with made.app.app_context():
        viewer = made.cast.vera
        asked = [new for _old, new in TWINS] + list(complaints(40, seed=11))
        db.session.execute(text("SELECT 1"))

        def bare(_text: str) -> None:
            db.session.execute(text("SELECT title FROM insight WHERE id = 77")).all()

        def search(words: str) -> None:
            service.list_insights(InsightFilter(q=words, order=Order.RELEVANCE), viewer, now=MONDAY)

        def similar(words: str) -> None:
            service.similar_to(words, viewer, now=MONDAY)

        floor = _p95(bare, asked)
        yield Row(f"search, p95, {size:,}", database, _p95(search, asked), "indexed SELECT", floor)
        yield Row(f"similar, p95, {size:,}", database, _p95(similar, asked), "indexed SELECT", floor)
        db.session.rollback()


def _p95(call: Callable[[str], None], asked: list[str]) -> Cost:
    cpu, wall = [], []
    for words in asked:
        best: list[tuple[float, float]] = []
        for _again in range(3):
            db.session.expunge_all()
            began = time.process_time(), time.perf_counter()
            call(words)
            best.append((time.process_time() - began[0], time.perf_counter() - began[1]))
        cpu.append(min(each[0] for each in best) * 1000)
        wall.append(min(each[1] for each in best) * 1000)
    return Cost(statistics.quantiles(cpu, n=20)[-1], statistics.quantiles(wall, n=20)[-1])
