"""Agents' busy calendars."""

from typing import Any

from flask import g, request

from gemba.api.blueprint import call
from gemba.api.lookups import caller
from gemba.api.schemas import calendars as shapes
from gemba.calendars import service
from gemba.calendars.copies import Copy
from gemba.calendars.service import Listed
from gemba.calendars.uploads import read_upload
from gemba.clock import now
from gemba.errors import Invalid
from gemba.people.rules import clean_line

PATH = "/agents/<id:agent_id>/busy-sources"


@call("GET", PATH, tag="Agents", answer=shapes.BusySources, problems=[404])
def list_busy_sources(agent_id: int) -> Any:
    """An agent's busy calendars

    For the agent, the lead of their line and admins.
    """
    return {"items": [_document(each) for each in service.sources_of(caller(), agent_id, now())]}


def _read_file(_body: Any, agent_id: int) -> tuple[Copy, str, str] | None:
    """What an uploaded file says, with its name and file name; None where an address is given."""
    if request.is_json:
        return None
    data, name, file_name = request.get_data(cache=True), "", ""
    if request.mimetype == "multipart/form-data":
        file = request.files.get("file")
        if file is None:
            raise Invalid({"file": ["Send the calendar as file."]})
        data, file_name = file.read(), file.filename or ""
        name = clean_line(request.form.get("name", ""))
    return read_upload(caller(), agent_id, data, now=now()), name, file_name


@call(
    "POST",
    PATH,
    tag="Agents",
    body=shapes.NewBusySource,
    answer=shapes.BusySource,
    status=201,
    problems=[404, 409],
    prepare=_read_file,
)
def add_busy_source(body: Any, agent_id: int) -> Any:
    """Add a busy calendar

    An address is read by a worker in a moment, and then every half an hour: look at `fetched_at` and `error`.
    A file, as text/calendar or as `file` of multipart/form-data, is read at once and never again.
    """
    if request.is_json:
        if not body.get("url"):
            raise Invalid({"url": ["Give the address of a calendar."]})
        row = service.add_address(caller(), agent_id, url=body["url"], name=body.get("name", ""), now=now())
    else:
        copy, name, file_name = g.prepared
        row = service.add_file(caller(), agent_id, copy=copy, name=name, file_name=file_name, now=now())
    return _document(service.listed(caller(), row, now()))


@call("DELETE", f"{PATH}/<id:source_id>", tag="Agents", answer=shapes.BusySource, problems=[404])
def remove_busy_source(agent_id: int, source_id: int) -> Any:
    """Remove a busy calendar

    Its busy times are forgotten. Answers what it was.
    """
    return _document(service.remove(caller(), agent_id, source_id, now()))


def _document(source: Listed) -> dict[str, Any]:
    names = ("id", "name", "events", "fetched_at", "tried_at", "known_until", "stale", "created_at")
    return {
        **{name: getattr(source, name) for name in names},
        "url": source.address or None,
        "error": source.error or None,
    }
