"""An insight as a description, in the format of each tracker, with the way back and the marker at its end.

Words of people never act there: mentions, quick actions, macros and HTML are defused (gemba.insights.rules
.escape). Evidence is what the insights' rules let out of the house: agents are counted, never named.
"""

import html
import re
from collections.abc import Callable, Mapping
from typing import Any

from gemba.insights.rules import escape, ticket
from gemba.insights.rules.ticket import ExportRow
from gemba.trackers.rules.drafts import fingerprint
from gemba.trackers.rules.kinds import TrackerKind

Body = str | dict[str, Any]
Node = dict[str, Any]
TITLE_MAX = 250  # Jira's summary takes 255 characters, GitLab's title too, GitHub's 256.
_FLAVOURS: Mapping[TrackerKind, ticket.Flavour] = {
    TrackerKind.JIRA_DC: ticket.JIRA,
    TrackerKind.GITLAB: ticket.GITLAB,
    TrackerKind.REDMINE: ticket.PLAIN,
}
_SCORE = re.compile(r"Score: \d{1,3} of 100\.")
_TAG = re.compile(r"<[^>]+>")


def body_of(kind: TrackerKind, row: ExportRow, marker: str) -> Body:
    """The description for a tracker of this kind."""
    if kind is TrackerKind.JIRA:
        return adf(row, marker)
    if kind is TrackerKind.AZURE:
        return as_html(row, marker)
    return f"{ticket.describe(row, _FLAVOURS.get(kind, ticket.MARKDOWN))}\n\n{marker}"


def title_of(row: ExportRow) -> str:
    """The title: one line that mentions nobody and that every tracker takes."""
    words = ticket.title(row)
    return words if len(words) <= TITLE_MAX else words[: TITLE_MAX - 1] + "…"


def labels_of(row: ExportRow, marker: str, *, mark: bool) -> tuple[str, ...]:
    """Our label, the kind, and the marker where labels cost a tracker nothing."""
    return (ticket.LABEL, row.kind.value, *((marker,) if mark else ()))


def shown(body: Body) -> str:
    """A description as the words a preview shows."""
    return words_of_adf(body) if isinstance(body, dict) else body


def _parts(row: ExportRow) -> tuple[str, list[str], list[tuple[str, str, str]]]:
    """The numbers in words, the paragraphs, and each sighting as (what, verbatim, workaround), bounded."""
    flat = ticket.Flavour(escape.clean, "{}", "", "")
    first, *_rest = ticket.describe(row, flat).split("\n\n", 1)
    paragraphs = [words for words in escape.clean(row.body).split("\n") if words.strip()]
    sightings = []
    for each in row.evidence[: ticket.EVIDENCE_SHOWN]:
        where = ", ".join(filter(None, (each.on.isoformat(), escape.one_line(each.line))))
        sightings.append(
            (
                f"{where}: {escape.one_line(each.text)}",
                escape.one_line(each.verbatim),
                escape.one_line(each.workaround),
            )
        )
    return first, paragraphs, sightings


def adf(row: ExportRow, marker: str) -> Node:
    """Atlassian Document Format, as Jira Cloud takes it. Text is text there: nothing in it can act."""
    first, paragraphs, sightings = _parts(row)
    content = [_paragraph(first), *(_paragraph(words) for words in paragraphs)]
    if sightings:
        content.append({"type": "heading", "attrs": {"level": 3}, "content": [_text("Evidence")]})
        content.append({"type": "bulletList", "content": [_item(each) for each in sightings]})
    if more := len(row.evidence) - len(sightings):
        content.append(_paragraph(f"And {more} more in Gemba."))
    link = {**_text(row.url), "marks": [{"type": "link", "attrs": {"href": row.url}}]}
    content.append({"type": "paragraph", "content": [_text(f"From Gemba, {row.key}: "), link]})
    content.append(_paragraph(marker))
    return {"version": 1, "type": "doc", "content": content}


def _text(words: str) -> Node:
    return {"type": "text", "text": words}


def _paragraph(words: str) -> Node:
    # A text node holds no line feed and is never empty.
    line = " ".join(words.split())
    return {"type": "paragraph", "content": [_text(line)]} if line else {"type": "paragraph"}


def _item(sighting: tuple[str, str, str]) -> Node:
    what, verbatim, workaround = sighting
    said = [_paragraph(what)]
    said += [_paragraph(f"“{verbatim}”")] if verbatim else []
    said += [_paragraph(f"Workaround: {workaround}")] if workaround else []
    return {"type": "listItem", "content": said}


def words_of_adf(node: object) -> str:
    """The words of a document, a line per paragraph; "" for nothing, a plain string as it is."""
    if isinstance(node, str):
        return node
    if not isinstance(node, dict):
        return ""
    if node.get("type") == "text":
        return str(node.get("text", ""))
    if node.get("type") == "hardBreak":
        return "\n"
    parts = [words_of_adf(each) for each in node.get("content") or []]
    join = "" if node.get("type") in ("paragraph", "heading") else "\n"
    return join.join(parts)


def as_html(row: ExportRow, marker: str) -> str:
    """HTML, as Azure DevOps takes it."""
    e: Callable[[str], str] = lambda words: html.escape(escape.defuse(words))  # noqa: E731
    first, paragraphs, sightings = _parts(row)
    lines = [f"<p>{e(words)}</p>" for words in (first, *paragraphs)]
    if sightings:
        lines.append("<h3>Evidence</h3><ul>")
        for what, verbatim, workaround in sightings:
            more = f"<br>“{e(verbatim)}”" if verbatim else ""
            more += f"<br>Workaround: {e(workaround)}" if workaround else ""
            lines.append(f"<li>{e(what)}{more}</li>")
        lines.append("</ul>")
    if more_notes := len(row.evidence) - len(sightings):
        lines.append(f"<p>And {more_notes} more in Gemba.</p>")
    url = html.escape(row.url, quote=True)
    lines.append(f'<p>From Gemba, {row.key}: <a href="{url}">{url}</a></p><p>{marker}</p>')
    return "\n".join(lines)


def words_of_html(text: str) -> str:
    """The words of a small HTML text."""
    return html.unescape(_TAG.sub(" ", text))


def print_of(words: str) -> str:
    """A description's fingerprint. The score does not count: it moves with every visit to anything, and a
    ticket is not written again, with mail to all who watch it, for that alone."""
    return fingerprint(_SCORE.sub("", words))


def comparable(body: Body | None) -> str:
    """A description for comparing with what the tracker answers later."""
    if body is None:
        return ""
    if isinstance(body, dict):
        return words_of_adf(body)
    return words_of_html(body) if body.startswith("<p>") else body
