"""The columns that one may choose for the backlog, and the CSV of exactly these."""

import csv
import io
from collections.abc import Iterable, Sequence
from enum import StrEnum

from gemba.insights.rules import escape
from gemba.insights.rules.kinds import _n

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


def chosen(words: Iterable[str]) -> tuple[Column, ...]:
    """The columns these words name, in our order; PLAIN where they name none."""
    wanted = set(words)
    return tuple(column for column in Column if column in wanted) or PLAIN


def to_csv(table: Iterable[Sequence[str]]) -> bytes:
    """A table as people read it, heads first, guarded against formulas."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in table:
        writer.writerow([escape.cell(cell) for cell in row])
    return (BOM + out.getvalue()).encode()
