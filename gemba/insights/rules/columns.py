"""The columns that one may choose for the backlog, and the CSV of exactly these."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

from gemba.insights.rules import escape
from gemba.insights.rules.kinds import _n
from gemba.insights.rules.ticket import ExportRow

BOM = "\ufeff"


class Column(StrEnum):
    """What a list can show beside the title."""

    SCORE = "score"
    KIND = "kind"
    STATUS = "status"
    OWN_STATUS = "own_status"
    PRODUCT = "product"
    OWNER = "owner"
    TAGS = "tags"
    DUE = "due"
    HURTS = "hurts"
    MINUTES = "minutes"
    TOOL = "tool"
    VOTES = "votes"
    VISITS = "visits"
    SEEN = "seen"

    @property
    def label(self) -> str:
        """The msgid of the column's head."""
        return LABELS[self]


LABELS: dict[Column, str] = {
    Column.SCORE: _n("Score"),
    Column.KIND: _n("Kind"),
    Column.STATUS: _n("Status"),
    Column.OWN_STATUS: _n("Own status"),
    Column.PRODUCT: _n("Product"),
    Column.OWNER: _n("Owner"),
    Column.TAGS: _n("Tags"),
    Column.DUE: _n("Due by"),
    Column.HURTS: _n("Who it hurts"),
    Column.MINUTES: _n("Minutes lost each time"),
    Column.TOOL: _n("Tool"),
    Column.VOTES: _n("Me too"),
    Column.VISITS: _n("Visits"),
    Column.SEEN: _n("Last seen"),
}
PLAIN = (Column.SCORE, Column.KIND, Column.STATUS, Column.PRODUCT)
_CELLS: dict[Column, Callable[[ExportRow], str]] = {
    Column.SCORE: lambda row: "" if row.score is None else str(row.score),
    Column.KIND: lambda row: row.kind.value,
    Column.STATUS: lambda row: row.status.value,
    Column.OWN_STATUS: lambda row: row.own_status,
    Column.PRODUCT: lambda row: row.product,
    Column.OWNER: lambda row: row.owner,
    Column.TAGS: lambda row: "; ".join(row.own_tags),
    Column.DUE: lambda row: row.due.isoformat() if row.due else "",
    Column.HURTS: lambda row: row.hurts,
    Column.MINUTES: lambda row: "" if row.minutes_lost is None else str(row.minutes_lost),
    Column.TOOL: lambda row: row.tool,
    Column.VOTES: lambda row: str(row.votes),
    Column.VISITS: lambda row: str(row.visits),
    Column.SEEN: lambda row: row.last_seen.isoformat() if row.last_seen else "",
}


def chosen(words: Iterable[str]) -> tuple[Column, ...]:
    """The columns these words name, in our order; PLAIN where they name none."""
    wanted = set(words)
    return tuple(column for column in Column if column in wanted) or PLAIN


def to_csv(rows: Iterable[ExportRow], columns: Sequence[Column]) -> bytes:
    """Exactly what the list shows: number, title and the chosen columns, guarded against formulas."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["id", "title", *(column.value for column in columns)])
    for row in rows:
        cells = [str(row.id), row.title, *(_CELLS[column](row) for column in columns)]
        writer.writerow([escape.cell(cell) for cell in cells])
    return (BOM + out.getvalue()).encode()
