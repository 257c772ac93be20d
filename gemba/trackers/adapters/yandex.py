"""Yandex Tracker (yandex.ru/support/tracker, concepts/issues). The one tracker with a key of ours: `unique`.

A second ticket with the same `unique` answers 409 in the whole organization and for ever, so a request
whose answer was lost may be sent again. Webhooks are triggers without a signature.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gemba.trackers.adapters.base import SEARCHED, Tracker, name_of, seg
from gemba.trackers.adapters.errors import Conflict, Uncertain
from gemba.trackers.adapters.wire import multipart
from gemba.trackers.rules.drafts import Checked, Draft, Field, Ticket, plain
from gemba.trackers.rules.kinds import Category, Right, TrackerKind, closed_as

CORE = frozenset(("summary", "description", "queue", "tags", "type", "author", "status", "unique"))
CATEGORIES = {
    "new": Category.TODO,
    "paused": Category.TODO,
    "inprogress": Category.DOING,
    "done": Category.DONE,
    "cancelled": Category.DECLINED,
}


class YandexTracker(Tracker):
    """One queue, by its key."""

    kind = TrackerKind.YANDEX

    @staticmethod
    def headers(credentials: Mapping[str, str]) -> dict[str, str]:
        """An OAuth token (y0_…) or an IAM token (t1.…), and the organization."""
        token = credentials["token"]
        scheme = "Bearer" if token.startswith("t1.") else "OAuth"
        name = "X-Cloud-Org-ID" if credentials.get("org_kind") == "cloud" else "X-Org-ID"
        return {"Authorization": f"{scheme} {token}", name: credentials.get("org", "")}

    def check(self) -> Checked:
        """Rights are not told; the queue's issue types are."""
        user = self.wire.read("/v3/myself")
        queue = self.wire.read(f"/v3/queues/{seg(self.project)}", {"expand": "issueTypesConfig"})
        types = tuple(row["issueType"]["key"] for row in queue.get("issueTypesConfig") or ())
        account = name_of(user, "display", "login")
        return Checked(account, queue.get("name", self.project), {Right.READ: True}, types=types)

    def fields(self) -> list[Field]:
        """Those the queue asks for."""
        rows = self.wire.read(f"/v3/queues/{seg(self.project)}/fields")
        return [_field(row) for row in rows if row.get("key", row["id"]) not in CORE]

    def find(self, marker: str, since: datetime) -> list[Ticket]:
        """By the key itself."""
        rows = self.wire.ask("/v3/issues/_search", {"filter": {"unique": marker}})
        return [_ticket(row) for row in rows]

    def create(self, draft: Draft) -> Ticket:
        """POST /v3/issues/; where it is there already, that one."""
        payload = {**_payload(draft), "queue": self.project, "unique": draft.marker}
        if self.item_type:
            payload["type"] = self.item_type
        try:
            return _ticket(self.wire.write("POST", "/v3/issues/", payload))
        except Conflict:
            there = self.found(draft.marker, datetime.min.replace(tzinfo=UTC))
            if there is None:
                raise Uncertain("It has this ticket already but does not find it yet.") from None
            return there

    def update(self, ref: str, changes: Draft) -> None:
        """PATCH /v3/issues/ID"""
        self.wire.write("PATCH", f"/v3/issues/{seg(ref)}", _payload(changes))

    def get(self, ref: str) -> Ticket:
        """GET /v3/issues/ID"""
        return _ticket(self.wire.read(f"/v3/issues/{seg(ref)}"))

    def changed_since(self, since: datetime) -> list[Ticket]:
        """Its language knows days and minutes, in the account's zone: a day more does no harm."""
        query = f'Queue: {self.project} Updated: >= "{since:%Y-%m-%d}" "Sort by": Updated DESC'
        return [_ticket(row) for row in self.wire.ask("/v3/issues/_search?perPage=100", {"query": query})]

    def search(self, words: str) -> list[Ticket]:
        """A key, or words of the summary."""
        if words.upper().startswith(f"{self.project.upper()}-"):
            return [self.get(words.upper())]
        asked = {"filter": {"queue": self.project, "summary": words}}
        return [_ticket(row) for row in self.wire.ask(f"/v3/issues/_search?perPage={SEARCHED}", asked)]

    def move(self, ref: str, category: Category) -> None:
        """By the first transition that leads there."""
        for row in self.wire.read(f"/v3/issues/{seg(ref)}/transitions"):
            if _category(row.get("to") or {}, {}) is category:
                path = f"/v3/issues/{seg(ref)}/transitions/{seg(str(row['id']))}/_execute"
                self.wire.write("POST", path, {})
                return

    def attach(self, ref: str, name: str, content: bytes) -> None:
        """POST …/attachments/"""
        raw, media = multipart("file", name, content, f"gemba{len(content)}x")
        self.wire.write(
            "POST", f"/v3/issues/{seg(ref)}/attachments/?filename={seg(name)}", raw=raw, media=media
        )

    def attached(self, ref: str) -> set[str]:
        """GET …/attachments"""
        return {row["name"] for row in self.wire.read(f"/v3/issues/{seg(ref)}/attachments")}

    @staticmethod
    def refs_in(document: Any) -> list[str]:
        """What our page tells to put into the trigger's body: {"key": "{{issue.key}}"}."""
        key = (document or {}).get("key")
        return [str(key)] if key else []


def _payload(draft: Draft) -> dict[str, Any]:
    tags = None if draft.labels is None else list(draft.labels)
    given = {"summary": draft.title, "description": draft.body, "tags": tags, **draft.fields}
    return {name: value for name, value in given.items() if value is not None}


def _field(row: Mapping[str, Any]) -> Field:
    schema = row.get("schema") or {}
    values = (row.get("optionsProvider") or {}).get("values") or ()
    options = tuple((str(each), str(each)) for each in values if isinstance(each, str | int))
    kind = schema.get("type", "string")
    sort = (
        "option"
        if options
        else "number"
        if kind in ("integer", "float")
        else "labels"
        if kind == "array"
        else "text"
    )
    return Field(
        row.get("key") or row["id"], row.get("name", row["id"]), sort, bool(schema.get("required")), options
    )


def _category(status: Mapping[str, Any], resolution: Any) -> Category:
    kind = status.get("statusType")
    word = str(kind.get("key") if isinstance(kind, Mapping) else kind or "").casefold()
    known = CATEGORIES.get(word)
    if known is None and status.get("key") in ("closed", "resolved"):
        known = Category.DONE
    if known is Category.DONE:
        return closed_as(name_of(resolution, "key", "display"))
    return known or (Category.DOING if status.get("key") == "inProgress" else Category.TODO)


def _ticket(row: Mapping[str, Any]) -> Ticket:
    unique = row.get("unique")
    known = ("summary", "description", "tags", "status", "assignee", "unique")
    return Ticket(
        ref=str(row.get("id") or row["key"]),
        key=row["key"],
        url=f"https://tracker.yandex.ru/{row['key']}",
        title=row.get("summary") or "",
        body=row.get("description") or "",
        labels=(*(row.get("tags") or ()), *((str(unique),) if unique else ())),
        status=name_of(row.get("status"), "display", "key"),
        category=_category({**(row.get("status") or {}), **_type(row)}, row.get("resolution")),
        assignee=name_of(row.get("assignee"), "display", "id"),
        fields={name: plain(value) for name, value in row.items() if name not in known},
    )


def _type(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"statusType": row["statusType"]} if row.get("statusType") else {}
