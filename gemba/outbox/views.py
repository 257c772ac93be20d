"""The outbox room: what waits, what failed, what left, what it says; send again, give up."""

from datetime import timedelta

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask_babel import format_timedelta, ngettext
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from gemba.clock import now
from gemba.db import db
from gemba.outbox import room, service
from gemba.outbox.models import OutboxItem
from gemba.outbox.room import About, Alarm
from gemba.outbox.rules import TRIES, WAITING, Permanent, State, lost_its_secret
from gemba.people import service as people
from gemba.people.rules import Role
from gemba.web.access import client_address, me, requires

blueprint = Blueprint("outbox", __name__)

SHOWN = {
    "all": None,
    "waiting": WAITING,
    "failed": frozenset({State.DEAD}),
    "sent": frozenset({State.DONE}),
    "dropped": frozenset({State.DROPPED}),
}
ADDRESS_MAX = 254


@blueprint.get("/outbox")
@requires(Role.ADMIN)
def index() -> str:
    """What waits, what failed, what left; narrowed by what it is about and to whom it goes."""
    filters, cursor = _filters(), request.args.get("cursor", type=_id)
    about = About(filters["about"]) if filters["about"] else None
    state = filters["state"] or "all"
    return render_template(
        "outbox/index.html",
        state=state,
        filters=filters,
        page=room.find(SHOWN[state], about, filters["to"] or "", cursor),
        cursor=cursor,
        figures=service.waiting(now()),
        now=now(),
        duration=duration,
        subject_of=subject_of,
        abouts=_about_words(),
    )


@blueprint.get("/outbox/<int:item_id>")
@requires(Role.ADMIN)
def show(item_id: int) -> str:
    """One message: how it stands, what was done about it, and its words as the person reads them."""
    item = room.get(item_id)
    words, trouble = None, ""
    try:
        words = room.words_of(item)
    except Permanent as error:
        trouble = str(error)
    return render_template(
        "outbox/message.html",
        item=item,
        words=words,
        trouble=trouble,
        subject=subject_of(item),
        log=people.audit_of(f"outbox:{item_id}"),
        now=now(),
        tries=TRIES,
    )


@blueprint.post("/outbox/<int:item_id>/retry")
@requires(Role.ADMIN)
def retry(item_id: int) -> Response:
    """Sends one item again."""
    item = service.retry(item_id, now=now())
    _log("outbox-retried", item)
    db.session.commit()
    flash(_("On its way again to %(recipient)s.", recipient=_recipient(item)), "success")
    return _back(item_id)


@blueprint.post("/outbox/<int:item_id>/discard")
@requires(Role.ADMIN)
def discard(item_id: int) -> Response:
    """Gives one item up."""
    item = service.discard(item_id, now=now())
    _log("outbox-discarded", item)
    db.session.commit()
    words = _("Given up: nothing will be sent to %(recipient)s.", recipient=_recipient(item))
    undo = None if lost_its_secret(item.payload) else url_for("outbox.retry", item_id=item_id)
    flash({"text": words, "action": undo, "label": _("Undo")}, "success")  # type: ignore[arg-type]
    return _back(item_id)


@blueprint.post("/outbox/retry-failed")
@requires(Role.ADMIN)
def retry_failed() -> Response:
    """Sends everything again that failed and still may."""
    count = service.retry_failed(now=now())
    people.audit(me(), "outbox-retried", "outbox", {"count": count}, now(), client_address())
    db.session.commit()
    if count:
        flash(ngettext("%(num)d is on its way again.", "%(num)d are on their way again.", count), "success")
    else:
        flash(_("None of these may be sent again: newer words are there, or a code that is gone."), "info")
    return redirect(url_for("outbox.index", state="waiting" if count else "failed"), 303)


def duration(span: timedelta) -> str:
    """About how long: 40 seconds, 3 hours."""
    return str(format_timedelta(span, threshold=1.0))


def subject_of(item: OutboxItem) -> str:
    """What a message is, in some words: its template's, else its kind."""
    template = item.payload.get("template")
    known = {
        "sign_in": _("Sign in to Gemba"),
        "visit_booked": _("Visit booked"),
        "visit_moved": _("Visit moved"),
        "visit_cancelled": _("Visit cancelled"),
        "visit_notice": _("Request or held hour"),
        "visit_answer": _("Answer to an invite"),
        "visit_reminder": _("Reminder of a visit"),
        "visit_outcome": _("Question whether a visit took place"),
    }
    return str(known.get(template or "", item.kind))


def _about_words() -> dict[str, str]:
    return {
        About.INVITES: _("Invites"),
        About.REMINDERS: _("Reminders"),
        About.NOTICES: _("Answers and requests"),
        About.SIGN_IN: _("Sign-in"),
        About.WORK: _("Work behind the scenes"),
    }


def _recipient(item: OutboxItem) -> str:
    return item.recipient or _("nobody in particular")


def _log(action: str, item: OutboxItem) -> None:
    detail = {"to": item.recipient, "kind": item.kind, "group": item.group_key}
    people.audit(me(), action, f"outbox:{item.id}", detail, now(), client_address())


def _filters() -> dict[str, str | None]:
    """What was asked for, as it stands in addresses; None where nothing was, or what makes no sense."""
    state, about, to = (request.values.get(name, "").strip() for name in ("state", "about", "to"))
    return {
        "state": state if state in SHOWN and state != "all" else None,
        "about": about if about in set(About) else None,
        "to": to[:ADDRESS_MAX] or None,
    }


def _back(item_id: int) -> Response:
    """To the message or the list the button stood on."""
    if request.form.get("from") == "message":
        return redirect(url_for("outbox.show", item_id=item_id), 303)
    return redirect(url_for("outbox.index", **_filters()), 303)  # type: ignore[arg-type]


def _id(text: str) -> int:
    number = int(text)
    if not 0 < number < 2**31:
        raise ValueError(text)
    return number


def _alarm() -> Alarm:
    return room.alarm(now())


def init_app(app: Flask) -> None:
    """The room, the alarm that base.html shows to admins, and what is done each hour."""
    app.register_blueprint(blueprint)
    app.add_template_global(_alarm, "outbox_alarm")
    app.add_template_global(duration, "duration")
    room.init_app()
