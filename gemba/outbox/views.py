"""The outbox page: what waits, what failed, send again, give up."""

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import format_timedelta
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from gemba.clock import now
from gemba.db import db
from gemba.outbox import service
from gemba.outbox.rules import WAITING, State, lost_its_secret
from gemba.people.rules import Role
from gemba.web.access import requires

blueprint = Blueprint("outbox", __name__)

SHOWN = {
    "all": None,
    "waiting": WAITING,
    "failed": frozenset({State.DEAD}),
    "sent": frozenset({State.DONE}),
    "dropped": frozenset({State.DROPPED}),
}


@blueprint.get("/outbox")
@requires(Role.ADMIN)
def index() -> str:
    """What waits, what failed, what left."""
    state, cursor = _shown(), request.args.get("cursor", type=_id)
    page = service.list_items(SHOWN[state], cursor)
    return render_template(
        "outbox/index.html",
        state=state,
        page=page,
        cursor=cursor,
        figures=service.waiting(now()),
        now=now(),
        duration=duration,
    )


@blueprint.post("/outbox/<int:item_id>/retry")
@requires(Role.ADMIN)
def retry(item_id: int) -> Response:
    """Sends one item again."""
    item = service.retry(item_id, now=now())
    db.session.commit()
    flash(_("On its way again to %(recipient)s.", recipient=item.recipient), "success")
    return redirect(url_for("outbox.index", state=_shown()), 303)


@blueprint.post("/outbox/<int:item_id>/discard")
@requires(Role.ADMIN)
def discard(item_id: int) -> Response:
    """Gives one item up."""
    item = service.discard(item_id, now=now())
    db.session.commit()
    words = _("Given up: nothing will be sent to %(recipient)s.", recipient=item.recipient)
    undo = None if lost_its_secret(item.payload) else url_for("outbox.retry", item_id=item_id)
    flash({"text": words, "action": undo, "label": _("Undo")}, "success")  # type: ignore[arg-type]
    return redirect(url_for("outbox.index", state=_shown()), 303)


def duration(span: timedelta) -> str:
    """About how long: 40 seconds, 3 hours."""
    return str(format_timedelta(span, threshold=1.0))


def _shown() -> str:
    asked = request.values.get("state", "all")
    return asked if asked in SHOWN else "all"


def _id(text: str) -> int:
    number = int(text)
    if not 0 < number < 2**31:
        raise ValueError(text)
    return number
