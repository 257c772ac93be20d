"""GitLab, of any address (docs.gitlab.com/api/issues). Labels nobody made before are made by the API."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gemba.trackers.adapters.base import SEARCHED, Tracker, day, name_of, same, seg, stamp
from gemba.trackers.adapters.errors import Gone, NotAllowed
from gemba.trackers.adapters.wire import multipart
from gemba.trackers.rules.drafts import Checked, Draft, Field, Ticket, plain
from gemba.trackers.rules.kinds import Category, Right, TrackerKind

REPORTER = 20
"""The access level from which labels may be set."""
FRESH_SECONDS = 300
_SHOWN = re.compile(r"!\[[^\]]*\]\([^)\s]*/([^)/\s]+)\)")


class GitLab(Tracker):
    """One project, as group/name or its number."""

    kind = TrackerKind.GITLAB

    @staticmethod
    def headers(credentials: Mapping[str, str]) -> dict[str, str]:
        """A personal, group or project access token with the scope api."""
        return {"PRIVATE-TOKEN": credentials["token"]}

    @property
    def _path(self) -> str:
        return f"/api/v4/projects/{seg(self.project)}"

    def check(self) -> Checked:
        """The level in the project, and the token's own page where it may be read."""
        user, row = self.wire.read("/api/v4/user"), self.wire.read(self._path)
        may = row.get("permissions") or {}
        levels = [(may.get(each) or {}).get("access_level", 0) for each in ("project_access", "group_access")]
        rights = {Right.READ: True, Right.CREATE: bool(row.get("issues_enabled", True))}
        if may:
            rights[Right.LABEL] = rights[Right.EDIT] = max(levels) >= REPORTER
        try:
            token = self.wire.read("/api/v4/personal_access_tokens/self")
        except (Gone, NotAllowed):
            token = {}
        return Checked(
            user["username"],
            row.get("path_with_namespace", self.project),
            rights,
            day(token.get("expires_at")),
        )

    def fields(self) -> list[Field]:
        """The open milestones."""
        rows = self.wire.read(f"{self._path}/milestones", {"state": "active", "per_page": 100})
        options = tuple((str(row["id"]), row["title"]) for row in rows)
        return [Field("milestone_id", "Milestone", "option", options=options)]

    def find(self, marker: str, since: datetime) -> list[Ticket]:
        """The search in descriptions asks the database."""
        return self._list({"search": marker, "in": "description", "state": "all"})

    def create(self, draft: Draft) -> Ticket:
        """POST …/issues; never with an iid, whose clash answers 500."""
        return _ticket(self.wire.write("POST", f"{self._path}/issues", _payload(draft)))

    def update(self, ref: str, changes: Draft) -> None:
        """PUT …/issues/IID"""
        self.wire.write("PUT", f"{self._path}/issues/{seg(ref)}", _payload(changes))

    def get(self, ref: str) -> Ticket:
        """GET …/issues/IID. Raises Gone for a ticket that was moved to another project."""
        row = self.wire.read(f"{self._path}/issues/{seg(ref)}")
        if row.get("moved_to_id"):
            raise Gone("It was moved to another project.")
        return _ticket(row)

    def changed_since(self, since: datetime) -> list[Ticket]:
        """The hundred that changed last."""
        return self._list({"updated_after": stamp(since), "order_by": "updated_at", "state": "all"})

    def search(self, words: str) -> list[Ticket]:
        """A number, or words of the title."""
        if words.strip("#").isdigit():
            return [self.get(words.strip("#"))]
        return self._list({"search": words, "in": "title", "state": "all"})[:SEARCHED]

    def move(self, ref: str, category: Category) -> None:
        """Open or closed."""
        event = "close" if category.is_closed else "reopen"
        self.wire.write("PUT", f"{self._path}/issues/{seg(ref)}", {"state_event": event})

    def attach(self, ref: str, name: str, content: bytes) -> None:
        """An upload, then a comment that shows it."""
        raw, media = multipart("file", name, content, f"gemba{len(content)}x")
        shown = self.wire.write("POST", f"{self._path}/uploads", raw=raw, media=media)["markdown"]
        self.wire.write("POST", f"{self._path}/issues/{seg(ref)}/notes", {"body": shown})

    def attached(self, ref: str) -> set[str]:
        """The words of the newest hundred comments, where uploads stand by their name."""
        query = {"per_page": 100, "sort": "desc"}
        rows = self.wire.read(f"{self._path}/issues/{seg(ref)}/notes", query)
        return {name for row in rows for name in _SHOWN.findall(row["body"])}

    @staticmethod
    def verify(headers: Mapping[str, str], raw: bytes, secret: str, now: datetime) -> bool:
        """The secret itself in X-Gitlab-Token, or Standard Webhooks: v1,<base64> of id.timestamp.body."""
        given = headers.get("webhook-signature", "")
        if not given:
            return same(headers.get("x-gitlab-token", ""), secret)
        stamp_ = headers.get("webhook-timestamp", "")
        if not stamp_.isdecimal() or len(stamp_) > 12 or abs(now.timestamp() - int(stamp_)) > FRESH_SECONDS:
            return False
        signed = f"{headers.get('webhook-id', '')}.{stamp_}.".encode() + raw
        expected = base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()
        return bool(secret) and any(same(each.removeprefix("v1,"), expected) for each in given.split())

    @staticmethod
    def refs_in(document: Any) -> list[str]:
        """object_attributes.iid of an issue's event."""
        row = (document or {}).get("object_attributes") or {}
        is_issue = (document or {}).get("object_kind") in ("issue", "work_item", None)
        return [str(row["iid"])] if is_issue and "iid" in row else []

    def _list(self, query: Mapping[str, str]) -> list[Ticket]:
        return [_ticket(row) for row in self.wire.read(f"{self._path}/issues", {"per_page": 100, **query})]


def _key(secret: str) -> bytes:
    """Standard Webhooks hands secrets out in base64 behind a prefix."""
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        return secret.encode()


def _ticket(row: Mapping[str, Any]) -> Ticket:
    closed = row.get("state") == "closed"
    return Ticket(
        ref=str(row["iid"]),
        key=f"#{row['iid']}",
        url=row.get("web_url", ""),
        title=row.get("title", ""),
        body=row.get("description") or "",
        labels=tuple(row.get("labels") or ()),
        status=str(row.get("state", "")),
        category=Category.DONE if closed else Category.TODO,
        assignee=", ".join(name_of(each, "name", "username") for each in row.get("assignees") or ()),
        fields={"milestone_id": plain((row.get("milestone") or {}).get("id"))},
    )


def _payload(draft: Draft) -> dict[str, Any]:
    labels = None if draft.labels is None else ",".join(draft.labels)
    given: dict[str, Any] = {"title": draft.title, "description": draft.body, "labels": labels}
    if "milestone_id" in draft.fields:
        given["milestone_id"] = int(draft.fields["milestone_id"])
    return {name: value for name, value in given.items() if value is not None}
