"""Asks of lines as a table that leaves the house: one row for each, guarded against formulas."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date

from gemba.insights.rules import escape
from gemba.insights.rules.columns import BOM


@dataclass(frozen=True)
class AskRow:
    """One ask beside its insight. `by` is the lead who wrote it; what was noted in a visit names nobody."""

    ask: str
    line: str
    programme: str
    by: str
    asked: date
    insight: int
    title: str
    status: str
    own_status: str
    owner: str
    due: str
    visits: int
    agents: int
    score: str
    reason: str


def to_csv(rows: Iterable[AskRow]) -> bytes:
    """The table, its columns named as the fields of AskRow."""
    names = [field.name for field in fields(AskRow)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([escape.cell(str(getattr(row, name))) for name in names])
    return (BOM + out.getvalue()).encode()
