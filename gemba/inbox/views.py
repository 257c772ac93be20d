"""The page of what came in by mail, for admins."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from gemba.clock import now
from gemba.config import current_settings
from gemba.db import db
from gemba.inbox import service, words
from gemba.inbox.rules import Outcome
from gemba.people.rules import Role
from gemba.web.access import client_address, me, requires

blueprint = Blueprint("inbox", __name__)


@blueprint.get("/outbox/received")
@requires(Role.ADMIN)
def received() -> str:
    """What came in, newest first."""
    cursor = request.args.get("cursor", type=_id)
    return render_template(
        "inbox/received.html",
        page=service.list_received(cursor),
        held=service.count_held(),
        cursor=cursor,
        words=words,
        takes_replies=current_settings().takes_replies,
    )


@blueprint.post("/outbox/received/<int:mail_id>/count")
@requires(Role.ADMIN)
def let_count(mail_id: int) -> Response:
    """Has a held answer count."""
    row = service.let_count(mail_id, by=me(), now=now(), address=client_address())
    db.session.commit()
    flash(words.sentence_of(row.result), "success" if row.result == Outcome.COUNTED else "info")
    return redirect(url_for("inbox.received"), 303)


@blueprint.post("/outbox/received/<int:mail_id>/dismiss")
@requires(Role.ADMIN)
def dismiss(mail_id: int) -> Response:
    """Puts a held answer aside."""
    service.dismiss(mail_id)
    db.session.commit()
    flash(_("Put aside: this answer will not count."), "success")
    return redirect(url_for("inbox.received"), 303)


def _id(text: str) -> int:
    number = int(text)
    if not 0 < number < 2**31:
        raise ValueError(text)
    return number
