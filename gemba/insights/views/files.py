"""Files of an insight: added, removed and brought back by owners and admins."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import format_decimal
from flask_babel import gettext as _

from gemba.clock import now
from gemba.db import db
from gemba.errors import GembaError, Invalid
from gemba.insights import service
from gemba.insights.forms import FileForm
from gemba.insights.rules.documents import ACCEPTED
from gemba.insights.rules.images import BYTES_MAX
from gemba.insights.service import files as kept
from gemba.insights.views.edge import Answer, blueprint
from gemba.people.rules import Role
from gemba.web.access import me, requires
from gemba.web.limits import limiter
from gemba.web.pages import say

ROOM = BYTES_MAX + 64 * 1024
"""A file and the fields beside it."""
KB, MB = 1024, 1024 * 1024
editors = requires(Role.OWNER, Role.ADMIN)


@blueprint.url_value_preprocessor
def _make_room_for_file(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """This page takes more than others; said before anything reads the form."""
    if endpoint == "insights.files":
        request.max_content_length = ROOM


@blueprint.app_template_filter("file_size")
def file_size(size: int) -> str:
    """A size in the reader's words: whole kilobytes, and megabytes to the tenth."""
    if size < MB:
        return str(_("%(number)s KB", number=format_decimal(max(round(size / KB), 1))))
    return str(_("%(number)s MB", number=format_decimal(round(size / MB, 1))))


@blueprint.route("/insights/<int:insight_id>/files", methods=["GET", "POST"])
@limiter.limit("60 per 10 minutes", methods=["POST"])
@editors
def files(insight_id: int) -> Answer:
    """A field for one more file of an insight."""
    insight = service.get(insight_id, me(), now=now()).item.insight
    form = FileForm()
    if form.submitted():
        sent = form.file.data
        try:
            made = kept.read(sent.read(BYTES_MAX + 1), sent.filename or "")
            row = kept.add(insight_id, me(), made, sent.filename or "", now=now())
        except Invalid as invalid:
            db.session.rollback()
            form.take_errors(invalid)
        except GembaError as error:
            db.session.rollback()
            form.refuse(say(error))
        else:
            db.session.commit()
            flash(_("%(name)s is added.", name=row.name), "success")
            return redirect(url_for(".show", insight_id=insight_id, _anchor="files"), 303)
    return render_template("insights/files.html", insight=insight, form=form, accepted=ACCEPTED), (
        422 if form.errors else 200
    )


@blueprint.post("/files/<int:file_id>/remove")
@editors
def remove_file(file_id: int) -> Answer:
    """Removes a file of an insight and offers to bring it back."""
    row = kept.remove(file_id, me(), now=now())
    db.session.commit()
    undo = {
        "text": _("%(name)s is removed. It is deleted for good in a day.", name=row.name),
        "action": url_for(".restore_file", file_id=row.id),
        "label": _("Bring it back"),
    }
    flash(undo, "success")  # type: ignore[arg-type]
    return redirect(url_for(".show", insight_id=row.insight_id, _anchor="files"), 303)


@blueprint.post("/files/<int:file_id>/restore")
@editors
def restore_file(file_id: int) -> Answer:
    """Brings a removed file back."""
    row = kept.restore(file_id, me(), now=now())
    db.session.commit()
    flash(_("%(name)s is back.", name=row.name), "success")
    return redirect(url_for(".show", insight_id=row.insight_id, _anchor="files"), 303)
