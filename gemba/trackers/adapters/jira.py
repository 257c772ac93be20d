"""Jira Cloud (developer.atlassian.com/cloud/jira/platform/rest/v3) and Data Center (…/server/jira, v2).

Cloud takes descriptions as ADF and its search follows only after seconds or minutes; Data Center takes wiki
markup. The numeric id is kept: the key changes when a ticket moves to another project.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from gemba.trackers.adapters.base import SEARCHED, Tracker, name_of, same, seg, signed
from gemba.trackers.adapters.wire import basic, multipart
from gemba.trackers.rules.bodies import words_of_adf
from gemba.trackers.rules.drafts import Checked, Draft, Field, Ticket, plain
from gemba.trackers.rules.kinds import Category, Right, TrackerKind, closed_as

WANTED = "summary,description,labels,status,resolution,assignee"
CORE = frozenset(
    ("summary", "description", "labels", "project", "issuetype", "attachment", "reporter", "parent")
)
RIGHTS = {
    Right.READ: "BROWSE_PROJECTS",
    Right.CREATE: "CREATE_ISSUES",
    Right.EDIT: "EDIT_ISSUES",
    Right.LABEL: "EDIT_ISSUES",
}
CATEGORIES = {"new": Category.TODO, "undefined": Category.TODO, "indeterminate": Category.DOING}


class Jira(Tracker):
    """One project of Jira Cloud, by its key."""

    kind = TrackerKind.JIRA
    api = "/rest/api/3"
    search_path = "/search/jql"

    @staticmethod
    def headers(credentials: Mapping[str, str]) -> dict[str, str]:
        """The account's e-mail and an API token."""
        return {"Authorization": basic(credentials["email"], credentials["token"])}

    def check(self) -> Checked:
        """Every right the project's permissions tell."""
        user = self.wire.read(f"{self.api}/myself")
        project = self.wire.read(f"{self.api}/project/{seg(self.project)}")
        asked = {"projectKey": self.project, "permissions": ",".join(sorted(set(RIGHTS.values())))}
        may = self.wire.read(f"{self.api}/mypermissions", asked)["permissions"]
        rights = {right: bool(may.get(name, {}).get("havePermission")) for right, name in RIGHTS.items()}
        types = tuple(row["name"] for row in self._types if not row.get("subtask"))
        return Checked(user.get("displayName", ""), project["name"], rights, types=types)

    @cached_property
    def _types(self) -> list[dict[str, Any]]:
        page = self.wire.read(f"{self.api}/issue/createmeta/{seg(self.project)}/issuetypes")
        return list(page.get("issueTypes") or page.get("values") or [])

    def fields(self) -> list[Field]:
        """What creating a ticket of this type can or must hold."""
        chosen = next(
            (row for row in self._types if row["name"].casefold() == self.item_type.casefold()), None
        )
        if chosen is None:
            return []
        path = f"{self.api}/issue/createmeta/{seg(self.project)}/issuetypes/{seg(str(chosen['id']))}"
        page = self.wire.read(path, {"maxResults": 200})
        rows = page.get("fields") or page.get("values") or []
        return [_field(row) for row in rows if row["fieldId"] not in CORE]

    def find(self, marker: str, since: datetime) -> list[Ticket]:
        """By the label, and by the text in case labels are not on the project's screen."""
        return self._search(f'labels = "{marker}" OR text ~ "\\"{marker}\\""', 20)

    def create(self, draft: Draft) -> Ticket:
        """Answers only id and key."""
        fields = {
            "project": {"key": self.project},
            "issuetype": {"name": self.item_type or "Task"},
            **self._payload(draft),
        }
        row = self.wire.write("POST", f"{self.api}/issue", {"fields": fields})
        return Ticket(ref=str(row["id"]), key=row["key"], url=self._url(row["key"]))

    def update(self, ref: str, changes: Draft) -> None:
        """PUT answers 204."""
        self.wire.write("PUT", f"{self.api}/issue/{seg(ref)}", {"fields": self._payload(changes)})

    def get(self, ref: str) -> Ticket:
        """GET …/issue/ID"""
        return self._ticket(
            self.wire.read(f"{self.api}/issue/{seg(ref)}", {"fields": f"{WANTED},*navigable"})
        )

    def changed_since(self, since: datetime) -> list[Ticket]:
        """JQL knows minutes, in the account's zone: a day more does no harm."""
        return self._search(f'updated >= "{since:%Y-%m-%d}" ORDER BY updated DESC', 100)

    def search(self, words: str) -> list[Ticket]:
        """A key, or words of the text."""
        if words.upper().startswith(f"{self.project.upper()}-") and words.rpartition("-")[2].isdigit():
            return [self.get(words.upper())]
        quoted = "".join(ch for ch in words if ch.isalnum() or ch.isspace())
        return self._search(f'text ~ "{quoted}" ORDER BY updated DESC', SEARCHED) if quoted.strip() else []

    def move(self, ref: str, category: Category) -> None:
        """By the first transition that leads there."""
        rows = self.wire.read(f"{self.api}/issue/{seg(ref)}/transitions")["transitions"]
        for row in rows:
            if _category(row["to"], None) is category:
                path = f"{self.api}/issue/{seg(ref)}/transitions"
                self.wire.write("POST", path, {"transition": {"id": row["id"]}})
                return

    def attach(self, ref: str, name: str, content: bytes) -> None:
        """POST …/attachments; the header is asked for by Jira."""
        raw, media = multipart("file", name, content, f"gemba{len(content)}x")
        path = f"{self.api}/issue/{seg(ref)}/attachments"
        self.wire.write("POST", path, raw=raw, media=media, headers={"X-Atlassian-Token": "no-check"})

    def attached(self, ref: str) -> set[str]:
        """The field attachment."""
        row = self.wire.read(f"{self.api}/issue/{seg(ref)}", {"fields": "attachment"})
        return {each["filename"] for each in row["fields"].get("attachment") or ()}

    @staticmethod
    def verify(headers: Mapping[str, str], raw: bytes, secret: str, now: datetime) -> bool:
        """X-Hub-Signature: sha256=<hex> (without -256, though it is)."""
        return bool(secret) and same(headers.get("x-hub-signature", ""), f"sha256={signed(raw, secret)}")

    @staticmethod
    def refs_in(document: Any) -> list[str]:
        """issue.id"""
        issue = (document or {}).get("issue") or {}
        return [str(issue["id"])] if "id" in issue else []

    def _search(self, jql: str, most: int) -> list[Ticket]:
        head, _order, tail = jql.partition(" ORDER BY ")
        order = f" ORDER BY {tail}" if tail else ""
        asked = {
            "jql": f'project = "{self.project}" AND ({head}){order}',
            "maxResults": most,
            "fields": WANTED.split(","),
        }
        return [self._ticket(row) for row in self.wire.ask(f"{self.api}{self.search_path}", asked)["issues"]]

    def _payload(self, draft: Draft) -> dict[str, Any]:
        labels = None if draft.labels is None else list(draft.labels)
        given = {"summary": draft.title, "description": draft.body, "labels": labels, **draft.fields}
        shaped = {name: self._shaped(name, value) for name, value in given.items()}
        return {name: value for name, value in shaped.items() if value is not None}

    def _shaped(self, name: str, value: Any) -> Any:
        """Options go as {"id": …}, which values tell by being one of a list of options."""
        if isinstance(value, str) and value.startswith("id:"):
            return {"id": value.removeprefix("id:")}
        if isinstance(value, list):
            return [self._shaped(name, each) for each in value]
        return value

    def _url(self, key: str) -> str:
        return f"{self.wire.base_url.rstrip('/')}/browse/{key}"

    def _ticket(self, row: Mapping[str, Any]) -> Ticket:
        fields = row.get("fields") or {}
        known = ("summary", "description", "labels", "status", "resolution", "assignee")
        return Ticket(
            ref=str(row["id"]),
            key=row["key"],
            url=self._url(row["key"]),
            title=fields.get("summary") or "",
            body=words_of_adf(fields.get("description")),
            labels=tuple(fields.get("labels") or ()),
            status=name_of(fields.get("status"), "name"),
            category=_category(fields.get("status") or {}, fields.get("resolution")),
            assignee=name_of(fields.get("assignee"), "displayName", "name"),
            fields={name: _told(value) for name, value in fields.items() if name not in known},
        )


class JiraDataCenter(Jira):
    """One project of Jira Data Center or Server, by its key."""

    kind = TrackerKind.JIRA_DC
    api = "/rest/api/2"
    search_path = "/search"

    @staticmethod
    def headers(credentials: Mapping[str, str]) -> dict[str, str]:
        """A personal access token (since 8.14)."""
        return {"Authorization": f"Bearer {credentials['token']}"}


def _told(value: Any) -> str:
    """A field's value in the form `_shaped` takes, so that what was sent can be compared."""
    if isinstance(value, Mapping) and "id" in value and "type" not in value:
        return f"id:{value['id']}"
    if isinstance(value, list):
        return ", ".join(_told(each) for each in value)
    return words_of_adf(value) if isinstance(value, Mapping) else plain(value)


def _category(status: Mapping[str, Any], resolution: Any) -> Category:
    key = (status.get("statusCategory") or {}).get("key", "new")
    return CATEGORIES.get(key) or closed_as(name_of(status, "name"), name_of(resolution, "name"))


def _field(row: Mapping[str, Any]) -> Field:
    schema = row.get("schema") or {}
    allowed = row.get("allowedValues") or ()
    options = tuple((f"id:{each['id']}", name_of(each, "value", "name")) for each in allowed if "id" in each)
    array, number = schema.get("type") == "array", schema.get("type") == "number"
    sort = (
        ("options" if array else "option")
        if options
        else "labels"
        if array
        else "number"
        if number
        else "text"
    )
    required = bool(row.get("required")) and not row.get("hasDefaultValue")
    return Field(
        row["fieldId"], row.get("name", row["fieldId"]), sort, required, options, str(schema.get("type", ""))
    )
