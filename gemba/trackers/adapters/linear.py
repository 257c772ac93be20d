"""Linear (linear.app/developers, GraphQL). It takes a UUID of ours as the ticket's id: a second one of the
same id is refused, so a request whose answer was lost may be sent again. Errors come with status 200 or 400
and are known by their code, a dead token and a limit too.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from gemba.trackers.adapters.base import SEARCHED, Tracker, hook_json, name_of, same, signed, stamp
from gemba.trackers.adapters.errors import Gone, NotAllowed, RateLimited, Rejected, SignInRefused, Uncertain
from gemba.trackers.rules.drafts import Checked, Draft, Field, Ticket, native_id, plain
from gemba.trackers.rules.kinds import Category, Right, TrackerKind

ISSUE = (
    "id identifier url title description priority state { name type } assignee { name } "
    "labels { nodes { name } } project { id }"
)
CHECK = "query Check($team: String!) { viewer { name } team(id: $team) { id name } }"
TEAM = (
    "query Team($team: String!) { team(id: $team) { id states { nodes { id type } } "
    "labels { nodes { id name } } projects { nodes { id name } } } }"
)
FIND = (
    f"query Find($filter: IssueFilter!) {{ issues(filter: $filter, first: 100) {{ nodes {{ {ISSUE} }} }} }}"
)
GET = f"query Get($id: String!) {{ issue(id: $id) {{ {ISSUE} }} }}"
CREATE = (
    f"mutation Create($input: IssueCreateInput!) {{ issueCreate(input: $input) {{ issue {{ {ISSUE} }} }} }}"
)
UPDATE = (
    "mutation Update($id: String!, $input: IssueUpdateInput!) "
    "{ issueUpdate(id: $id, input: $input) { success } }"
)
PRIORITIES = (("0", "No priority"), ("1", "Urgent"), ("2", "High"), ("3", "Medium"), ("4", "Low"))
CATEGORIES = {
    "started": Category.DOING,
    "completed": Category.DONE,
    "canceled": Category.DECLINED,
    "duplicate": Category.DECLINED,
}
FRESH_SECONDS = 60
TOLD = (400,)
"""Statuses whose body holds the errors."""


class Linear(Tracker):
    """One team, by its key."""

    kind = TrackerKind.LINEAR

    @staticmethod
    def headers(credentials: Mapping[str, str]) -> dict[str, str]:
        """A personal key stands alone, an OAuth token behind Bearer."""
        token = credentials["token"]
        return {"Authorization": token if token.startswith("lin_api_") else f"Bearer {token}"}

    def _ask(self, query: str, *, writes: bool = False, **variables: Any) -> Any:
        document = {"query": query, "variables": variables}
        if writes:
            answer = self.wire.write("POST", "/graphql", document, answers=TOLD)
        else:
            answer = self.wire.ask("/graphql", document, answers=TOLD)
        if not isinstance(answer, dict) or answer.get("errors"):
            _refuse((answer or {}).get("errors") or [{}])
        return answer["data"]

    def check(self) -> Checked:
        """Rights are not told."""
        data = self._ask(CHECK, team=self.project)
        return Checked(data["viewer"]["name"], data["team"]["name"], {Right.READ: True})

    @cached_property
    def _team(self) -> Mapping[str, Any]:
        return dict(self._ask(TEAM, team=self.project)["team"])

    def fields(self) -> list[Field]:
        """Priority and project."""
        projects = tuple((row["id"], row["name"]) for row in self._team["projects"]["nodes"])
        return [
            Field("priority", "Priority", "option", options=PRIORITIES),
            Field("projectId", "Project", "option", options=projects),
        ]

    def find(self, marker: str, since: datetime) -> list[Ticket]:
        """By the id we chose, which is asked of the database."""
        nodes = self._ask(FIND, filter={"id": {"in": [native_id(marker)]}})["issues"]["nodes"]
        return [_ticket(row) for row in nodes]

    def create(self, draft: Draft) -> Ticket:
        """issueCreate with an id of ours."""
        payload = {**self._payload(draft), "teamId": self._team["id"], "id": native_id(draft.marker)}
        answer = self._ask(CREATE, writes=True, input=payload)
        return _ticket(answer["issueCreate"]["issue"])

    def update(self, ref: str, changes: Draft) -> None:
        """issueUpdate"""
        self._ask(UPDATE, writes=True, id=ref, input=self._payload(changes))

    def get(self, ref: str) -> Ticket:
        """issue(id)"""
        row = self._ask(GET, id=ref)["issue"]
        if row is None:
            raise Gone
        return _ticket(row)

    def changed_since(self, since: datetime) -> list[Ticket]:
        """The team's hundred."""
        asked = {"team": {"id": {"eq": self._team["id"]}}, "updatedAt": {"gte": stamp(since)}}
        return [_ticket(row) for row in self._ask(FIND, filter=asked)["issues"]["nodes"]]

    def search(self, words: str) -> list[Ticket]:
        """A key, or words of the title."""
        if words.upper().startswith(f"{self.project.upper()}-"):
            return [self.get(words.upper())]
        asked = {"team": {"id": {"eq": self._team["id"]}}, "title": {"containsIgnoreCase": words}}
        return [_ticket(row) for row in self._ask(FIND, filter=asked)["issues"]["nodes"]][:SEARCHED]

    def move(self, ref: str, category: Category) -> None:
        """To the team's first state of that type."""
        for row in self._team["states"]["nodes"]:
            if CATEGORIES.get(row["type"], Category.TODO) is category:
                self._ask(UPDATE, writes=True, id=ref, input={"stateId": row["id"]})
                return

    @staticmethod
    def verify(headers: Mapping[str, str], raw: bytes, secret: str, now: datetime) -> bool:
        """Linear-Signature: hex of the raw body, whose webhookTimestamp is not older than a minute."""
        at = (hook_json(raw) or {}).get("webhookTimestamp")
        fresh = isinstance(at, int | float) and abs(now.timestamp() - at / 1000) <= FRESH_SECONDS
        return fresh and bool(secret) and same(headers.get("linear-signature", ""), signed(raw, secret))

    @staticmethod
    def refs_in(document: Any) -> list[str]:
        """data.id of an Issue's event."""
        row = (document or {}).get("data") or {}
        return [str(row["id"])] if (document or {}).get("type") in ("Issue", None) and "id" in row else []

    def _payload(self, draft: Draft) -> dict[str, Any]:
        given: dict[str, Any] = {"title": draft.title, "description": draft.body, **draft.fields}
        if "priority" in given:
            given["priority"] = int(given["priority"])
        if draft.labels is not None:
            known = {row["name"].casefold(): row["id"] for row in self._team["labels"]["nodes"]}
            ids = [known[name.casefold()] for name in draft.labels if name.casefold() in known]
            given["labelIds"] = ids or None
        return {name: value for name, value in given.items() if value is not None}


def _refuse(errors: list[Any]) -> None:
    """Raises what the first error's code means."""
    first = errors[0] if isinstance(errors[0], dict) else {}
    more = first.get("extensions") or {}
    code, said = (
        str(more.get("code", "")).upper(),
        str(more.get("userPresentableMessage") or first.get("message", "")),
    )
    low = said.casefold()
    if code == "RATELIMITED":
        raise RateLimited(wait=60)
    if code == "AUTHENTICATION_ERROR":
        raise SignInRefused
    if code == "FORBIDDEN":
        raise NotAllowed(said[:240])
    if "not found" in low:
        raise Gone(said[:240])
    if code in ("", "INTERNAL_SERVER_ERROR") or ("id" in low and ("exist" in low or "unique" in low)):
        # What a second ticket of one id answers is not written down: the search by that id will tell.
        raise Uncertain(said[:240])
    raise Rejected(said[:240])


def _ticket(row: Mapping[str, Any]) -> Ticket:
    state = row.get("state") or {}
    return Ticket(
        ref=str(row["id"]),
        key=row.get("identifier", ""),
        url=row.get("url", ""),
        title=row.get("title") or "",
        body=row.get("description") or "",
        labels=tuple(label["name"] for label in ((row.get("labels") or {}).get("nodes") or ())),
        status=name_of(state, "name"),
        category=CATEGORIES.get(str(state.get("type")), Category.TODO),
        assignee=name_of(row.get("assignee"), "name"),
        fields={
            "priority": plain(row.get("priority")),
            "projectId": plain((row.get("project") or {}).get("id")),
        },
    )
