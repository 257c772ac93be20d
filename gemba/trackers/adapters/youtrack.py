"""YouTrack (jetbrains.com/help/youtrack/devportal). Without `fields` it answers ids alone.

Its search is an index that follows later. Every custom field is sent with the $type of its kind.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from gemba.trackers.adapters.base import SEARCHED, Tracker, name_of, seg
from gemba.trackers.adapters.wire import multipart
from gemba.trackers.rules.drafts import Checked, Draft, Field, Ticket, plain
from gemba.trackers.rules.kinds import Category, Right, TrackerKind, closed_as

WANTED = (
    "id,idReadable,summary,description,resolved,tags(name),"
    "customFields(name,value(name,login,fullName,isResolved,text))"
)
CUSTOM = "field(name,fieldType(id)),canBeEmpty,defaultValues(name),bundle(values(name,isResolved))"
STATE = "State"
TYPES = {
    "enum[1]": ("SingleEnumIssueCustomField", "option"),
    "enum[*]": ("MultiEnumIssueCustomField", "options"),
    "state[1]": ("StateIssueCustomField", "option"),
    "ownedField[1]": ("SingleOwnedIssueCustomField", "option"),
    "version[*]": ("MultiVersionIssueCustomField", "options"),
    "string": ("SimpleIssueCustomField", "text"),
    "integer": ("SimpleIssueCustomField", "number"),
    "float": ("SimpleIssueCustomField", "number"),
    "text": ("TextIssueCustomField", "text"),
}


class YouTrack(Tracker):
    """One project, by its short name."""

    kind = TrackerKind.YOUTRACK

    @staticmethod
    def headers(credentials: Mapping[str, str]) -> dict[str, str]:
        """A permanent token, perm:…"""
        return {"Authorization": f"Bearer {credentials['token']}"}

    @cached_property
    def _project(self) -> Mapping[str, Any]:
        path = f"/api/admin/projects/{seg(self.project)}"
        return dict(self.wire.read(path, {"fields": f"id,shortName,name,customFields({CUSTOM})"}))

    def check(self) -> Checked:
        """Rights are not told."""
        user = self.wire.read("/api/users/me", {"fields": "login,fullName"})
        return Checked(name_of(user, "fullName", "login"), self._project["name"], {Right.READ: True})

    def fields(self) -> list[Field]:
        """The project's custom fields that we know how to send."""
        return [found for row in self._project.get("customFields") or () if (found := _field(row))]

    def find(self, marker: str, since: datetime) -> list[Ticket]:
        """By the text."""
        return self._list(f'project: {{{self.project}}} "{marker}"', 20)

    def create(self, draft: Draft) -> Ticket:
        """POST /api/issues"""
        payload = {**self._payload(draft), "project": {"id": self._project["id"]}}
        return self._ticket(self.wire.write("POST", f"/api/issues?fields={WANTED}", payload))

    def update(self, ref: str, changes: Draft) -> None:
        """POST, not PUT."""
        self.wire.write("POST", f"/api/issues/{seg(ref)}?fields=id", self._payload(changes))

    def get(self, ref: str) -> Ticket:
        """GET /api/issues/ID"""
        return self._ticket(self.wire.read(f"/api/issues/{seg(ref)}", {"fields": WANTED}))

    def changed_since(self, since: datetime) -> list[Ticket]:
        """By minutes, in the account's zone: a day more does no harm."""
        return self._list(f"project: {{{self.project}}} updated: {since:%Y-%m-%d} .. *", 100)

    def search(self, words: str) -> list[Ticket]:
        """A key, or its own search."""
        if words.upper().startswith(f"{self.project.upper()}-") and words.rpartition("-")[2].isdigit():
            return [self.get(words.upper())]
        quoted = "".join(ch for ch in words if ch.isalnum() or ch.isspace())
        return self._list(f"project: {{{self.project}}} {quoted}", SEARCHED)

    def move(self, ref: str, category: Category) -> None:
        """To the first value of the field State that is of this category."""
        rows = [
            row for row in self._project.get("customFields") or () if name_of(row["field"], "name") == STATE
        ]
        values = ((rows[0].get("bundle") or {}).get("values") or ()) if rows else ()
        for value in values:
            if _category({"value": value}, bool(value.get("isResolved"))) is category:
                self.update(ref, Draft(fields={STATE: value["name"]}))
                return

    def attach(self, ref: str, name: str, content: bytes) -> None:
        """POST …/attachments"""
        raw, media = multipart("file", name, content, f"gemba{len(content)}x")
        self.wire.write("POST", f"/api/issues/{seg(ref)}/attachments", raw=raw, media=media)

    def attached(self, ref: str) -> set[str]:
        """GET …/attachments"""
        rows = self.wire.read(f"/api/issues/{seg(ref)}/attachments", {"fields": "name", "$top": 100})
        return {row["name"] for row in rows}

    @staticmethod
    def refs_in(document: Any) -> list[str]:
        """The id, wherever the app of webhooks puts it."""
        row = (document or {}).get("issue") or document or {}
        found = name_of(row, "id", "idReadable")
        return [found] if found else []

    def _list(self, query: str, most: int) -> list[Ticket]:
        rows = self.wire.read("/api/issues", {"query": query, "$top": most, "fields": WANTED})
        return [self._ticket(row) for row in rows]

    def _payload(self, draft: Draft) -> dict[str, Any]:
        given: dict[str, Any] = {"summary": draft.title, "description": draft.body}
        known = {row["field"]["name"]: row["field"]["fieldType"]["id"] for row in self._customs(draft)}
        customs = [_custom(name, known[name], value) for name, value in draft.fields.items() if name in known]
        given["customFields"] = customs or None
        return {name: value for name, value in given.items() if value is not None}

    def _customs(self, draft: Draft) -> list[Any]:
        return list(self._project.get("customFields") or ()) if draft.fields else []

    def _ticket(self, row: Mapping[str, Any]) -> Ticket:
        customs = {each["name"]: each for each in row.get("customFields") or () if "name" in each}
        state = customs.get(STATE) or {}
        return Ticket(
            ref=str(row["id"]),
            key=row.get("idReadable", row["id"]),
            url=f"{self.wire.base_url.rstrip('/')}/issue/{row.get('idReadable', row['id'])}",
            title=row.get("summary") or "",
            body=row.get("description") or "",
            labels=tuple(tag["name"] for tag in row.get("tags") or ()),
            status=plain(state.get("value")),
            category=_category(state, row.get("resolved") is not None),
            assignee=name_of((customs.get("Assignee") or {}).get("value"), "fullName", "name", "login"),
            fields={name: plain(each.get("value")) for name, each in customs.items()},
        )


def _field(row: Mapping[str, Any]) -> Field | None:
    kind = row["field"]["fieldType"]["id"]
    if kind not in TYPES:
        return None
    options = tuple((value["name"], value["name"]) for value in (row.get("bundle") or {}).get("values") or ())
    required = not row.get("canBeEmpty", True) and not row.get("defaultValues")
    return Field(row["field"]["name"], row["field"]["name"], TYPES[kind][1], required, options, kind)


def _custom(name: str, kind: str, value: Any) -> dict[str, Any]:
    type_, sort = TYPES[kind]
    if sort == "options":
        value = [{"name": each} for each in value]
    elif sort == "option":
        value = {"name": value}
    elif kind == "text":
        value = {"text": value}
    return {"name": name, "$type": type_, "value": value}


def _category(state: Mapping[str, Any], resolved: bool) -> Category:
    name = plain(state.get("value"))
    if resolved:
        return closed_as(name)
    return Category.DOING if name.casefold() in ("in progress", "в работе") else Category.TODO
