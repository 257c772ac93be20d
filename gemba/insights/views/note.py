"""One note of a visit: everything it says, taking it back, adding it as evidence."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gemba.clock import now
from gemba.db import db
from gemba.insights import service
from gemba.insights.forms import EditNoteForm, TargetForm
from gemba.insights.models import Observation
from gemba.insights.rules.kinds import Kind
from gemba.insights.rules.private import PRIVATE_FIELDS, Private, mask, sorts
from gemba.insights.service import NoteFields
from gemba.insights.views.edge import Answer, blueprint, looks_like, mask_words, product_choices
from gemba.insights.views.notes import note_fragment
from gemba.web.access import me, signed_in


@blueprint.route("/visits/<int:visit_id>/notes/<int:note_id>", methods=["GET", "POST"])
@signed_in
def edit_note(visit_id: int, note_id: int) -> Answer:
    """Everything a note can say, to be said better."""
    visit = service.visit_for_notes(me(), visit_id)
    note = service.get_note(me(), note_id)
    form = EditNoteForm(obj=note, products=product_choices())
    private: list[Private] = []
    if form.submitted():
        private = _private_in(form)
        if not private:
            service.edit_note(me(), note_id, _fields_of(form, note), now=now())
            db.session.commit()
            flash(_("Saved."), "success")
            return redirect(_anchor(visit_id, note_id), 303)
    return render_template(
        "insights/edit_note.html", visit=visit, note=note, form=form, private=private, looks_like=looks_like
    ), (422 if form.errors or private else 200)


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
        return note_fragment(note)
    flash(_("Added as evidence."), "success")
    return redirect(_anchor(visit_id, note_id), 303)


def _private_in(form: EditNoteForm) -> list[Private]:
    """What looks private and was not allowed; masks it where that was asked for."""
    if form.private.data == "mask":
        for name in PRIVATE_FIELDS:
            form[name].data = mask(form[name].data or "", mask_words())
    if form.private.data == "as-is":
        return []
    return sorts(*(form[name].data or "" for name in PRIVATE_FIELDS))


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
        is_ask=form.is_ask.data,
    )


def _anchor(visit_id: int, note_id: int) -> str:
    return url_for(".notes", visit_id=visit_id, _anchor=f"note-{note_id}")
