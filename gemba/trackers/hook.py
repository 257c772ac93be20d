"""POST /hooks/trackers/<id>: a tracker says that something changed. Its body is believed in nothing but where
to look: what changed is then asked of the tracker itself, so that neither a replay nor an echo does harm."""

from flask import Blueprint, request
from werkzeug.exceptions import RequestEntityTooLarge

from gemba.clock import now
from gemba.db import db
from gemba.sealing import KeyChanged
from gemba.trackers.adapters import ADAPTERS
from gemba.trackers.adapters.base import hook_json
from gemba.trackers.rules.kinds import TrackerKind
from gemba.trackers.service import chain, connections
from gemba.web.access import public
from gemba.web.limits import limiter

blueprint = Blueprint("tracker_hooks", __name__)

LARGEST = 1024 * 1024
PER_MINUTE = "240 per minute"

Answer = tuple[str, int, dict[str, str]]


@blueprint.post("/hooks/trackers/<int:tracker_id>")
@public
@limiter.limit(PER_MINUTE)
def tracker(tracker_id: int) -> Answer:
    """202 for what is signed, 401 for anything else, whether there is such a tracker or not."""
    request.max_content_length = LARGEST
    try:
        raw = request.get_data(cache=False)
    except RequestEntityTooLarge:
        return _say("too large", 413)
    row = connections.for_hook(tracker_id)
    if row is None:
        return _say("unauthorized", 401)
    headers = {name.lower(): value for name, value in request.headers.items()}
    adapter = ADAPTERS[TrackerKind(row.kind)]
    try:
        signed = adapter.verify(headers, raw, connections.hook_secret_of(row), now())
    except KeyChanged:
        signed = False
    if not signed:
        return _say("unauthorized", 401)
    try:
        refs = adapter.refs_in(hook_json(raw))
    except (TypeError, AttributeError, KeyError):
        refs = []
    chain.look_soon(row.id, [ref for ref in refs if len(ref) <= 100], now())
    db.session.commit()
    return _say("accepted", 202)


def _say(words: str, status: int) -> Answer:
    return f"{words}\n", status, {"Content-Type": "text/plain; charset=utf-8"}
