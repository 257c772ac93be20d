"""An insight as a ticket: the values that leave the house, and the words a tracker shows.

Agents are counted, never named. A description begins with words of ours, so that it never looks like
a formula, and ends with the way back and a key that stays the same, because importers do not look for
duplicates.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from gemba.insights.rules import escape
from gemba.insights.rules.kinds import SEVERITY_MAX, Hurts, Kind, Status

LABEL = "gemba"
EVIDENCE_SHOWN = 20
DESCRIPTION_MAX = 30_000  # Jira's descriptions end at 32,767 characters.


@dataclass(frozen=True)
class Sighting:
    """One observation as it leaves the house: where and when it was seen, and what was said."""

    text: str
    on: date
    line: str = ""
    verbatim: str = ""
    workaround: str = ""


@dataclass(frozen=True)
class ExportRow:
    """An insight as it leaves the house. `severity` is a mean 0-4; instants are aware."""

    id: int
    url: str
    title: str
    body: str
    kind: Kind
    status: Status
    created_at: datetime
    updated_at: datetime
    product: str = ""
    severity: float | None = None
    score: int | None = None
    visits: int = 0
    agents: int = 0
    votes: int = 0
    pictures: int = 0
    files: int = 0
    lines: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    last_seen: date | None = None
    evidence: tuple[Sighting, ...] = ()
    hurts: str = ""
    minutes_lost: int | None = None
    workaround: str = ""
    step: str = ""
    due: date | None = None
    owner: str = ""
    tool: str = ""
    own_tags: tuple[str, ...] = ()
    own_status: str = ""

    @property
    def key(self) -> str:
        """The name that stays the same in every export, such as gemba-12."""
        return f"{LABEL}-{self.id}"


@dataclass(frozen=True)
class Flavour:
    """How a tracker writes a description: `text` makes words harmless, the others are prefixes."""

    text: Callable[[str], str]
    heading: str
    bullet: str
    quote: str


MARKDOWN = Flavour(escape.markdown, "**{}**\n", "- ", "  > ")
GITLAB = Flavour(escape.gitlab, "**{}**\n", "- ", "  > ")
JIRA = Flavour(escape.jira, "*{}*", "* ", "bq. ")
AZURE = Flavour(escape.markup, "<b>{}</b>", "• ", "&nbsp; ")
PLAIN = Flavour(escape.defuse, "{}:", "* ", "  ")


def describe(row: ExportRow, flavour: Flavour) -> str:
    """The ticket's description: evidence in numbers, the body, what was seen, the way back."""
    parts = [_seen(row, flavour)]
    if row.body.strip():
        parts.append(flavour.text(row.body.strip()))
    if row.workaround:
        parts.append(f"Workaround: {flavour.text(escape.one_line(row.workaround))}")
    if row.evidence:
        parts.append(_evidence(row, flavour))
    parts.append(f"From Gemba, {row.key}: {row.url}")
    return "\n\n".join(parts)


def _seen(row: ExportRow, flavour: Flavour) -> str:
    seen = [_count(row.visits, "visit"), _count(row.agents, "agent"), _count(len(row.lines), "line")]
    facts = [f"Seen in {', '.join(seen)}.", f"Kind: {row.kind.label}."]
    if row.product:
        facts.append(f"Product: {flavour.text(escape.one_line(row.product))}.")
    if row.tools:
        facts.append(f"Tools: {', '.join(flavour.text(escape.one_line(tool)) for tool in row.tools)}.")
    if row.hurts:
        facts.append(f"Hurts: {Hurts(row.hurts).label}.")
    if row.minutes_lost:
        facts.append(f"Minutes lost each time: {row.minutes_lost}.")
    if row.step:
        facts.append(f"Step: {flavour.text(escape.one_line(row.step))}.")
    if row.severity is not None:
        facts.append(f"How bad: {row.severity:g} of {SEVERITY_MAX}.")
    if row.score is not None:
        facts.append(f"Score: {row.score} of 100.")
    if row.pictures:
        facts.append(f"Screenshots in Gemba: {row.pictures}.")
    if row.files:
        facts.append(f"Files in Gemba: {row.files}.")
    return " ".join(facts)


def _evidence(row: ExportRow, flavour: Flavour) -> str:
    room = DESCRIPTION_MAX - 2 * len(row.body) - 1000
    shown: list[str] = []
    for sighting in row.evidence[:EVIDENCE_SHOWN]:
        lines = _sighting(sighting, flavour)
        room -= len(lines)
        if room < 0:
            break
        shown.append(lines)
    if more := len(row.evidence) - len(shown):
        shown.append(f"{flavour.bullet}and {more} more in Gemba")
    return "\n".join([flavour.heading.format("Evidence"), *shown])


def _sighting(sighting: Sighting, flavour: Flavour) -> str:
    where = ", ".join([sighting.on.isoformat(), *([flavour.text(sighting.line)] if sighting.line else [])])
    lines = [f"{flavour.bullet}{where}: {flavour.text(escape.one_line(sighting.text))}"]
    if sighting.verbatim:
        lines.append(f"{flavour.quote}“{flavour.text(escape.one_line(sighting.verbatim))}”")
    if sighting.workaround:
        lines.append(f"{flavour.bullet}Workaround: {flavour.text(escape.one_line(sighting.workaround))}")
    return "\n".join(lines)


def title(row: ExportRow) -> str:
    """The ticket's title: one line that mentions nobody."""
    return escape.defuse(escape.one_line(row.title))


def labels(row: ExportRow) -> list[str]:
    """Labels without spaces and commas: ours, the key, the kind, the tools and tags."""
    words = [LABEL, row.key, row.kind.value, *row.tools, *row.tags]
    joined = ("-".join(escape.one_line(word).replace(",", " ").split()) for word in words)
    return list(dict.fromkeys(label for label in joined if label))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
