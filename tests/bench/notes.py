"""A note from Enter to saved, by fetch, in a visit without notes and in one with two hundred; that page."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench.floors import one_row_page
from tests.bench.measure import Row, cost, cost_each
from tests.bench.worlds import DATABASES, Caller, world

MANY = 200
SAID = "Search of the order {} needs the full number, so she keeps a list >crm !3 #orders"


def measure(folder: Path) -> Iterator[Row]:
    """On both databases, in a company with three hundred insights."""
    for database in DATABASES:
        with world(database, folder, agents=14, insights=300) as made:
            floor = cost(one_row_page(made).get("/"))
            vera, path = made.caller(made.cast.vera.id), f"/visits/{made.visits[-2]}/notes"
            first = cost_each(_notes(vera, path, 20))
            yield Row("a note saved, the first ones", database, first, "one row", floor)
            for save in _notes(vera, path, MANY):
                save()
            later = cost_each(_notes(vera, path, 20))
            yield Row(f"a note saved, after {MANY}", database, later, "one row", floor)
            yield Row(f"notes page, {MANY} notes", database, cost(vera.get(path)), "one row", floor)


def _notes(caller: Caller, path: str, count: int) -> list[Callable[[], bytes]]:
    def form(number: int) -> dict[str, str]:
        return {"line": SAID.format(number), "kind": "tool-pain", "client_id": str(uuid.uuid4())}

    return [caller.post(path, form(number), status=201, fragment="note") for number in range(count)]
