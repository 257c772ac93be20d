"""Files of the backlog: what an importer takes, and nothing that acts."""

import csv
import io
import json
import re
import unicodedata
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from gemba.insights.rules import escape, export
from gemba.insights.rules.export import FileFormat, render
from gemba.insights.rules.kinds import Kind, Status
from gemba.insights.rules.ticket import ExportRow, Sighting

ROW = ExportRow(
    id=12,
    url="https://gemba.example/insights/12",
    title="Order search needs the full number",
    body="Agents keep a table of their own.",
    kind=Kind.TOOL_PAIN,
    status=Status.PLANNED,
    created_at=datetime(2026, 11, 2, 9, 30, tzinfo=UTC),
    updated_at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
    product="Checkout",
    severity=3.6,
    score=77,
    visits=9,
    agents=5,
    votes=4,
    lines=("Delivery", "Payments", "Возвраты"),
    tools=("order desk",),
    tags=("поиск",),
    last_seen=date(2026, 11, 20),
    evidence=(
        Sighting(
            "Search hangs", date(2026, 11, 20), "Delivery", "I made this table two years ago", "a sheet"
        ),
    ),
)
TABLES = [one for one in FileFormat if one.value.endswith("csv")]
HOSTILE = [
    "=1+1",
    "+7 900",
    "-2",
    "@SUM(A1)",
    "\t=1",
    "  =1",
    "\u200b=1",
    "\ufeff@x",
    "＝1",
    "－1",
    "＠x",
    "﹦1",
    "\r\n=1",
    'he said "no", then; left\nline two',
    "/close\n/assign @root",
    "  /close",
    "@everyone see #12, !34, GH-5 and ~bug {{macro}}",
    "<img src=x onerror=alert(1)> & <!-- hi -->",
    "![x](http://evil.example/a.png) [y](javascript:alert(1))",
    "# head\n- item\n1. one\n> quote\n---\n    code\n```\nfence\n```\n| a | b |",
    "[~admin] {code}x{code} !http://evil.example/a.png! h1. Big\nh2. Two\nbq. said\n* a\n# b",
    "broken \ud800 half \x00 nul \x0b tab",
]
texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=60),
    st.sampled_from(HOSTILE).flatmap(lambda a: st.text(max_size=9).map(lambda b: b + a)),
)
rows = st.builds(
    ExportRow,
    id=st.integers(1, 10**9),
    url=st.just(ROW.url),
    title=texts,
    body=texts,
    kind=st.sampled_from(Kind),
    status=st.sampled_from(Status),
    created_at=st.just(ROW.created_at),
    updated_at=st.just(ROW.updated_at),
    product=texts,
    severity=st.none() | st.floats(0, 4).map(lambda x: round(x, 1)),
    score=st.none() | st.integers(0, 100),
    visits=st.integers(0, 99),
    lines=st.lists(texts, max_size=2).map(tuple),
    tools=st.lists(texts, max_size=2).map(tuple),
    tags=st.lists(texts, max_size=2).map(tuple),
    evidence=st.lists(
        st.builds(Sighting, text=texts, on=st.dates(), line=texts, verbatim=texts, workaround=texts),
        max_size=3,
    ).map(tuple),
)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def read(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def only(file_format: FileFormat, row: ExportRow = ROW) -> dict[str, str]:
    (found,) = read(render(file_format, [row]))
    return found


def significant(text: str) -> str:
    return next((ch for ch in text if not ch.isspace() and unicodedata.category(ch) != "Cf"), "")


@pytest.mark.parametrize("file_format", TABLES)
@quick
@given(st.lists(rows, max_size=3))
def test_no_cell_begins_a_formula_and_every_row_has_every_column(
    file_format: FileFormat, some: list[ExportRow]
) -> None:
    text = render(file_format, some, bom=False).decode()
    table = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert len(table) == len(some) + 1
    assert {len(line) for line in table} == {len(table[0])}
    assert text.endswith("\r\n")
    for value in (value for line in table for value in line):
        assert not value.startswith(("\t", "\r"))
        assert significant(value) not in set("=+-@＝＋－＠﹦")
        assert not re.search(r"[\x00-\x08\x0b-\x1f]", value)


@quick
@given(rows)
def test_the_spreadsheet_gives_the_words_back(row: ExportRow) -> None:
    found = only(FileFormat.CSV, row)
    for field in ("title", "body", "product"):
        assert found[field].removeprefix("'") == escape.clean(getattr(row, field)).removeprefix("'")


@quick
@given(st.lists(rows, max_size=3))
def test_json_is_valid_and_keeps_ids(some: list[ExportRow]) -> None:
    found = json.loads(render(FileFormat.JSON, some))["insights"]
    assert [(one["id"], one["key"]) for one in found] == [(row.id, row.key) for row in some]
    assert [one["title"] for one in found] == [escape.clean(row.title) for row in some]


@quick
@given(st.one_of(texts, st.lists(texts, max_size=4).map("\n".join)))
def test_markdown_is_only_paragraphs_of_the_same_words(text: str) -> None:
    escaped = escape.markdown(text)
    assert not re.search(r"@\w|#\d|(?<!\w)!\d|\bGH-\d|<", escaped)
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(escaped)
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    inner = [child for token in tokens for child in token.children or []]
    assert {child.type for child in inner} <= {"text", "text_special", "softbreak", "hardbreak"}
    shown = "".join(child.content for child in inner)
    assert _letters(shown) == _letters(escape.clean(text))


def _letters(text: str) -> str:
    return "".join(ch for ch in text if not ch.isspace() and ch != escape.ZERO_WIDTH_SPACE)


@quick
@given(rows)
def test_no_line_for_gitlab_is_a_quick_action(row: ExportRow) -> None:
    found = only(FileFormat.GITLAB_CSV, row)
    assert not re.search(r"^\s*/", found["description"], re.MULTILINE)
    assert not re.search(r"@\w|#\d", found["title"])


@quick
@given(st.lists(texts, max_size=3).map("\n".join))
def test_jira_gets_no_markup(text: str) -> None:
    escaped = escape.jira(text)
    assert not re.search(r"(?<!\\)(\\\\)*[{}\[\]|]", escaped)
    assert not re.search(r"^(h[1-6]|bq)\.|^[*#-]+ ", escaped, re.MULTILINE)


def test_jira() -> None:
    lines = list(csv.reader(io.StringIO(render(FileFormat.JIRA_CSV, [ROW, replace(ROW, tools=())]).decode())))
    assert lines[0] == ["Summary", "Issue Type", "Priority", "Description", *["Labels"] * 5]
    assert lines[1][:3] == ["Order search needs the full number", "Task", "Highest"]
    assert lines[1][4:] == ["gemba", "gemba-12", "tool-pain", "order-desk", "поиск"]
    assert lines[2][4:] == ["gemba", "gemba-12", "tool-pain", "поиск", ""]


def test_linear() -> None:
    found = only(FileFormat.LINEAR_CSV)
    assert (found["Id"], found["Status"], found["Priority"], found["Archived"]) == (
        "gemba-12",
        "Todo",
        "Urgent",
        "",
    )
    assert found["Labels"] == "gemba, gemba-12, tool-pain, order-desk, поиск"
    assert only(FileFormat.LINEAR_CSV, replace(ROW, title="=x"))["Title"] == "'=x"


def test_redmine() -> None:
    found = only(FileFormat.REDMINE_CSV)
    assert list(found) == ["unique_id", "subject", "description", "status", "priority", "category"]
    assert (found["status"], found["priority"], found["category"]) == ("New", "Urgent", "Checkout")


def test_youtrack() -> None:
    found = only(FileFormat.YOUTRACK_CSV)
    assert (found["Summary"], found["State"], found["Priority"]) == (ROW.title, "Open", "Critical")


def test_azure() -> None:
    found = only(FileFormat.AZURE_CSV, replace(ROW, title="a <b>bold</b> one", body="<script>x</script>\n=1"))
    assert list(found) == ["Work Item Type", "Title", "Description", "Priority", "Tags"]
    assert (found["Work Item Type"], found["Priority"]) == ("Task", "1")
    assert found["Tags"] == "gemba; gemba-12; tool-pain; order-desk; поиск"
    assert "&lt;script&gt;x&lt;/script&gt;<br>=1<br>" in found["Description"]
    assert "\n" not in found["Description"]


def test_a_description_tells_the_evidence_and_the_way_back() -> None:
    assert only(FileFormat.GITLAB_CSV)["description"].split("\n") == [
        "Seen in 9 visits, 5 agents, 3 lines. Kind: tool pain. Product: Checkout. Tools: order desk. "
        "How bad: 3.6 of 4. Score: 77 of 100.",
        "",
        "Agents keep a table of their own.",
        "",
        "**Evidence**",
        "",
        "- 2026-11-20, Delivery: Search hangs",
        "  > “I made this table two years ago”",
        "- Workaround: a sheet",
        "",
        "From Gemba, gemba-12: https://gemba.example/insights/12",
    ]


def test_a_description_fits_into_jira() -> None:
    long = Sighting("[" * 2000, date(2026, 11, 20), "Delivery", "[" * 1000, "[" * 1000)
    found = only(FileFormat.JIRA_CSV, replace(ROW, body="{" * 10_000, evidence=(long,) * 40))
    assert len(found["Description"]) < 32_767
    assert "more in Gemba" in found["Description"]


@pytest.mark.parametrize("file_format", list(FileFormat))
def test_an_empty_backlog_is_still_a_file(file_format: FileFormat) -> None:
    assert render(file_format, [])


def test_names_and_types() -> None:
    on = date(2026, 11, 23)
    assert FileFormat.JIRA_CSV.filename(on) == "gemba-backlog-2026-11-23-jira.csv"
    assert FileFormat.MARKDOWN.filename(on) == "gemba-backlog-2026-11-23.md"
    assert FileFormat.CSV.content_type == "text/csv; charset=utf-8"
    assert FileFormat.JSON.content_type == "application/json"
    assert set(export.FORMAT_LABELS) == set(FileFormat)


def test_only_the_spreadsheet_has_a_byte_order_mark() -> None:
    marked = [one for one in FileFormat if render(one, [ROW]).startswith(b"\xef\xbb\xbf")]
    assert marked == [FileFormat.CSV]
    assert not render(FileFormat.CSV, [ROW], bom=False).startswith(b"\xef\xbb\xbf")
