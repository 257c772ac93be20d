"""Many insights at once, and the views of the backlog that people keep."""

from typing import Any
from urllib.parse import urlencode

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid, Refused
from gemba.insights.forms import WHICH_ONE
from gemba.insights.rules.filters import NAMES
from gemba.insights.rules.reference import insight_number
from gemba.insights.service import bulk, saved
from gemba.insights.views.edge import Answer, blueprint, number_of, status_changes
from gemba.people.rules import Role
from gemba.web.access import me, requires, safe_next, signed_in
from gemba.web.pages import say

editors = requires(Role.OWNER, Role.ADMIN)


@blueprint.post("/backlog/bulk")
@editors
def change_many() -> Answer:
    """Changes all chosen insights, or none, and offers to take it back."""
    back = safe_next(request.form.get("back") or url_for(".backlog"))
    try:
        made = bulk.change(_numbers(request.form.getlist("insight")), me(), now=now(), **_wanted())
        db.session.commit()
    except (Invalid, Refused) as refusal:
        db.session.rollback()
        sentences = (
            [_(one) for many in refusal.errors.values() for one in many]
            if isinstance(refusal, Invalid)
            else [say(refusal)]
        )
        flash(" ".join(sentences), "error")
        return redirect(back, 303)
    undo = {
        "text": _("Changed all that you chose."),
        "action": url_for(".undo_many", bulk_id=made.id, back=back),
        "label": _("Take it back"),
    }
    flash(undo, "success")  # type: ignore[arg-type]
    return redirect(back, 303)


@blueprint.post("/backlog/bulk/<int:bulk_id>/undo")
@editors
def undo_many(bulk_id: int) -> Answer:
    """Takes a change of many insights back."""
    count = bulk.undo(bulk_id, me(), now=now())
    db.session.commit()
    flash(ngettext("Taken back for %(num)s insight.", "Taken back for %(num)s insights.", count), "success")
    return redirect(safe_next(request.args.get("back") or url_for(".backlog")), 303)


@blueprint.post("/backlog/views")
@signed_in
def keep_view() -> Answer:
    """Keeps the question of the list under a name."""
    asked = [(name, value) for name in (*NAMES, "col") for value in request.form.getlist(name) if value]
    try:
        name, shared = request.form.get("name", ""), request.form.get("shared") == "1"
        saved.keep(me(), name, urlencode(asked), shared=shared, now=now())
        db.session.commit()
        flash(_("The view is kept."), "success")
    except Invalid as invalid:
        db.session.rollback()
        flash(" ".join(_(one) for many in invalid.errors.values() for one in many), "error")
    return redirect(f"{url_for('.backlog')}?{urlencode(asked)}", 303)


@blueprint.post("/backlog/views/<int:view_id>/remove")
@signed_in
def remove_view(view_id: int) -> Answer:
    """Removes a view."""
    saved.remove(view_id, me())
    db.session.commit()
    flash(_("The view is removed."), "success")
    return redirect(url_for(".backlog"), 303)


def _wanted() -> dict[str, Any]:
    """What the pressed button says to do with all chosen."""
    form, act = request.form, request.form.get("act", "")
    reason = form.get("reason", "")
    match act:
        case "status":
            return {"changes": status_changes(form.get("to_status", "")), "reason": reason}
        case "owner":
            return {"changes": {"owner_id": number_of(form.get("to_owner", ""))}}
        case "product":
            return {"changes": {"product_id": number_of(form.get("to_product", ""))}}
        case "tags" if form.get("add_tags", "").strip():
            return {"changes": {}, "add_tags": form["add_tags"]}
        case "merge" if into := insight_number(form.get("into", "")):
            return {"changes": {}, "into_id": into}
        case "tags":
            raise Invalid({"add_tags": [_("Write the tags to add.")]})
        case "merge":
            raise Invalid({"into": [str(WHICH_ONE)]})
    raise Invalid({"act": [_("Choose what to do.")]})


def _numbers(texts: list[str]) -> list[int]:
    return [number for text in texts if (number := number_of(text)) is not None]
