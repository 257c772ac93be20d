"""Trackers and exports."""

from typing import Any

from flask import request

from gemba.api.blueprint import call
from gemba.api.lookups import caller
from gemba.api.schemas import trackers as shapes
from gemba.api.shapes import insight_url
from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid
from gemba.trackers.adapters.errors import SignInRefused, TrackerError, sentence_of
from gemba.trackers.models import Connection, ExportItem
from gemba.trackers.rules.kinds import ItemState
from gemba.trackers.rules.mapping import unfilled
from gemba.trackers.service import connections, exports

TRACKER = "/trackers/<id:tracker_id>"
ALL_ITEMS = 2000


@call("GET", "/trackers", tag="Trackers", answer=shapes.Trackers, problems=[403])
def list_trackers() -> Any:
    """All connections

    For owners and admins.
    """
    return {"items": [_document(row) for row in connections.all_trackers(caller())]}


@call(
    "POST",
    "/trackers",
    tag="Trackers",
    body=shapes.NewTracker,
    answer=shapes.Tracker,
    status=201,
)
def add_tracker(body: Any) -> Any:
    """Connect a tracker

    For admins. Credentials are stored encrypted and never answered. Check it next.
    """
    return _document(connections.add(caller(), body, now=now()))


@call("PATCH", TRACKER, tag="Trackers", body=shapes.TrackerChange, answer=shapes.Tracker, problems=[404])
def change_tracker(body: Any, tracker_id: int) -> Any:
    """Change a connection

    For admins. Credentials that are left out stay, except with another address.
    """
    return _document(connections.change(tracker_id, caller(), body, now=now()))


@call("DELETE", TRACKER, tag="Trackers", answer=shapes.Tracker, problems=[404])
def remove_tracker(tracker_id: int) -> Any:
    """Remove a connection

    Its token and what Gemba knows of its tickets are forgotten; the tickets stay. Answers what it was.
    """
    was = _document(connections.get(tracker_id, caller(), manage=True))
    connections.remove(tracker_id, caller(), now=now())
    return was


@call(
    "POST",
    f"{TRACKER}/check",
    tag="Trackers",
    body=shapes.CheckNow,
    answer=shapes.Tracker,
    problems=[404, 409],
)
def check_tracker(_body: Any, tracker_id: int) -> Any:
    """Ask a tracker what its token may do

    Reads its fields anew and ends a pause. 422 with the tracker's own words where it does not work.
    """
    adapter = connections.adapter_of(connections.get(tracker_id, caller(), manage=True))
    if "Idempotency-Key" not in request.headers:
        db.session.rollback()  # no transaction stays open while the tracker thinks
    try:
        found = connections.look(adapter)
    except TrackerError as error:
        if isinstance(error, SignInRefused):
            connections.token_refused(tracker_id, now=now())
            db.session.commit()
        raise Invalid({"credentials": [f"{error.sentence} {error.said}".strip()]}) from error
    return _document(connections.keep_look(tracker_id, caller(), found, now=now()))


@call(
    "POST",
    f"{TRACKER}/exports",
    tag="Trackers",
    body=shapes.NewExport,
    answer=shapes.Started,
    status=202,
    problems=[404, 409],
)
def start_export(body: Any, tracker_id: int) -> Any:
    """Export insights

    A worker makes or updates their tickets, one each however often this is called; look at /exports/{id}.
    """
    export = exports.start(
        tracker_id, caller(), body["insights"], url_of=insight_url, dry=body["dry_run"], now=now()
    )
    return {"id": export.id}


@call("GET", "/exports/<id:export_id>", tag="Trackers", answer=shapes.Export, problems=[403, 404])
def show_export(export_id: int) -> Any:
    """How far an export has come"""
    progress = exports.progress(export_id, caller())
    items = exports.items(export_id, limit=ALL_ITEMS)
    return {
        "id": progress.export.id,
        "tracker": progress.export.tracker_id,
        "status": progress.status,
        "made_at": progress.export.made_at,
        "items": [
            {
                "insight": item.insight_id,
                "action": item.action,
                "state": item.state,
                "key": item.claim.key or None if item.claim else None,
                "url": item.claim.url or None if item.claim else None,
                "error": _error(item),
            }
            for item in items
        ],
    }


def _error(item: ExportItem) -> str | None:
    kept = item.error or (item.claim.error if item.claim and item.state != ItemState.DONE else "")
    return " ".join(filter(None, sentence_of(kept))) or None


def _document(row: Connection) -> dict[str, Any]:
    waits = row.wait_until is not None and row.wait_until > now()
    names = (
        "id",
        "kind",
        "name",
        "base_url",
        "project",
        "item_type",
        "rule_score",
        "wait_until",
        "checked_at",
    )
    plan = connections.plan_of(row)
    return {
        **{name: getattr(row, name) for name in names},
        "mapping": plan.plain(),
        "state": "paused" if row.trouble else "waiting" if waits else "working",
        "rights": {right.value: may for right, may in connections.rights_of(row).items()},
        "expires": row.checked.get("expires"),
        "missing": unfilled(plan, connections.fields_of(row)),
    }
