"""Gitea and Forgejo (their own /api/swagger). Labels are numbers; those nobody made are left out."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from gemba.trackers.adapters.base import (
    MOST_PAGES,
    SEARCHED,
    Tracker,
    name_of,
    repo,
    same,
    seg,
    signed,
    stamp,
)
from gemba.trackers.adapters.wire import multipart
from gemba.trackers.rules.drafts import Checked, Draft, Field, Ticket, carries, plain
from gemba.trackers.rules.kinds import Category, Right, TrackerKind

PAGE = 50


class Gitea(Tracker):
    """One repository, as owner/name."""

    kind = TrackerKind.GITEA

    @staticmethod
    def headers(credentials: Mapping[str, str]) -> dict[str, str]:
        """A token of an account's settings."""
        return {"Authorization": f"token {credentials['token']}"}

    @property
    def _path(self) -> str:
        return f"/api/v1/repos/{repo(self.project)}"

    def check(self) -> Checked:
        """Push access is what labels need."""
        user, row = self.wire.read("/api/v1/user"), self.wire.read(self._path)
        may = row.get("permissions") or {}
        push = bool(may.get("push"))
        rights = {
            Right.READ: True,
            Right.CREATE: bool(row.get("has_issues", True)),
            Right.LABEL: push,
            Right.EDIT: push,
        }
        return Checked(user["login"], row["full_name"], rights)

    def fields(self) -> list[Field]:
        """The open milestones."""
        rows = self.wire.read(f"{self._path}/milestones", {"limit": PAGE})
        options = tuple((str(row["id"]), row["title"]) for row in rows)
        return [Field("milestone", "Milestone", "option", options=options)]

    @cached_property
    def _labels(self) -> dict[str, int]:
        rows = self.wire.read(f"{self._path}/labels", {"limit": PAGE})
        return {row["name"]: row["id"] for row in rows}

    def find(self, marker: str, since: datetime) -> list[Ticket]:
        """The list; `q` would ask an index, and labels it does not know count as none."""
        query = {"state": "all", "type": "issues", "since": stamp(since), "limit": PAGE}
        found: list[Ticket] = []
        for page in range(1, MOST_PAGES + 1):
            rows = self.wire.read(f"{self._path}/issues", {**query, "page": page})
            found += map(self._ticket, rows)
            if len(rows) < PAGE or any(carries(ticket, marker) for ticket in found):
                break
        return found

    def create(self, draft: Draft) -> Ticket:
        """POST …/issues"""
        payload = {**_payload(draft), "labels": self._numbers(draft)}
        return self._ticket(self.wire.write("POST", f"{self._path}/issues", payload))

    def update(self, ref: str, changes: Draft) -> None:
        """PATCH …/issues/N; labels have a call of their own."""
        if payload := _payload(changes):
            self.wire.write("PATCH", f"{self._path}/issues/{seg(ref)}", payload)
        if changes.labels is not None:
            self.wire.write(
                "POST", f"{self._path}/issues/{seg(ref)}/labels", {"labels": self._numbers(changes)}
            )

    def get(self, ref: str) -> Ticket:
        """GET …/issues/N"""
        return self._ticket(self.wire.read(f"{self._path}/issues/{seg(ref)}"))

    def changed_since(self, since: datetime) -> list[Ticket]:
        """The fifty that changed last."""
        query = {"state": "all", "type": "issues", "since": stamp(since), "limit": PAGE}
        return [self._ticket(row) for row in self.wire.read(f"{self._path}/issues", query)]

    def search(self, words: str) -> list[Ticket]:
        """A number, or its own search."""
        if words.strip("#").isdigit():
            return [self.get(words.strip("#"))]
        query = {"q": words, "state": "all", "type": "issues", "limit": SEARCHED}
        return [self._ticket(row) for row in self.wire.read(f"{self._path}/issues", query)]

    def move(self, ref: str, category: Category) -> None:
        """Open or closed."""
        state = "closed" if category.is_closed else "open"
        self.wire.write("PATCH", f"{self._path}/issues/{seg(ref)}", {"state": state})

    def attach(self, ref: str, name: str, content: bytes) -> None:
        """POST …/issues/N/assets"""
        raw, media = multipart("attachment", name, content, f"gemba{len(content)}x")
        self.wire.write(
            "POST", f"{self._path}/issues/{seg(ref)}/assets?name={seg(name)}", raw=raw, media=media
        )

    def attached(self, ref: str) -> set[str]:
        """GET …/issues/N/assets"""
        return {row["name"] for row in self.wire.read(f"{self._path}/issues/{seg(ref)}/assets")}

    @staticmethod
    def verify(headers: Mapping[str, str], raw: bytes, secret: str, now: datetime) -> bool:
        """The bare hex, under the name of either house."""
        given = headers.get("x-gitea-signature") or headers.get("x-forgejo-signature") or ""
        return bool(secret) and same(given, signed(raw, secret))

    @staticmethod
    def refs_in(document: Any) -> list[str]:
        """issue.number"""
        issue = (document or {}).get("issue") or {}
        return [str(issue["number"])] if "number" in issue else []

    def _numbers(self, draft: Draft) -> list[int]:
        return [self._labels[name] for name in draft.labels or () if name in self._labels]

    def _ticket(self, row: Mapping[str, Any]) -> Ticket:
        number = str(row["number"])
        return Ticket(
            ref=number,
            key=f"#{number}",
            url=row.get("html_url", ""),
            title=row.get("title", ""),
            body=row.get("body") or "",
            labels=tuple(label["name"] for label in row.get("labels") or ()),
            status=str(row.get("state", "")),
            category=Category.DONE if row.get("state") == "closed" else Category.TODO,
            assignee=", ".join(name_of(each, "full_name", "login") for each in row.get("assignees") or ()),
            fields={"milestone": plain((row.get("milestone") or {}).get("id"))},
        )


def _payload(draft: Draft) -> dict[str, Any]:
    given: dict[str, Any] = {"title": draft.title, "body": draft.body}
    if "milestone" in draft.fields:
        given["milestone"] = int(draft.fields["milestone"])
    return {name: value for name, value in given.items() if value is not None}
