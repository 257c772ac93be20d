"""What we send, held against the vendors' own descriptions; each with a control that must fail.

GitHub's OpenAPI and Atlassian's schema of documents came from a registry (schemas/README.md). For the others
the expectation is written down from the vendor's page that docs/trackers.md names.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

from gemba.trackers.adapters import Tracker, connect
from gemba.trackers.rules.bodies import adf, as_html, body_of, labels_of, title_of, words_of_adf
from gemba.trackers.rules.drafts import Draft
from gemba.trackers.rules.kinds import TRAITS, Category, TrackerKind
from tests.trackers.conftest import LOOPBACK
from tests.trackers.fake import Asked, Fake, fake_tracker
from tests.trackers.rows import NASTY, row
from tests.trackers.stage import CREDENTIALS

SCHEMAS = Path(__file__).parent / "schemas"
MARKER = "gemba-1a2b3c4d-12"
SINCE = datetime(2026, 11, 23, 8, tzinfo=UTC)


def draft(kind: TrackerKind, **more: Any) -> Draft:
    """A whole ticket for a kind."""
    marks = TRAITS[kind].marks
    return Draft(
        MARKER, title_of(row()), body_of(kind, row(), MARKER), labels_of(row(), MARKER, mark=marks), **more
    )


def adapter_for(fake: Fake, item_type: str = "") -> Tracker:
    """An adapter that speaks to a fake."""
    traits = TRAITS[fake.kind]
    return connect(
        fake.kind, fake.url, traits.project, item_type or traits.item_type, CREDENTIALS, allowed=LOOPBACK
    )


class _Sent:
    """A request that reached the fake, as openapi-core reads one."""

    def __init__(self, asked: Asked, body: Any = None, method: str = "") -> None:
        self.host_url, self.path = "https://api.github.com", asked.path
        self.method = (method or asked.method).lower()
        self.content_type = asked.headers.get("content-type", "application/json")
        given = asked.body if body is None else body
        self.body = given if isinstance(given, bytes) else json.dumps(given).encode()
        query = ImmutableMultiDict(asked.query)
        self.parameters = RequestParameters(query=query, header=Headers(dict(asked.headers)))


@pytest.fixture(scope="module")
def github_schema() -> OpenAPI:
    """GitHub's own description."""
    return OpenAPI.from_dict(json.loads((SCHEMAS / "github.json").read_text()))


def test_github_takes_all_we_send(github_schema: OpenAPI) -> None:
    with fake_tracker(TrackerKind.GITHUB) as fake:
        github = adapter_for(fake)
        made = github.create(draft(TrackerKind.GITHUB, fields={"milestone": "3"}))
        github.found(MARKER, SINCE)
        github.update(made.ref, Draft(title="Other words", labels=("gemba",)))
        github.move(made.ref, Category.DECLINED)
        github.changed_since(SINCE)
        assert {asked.method for asked in fake.asked} == {"GET", "POST", "PATCH"}
        for asked in fake.asked:
            sent = _Sent(asked)
            if asked.method == "GET":
                sent.body, sent.content_type = b"", ""
            github_schema.validate_request(sent)  # raises


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("POST", {"body": "x"}),
        ("POST", {"title": "x", "labels": "gemba"}),
        ("PATCH", {"state": "done"}),
        ("PATCH", {"labels": "gemba"}),
    ],
)
def test_github_would_refuse_what_is_wrong(github_schema: OpenAPI, method: str, body: Any) -> None:
    path = "/repos/o/r/issues" + ("/1" if method == "PATCH" else "")
    asked = Asked(0.0, method, path, {}, body, {"content-type": "application/json"})
    with pytest.raises(Exception, match=r"(?i)error|invalid"):
        github_schema.validate_request(_Sent(asked))


@pytest.fixture(scope="module")
def documents() -> jsonschema.Draft4Validator:
    """Atlassian's own schema of documents."""
    return jsonschema.Draft4Validator(json.loads((SCHEMAS / "adf.json").read_text()))


ROWS = [row(), row(body="", evidence=()), row(body="\n \n"), row(evidence=row().evidence * 30)]


@pytest.mark.parametrize("one", ROWS, ids=["full", "bare", "blank", "long"])
def test_atlassian_takes_our_documents(documents: jsonschema.Draft4Validator, one: Any) -> None:
    document = adf(one, MARKER)
    documents.validate(document)
    assert MARKER in words_of_adf(document)
    assert one.url in words_of_adf(document)
    texts = [node["text"] for node in _nodes(document) if node.get("type") == "text"]
    assert all(text and "\n" not in text for text in texts)


def _nodes(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        yield node
        for each in node.get("content") or ():
            yield from _nodes(each)


def _document(*content: Any) -> dict[str, Any]:
    return {"version": 1, "type": "doc", "content": list(content)}


TEXT = {"type": "text", "text": "x"}
ITEM = {"type": "listItem", "content": [TEXT]}


@pytest.mark.parametrize(
    "wrong",
    [
        "just words",
        {"type": "doc", "content": []},
        _document({"type": "paragraph", "content": [{"type": "text", "text": ""}]}),
        _document({"type": "bulletList", "content": [ITEM]}),
    ],
    ids=["string", "no-version", "empty-text", "item-without-paragraph"],
)
def test_atlassian_would_refuse_what_is_wrong(documents: jsonschema.Draft4Validator, wrong: Any) -> None:
    assert not documents.is_valid(wrong)


def creation(kind: TrackerKind, **fields: Any) -> Asked:
    """The request that makes a ticket."""
    from tests.trackers.languages import is_creation

    with fake_tracker(kind) as fake:
        adapter_for(fake).create(draft(kind, fields=fields))
        (asked,) = [each for each in fake.asked if is_creation(kind, each)]
    return asked


def test_jira_cloud_and_data_center() -> None:
    cloud, own = creation(TrackerKind.JIRA, customfield_10="id:6"), creation(TrackerKind.JIRA_DC)
    fields = cloud.body["fields"]
    assert cloud.path == "/rest/api/3/issue"
    assert own.path == "/rest/api/2/issue"
    assert fields["project"] == {"key": "WEB"}
    assert fields["issuetype"] == {"name": "Task"}
    assert fields["customfield_10"] == {"id": "6"}
    assert fields["labels"] == ["gemba", "tool-pain", MARKER]
    assert isinstance(fields["description"], dict)
    assert isinstance(own.body["fields"]["description"], str)
    assert cloud.headers["authorization"].startswith("Basic ")
    assert own.headers["authorization"] == "Bearer secret-token"


def test_gitlab() -> None:
    asked = creation(TrackerKind.GITLAB, milestone_id="3")
    assert asked.path == "/api/v4/projects/group/project/issues"  # %2F on the wire, decoded by the fake
    assert asked.body["labels"] == "gemba,tool-pain"
    assert asked.body["milestone_id"] == 3
    assert "iid" not in asked.body
    assert asked.headers["private-token"] == "secret-token"
    assert not any(line.startswith("/") for line in asked.body["description"].splitlines()), "no quick action"


def test_yandex_tracker() -> None:
    asked = creation(TrackerKind.YANDEX)
    assert (asked.path, asked.body["queue"], asked.body["unique"]) == ("/v3/issues/", "QUEUE", MARKER)
    assert asked.body["tags"] == ["gemba", "tool-pain"]
    assert asked.headers["authorization"] == "OAuth secret-token"
    assert asked.headers["x-org-id"] == "1"


def test_youtrack() -> None:
    asked = creation(TrackerKind.YOUTRACK, State="Fixed")
    assert asked.body["project"] == {"id": "0-1"}
    assert asked.body["customFields"] == [
        {"name": "State", "$type": "StateIssueCustomField", "value": {"name": "Fixed"}}
    ]
    assert "idReadable" in asked.query["fields"]


def test_linear() -> None:
    given = creation(TrackerKind.LINEAR, priority="2").body["variables"]["input"]
    assert given["teamId"] == "t"
    assert given["priority"] == 2
    assert given["id"][14] == "4"


def test_redmine() -> None:
    asked = creation(TrackerKind.REDMINE, cf_4="high", priority_id="3")
    issue = asked.body["issue"]
    assert (asked.path, issue["project_id"], issue["tracker_id"], issue["priority_id"]) == (
        "/issues.json",
        "web",
        1,
        "3",
    )
    assert issue["custom_fields"] == [{"id": 4, "value": "high"}]
    assert asked.headers["x-redmine-api-key"] == "secret-token"


def test_azure_boards() -> None:
    asked = creation(TrackerKind.AZURE)
    assert asked.path == "/Project/_apis/wit/workitems/$Task"
    assert {each["op"] for each in asked.body} == {"add"}
    values = {each["path"]: each["value"] for each in asked.body}
    assert values["/fields/System.Tags"] == f"gemba; tool-pain; {MARKER}"
    assert "<script>" not in values["/fields/System.Description"]


def test_gitea() -> None:
    asked = creation(TrackerKind.GITEA)
    assert asked.path == "/api/v1/repos/owner/repository/issues"
    assert asked.body["labels"] == [7], "labels are numbers, and one nobody made is left out"


@pytest.mark.parametrize("kind", list(TrackerKind))
def test_nothing_of_people_s_words_acts_there(kind: TrackerKind) -> None:
    body = body_of(kind, row(), MARKER)
    text = words_of_adf(body) if isinstance(body, dict) else body
    assert MARKER in text
    assert "\x07" not in text
    if kind is not TrackerKind.JIRA:  # a document's text is text
        assert "@everyone" not in text or kind is TrackerKind.JIRA_DC
        assert "<script>" not in text or kind in (TrackerKind.JIRA_DC, TrackerKind.REDMINE)
    if kind is TrackerKind.JIRA_DC:
        assert "\\{code" in text
    assert NASTY not in text


def test_html_shows_words_as_words() -> None:
    text = as_html(row(url='https://gemba.example/"x'), MARKER)
    assert "<script>" not in text
    assert '"https://gemba.example/&quot;x"' in text
