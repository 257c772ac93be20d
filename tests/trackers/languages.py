"""How each tracker answers, as its vendor's pages tell (docs/trackers.md names them): one function each."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gemba.trackers.rules.kinds import TrackerKind

if TYPE_CHECKING:
    from tests.trackers.fake import Asked, Fake, Made

Answer = tuple[int, Any]
CLOSED = ("done", "declined")
MARKER = re.compile(r"gemba-[0-9a-f]{8}-\d+")


def _last(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _word(text: str) -> str:
    """The marker a search asks for, else its quoted words."""
    found = MARKER.search(text)
    return found[0] if found else (re.findall(r"[~']\s*\"?\\?\"?([^'\"\\]+)", text) or [""])[-1]


def _change(made: Made, **values: Any) -> None:
    for name, value in values.items():
        if value is not None:
            setattr(made, name, value)


def github(fake: Fake, asked: Asked) -> Answer:
    """docs.github.com/rest"""

    def shown(made: Made) -> dict[str, Any]:
        reason = {"done": "completed", "declined": "not_planned"}.get(made.state)
        return {
            "number": made.id, "title": made.title, "body": made.body, "html_url": f"{fake.url}/i/{made.id}",
            "labels": [{"name": name} for name in made.labels], "assignees": [],
            "state": "closed" if made.state in CLOSED else "open", "state_reason": reason,
        }  # fmt: skip

    body = asked.body if isinstance(asked.body, dict) else {}
    if asked.path == "/user":
        return 200, {"login": "robot"}
    if asked.path.endswith("/milestones"):
        return 200, [{"number": 3, "title": "Winter"}]
    if asked.path.endswith("/issues"):
        if asked.method == "POST":
            made = fake.create(title=body["title"], body=body.get("body", ""), labels=body.get("labels", []))
            return 201, shown(made)
        page = fake.search("")[::-1] if asked.query.get("page", "1") == "1" else []
        return 200, [shown(made) for made in page]
    if "/issues/" in asked.path:
        found = fake.one(_last(asked.path))
        if found is None:
            return 404, {"message": "Not Found"}
        if asked.method == "PATCH":
            _change(found, title=body.get("title"), body=body.get("body"), labels=body.get("labels"))
            if "state" in body:
                closed = "declined" if body.get("state_reason") == "not_planned" else "done"
                found.state = closed if body["state"] == "closed" else "todo"
        return 200, shown(found)
    if asked.path == "/search/issues":
        return 200, {"items": [shown(made) for made in fake.search("")]}
    return 200, {"full_name": "o/r", "has_issues": True, "permissions": {"push": not fake.drops_labels}}


def gitea(fake: Fake, asked: Asked) -> Answer:
    """Gitea's own swagger"""
    if asked.path.endswith("/labels") and asked.method == "GET":
        return 200, [{"id": 7, "name": "gemba"}]
    body = asked.body if isinstance(asked.body, dict) else {}
    if asked.method == "POST" and asked.path.endswith("/issues"):
        assert all(isinstance(each, int) for each in body.get("labels", []))
        body = {**body, "labels": ["gemba"] if 7 in body.get("labels", []) else []}
    path = asked.path.removeprefix("/api/v1")
    status, shown = github(fake, type(asked)(asked.at, asked.method, path, asked.query, body, asked.headers))
    if path.endswith("/milestones"):
        shown = [{"id": 3, "title": "Winter"}]
    return status, shown


def gitlab(fake: Fake, asked: Asked) -> Answer:
    """docs.gitlab.com/api/issues"""

    def shown(made: Made) -> dict[str, Any]:
        return {
            "iid": made.id, "title": made.title, "description": made.body, "labels": made.labels,
            "state": "closed" if made.state in CLOSED else "opened", "web_url": f"{fake.url}/-/{made.id}",
            "assignees": [], "moved_to_id": made.fields.get("moved_to_id"),
        }  # fmt: skip

    body = asked.body if isinstance(asked.body, dict) else {}
    labels = body["labels"].split(",") if body.get("labels") else None
    if asked.path == "/api/v4/user":
        return 200, {"username": "robot"}
    if asked.path.endswith("/personal_access_tokens/self"):
        return 200, {"expires_at": "2027-01-31"}
    if asked.path.endswith("/milestones"):
        return 200, [{"id": 3, "title": "Winter"}]
    if asked.path.endswith("/issues"):
        if asked.method == "POST":
            return 201, shown(
                fake.create(title=body["title"], body=body.get("description", ""), labels=labels or [])
            )
        return 200, [shown(made) for made in fake.search(asked.query.get("search", ""))]
    if "/issues/" in asked.path:
        found = fake.one(_last(asked.path))
        if found is None:
            return 404, {"message": "404 Not found"}
        if asked.method == "PUT":
            _change(found, title=body.get("title"), body=body.get("description"), labels=labels)
            if "state_event" in body:
                found.state = "done" if body["state_event"] == "close" else "todo"
        return 200, shown(found)
    return 200, {
        "path_with_namespace": "g/p",
        "permissions": {"project_access": {"access_level": 30}, "group_access": None},
    }


def jira(fake: Fake, asked: Asked) -> Answer:
    """developer.atlassian.com/cloud/jira/platform/rest/v3, and v2 of Data Center"""
    statuses = {
        "todo": ("To Do", "new"),
        "doing": ("In Progress", "indeterminate"),
        "done": ("Done", "done"),
        "declined": ("Won't Do", "done"),
    }

    def shown(made: Made) -> dict[str, Any]:
        name, key = statuses[made.state]
        fields = {
            "summary": made.title, "description": made.body, "labels": made.labels, "assignee": None,
            "status": {"name": name, "statusCategory": {"key": key}}, "resolution": None, **made.fields,
        }  # fmt: skip
        return {"id": str(10000 + made.id), "key": f"WEB-{made.id}", "fields": fields}

    body = asked.body if isinstance(asked.body, dict) else {}
    path = asked.path.removeprefix("/rest/api/3").removeprefix("/rest/api/2")
    if path == "/myself":
        return 200, {"displayName": "Robot"}
    if path == "/mypermissions":
        names = asked.query["permissions"].split(",")
        return 200, {"permissions": {name: {"havePermission": True} for name in names}}
    if path.endswith("/issuetypes"):
        return 200, {"issueTypes": [{"id": "1", "name": "Task"}]}
    if path.endswith("/issuetypes/1"):
        severity = {
            "fieldId": "customfield_10", "name": "Severity", "required": fake.required,
            "schema": {"type": "option"},
            "allowedValues": [{"id": "5", "value": "Low"}, {"id": "6", "value": "High"}],
        }  # fmt: skip
        return 200, {"fields": [{"fieldId": "summary", "name": "Summary", "required": True}, severity]}
    if path.startswith("/search"):
        return 200, {
            "issues": [shown(made) for made in fake.search(_word(body["jql"].partition(" AND ")[2]))]
        }
    if path == "/issue":
        given = body["fields"]
        known = ("summary", "description", "labels", "project", "issuetype")
        more = {name: value for name, value in given.items() if name not in known}
        if fake.required and "customfield_10" not in more:
            return 400, {"errorMessages": [], "errors": {"customfield_10": "Severity is required."}}
        made = fake.create(
            title=given["summary"], body=given["description"], labels=given.get("labels", []), fields=more
        )
        return 201, {"id": str(10000 + made.id), "key": f"WEB-{made.id}", "self": ""}
    if path.endswith("/transitions"):
        number = int(path.split("/")[2]) - 10000
        if asked.method == "POST":
            fake.tickets[number - 1].state = body["transition"]["id"]
            return 204, None
        rows = [
            {"id": state, "to": {"name": name, "statusCategory": {"key": key}}}
            for state, (name, key) in statuses.items()
        ]
        return 200, {"transitions": rows}
    if path.startswith("/issue/"):
        text = _last(path)
        found = fake.one(int(text) - 10000 if text.isdigit() else text.rpartition("-")[2])
        if found is None:
            return 404, {"errorMessages": ["Issue does not exist or you do not have permission to see it."]}
        if asked.method == "PUT":
            given = body["fields"]
            _change(
                found, title=given.get("summary"), body=given.get("description"), labels=given.get("labels")
            )
            return 204, None
        return 200, shown(found)
    return 200, {"name": "Web", "key": "WEB"}


def yandex(fake: Fake, asked: Asked) -> Answer:
    """yandex.ru/support/tracker"""
    kinds = {"todo": "new", "doing": "inProgress", "done": "done", "declined": "cancelled"}

    def shown(made: Made) -> dict[str, Any]:
        return {
            "id": f"id{made.id}", "key": f"QUEUE-{made.id}", "summary": made.title, "description": made.body,
            "tags": made.labels, "unique": made.native, "statusType": {"key": kinds[made.state]},
            "status": {"key": made.state, "display": made.state},
        }  # fmt: skip

    body = asked.body if isinstance(asked.body, dict) else {}
    if asked.path == "/v3/myself":
        return 200, {"display": "Robot"}
    if asked.path.endswith("/fields"):
        return 200, [
            {
                "id": "summary",
                "key": "summary",
                "name": "Summary",
                "schema": {"type": "string", "required": True},
            }
        ]
    if asked.path == "/v3/issues/_search":
        given = body.get("filter", {})
        return 200, [shown(made) for made in fake.search(given.get("unique", ""))]
    if asked.path == "/v3/issues/":
        with fake.lock:
            if any(made.native == body["unique"] for made in fake.tickets):
                return 409, {
                    "errors": {},
                    "errorMessages": ["There is an issue with this unique"],
                    "statusCode": 409,
                }
            made = fake.create(
                title=body["summary"],
                body=body["description"],
                labels=body.get("tags", []),
                native=body["unique"],
            )
        return 201, shown(made)
    if asked.path.startswith("/v3/issues/"):
        found = fake.one(re.sub(r"\D", "", asked.path.split("/")[3]))
        if found is None:
            return 404, {"errorMessages": ["Задача не существует."]}
        if asked.path.endswith("/transitions"):
            return 200, [
                {"id": state, "to": {"key": state, "statusType": key}} for state, key in kinds.items()
            ]
        if asked.path.endswith("/_execute"):
            found.state = asked.path.split("/")[5]
        if asked.method == "PATCH":
            _change(found, title=body.get("summary"), body=body.get("description"), labels=body.get("tags"))
        return 200, shown(found)
    return 200, {"key": "QUEUE", "name": "Queue", "issueTypesConfig": [{"issueType": {"key": "task"}}]}


def youtrack(fake: Fake, asked: Asked) -> Answer:
    """jetbrains.com/help/youtrack/devportal"""
    names = {"todo": "Submitted", "doing": "In Progress", "done": "Fixed", "declined": "Won't fix"}

    def shown(made: Made) -> dict[str, Any]:
        state = {"name": "State", "value": {"name": names[made.state]}}
        return {
            "id": f"2-{made.id}", "idReadable": f"WEB-{made.id}", "summary": made.title, "description": made.body,
            "resolved": 1 if made.state in CLOSED else None, "tags": [], "customFields": [state],
        }  # fmt: skip

    body = asked.body if isinstance(asked.body, dict) else {}
    if asked.path == "/api/users/me":
        return 200, {"login": "robot"}
    if asked.path.startswith("/api/admin/projects/"):
        values = [{"name": name, "isResolved": state in CLOSED} for state, name in names.items()]
        field = {
            "field": {"name": "State", "fieldType": {"id": "state[1]"}},
            "canBeEmpty": False,
            "bundle": {"values": values},
            "defaultValues": [{"name": "Submitted"}],
        }
        return 200, {"id": "0-1", "shortName": "WEB", "name": "Web", "customFields": [field]}
    if asked.path == "/api/issues":
        if asked.method == "POST":
            assert body["project"] == {"id": "0-1"}
            return 200, shown(fake.create(title=body["summary"], body=body["description"]))
        return 200, [shown(made) for made in fake.search(_word(asked.query["query"]))]
    found = fake.one(_last(asked.path).rpartition("-")[2])
    if found is None:
        return 404, {"error": "Not Found", "error_description": "Entity with id not found"}
    if asked.method == "POST":
        _change(found, title=body.get("summary"), body=body.get("description"))
        for each in body.get("customFields", []):
            assert each["$type"] == "StateIssueCustomField"
            found.state = next(state for state, name in names.items() if name == each["value"]["name"])
    return 200, shown(found)


def linear(fake: Fake, asked: Asked) -> Answer:
    """linear.app/developers: one address, errors with status 200"""
    types = {"todo": "unstarted", "doing": "started", "done": "completed", "declined": "canceled"}

    def shown(made: Made) -> dict[str, Any]:
        return {
            "id": made.native, "identifier": f"WEB-{made.id}", "url": f"{fake.url}/{made.id}", "title": made.title,
            "description": made.body, "priority": 0, "state": {"name": made.state, "type": types[made.state]},
            "labels": {"nodes": []},
        }  # fmt: skip

    query, given = asked.body["query"], asked.body["variables"]
    by_id = {made.native: made for made in fake.tickets if made.id not in fake.gone}
    if query.startswith("query Check"):
        return 200, {"data": {"viewer": {"name": "Robot"}, "team": {"id": "t", "name": "Web"}}}
    if query.startswith("query Team"):
        states = {"nodes": [{"id": state, "type": kind} for state, kind in types.items()]}
        return 200, {
            "data": {
                "team": {"id": "t", "states": states, "labels": {"nodes": []}, "projects": {"nodes": []}}
            }
        }
    if query.startswith("query Find"):
        wanted = given["filter"].get("id", {}).get("in")
        nodes = [
            shown(made)
            for made in fake.search("")
            if fake.finds_everything or not wanted or made.native in wanted
        ]
        return 200, {"data": {"issues": {"nodes": nodes}}}
    if query.startswith("query Get"):
        one = by_id.get(given["id"])
        return 200, {"data": {"issue": shown(one)}} if one else {
            "errors": [{"message": "Entity not found: Issue", "extensions": {"code": "INPUT_ERROR"}}]
        }
    given_input = given["input"]
    if query.startswith("mutation Create"):
        with fake.lock:
            if any(made.native == given_input["id"] for made in fake.tickets):
                return 200, {
                    "errors": [
                        {
                            "message": "Entity with this id already exists",
                            "extensions": {"code": "INPUT_ERROR"},
                        }
                    ]
                }
            made = fake.create(
                title=given_input["title"], body=given_input["description"], native=given_input["id"]
            )
        return 200, {"data": {"issueCreate": {"issue": shown(made)}}}
    made = by_id[given["id"]]
    _change(
        made,
        title=given_input.get("title"),
        body=given_input.get("description"),
        state=given_input.get("stateId"),
    )
    return 200, {"data": {"issueUpdate": {"success": True}}}


def redmine(fake: Fake, asked: Asked) -> Answer:
    """redmine.org/projects/redmine/wiki/Rest_api"""
    statuses = {
        "todo": (1, "New"),
        "doing": (2, "In Progress"),
        "done": (5, "Closed"),
        "declined": (6, "Rejected"),
    }

    def shown(made: Made) -> dict[str, Any]:
        number, name = statuses[made.state]
        return {
            "id": made.id, "subject": made.title, "description": made.body,
            "status": {"id": number, "name": name, "is_closed": made.state in CLOSED},
            "priority": {"id": 2, "name": "Normal"}, "custom_fields": made.fields.get("custom_fields") or [],
        }  # fmt: skip

    if asked.path == "/users/current.json":
        return 200, {"user": {"login": "robot"}}
    if asked.path == "/trackers.json":
        return 200, {"trackers": [{"id": 1, "name": "Bug"}]}
    if asked.path == "/enumerations/issue_priorities.json":
        return 200, {
            "issue_priorities": [
                {"id": 1, "name": "Low"},
                {"id": 2, "name": "Normal"},
                {"id": 3, "name": "High"},
            ]
        }
    if asked.path == "/issue_statuses.json":
        rows = [
            {"id": number, "name": name, "is_closed": state in CLOSED}
            for state, (number, name) in statuses.items()
        ]
        return 200, {"issue_statuses": rows}
    if asked.path == "/custom_fields.json":
        row = {
            "id": 4,
            "name": "Severity",
            "customized_type": "issue",
            "is_required": fake.required,
            "field_format": "list",
            "possible_values": [{"value": "low"}, {"value": "mid"}, {"value": "high"}],
            "trackers": [],
        }
        return 200, {"custom_fields": [row]}
    if asked.path == "/issues.json":
        if asked.method == "POST":
            given = asked.body["issue"]
            if fake.required and not given.get("custom_fields"):
                return 422, {"errors": ["Severity cannot be blank"]}
            made = fake.create(
                title=given["subject"],
                body=given["description"],
                fields={"custom_fields": given.get("custom_fields")},
            )
            return 201, {"issue": shown(made)}
        found = fake.search(asked.query.get("description", "~")[1:])
        return 200, {"issues": [shown(made) for made in found]}
    if asked.path.startswith("/issues/"):
        one = fake.one(_last(asked.path).removesuffix(".json"))
        if one is None:
            return 404, None
        if asked.method == "PUT":
            given = asked.body["issue"]
            _change(one, title=given.get("subject"), body=given.get("description"))
            if "status_id" in given:
                one.state = next(
                    state for state, (number, _n) in statuses.items() if number == given["status_id"]
                )
            return 204, None
        return 200, {"issue": shown(one)}
    return 200, {"project": {"name": "Web", "trackers": [{"id": 1, "name": "Bug"}]}}


def azure(fake: Fake, asked: Asked) -> Answer:
    """learn.microsoft.com/rest/api/azure/devops/wit"""
    states = {
        "todo": ("New", "Proposed"),
        "doing": ("Active", "InProgress"),
        "done": ("Closed", "Completed"),
        "declined": ("Removed", "Removed"),
    }

    def shown(made: Made) -> dict[str, Any]:
        fields = {
            "System.Title": made.title,
            "System.Description": made.body,
            "System.Tags": "; ".join(made.labels),
            "System.State": states[made.state][0],
        }
        return {"id": made.id, "rev": 1, "fields": {**fields, **made.fields}}

    path = asked.path
    if path.startswith("/_apis/projects/"):
        return 200, {"id": "x", "name": "Web"}
    if path.endswith("/workitemtypes"):
        return 200, {"value": [{"name": "Task"}]}
    if path.endswith("/states"):
        return 200, {"value": [{"name": name, "category": category} for name, category in states.values()]}
    if path.endswith("/fields"):
        return 200, {"value": [{"referenceName": "System.Title", "name": "Title", "alwaysRequired": True}]}
    if path.endswith("/wiql"):
        text = asked.body["query"].partition("@project AND ")[2]
        return 200, {
            "workItems": [{"id": made.id} for made in fake.search((MARKER.findall(text) or [""])[0])]
        }
    if path == "/_apis/wit/workitems":
        rows = [fake.one(number) for number in asked.query["ids"].split(",")]
        return 200, {"value": [shown(made) for made in rows if made]}
    patch = (
        {each["path"].removeprefix("/fields/"): each["value"] for each in asked.body}
        if isinstance(asked.body, list)
        else {}
    )
    tags = [tag.strip() for tag in patch["System.Tags"].split(";")] if "System.Tags" in patch else None
    if "/workitems/$" in path:
        assert asked.headers["content-type"] == "application/json-patch+json"
        made = fake.create(title=patch["System.Title"], body=patch["System.Description"], labels=tags or [])
        return 200, shown(made)
    one = fake.one(_last(path))
    if one is None:
        return 404, {"message": "TF401232: Work item does not exist."}
    _change(one, title=patch.get("System.Title"), body=patch.get("System.Description"), labels=tags)
    if "System.State" in patch:
        one.state = next(state for state, (name, _c) in states.items() if name == patch["System.State"])
    return 200, shown(one)


LANGUAGES: dict[TrackerKind, Callable[[Fake, Asked], Answer]] = {
    TrackerKind.JIRA: jira,
    TrackerKind.JIRA_DC: jira,
    TrackerKind.GITHUB: github,
    TrackerKind.GITLAB: gitlab,
    TrackerKind.YANDEX: yandex,
    TrackerKind.YOUTRACK: youtrack,
    TrackerKind.LINEAR: linear,
    TrackerKind.REDMINE: redmine,
    TrackerKind.AZURE: azure,
    TrackerKind.GITEA: gitea,
}
_CREATIONS = {
    TrackerKind.YANDEX: "/v3/issues/",
    TrackerKind.YOUTRACK: "/api/issues",
    TrackerKind.REDMINE: "/issues.json",
}


def is_creation(kind: TrackerKind, asked: Asked) -> bool:
    """Whether a request wants a new ticket."""
    if asked.method != "POST":
        return False
    if kind is TrackerKind.LINEAR:
        return "mutation Create" in str(asked.body)
    if kind is TrackerKind.AZURE:
        return "/workitems/$" in asked.path
    if kind in (TrackerKind.JIRA, TrackerKind.JIRA_DC):
        return asked.path.endswith("/issue")
    return asked.path == _CREATIONS[kind] if kind in _CREATIONS else asked.path.endswith("/issues")
