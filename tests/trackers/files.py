"""How each tracker that takes files is given one and lists them, as its vendor's pages tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gemba.trackers.rules.kinds import TrackerKind

if TYPE_CHECKING:
    from tests.trackers.fake import Asked, Fake, Made

Answer = tuple[int, Any]
_TICKET = re.compile(r"/(?:issues?|workitems)/([^/.$]+)")
_SENT = re.compile(rb'filename="([^"]+)"')


def files(fake: Fake, asked: Asked) -> Answer | None:
    """The answer to a request about files, None for any other request."""
    found = _TICKET.search(asked.path)
    number = int(re.sub(r"\D", "", found[1].rpartition("-")[2]) or 0) if found else 0
    made = fake.one(number - 10000 if number > 10000 else number) if found else None
    match fake.kind:
        case TrackerKind.JIRA | TrackerKind.JIRA_DC:
            return _jira(made, asked)
        case TrackerKind.REDMINE:
            return _redmine(made, asked)
        case TrackerKind.GITLAB:
            return _gitlab(made, asked)
        case TrackerKind.AZURE:
            return _azure(made, asked)
    return _plain(made, asked) if asked.path.rstrip("/").endswith(("/attachments", "/assets")) else None


def is_file(asked: Asked) -> bool:
    """Whether a request brings a file to its ticket."""
    said = str(asked.body)
    steps = ("'uploads'", "AttachedFile", "/uploads/x/")
    whole = asked.method == "POST" and asked.path.rstrip("/").endswith(("/attachments", "/assets"))
    return (whole and "_apis" not in asked.path) or any(each in said for each in steps)


def _name(asked: Asked) -> str:
    found = _SENT.search(asked.body) if isinstance(asked.body, bytes) else None
    return found[1].decode() if found else ""


def _jira(made: Made | None, asked: Asked) -> Answer | None:
    if made is None:
        return None
    if asked.path.endswith("/attachments"):
        made.files.append(_name(asked))
        return 200, [{"filename": made.files[-1]}]
    if asked.query.get("fields") == "attachment":
        return 200, {"id": "1", "fields": {"attachment": [{"filename": name} for name in made.files]}}
    return None


def _redmine(made: Made | None, asked: Asked) -> Answer | None:
    if asked.path == "/uploads.json":
        return 201, {"upload": {"token": "1.abc"}}
    if made is not None and asked.method == "PUT" and "uploads" in asked.body["issue"]:
        made.files += [each["filename"] for each in asked.body["issue"]["uploads"]]
        return 204, None
    if made is not None and asked.query.get("include") == "attachments":
        return 200, {"issue": {"id": made.id, "attachments": [{"filename": name} for name in made.files]}}
    return None


def _gitlab(made: Made | None, asked: Asked) -> Answer | None:
    if asked.path.endswith("/uploads"):
        name = _name(asked)
        return 201, {"markdown": f"![{name.partition('.')[0]}](/uploads/x/{name})"}
    if made is None or not asked.path.endswith("/notes"):
        return None
    if asked.method == "POST":
        made.files.append(re.findall(r"/uploads/x/([^)]+)\)", asked.body["body"])[0])
        return 201, {"id": 1}
    return 200, [{"body": f"![x](/uploads/x/{name})"} for name in made.files] + [{"body": "Nice."}]


def _azure(made: Made | None, asked: Asked) -> Answer | None:
    if asked.path.endswith("/_apis/wit/attachments"):
        return 201, {"id": "1", "url": f"https://dev.azure.example/a/{asked.query['fileName']}"}
    if made is not None and asked.method == "PATCH" and "AttachedFile" in str(asked.body):
        made.files.append(asked.body[0]["value"]["url"].rpartition("/")[2])
        return 200, {"id": made.id, "fields": {}}
    if made is not None and asked.query.get("$expand") == "relations":
        return 200, {"id": made.id, "relations": [{"attributes": {"name": name}} for name in made.files]}
    return None


def _plain(made: Made | None, asked: Asked) -> Answer | None:
    if made is None:
        return 404, {"message": "Not Found"}
    if asked.method == "POST":
        made.files.append(_name(asked))
        return 201, {"name": made.files[-1]}
    return 200, [{"name": name} for name in made.files]
