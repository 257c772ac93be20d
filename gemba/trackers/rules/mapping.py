"""Which of our values goes into which field of a tracker, and which status comes back.

Kept as plain JSON with the connection. A required field that nothing fills stops an export before its
first request, by name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gemba.insights.rules.escape import one_line
from gemba.insights.rules.kinds import SEVERITY_LABELS, Status, _n
from gemba.insights.rules.ticket import ExportRow
from gemba.trackers.rules.drafts import Field
from gemba.trackers.rules.kinds import STATUSES_IN, Category

VALUE_MAX = 200


class Ours(StrEnum):
    """What an insight can put into a field of a tracker."""

    NOTHING = ""
    FIXED = "fixed"
    SEVERITY = "severity"
    SCORE = "score"
    PRODUCT = "product"
    KIND = "kind"
    LINES = "lines"
    TOOLS = "tools"
    TAGS = "tags"
    VISITS = "visits"
    LINK = "link"

    @property
    def label(self) -> str:
        """The msgid of its name."""
        return OURS_LABELS[self]


OURS_LABELS: Mapping[Ours, str] = {
    Ours.NOTHING: _n("nothing"),
    Ours.FIXED: _n("always the same"),
    Ours.SEVERITY: _n("how bad it is"),
    Ours.SCORE: _n("the score"),
    Ours.PRODUCT: _n("the product"),
    Ours.KIND: _n("the kind"),
    Ours.LINES: _n("the lines it was seen in"),
    Ours.TOOLS: _n("the tools"),
    Ours.TAGS: _n("the tags"),
    Ours.VISITS: _n("how many visits saw it"),
    Ours.LINK: _n("the link to the insight"),
}


SEVERITY_WORDS: Mapping[int, tuple[str, ...]] = {
    0: (SEVERITY_LABELS[0], "lowest", "trivial", "no priority", "low", "minor"),
    1: (SEVERITY_LABELS[1], "low", "minor"),
    2: (SEVERITY_LABELS[2], "medium", "normal", "mid"),
    3: (SEVERITY_LABELS[3], "high", "major"),
    4: (SEVERITY_LABELS[4], "highest", "critical", "urgent", "immediate", "blocker", "show-stopper"),
}
"""What trackers call our severities 0-4, tried in this order."""


class Keep(StrEnum):
    """How long a field is ours: set when the ticket is made, or kept in step with the insight."""

    ONCE = "once"
    STEP = "step"


@dataclass(frozen=True)
class Fill:
    """How a field of theirs is filled: from `ours`, with `value` where that is FIXED or says nothing."""

    ours: Ours = Ours.NOTHING
    value: str = ""
    keep: Keep = Keep.ONCE


@dataclass(frozen=True)
class Plan:
    """Everything chosen on the mapping page."""

    title: Keep = Keep.ONCE
    body: Keep = Keep.STEP
    labels: Keep = Keep.ONCE
    fields: Mapping[str, Fill] = field(default_factory=dict)
    statuses: Mapping[Category, Status | None] = field(default_factory=lambda: dict(STATUSES_IN))
    status_out: bool = False

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "title": self.title.value,
            "body": self.body.value,
            "labels": self.labels.value,
            "fields": {
                name: {"from": fill.ours.value, "value": fill.value, "keep": fill.keep.value}
                for name, fill in self.fields.items()
            },
            "statuses": {
                each.value: (status.value if status else "") for each, status in self.statuses.items()
            },
            "status_out": self.status_out,
        }


def read(document: Mapping[str, Any]) -> Plan:
    """A mapping from JSON; what is missing gets its default. ValueError for nonsense."""
    given = {Category(name): Status(value) if value else None for name, value in _dict(document, "statuses")}
    fields = {
        one_line(str(name))[:VALUE_MAX]: Fill(
            Ours(row.get("from", "")),
            one_line(str(row.get("value", "")))[:VALUE_MAX],
            Keep(row.get("keep", "once")),
        )
        for name, row in _dict(document, "fields")
    }
    return Plan(
        title=Keep(document.get("title", Keep.ONCE)),
        body=Keep(document.get("body", Keep.STEP)),
        labels=Keep(document.get("labels", Keep.ONCE)),
        fields={name: fill for name, fill in fields.items() if fill.ours is not Ours.NOTHING},
        statuses={**STATUSES_IN, **given},
        status_out=document.get("status_out") is True,
    )


def _dict(document: Mapping[str, Any], name: str) -> Sequence[tuple[str, Any]]:
    rows = document.get(name) or {}
    if not isinstance(rows, dict) or len(rows) > 200:
        raise ValueError(name)
    if name == "fields" and not all(isinstance(row, dict) for row in rows.values()):
        raise ValueError(name)
    return list(rows.items())


def unfilled(mapping: Plan, fields: Sequence[Field]) -> list[str]:
    """The names of required fields that an export would leave empty, so that it must not begin."""
    return [
        each.name for each in fields if each.required and not _is_filled(mapping.fields.get(each.id), each)
    ]


def _is_filled(fill: Fill | None, theirs: Field) -> bool:
    if fill is None or fill.ours is Ours.NOTHING:
        return False
    if fill.ours is Ours.FIXED:
        return bool(fill.value) and (not theirs.options or _option(theirs, fill.value) is not None)
    # What an insight may not have, or an option list does not know, needs something to fall back on.
    sure = fill.ours in (Ours.KIND, Ours.VISITS, Ours.LINK) and not theirs.options
    return sure or bool(fill.value)


def values_of(
    mapping: Plan, fields: Sequence[Field], row: ExportRow, *, keep: Keep | None = None
) -> dict[str, Any]:
    """The values of an insight by their field's id; with `keep` only those kept so.

    An option is its value, options a list of values, text and numbers themselves.
    """
    found: dict[str, Any] = {}
    for theirs in fields:
        fill = mapping.fields.get(theirs.id)
        if fill is None or (keep is not None and fill.keep is not keep):
            continue
        value = _value(theirs, fill, row)
        if value is not None:
            found[theirs.id] = value
    return found


def _value(theirs: Field, fill: Fill, row: ExportRow) -> Any:
    said = [fill.value] if fill.ours is Ours.FIXED else _said(fill.ours, row)
    match theirs.sort:
        case "option":
            return next(
                (found for each in (*said, fill.value) if (found := _option(theirs, each)) is not None), None
            )
        case "options" | "labels":
            chosen = [found for each in said if (found := _option(theirs, each)) is not None]
            fallback = _option(theirs, fill.value) if fill.value else None
            return chosen or ([fallback] if fallback is not None else None)
        case "number":
            text = (said or [fill.value])[0] or fill.value
            return _number(text)
    return ", ".join(said) or fill.value or None


def _said(ours: Ours, row: ExportRow) -> list[str]:
    """What an insight says about one of our values, as words; nothing where it does not know."""
    severity = None if row.severity is None else int(row.severity + 0.5)
    words: dict[Ours, list[str]] = {
        Ours.SEVERITY: [] if severity is None else list(SEVERITY_WORDS[severity]),
        Ours.SCORE: [] if row.score is None else [str(row.score)],
        Ours.PRODUCT: [row.product] if row.product else [],
        Ours.KIND: [row.kind.value],
        Ours.LINES: list(row.lines),
        Ours.TOOLS: list(row.tools),
        Ours.TAGS: list(row.tags),
        Ours.VISITS: [str(row.visits)],
        Ours.LINK: [row.url],
    }
    return [one_line(each) for each in words.get(ours, [])]


def _option(theirs: Field, said: str) -> str | None:
    """The option that says this, by value or name; any word where the field has no list of them."""
    if not said:
        return None
    if not theirs.options:
        return said
    low = said.casefold()
    return next((value for value, name in theirs.options if low in (value.casefold(), name.casefold())), None)


def _number(text: str) -> float | int | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if number.is_integer() else number
