"""Notes of a visit: the live page, one note by a form or by fetch, edit, take back, add as evidence."""

import uuid
from datetime import datetime
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from gemba.clock import now
from gemba.db import db
from gemba.errors import GembaError
from gemba.insights import service
from gemba.insights.forms import EditNoteForm, NoteForm, TargetForm
from gemba.insights.models import Observation
from gemba.insights.rules import marks
from gemba.insights.rules.kinds import TEXT_MAX, Kind
from gemba.insights.service import NoteFields
from gemba.insights.views.edge import Answer, blueprint, product_choices
from gemba.visits.forms import parse_instant, stamp
from gemba.visits.models import Visit
from gemba.web.access import me, signed_in
from gemba.web.pages import say


@blueprint.route("/visits/<int:visit_id>/notes", methods=["GET", "POST"])
@signed_in
def notes(visit_id: int) -> Answer | Response:
    """The notes of a visit, and a field for the next one.

    A POST with the header `X-Fragment: note` is answered by the note as HTML (201, or 200 where it was
    known), refusals by one sentence as text.
    """
    visit = service.visit_for_notes(me(), visit_id)
    form = NoteForm()
    is_fragment = request.headers.get("X-Fragment") == "note"
    if form.submitted():
        try:
            note, is_new = _record(visit, form)
        except GembaError as refusal:
            if not is_fragment:
                raise
            db.session.rollback()
            return _refused(say(refusal), refusal.status)
        db.session.commit()
        if is_fragment:
            return _fragment(note), 201 if is_new else 200
        flash(_("Saved."), "success")
        return redirect(url_for(".notes", visit_id=visit_id), 303)
    if is_fragment and form.errors:
        return _refused(" ".join(str(one) for errors in form.errors.values() for one in errors), 422)
    return _notes_page(visit, form), 422 if form.errors else 200


@blueprint.route("/visits/<int:visit_id>/notes/<int:note_id>", methods=["GET", "POST"])
@signed_in
def edit_note(visit_id: int, note_id: int) -> Answer:
    """Everything a note can say, to be said better."""
    visit = service.visit_for_notes(me(), visit_id)
    note = service.get_note(me(), note_id)
    form = EditNoteForm(obj=note, products=product_choices())
    if form.submitted():
        service.edit_note(me(), note_id, _fields_of(form, note), now=now())
        db.session.commit()
        flash(_("Saved."), "success")
        return redirect(_anchor(visit_id, note_id), 303)
    return render_template("insights/edit_note.html", visit=visit, note=note, form=form), (
        422 if form.errors else 200
    )


@blueprint.post("/visits/<int:visit_id>/notes/<int:note_id>/remove")
@signed_in
def remove_note(visit_id: int, note_id: int) -> Answer:
    """Takes a note back and offers to bring it back."""
    service.remove_note(me(), note_id, now=now())
    db.session.commit()
    undo = url_for(".restore_note", visit_id=visit_id, note_id=note_id)
    flash({"text": _("The note is taken back."), "action": undo, "label": _("Bring it back")}, "success")  # type: ignore[arg-type]
    return redirect(url_for(".notes", visit_id=visit_id), 303)


@blueprint.post("/visits/<int:visit_id>/notes/<int:note_id>/restore")
@signed_in
def restore_note(visit_id: int, note_id: int) -> Answer:
    """Brings a note back."""
    service.restore_note(me(), note_id, now=now())
    db.session.commit()
    flash(_("The note is back."), "success")
    return redirect(_anchor(visit_id, note_id), 303)


@blueprint.post("/visits/<int:visit_id>/notes/<int:note_id>/evidence")
@signed_in
def add_evidence(visit_id: int, note_id: int) -> Answer:
    """Lets the note support an insight that other visits saw."""
    service.get_note(me(), note_id)
    form = TargetForm()
    if not form.submitted() or form.into.data is None:
        return redirect(_anchor(visit_id, note_id), 303)
    note = service.add_as_evidence(me(), note_id, form.into.data, now=now())
    db.session.commit()
    if request.headers.get("X-Fragment") == "note":
        return _fragment(note)
    flash(_("Added as evidence."), "success")
    return redirect(_anchor(visit_id, note_id), 303)


def _refused(sentence: str, status: int) -> Response:
    """A sentence for the page's script; the header tells it from an error page."""
    headers = {"X-Refusal": "1"}
    return Response(sentence, status, headers, content_type="text/plain; charset=utf-8")


def _record(visit: Visit, form: NoteForm) -> tuple[Observation, bool]:
    products = service.products()
    read = marks.parse(form.line.data or "", [product.name for product in products])
    by_name = {product.name: product.id for product in products}
    fields = NoteFields(
        text=read.text[:TEXT_MAX],
        kind=Kind(form.kind.data),
        severity=read.severity if read.severity is not None else form.severity.data,
        verbatim=read.verbatim,
        product_id=by_name.get(read.product, visit.product_id),
        tool=read.tool,
        tags=read.tags,
        is_question=read.is_question,
    )
    at = parse_instant(form.at.data)
    return service.record(visit.id, me(), (form.client_id.data or "").lower(), fields, at=at, now=now())


def _fields_of(form: EditNoteForm, note: Observation) -> NoteFields:
    return NoteFields(
        text=form.text.data or "",
        kind=Kind(form.kind.data),
        severity=form.severity.data,
        frequency=form.frequency.data or "",
        verbatim=form.verbatim.data or "",
        workaround=form.workaround.data or "",
        product_id=form.product_id.data,
        tool=form.tool.data or "",
        tags=tuple(note.tags.split()),
        is_question=form.is_question.data,
    )


def _notes_page(visit: Visit, form: NoteForm) -> str:
    found = service.observations_of(visit)
    mine = [note for note in found if note.author_id == me().id]
    form.client_id.data = str(uuid.uuid4())
    if not form.errors:
        form.line.data = ""
    return render_template(
        "insights/notes.html",
        visit=visit,
        form=form,
        notes=found,
        questions=[note for note in found if note.is_question],
        hints=service.hints(mine, visit),
        minute_of=service.minute_of,
        guide=visit.programme.guide_in(str(get_locale())),
        closed=service.why_closed(visit, now()),
        lacks_consent=service.lacks_consent(visit, me()),
        say=say,
        stamp=stamp,
        now=now(),
        **_clock(visit, now()),
    )


def _clock(visit: Visit, at: datetime) -> dict[str, Any]:
    """Where in the visit we are: minutes gone and all minutes."""
    whole = int((visit.ends_at - visit.starts_at).total_seconds() // 60)
    gone = int((at - visit.starts_at).total_seconds() // 60)
    return {
        "whole": whole,
        "gone": min(max(gone, 0), whole),
        "running": visit.starts_at <= at < visit.ends_at,
    }


def _fragment(note: Observation) -> str:
    """One note as the page shows it; nothing where it was taken back meanwhile."""
    if note.removed_at is not None:
        return ""
    visit = note.visit
    return render_template(
        "insights/_note.html",
        note=note,
        visit=visit,
        hint=service.hints([note], visit).get(note.id),
        minute=service.minute_of(visit, note.at),
        closed=None,
    )


def _anchor(visit_id: int, note_id: int) -> str:
    return url_for(".notes", visit_id=visit_id, _anchor=f"note-{note_id}")
