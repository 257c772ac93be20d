"""Redmine 5 and later (redmine.org/projects/redmine/wiki/Rest_api). The plainest adapter: copy this one.

The REST service must be switched on in Redmine's settings. Closed tickets are found only with status_id=*.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from gemba.trackers.adapters.base import SEARCHED, Tracker, same, seg, signed, stamp
from gemba.trackers.adapters.errors import Gone, NotAllowed
from gemba.trackers.rules.drafts import Checked, Draft, Field, Ticket, plain
from gemba.trackers.rules.kinds import Category, Right, TrackerKind, closed_as


class Redmine(Tracker):
    """One project; the item type is what Redmine calls a tracker."""

    kind = TrackerKind.REDMINE

    @staticmethod
    def headers(credentials: Mapping[str, str]) -> dict[str, str]:
        """The key of an account's page."""
        return {"X-Redmine-API-Key": credentials["token"]}

    def check(self) -> Checked:
        """Redmine tells no rights to those who are no admins; creating will show."""
        user = self.wire.read("/users/current.json")["user"]
        project = self.wire.read(f"/projects/{seg(self.project)}.json", {"include": "trackers"})["project"]
        types = tuple(each["name"] for each in project.get("trackers", ()))
        return Checked(user["login"], project["name"], {Right.READ: True}, types=types)

    def fields(self) -> list[Field]:
        """Priority, and the custom fields, whose lists only admins may read."""
        ranks = self.wire.read("/enumerations/issue_priorities.json")["issue_priorities"]
        found = [
            Field(
                "priority_id", "Priority", "option", options=tuple((str(r["id"]), r["name"]) for r in ranks)
            )
        ]
        try:
            customs = self.wire.read("/custom_fields.json")["custom_fields"]
        except (NotAllowed, Gone):
            return found
        return found + [_field(row) for row in customs if self._is_ours(row)]

    def _is_ours(self, row: Mapping[str, Any]) -> bool:
        types = [each["name"].casefold() for each in row.get("trackers", ())]
        return row.get("customized_type") == "issue" and (not types or self.item_type.casefold() in types)

    def find(self, marker: str, since: datetime) -> list[Ticket]:
        """By the description. To a filter it does not know it answers everything: so the newest first."""
        return self._list({"description": f"~{marker}", "sort": "id:desc"})

    def create(self, draft: Draft) -> Ticket:
        """POST /issues.json"""
        payload = {"project_id": self.project, **self._payload(draft)}
        if self._type_id is not None:
            payload["tracker_id"] = self._type_id
        return self._ticket(self.wire.write("POST", "/issues.json", {"issue": payload})["issue"])

    def update(self, ref: str, changes: Draft) -> None:
        """PUT answers 204."""
        self.wire.write("PUT", f"/issues/{seg(ref)}.json", {"issue": self._payload(changes)})

    def get(self, ref: str) -> Ticket:
        """GET /issues/N.json"""
        return self._ticket(self.wire.read(f"/issues/{seg(ref)}.json")["issue"])

    def changed_since(self, since: datetime) -> list[Ticket]:
        """The hundred that changed last."""
        return self._list({"updated_on": f">={stamp(since)}", "sort": "updated_on:desc"})

    def search(self, words: str) -> list[Ticket]:
        """A number, or words of the subject."""
        if words.strip("#").isdigit():
            return [self.get(words.strip("#"))]
        return self._list({"subject": f"~{words}", "sort": "updated_on:desc"})[:SEARCHED]

    def move(self, ref: str, category: Category) -> None:
        """To the first status of that category; Redmine leaves it where the workflow forbids."""
        rows = self.wire.read("/issue_statuses.json")["issue_statuses"]
        chosen = [row["id"] for row in rows if _category(row) is category]
        if chosen:
            self.wire.write("PUT", f"/issues/{seg(ref)}.json", {"issue": {"status_id": chosen[0]}})

    def attach(self, ref: str, name: str, content: bytes) -> None:
        """An upload, then its token in a change of the ticket."""
        path, media = f"/uploads.json?filename={seg(name)}", "application/octet-stream"
        token = self.wire.write("POST", path, raw=content, media=media)["upload"]["token"]
        self.wire.write(
            "PUT", f"/issues/{seg(ref)}.json", {"issue": {"uploads": [{"token": token, "filename": name}]}}
        )

    def attached(self, ref: str) -> set[str]:
        """GET …?include=attachments"""
        row = self.wire.read(f"/issues/{seg(ref)}.json", {"include": "attachments"})["issue"]
        return {each["filename"] for each in row.get("attachments") or ()}

    @staticmethod
    def verify(headers: Mapping[str, str], raw: bytes, secret: str, now: datetime) -> bool:
        """Webhooks are core since Redmine 7: sha256=<hex>."""
        return bool(secret) and same(
            headers.get("x-redmine-signature-256", ""), f"sha256={signed(raw, secret)}"
        )

    @staticmethod
    def refs_in(document: Any) -> list[str]:
        """data.issue.id"""
        issue = ((document or {}).get("data") or {}).get("issue") or {}
        return [str(issue["id"])] if "id" in issue else []

    @cached_property
    def _type_id(self) -> int | None:
        rows = self.wire.read("/trackers.json")["trackers"] if self.item_type else []
        return next((row["id"] for row in rows if row["name"].casefold() == self.item_type.casefold()), None)

    def _payload(self, draft: Draft) -> dict[str, Any]:
        customs = [
            {"id": int(name.removeprefix("cf_")), "value": value}
            for name, value in draft.fields.items()
            if name.startswith("cf_")
        ]
        given: dict[str, Any] = {
            "subject": draft.title,
            "description": draft.body,
            "custom_fields": customs or None,
        }
        given["priority_id"] = draft.fields.get("priority_id")
        return {name: value for name, value in given.items() if value is not None}

    def _list(self, query: Mapping[str, str]) -> list[Ticket]:
        asked = {"project_id": self.project, "status_id": "*", "limit": 100, **query}
        return [self._ticket(row) for row in self.wire.read("/issues.json", asked)["issues"]]

    def _ticket(self, row: Mapping[str, Any]) -> Ticket:
        customs = {f"cf_{each['id']}": plain(each.get("value")) for each in row.get("custom_fields", ())}
        return Ticket(
            ref=str(row["id"]),
            key=f"#{row['id']}",
            url=f"{self.wire.base_url.rstrip('/')}/issues/{row['id']}",
            title=row.get("subject", ""),
            body=row.get("description") or "",
            status=row.get("status", {}).get("name", ""),
            category=_category({"is_closed": row.get("closed_on") is not None, **row.get("status", {})}),
            assignee=row.get("assigned_to", {}).get("name", ""),
            fields={**customs, "priority_id": str(row.get("priority", {}).get("id", ""))},
        )


def _field(row: Mapping[str, Any]) -> Field:
    options = tuple(
        (each["value"], each.get("label") or each["value"]) for each in row.get("possible_values") or ()
    )
    number = row.get("field_format") in ("int", "float")
    sort = ("options" if row.get("multiple") else "option") if options else "number" if number else "text"
    has_default = bool(row.get("default_value"))
    return Field(
        f"cf_{row['id']}", row["name"], sort, bool(row.get("is_required")) and not has_default, options
    )


def _category(status: Mapping[str, Any]) -> Category:
    name = str(status.get("name", ""))
    if status.get("is_closed"):
        return closed_as(name)
    return (
        Category.DOING
        if name.casefold() in ("in progress", "в работе", "feedback", "resolved")
        else Category.TODO
    )
