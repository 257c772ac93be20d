"""Insights as rows with everything in them that could go wrong elsewhere."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from gemba.insights.rules.kinds import Kind, Status
from gemba.insights.rules.ticket import ExportRow, Sighting

NASTY = (
    "=HYPERLINK(1)\n/close @everyone see #12 and GH-3 !4\n{code}boom{code} [x|y]\n<script>alert(1)</script>\n"
    "* not a list\n\n\x07| a | b |\n{{macro}} ~user $5 h1. no"
)


def row(**more: Any) -> ExportRow:
    """A row; what is given is changed."""
    at = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    usual = ExportRow(
        id=12,
        url="https://gemba.example/insights/12",
        title="Copies the order number by hand @all #7",
        body=NASTY,
        kind=Kind.TOOL_PAIN,
        status=Status.NEW,
        created_at=at,
        updated_at=at,
        product="Checkout",
        severity=3.2,
        score=61,
        visits=4,
        agents=3,
        votes=2,
        lines=("Checkout line",),
        tools=("CRM",),
        tags=("copy paste",),
        last_seen=date(2026, 11, 20),
        evidence=(
            Sighting(NASTY, date(2026, 11, 20), "Checkout line", "“Again?” @boss", "Notepad"),
            Sighting("Twice in one call", date(2026, 11, 19)),
        ),
    )
    return replace(usual, **more)
