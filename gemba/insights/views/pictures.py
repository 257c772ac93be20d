"""Pictures of a note: added after cropping and blacking out in the browser, shown, taken away.

Files of insights are served here too: a document only ever as a download.
"""

from typing import Any
from urllib.parse import quote

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import RequestEntityTooLarge

from gemba.clock import now
from gemba.db import db
from gemba.errors import GembaError, Invalid
from gemba.insights import service
from gemba.insights.forms import PictureForm
from gemba.insights.rules import documents
from gemba.insights.rules.documents import SUFFIXES
from gemba.insights.rules.images import BYTES_MAX, TOO_LARGE
from gemba.insights.service import pictures
from gemba.insights.views.edge import Answer, blueprint
from gemba.insights.views.notes import note_fragment, refused
from gemba.web.access import me, signed_in
from gemba.web.limits import limiter
from gemba.web.pages import say

ROOM = BYTES_MAX + 64 * 1024
"""A picture and the fields beside it."""


@blueprint.url_value_preprocessor
def _make_room(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """This page takes more than others; said before anything reads the form."""
    if endpoint == "insights.note_pictures":
        request.max_content_length = ROOM


@blueprint.route("/visits/<int:visit_id>/notes/<int:note_id>/pictures", methods=["GET", "POST"])
@limiter.limit("60 per 10 minutes", methods=["POST"])
@signed_in
def note_pictures(visit_id: int, note_id: int) -> Answer:
    """The pictures of one's own note, and a field for one more.

    A POST with the header `X-Fragment: note` is answered as one of a note: by its HTML or one sentence.
    """
    visit = service.visit_for_notes(me(), visit_id)
    note = service.get_note(me(), note_id)
    form = PictureForm()
    is_fragment = request.headers.get("X-Fragment") == "note"
    if form.submitted():
        if refusal := service.why_not(visit, me(), now()):
            raise refusal
        try:
            pictures.add(note, me(), form.picture.data.read(), now=now())
        except Invalid as invalid:
            db.session.rollback()
            form.take_errors(invalid)
        except GembaError as error:
            db.session.rollback()
            form.refuse(say(error))
        else:
            db.session.commit()
            if is_fragment:
                return note_fragment(note), 201
            flash(_("The picture is added."), "success")
            return redirect(url_for(".note_pictures", visit_id=visit_id, note_id=note_id), 303)
    if is_fragment and form.errors:
        return refused(" ".join(str(one) for errors in form.errors.values() for one in errors), 422)
    return render_template("insights/pictures.html", visit=visit, note=note, form=form), (
        422 if form.errors else 200
    )


@blueprint.get("/pictures/<int:picture_id>")
@signed_in
def picture(picture_id: int) -> Response:
    """The picture itself, as nothing else than a picture; a document to be saved, never opened by us."""
    row, data = pictures.get(me(), picture_id)
    answer = Response(data, content_type=row.media)
    plain = f"{'picture' if row.is_drawn else 'file'}-{row.id}.{SUFFIXES[row.media]}"
    told = f'{"inline" if row.is_drawn else "attachment"}; filename="{plain}"'
    if row.name:
        told += f"; filename*=UTF-8''{quote(row.name, safe='')}"
    answer.headers["Content-Disposition"] = told
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox; frame-ancestors 'none'"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@blueprint.post("/pictures/<int:picture_id>/remove")
@signed_in
def remove_picture(picture_id: int) -> Answer:
    """Takes one's own picture away."""
    row = pictures.remove(me(), picture_id)
    db.session.commit()
    flash(_("The picture is gone."), "success")
    note = row.observation_id or 0
    return redirect(url_for(".note_pictures", visit_id=service.visit_id_of(note), note_id=note), 303)


@blueprint.errorhandler(RequestEntityTooLarge)
def too_large(_error: RequestEntityTooLarge) -> Answer:
    """What is too large for a note's picture is refused in the words of pictures, else in those of files."""
    if request.headers.get("X-Fragment") == "note":
        return refused(_(TOO_LARGE), 413)
    sentence = documents.TOO_LARGE if request.endpoint == "insights.files" else TOO_LARGE
    words = {"title": _("Too large"), "text": _(sentence), "error_id": ""}
    return render_template("errors/error.html", status=413, **words), 413
