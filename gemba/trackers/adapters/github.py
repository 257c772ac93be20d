"""GitHub, and GitHub Enterprise at https://host/api/v3 (docs.github.com/rest/issues/issues).

Labels are silently dropped without push access, so tickets are told by their text. No files can be attached.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gemba.trackers.adapters.base import (
    MOST_PAGES,
    SEARCHED,
    Tracker,
    day,
    name_of,
    repo,
    same,
    seg,
    signed,
    stamp,
)
from gemba.trackers.rules.drafts import Checked, Draft, Field, Ticket, carries, plain
from gemba.trackers.rules.kinds import Category, Right, TrackerKind, closed_as

PAGE = 100


class GitHub(Tracker):
    """One repository, as owner/name."""

    kind = TrackerKind.GITHUB

    @staticmethod
    def headers(credentials: Mapping[str, str]) -> dict[str, str]:
        """A token, classic or fine-grained."""
        return {
            "Authorization": f"Bearer {credentials['token']}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }

    @property
    def _path(self) -> str:
        return f"/repos/{repo(self.project)}"

    def check(self) -> Checked:
        """Push access is what labels need; the token's end stands in a header."""
        user = self.wire.read("/user")
        row, headers = self.wire.look(self._path)
        may = row.get("permissions") or {}
        rights = {Right.READ: True, Right.CREATE: bool(row.get("has_issues", True))}
        if may:
            rights[Right.LABEL] = rights[Right.EDIT] = bool(may.get("push") or may.get("triage"))
        ends = day(headers.get("github-authentication-token-expiration", ""))
        return Checked(user["login"], row["full_name"], rights, ends)

    def fields(self) -> list[Field]:
        """The open milestones."""
        rows = self.wire.read(f"{self._path}/milestones", {"per_page": PAGE})
        options = tuple((str(row["number"]), row["title"]) for row in rows)
        return [Field("milestone", "Milestone", "option", options=options)]

    def find(self, marker: str, since: datetime) -> list[Ticket]:
        """The list is the database itself, unlike the search; all that was made since, until found."""
        query = {"state": "all", "since": stamp(since), "sort": "created", "direction": "desc"}
        found: list[Ticket] = []
        for page in range(1, MOST_PAGES + 1):
            rows = self.wire.read(f"{self._path}/issues", {**query, "per_page": PAGE, "page": page})
            found += [self._ticket(row) for row in rows if "pull_request" not in row]
            if len(rows) < PAGE or any(carries(ticket, marker) for ticket in found):
                break
        return found

    def create(self, draft: Draft) -> Ticket:
        """POST …/issues"""
        return self._ticket(self.wire.write("POST", f"{self._path}/issues", _payload(draft)))

    def update(self, ref: str, changes: Draft) -> None:
        """PATCH …/issues/N"""
        self.wire.write("PATCH", f"{self._path}/issues/{seg(ref)}", _payload(changes))

    def get(self, ref: str) -> Ticket:
        """Follows a ticket that was transferred to another repository."""
        return self._ticket(self.wire.read(f"{self._path}/issues/{seg(ref)}"))

    def changed_since(self, since: datetime) -> list[Ticket]:
        """The hundred that changed last."""
        query = {
            "state": "all",
            "since": stamp(since),
            "per_page": PAGE,
            "sort": "updated",
            "direction": "desc",
        }
        rows = self.wire.read(f"{self._path}/issues", query)
        return [self._ticket(row) for row in rows if "pull_request" not in row]

    def search(self, words: str) -> list[Ticket]:
        """A number, or GitHub's own search."""
        if words.strip("#").isdigit():
            return [self.get(words.strip("#"))]
        query = {"q": f"{words} repo:{self.project} is:issue", "per_page": SEARCHED}
        return [self._ticket(row) for row in self.wire.read("/search/issues", query)["items"]]

    def move(self, ref: str, category: Category) -> None:
        """Open or closed, and why."""
        reason = "not_planned" if category is Category.DECLINED else "completed"
        payload = {"state": "closed", "state_reason": reason} if category.is_closed else {"state": "open"}
        self.wire.write("PATCH", f"{self._path}/issues/{seg(ref)}", payload)

    @staticmethod
    def verify(headers: Mapping[str, str], raw: bytes, secret: str, now: datetime) -> bool:
        """X-Hub-Signature-256: sha256=<hex> of the raw body."""
        return bool(secret) and same(headers.get("x-hub-signature-256", ""), f"sha256={signed(raw, secret)}")

    @staticmethod
    def refs_in(document: Any) -> list[str]:
        """issue.number"""
        issue = (document or {}).get("issue") or {}
        return [str(issue["number"])] if "number" in issue else []

    def _ticket(self, row: Mapping[str, Any]) -> Ticket:
        closed = row.get("state") == "closed"
        reason = str(row.get("state_reason") or "")
        number = str(row["number"])
        return Ticket(
            ref=number,
            key=f"#{number}",
            url=row.get("html_url", ""),
            title=row.get("title", ""),
            body=row.get("body") or "",
            labels=tuple(
                label if isinstance(label, str) else label["name"] for label in row.get("labels", ())
            ),
            status=reason.replace("_", " ") if closed and reason else str(row.get("state", "")),
            category=closed_as(reason) if closed else Category.TODO,
            assignee=", ".join(name_of(each, "login") for each in row.get("assignees") or ()),
            fields={"milestone": plain((row.get("milestone") or {}).get("number"))},
        )


def _payload(draft: Draft) -> dict[str, Any]:
    labels = None if draft.labels is None else list(draft.labels)
    given: dict[str, Any] = {"title": draft.title, "body": draft.body, "labels": labels}
    if "milestone" in draft.fields:
        given["milestone"] = int(draft.fields["milestone"])
    return {name: value for name, value in given.items() if value is not None}
