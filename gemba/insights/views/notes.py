"""Notes of a visit: the live page, and one note by a form or by fetch."""

import uuid
from datetime import datetime
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from gemba.clock import now
from gemba.db import db
from gemba.errors import GembaError
from gemba.insights import service
from gemba.insights.errors import AnotherPerson
from gemba.insights.forms import NoteForm
from gemba.insights.models import NoteDraft, Observation
from gemba.insights.rules import marks
from gemba.insights.rules.kinds import TEXT_MAX, Kind
from gemba.insights.rules.private import Private, find, mask
from gemba.insights.service import NoteFields
from gemba.insights.service.known import known_names
from gemba.insights.views.edge import Answer, blueprint, looks_like, mask_words
from gemba.visits.forms import parse_instant, stamp
from gemba.visits.models import Visit
from gemba.web.access import me, signed_in
from gemba.web.pages import say


@blueprint.route("/visits/<int:visit_id>/notes", methods=["GET", "POST"])
@signed_in
def notes(visit_id: int) -> Answer | AnyResponse:
    """The notes of a visit, and a field for the next one.

    A POST with the header `X-Fragment: note` is answered by the note as HTML (201, or 200 where it was
    known; nothing where it is taken back), refusals by one sentence as text whose header `X-Refusal` says
    `private`, `person` or `1`.
    """
    visit = service.visit_for_notes(me(), visit_id)
    form = NoteForm()
    is_fragment = request.headers.get("X-Fragment") == "note"
    private: list[Private] = []
    if form.submitted():
        try:
            private = _private_in(form)
            if not private:
                return _saved(visit, *_record(visit, form), is_fragment)
        except GembaError as refusal:
            db.session.rollback()
            if is_fragment:
                return refused(
                    say(refusal), refusal.status, "person" if isinstance(refusal, AnotherPerson) else "1"
                )
            if not isinstance(refusal, AnotherPerson):
                raise
            form.refuse(say(refusal))
    if is_fragment and private:
        return refused(looks_like(private), 422, "private")
    if is_fragment and form.errors:
        return refused(" ".join(str(one) for errors in form.errors.values() for one in errors), 422)
    return _notes_page(visit, form, private), 422 if form.errors or private else 200


def _saved(visit: Visit, note: Observation, is_new: bool, is_fragment: bool) -> Answer | AnyResponse:
    db.session.commit()
    if is_fragment:
        return note_fragment(note), 201 if is_new else 200
    flash(_("Saved."), "success")
    return redirect(url_for(".notes", visit_id=visit.id), 303)


def refused(sentence: str, status: int, why: str = "1") -> Response:
    """A sentence for the page's script; the header tells it from an error page."""
    return Response(sentence, status, {"X-Refusal": why}, content_type="text/plain; charset=utf-8")


def _private_in(form: NoteForm) -> list[Private]:
    """What in the line looks private and was not allowed; masks it where that was asked for."""
    line = form.line.data or ""
    if form.private.data == "mask":
        form.line.data = line = mask(line, mask_words())
    if form.private.data == "as-is" or form.removed.data:
        return []
    return list(dict.fromkeys(finding.sort for finding in find(line)))


def _record(visit: Visit, form: NoteForm) -> tuple[Observation, bool]:
    """Raises AnotherPerson where the page was made for somebody who is not signed in any more."""
    if form.person.data and form.person.data != str(me().id):
        raise AnotherPerson
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
        is_ask=form.is_ask.data,
    )
    note, is_new = service.put(
        visit.id,
        me(),
        (form.client_id.data or "").lower(),
        fields,
        at=parse_instant(form.at.data),
        edited=form.edited.data == "1",
        removed=form.removed.data == "1",
        now=now(),
    )
    service.drop_drafts(visit.id, me().id, (form.draft.data or "").lower())
    return note, is_new


def _notes_page(visit: Visit, form: NoteForm, private: list[Private]) -> str:
    found = service.observations_of(visit)
    mine = [note for note in found if note.author_id == me().id]
    drafts = service.drafts_of(visit, me())
    at = now()
    form.client_id.data = str(uuid.uuid4())
    form.person.data = str(me().id)
    if not form.errors and not private:
        _go_on_with(form, drafts)
    closed = service.why_closed(visit, at)
    sides = {
        visit.agent_id: _("What hurts, and what would help?"),
        visit.lead_id: _("What should be better?"),
    }
    return render_template(
        "insights/notes.html",
        visit=visit,
        form=form,
        field_label=sides.get(me().id, form.line.label.text),
        private=private,
        drafts=drafts,
        notes=found,
        lines=_lines(mine, visit),
        others=len(found) - len(mine),
        questions=[note for note in found if note.is_question],
        hints=service.hints(mine, visit),
        minute_of=service.minute_of,
        guide=visit.programme.guide_in(str(get_locale())),
        closed=closed,
        lacks_consent=service.lacks_consent(visit, me()),
        say=say,
        stamp=stamp,
        looks_like=looks_like,
        known=known_names(visit),
        private_words={sort: [_(sort.label), _(sort.mask)] for sort in Private},
        now=at,
        **_clock(visit, at),
    )


def _go_on_with(form: NoteForm, drafts: list[NoteDraft]) -> None:
    """Puts the newest draft, or the one the address asks for, into the field."""
    form.line.data, form.draft.data, form.private.data = "", "", ""
    asked = request.args.get("draft")
    draft = next((one for one in drafts if asked in (None, one.client_id)), None)
    if draft is not None:
        form.line.data, form.draft.data, form.at.data = draft.line, draft.client_id, draft.at.isoformat()
        form.kind.data, form.severity.data, form.is_ask.data = draft.kind, draft.severity, draft.is_ask


def _lines(mine: list[Observation], visit: Visit) -> dict[int, str]:
    """The lines by which these notes can be edited, by id; some can only be edited in full."""
    products = [product.name for product in service.products()]
    found = {}
    for note in mine:
        product = "" if note.product_id == visit.product_id else note.product.name if note.product else None
        if product is None:
            continue
        read = marks.Note(
            note.text,
            note.severity or None,
            note.verbatim,
            note.tool,
            tuple(note.tags.split()),
            product,
            note.is_question,
        )
        if (line := marks.line_of(read, products)) is not None:
            found[note.id] = line
    return found


def _clock(visit: Visit, at: datetime) -> dict[str, Any]:
    """Where in the visit we are: minutes gone and all minutes, from its real start."""
    start = service.start_of(visit)
    whole = int((visit.ends_at - start).total_seconds() // 60)
    gone = int((at - start).total_seconds() // 60)
    return {
        "start": start,
        "whole": whole,
        "gone": min(max(gone, 0), whole),
        "running": start <= at < visit.ends_at,
        "startable": visit.starts_at - service.OPEN_BEFORE <= at < visit.ends_at,
    }


def note_fragment(note: Observation) -> str:
    """One note as the page shows it; nothing where it was taken back meanwhile."""
    if note.removed_at is not None:
        return ""
    visit = note.visit
    return render_template(
        "insights/_note.html",
        note=note,
        visit=visit,
        line=_lines([note], visit).get(note.id),
        hint=service.hints([note], visit).get(note.id),
        minute=service.minute_of(visit, note.at),
        closed=None,
    )
