"""Files of the backlog: CSV, JSON and Markdown for people, CSV as the importers of trackers take it.

All tables are UTF-8, RFC 4180 with CRLF, every cell guarded against formulas. Agents are counted,
never named. Tickets are dated, carry a link back and a stable key such as gemba-12, because no
importer of these looks for duplicates. What each importer takes is written at its function.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from gemba.insights.rules import escape, ticket
from gemba.insights.rules.kinds import Status, _n
from gemba.insights.rules.ticket import ExportRow, Sighting

BOM = "\ufeff"
_SPREADSHEET = (
    "id,title,body,kind,status,product,score,severity,visits,agents,lines,votes,tools,tags,"
    "evidence,created,updated,last_seen,url,hurts,minutes_lost,workaround,step,due,owner,own_status"
)
_LINEAR = (
    "Id,Team,Title,Description,Status,Estimate,Priority,Project,Creator,Assignee,Labels,Cycle Number,"
    "Cycle Name,Cycle Start,Cycle End,Created,Updated,Started,Completed,Canceled,Archived"
)


class FileFormat(StrEnum):
    """The files one can take the backlog away in."""

    CSV = "csv"
    JSON = "json"
    MARKDOWN = "markdown"
    JIRA_CSV = "jira-csv"
    GITLAB_CSV = "gitlab-csv"
    LINEAR_CSV = "linear-csv"
    REDMINE_CSV = "redmine-csv"
    YOUTRACK_CSV = "youtrack-csv"
    AZURE_CSV = "azure-csv"

    @property
    def label(self) -> str:
        """The msgid of the format's name in the export menu."""
        return FORMAT_LABELS[self]

    @property
    def content_type(self) -> str:
        """The media type of the file."""
        match self:
            case FileFormat.JSON:
                return "application/json"
            case FileFormat.MARKDOWN:
                return "text/markdown; charset=utf-8"
            case _:
                return "text/csv; charset=utf-8"

    def filename(self, on: date) -> str:
        """The name to save the file under, such as gemba-backlog-2026-11-23-jira.csv."""
        tracker, _, suffix = self.value.rpartition("-")
        suffix = "md" if self is FileFormat.MARKDOWN else suffix
        return f"gemba-backlog-{on.isoformat()}{'-' if tracker else ''}{tracker}.{suffix}"


FORMAT_LABELS: dict[FileFormat, str] = {
    FileFormat.CSV: _n("Spreadsheet (CSV)"),
    FileFormat.JSON: _n("JSON"),
    FileFormat.MARKDOWN: _n("Markdown"),
    FileFormat.JIRA_CSV: _n("Jira (CSV)"),
    FileFormat.GITLAB_CSV: _n("GitLab (CSV)"),
    FileFormat.LINEAR_CSV: _n("Linear (CSV)"),
    FileFormat.REDMINE_CSV: _n("Redmine (CSV)"),
    FileFormat.YOUTRACK_CSV: _n("YouTrack (CSV)"),
    FileFormat.AZURE_CSV: _n("Azure DevOps (CSV)"),
}


def render(file_format: FileFormat, rows: Sequence[ExportRow], bom: bool = True) -> bytes:
    """The file's bytes. `bom` puts a byte order mark before the spreadsheet CSV, which Excel needs."""
    text = _WRITERS[file_format](rows)
    if bom and file_format is FileFormat.CSV:
        text = BOM + text
    return text.encode()


def to_csv(rows: Sequence[ExportRow]) -> str:
    """One row per insight for a spreadsheet, with all that was observed in one cell."""
    return _table(
        _SPREADSHEET.split(","),
        (
            [
                row.key,
                row.title,
                row.body,
                row.kind.value,
                row.status.value,
                row.product,
                _number(row.score),
                _number(row.severity),
                str(row.visits),
                str(row.agents),
                "; ".join(row.lines),
                str(row.votes),
                "; ".join(row.tools),
                "; ".join(row.tags),
                "\n".join(_plain_sighting(sighting) for sighting in row.evidence),
                _instant(row.created_at),
                _instant(row.updated_at),
                row.last_seen.isoformat() if row.last_seen else "",
                row.url,
                row.hurts,
                "" if row.minutes_lost is None else str(row.minutes_lost),
                row.workaround,
                row.step,
                row.due.isoformat() if row.due else "",
                row.owner,
                row.own_status,
            ]
            for row in rows
        ),
    )


def to_json(rows: Sequence[ExportRow]) -> str:
    """All there is, with stable ids and keys, instants in UTC and days as YYYY-MM-DD."""

    def plain(value: object) -> str:
        return _instant(value) if isinstance(value, datetime) else str(value)

    insights = [{"id": row.id, "key": row.key, **_clean(asdict(row))} for row in rows]
    document = {"format": "gemba-backlog", "version": 1, "insights": insights}
    return json.dumps(document, ensure_ascii=False, indent=2, default=plain) + "\n"


def to_markdown(rows: Sequence[ExportRow]) -> str:
    """One section per insight."""
    parts = [
        f"## {escape.markdown(escape.one_line(row.title))}\n\n{ticket.describe(row, ticket.MARKDOWN)}\n"
        for row in rows
    ]
    return "\n".join(["# Backlog\n", *parts])


def to_jira_csv(rows: Sequence[ExportRow]) -> str:
    """Jira's bulk import: Summary is required, several labels are several columns of one name, a
    label holds no space, Description is wiki markup (support.atlassian.com, "Create issues using the
    CSV importer").
    """
    labels = [ticket.labels(row) for row in rows]
    width = max((len(some) for some in labels), default=0)
    return _table(
        ["Summary", "Issue Type", "Priority", "Description", *["Labels"] * width],
        (
            [
                ticket.title(row),
                "Task",
                _by_severity(row, "Lowest", "Low", "Medium", "High", "Highest"),
                ticket.describe(row, ticket.JIRA),
                *some,
                *[""] * (width - len(some)),
            ]
            for row, some in zip(rows, labels, strict=True)
        ),
    )


def to_gitlab_csv(rows: Sequence[ExportRow]) -> str:
    """GitLab's import: the columns title and description, in this order; anything else is ignored
    (docs.gitlab.com, "Import issues from a CSV file").
    """
    return _table(
        ["title", "description"], ([ticket.title(row), ticket.describe(row, ticket.GITLAB)] for row in rows)
    )


def to_linear_csv(rows: Sequence[ExportRow]) -> str:
    """The columns of Linear's own CSV, which its importer reads (github.com/linear/linear,
    packages/import); labels are parted by a comma and a space.
    """
    states = ("Backlog", "Todo", "In Progress", "Done", "Canceled")
    header = _LINEAR.split(",")

    def cells(row: ExportRow) -> list[str]:
        filled = {
            "Id": row.key,
            "Title": ticket.title(row),
            "Description": ticket.describe(row, ticket.MARKDOWN),
            "Status": _by_status(row, states),
            "Priority": _by_severity(row, "No priority", "Low", "Medium", "High", "Urgent"),
            "Project": row.product,
            "Labels": ", ".join(ticket.labels(row)),
            "Created": _instant(row.created_at),
            "Updated": _instant(row.updated_at),
        }
        return [filled.get(name, "") for name in header]

    return _table(header, map(cells, rows))


def to_redmine_csv(rows: Sequence[ExportRow]) -> str:
    """Redmine's import maps columns by these names itself and ignores priorities, statuses and
    categories that it does not know (app/models/issue_import.rb). The tracker is chosen on its page.
    """
    states = ("New", "New", "In Progress", "Closed", "Rejected")
    return _table(
        ["unique_id", "subject", "description", "status", "priority", "category"],
        (
            [
                row.key,
                ticket.title(row),
                ticket.describe(row, ticket.PLAIN),
                _by_status(row, states),
                _by_severity(row, "Low", "Low", "Normal", "High", "Urgent"),
                row.product,
            ]
            for row in rows
        ),
    )


def to_youtrack_csv(rows: Sequence[ExportRow]) -> str:
    """YouTrack's import script maps columns by hand; these are the names of its own fields, with the
    values of its default bundles (jetbrains.com/help/youtrack, "Import from CSV file").
    """
    states = ("Submitted", "Open", "In Progress", "Fixed", "Won't fix")
    return _table(
        [
            "Id",
            "Summary",
            "Description",
            "Type",
            "Priority",
            "State",
            "Subsystem",
            "Tags",
            "Created",
            "Updated",
        ],
        (
            [
                row.key,
                ticket.title(row),
                ticket.describe(row, ticket.MARKDOWN),
                "Task",
                _by_severity(row, "Minor", "Minor", "Normal", "Major", "Critical"),
                _by_status(row, states),
                row.product,
                ", ".join(ticket.labels(row)),
                _instant(row.created_at),
                _instant(row.updated_at),
            ]
            for row in rows
        ),
    )


def to_azure_csv(rows: Sequence[ExportRow]) -> str:
    """Azure Boards' import: Work Item Type and Title are required, an ID would change a work item that is
    there, and all begin in the state New, so that no state may be sent. Descriptions are HTML, tags are
    parted by semicolons, priorities go from 1 to 4 (learn.microsoft.com, "Bulk import or update work items
    by using CSV files").
    """
    return _table(
        ["Work Item Type", "Title", "Description", "Priority", "Tags"],
        (
            [
                "Task",
                ticket.title(row),
                ticket.describe(row, ticket.AZURE).replace("\n", "<br>"),
                _by_severity(row, "4", "4", "3", "2", "1"),
                "; ".join(label.replace(";", "-") for label in ticket.labels(row)),
            ]
            for row in rows
        ),
    )


def _plain_sighting(sighting: Sighting) -> str:
    words = [sighting.text]
    words += [f"“{sighting.verbatim}”"] if sighting.verbatim else []
    words += [f"Workaround: {sighting.workaround}"] if sighting.workaround else []
    where = f"{sighting.on.isoformat()} {sighting.line}".strip()
    return f"{where}: {escape.one_line(' '.join(words))}"


def _by_severity(row: ExportRow, *names: str) -> str:
    """The name for the rounded mean severity 0-4; the middle one where nobody rated."""
    return names[2 if row.severity is None else int(row.severity + 0.5)]


def _by_status(row: ExportRow, names: Sequence[str]) -> str:
    return names[list(Status).index(row.status)]


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([escape.cell(value) for value in row] for row in rows)
    return out.getvalue()


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _clean(value: Any) -> Any:
    """Broken halves of characters cannot be written as UTF-8: they go, at any depth."""
    if isinstance(value, str):
        return escape.clean(value)
    if isinstance(value, dict):
        return {key: _clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    return value


_WRITERS: dict[FileFormat, Callable[[Sequence[ExportRow]], str]] = {
    FileFormat.CSV: to_csv,
    FileFormat.JSON: to_json,
    FileFormat.MARKDOWN: to_markdown,
    FileFormat.JIRA_CSV: to_jira_csv,
    FileFormat.GITLAB_CSV: to_gitlab_csv,
    FileFormat.LINEAR_CSV: to_linear_csv,
    FileFormat.REDMINE_CSV: to_redmine_csv,
    FileFormat.YOUTRACK_CSV: to_youtrack_csv,
    FileFormat.AZURE_CSV: to_azure_csv,
}
