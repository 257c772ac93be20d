"""Azure DevOps Boards (learn.microsoft.com/rest/api/azure/devops/wit, 7.1). Changes are JSON Patch documents.

The address ends in the organization. Descriptions are HTML. Service hooks carry no signature.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from gemba.trackers.adapters.base import SEARCHED, Tracker, name_of, seg
from gemba.trackers.adapters.wire import basic
from gemba.trackers.rules.bodies import words_of_html
from gemba.trackers.rules.drafts import Checked, Draft, Field, Ticket, plain
from gemba.trackers.rules.kinds import Category, Right, TrackerKind

API = "api-version=7.1"
PATCH = "application/json-patch+json"
CORE = ("System.Title", "System.Description", "System.Tags")
FILLED_THERE = frozenset(
    ("System.State", "System.Reason", "System.AreaId", "System.IterationId", "System.WorkItemType")
)
CATEGORIES = {
    "inprogress": Category.DOING,
    "resolved": Category.DOING,
    "completed": Category.DONE,
    "removed": Category.DECLINED,
}
MOST_IDS = 200


class AzureBoards(Tracker):
    """One project, by its name; the item type is a work item type."""

    kind = TrackerKind.AZURE

    @staticmethod
    def headers(credentials: Mapping[str, str]) -> dict[str, str]:
        """A personal access token is the password of nobody."""
        return {"Authorization": basic("", credentials["token"])}

    @property
    def _path(self) -> str:
        return f"/{seg(self.project)}/_apis/wit"

    def check(self) -> Checked:
        """Rights are not told."""
        project = self.wire.read(f"/_apis/projects/{seg(self.project)}?{API}")
        rows = self.wire.read(f"{self._path}/workitemtypes?{API}")["value"]
        return Checked("", project["name"], {Right.READ: True}, types=tuple(row["name"] for row in rows))

    def fields(self) -> list[Field]:
        """The fields of the work item type."""
        path = f"{self._path}/workitemtypes/{seg(self.item_type)}/fields?$expand=allowedValues&{API}"
        rows = self.wire.read(path)["value"]
        return [_field(row) for row in rows if row["referenceName"] not in (*CORE, *FILLED_THERE)]

    @cached_property
    def _states(self) -> dict[str, Category]:
        rows = self.wire.read(f"{self._path}/workitemtypes/{seg(self.item_type)}/states?{API}")["value"]
        return {row["name"]: CATEGORIES.get(row["category"].casefold(), Category.TODO) for row in rows}

    def find(self, marker: str, since: datetime) -> list[Ticket]:
        """By the tag, or the text where tags were not allowed."""
        return self._query(
            f"([System.Tags] CONTAINS '{marker}' OR [System.Description] CONTAINS WORDS '{marker}')"
        )

    def create(self, draft: Draft) -> Ticket:
        """POST …/workitems/$Type"""
        path = f"{self._path}/workitems/${seg(self.item_type)}?{API}"
        return self._ticket(self.wire.write("POST", path, _payload(draft), media=PATCH))

    def update(self, ref: str, changes: Draft) -> None:
        """PATCH …/workitems/ID"""
        self.wire.write("PATCH", f"{self._path}/workitems/{seg(ref)}?{API}", _payload(changes), media=PATCH)

    def get(self, ref: str) -> Ticket:
        """GET …/workitems/ID"""
        return self._ticket(self.wire.read(f"{self._path}/workitems/{seg(ref)}?{API}"))

    def changed_since(self, since: datetime) -> list[Ticket]:
        """WIQL compares days, in the account's zone: a day more does no harm."""
        return self._query(f"[System.ChangedDate] >= '{since:%Y-%m-%d}'")

    def search(self, words: str) -> list[Ticket]:
        """A number, or words of the title."""
        if words.strip("#").isdigit():
            return [self.get(words.strip("#"))]
        quoted = words.replace("'", "''")
        return self._query(f"[System.Title] CONTAINS '{quoted}'")[:SEARCHED]

    def move(self, ref: str, category: Category) -> None:
        """To the type's first state of that category."""
        for name, found in self._states.items():
            if found is category:
                self.update(ref, Draft(fields={"System.State": name}))
                return

    def attach(self, ref: str, name: str, content: bytes) -> None:
        """An upload, then a relation to it."""
        path = f"{self._path}/attachments?fileName={seg(name)}&{API}"
        url = self.wire.write("POST", path, raw=content, media="application/octet-stream")["url"]
        patch = [{"op": "add", "path": "/relations/-", "value": {"rel": "AttachedFile", "url": url}}]
        self.wire.write("PATCH", f"{self._path}/workitems/{seg(ref)}?{API}", patch, media=PATCH)

    def attached(self, ref: str) -> set[str]:
        """The relations, which name their files."""
        row = self.wire.read(f"{self._path}/workitems/{seg(ref)}?$expand=relations&{API}")
        return {name_of(each.get("attributes"), "name") for each in row.get("relations") or ()}

    @staticmethod
    def refs_in(document: Any) -> list[str]:
        """resource.workItemId of a change, resource.id of a creation."""
        row = (document or {}).get("resource") or {}
        found = row.get("workItemId", row.get("id"))
        return [str(found)] if found is not None else []

    def _query(self, where: str) -> list[Ticket]:
        text = (  # the parts are ours, or have their quotes doubled
            f"SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project AND {where} "  # noqa: S608
            "ORDER BY [System.ChangedDate] DESC"
        )
        rows = self.wire.ask(f"{self._path}/wiql?$top={MOST_IDS}&{API}", {"query": text})["workItems"]
        ids = ",".join(str(row["id"]) for row in rows[:MOST_IDS])
        if not ids:
            return []
        found = self.wire.read(f"/_apis/wit/workitems?ids={ids}&errorPolicy=omit&{API}")["value"]
        return [self._ticket(row) for row in found if row]

    def _ticket(self, row: Mapping[str, Any]) -> Ticket:
        fields, number = row.get("fields") or {}, str(row["id"])
        state = str(fields.get("System.State", ""))
        return Ticket(
            ref=number,
            key=f"#{number}",
            url=f"{self.wire.base_url.rstrip('/')}/{seg(self.project)}/_workitems/edit/{number}",
            title=fields.get("System.Title") or "",
            body=words_of_html(fields.get("System.Description") or ""),
            labels=tuple(
                tag.strip() for tag in str(fields.get("System.Tags") or "").split(";") if tag.strip()
            ),
            status=state,
            category=self._states.get(state, Category.TODO),
            assignee=name_of(fields.get("System.AssignedTo"), "displayName"),
            fields={name: plain(value) for name, value in fields.items() if name not in CORE},
        )


def _payload(draft: Draft) -> list[dict[str, Any]]:
    tags = None if draft.labels is None else "; ".join(draft.labels)
    values = dict(zip(CORE, (draft.title, draft.body, tags), strict=True)) | dict(draft.fields)
    return [
        {"op": "add", "path": f"/fields/{name}", "value": value}
        for name, value in values.items()
        if value is not None
    ]


def _field(row: Mapping[str, Any]) -> Field:
    options = tuple((str(each), str(each)) for each in row.get("allowedValues") or ())
    required = bool(row.get("alwaysRequired")) and row.get("defaultValue") is None
    return Field(row["referenceName"], row["name"], "option" if options else "text", required, options)
