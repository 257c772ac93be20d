"""After a visit: the wrap-up, a word of thanks and what all said in total, the sheet to print."""

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _

from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid
from gemba.insights.forms_after import ThanksForm, WrapForm
from gemba.insights.rules.kinds import Frequency
from gemba.insights.rules.severity import Persistence
from gemba.insights.service import thanks as sayings
from gemba.insights.service import wrapping
from gemba.insights.views.edge import Answer, blueprint
from gemba.people.rules import Role
from gemba.web.access import me, requires, signed_in


@blueprint.route("/visits/<int:visit_id>/wrap-up", methods=["GET", "POST"])
@signed_in
def wrap_up(visit_id: int) -> Answer:
    """Ten minutes: the three worst, what works well, one promise."""
    wrap = wrapping.get_wrap(me(), visit_id, now=now())
    form = WrapForm(notes=[(note.id, note.text) for note in wrap.notes], data=_as_kept(wrap))
    if form.submitted():
        try:
            wrapping.save_wrap(me(), visit_id, _fields(form), now=now())
            db.session.commit()
            flash(_("Saved. The sheet of the visit is ready to print."), "success")
            return redirect(url_for(".wrap_up", visit_id=visit_id), 303)
        except Invalid as invalid:
            db.session.rollback()
            form.take_errors(invalid)
            wrap = wrapping.get_wrap(me(), visit_id, now=now())
    return _page(wrap, form, None), 422 if form.errors else 200


@blueprint.post("/visits/<int:visit_id>/thanks")
@signed_in
def thanks(visit_id: int) -> Answer:
    """What one side says of the visit."""
    form = ThanksForm()
    if form.submitted():
        wrapping.say_thanks(me(), visit_id, form.worth.data, form.words.data or "", now=now())
        db.session.commit()
        flash(_("Thank you. The others read your words."), "success")
        return redirect(url_for(".wrap_up", visit_id=visit_id, _anchor="thanks"), 303)
    wrap = wrapping.get_wrap(me(), visit_id, now=now())
    notes = [(note.id, note.text) for note in wrap.notes]
    return _page(wrap, WrapForm(formdata=None, notes=notes, data=_as_kept(wrap)), form), 422


@blueprint.get("/visits/<int:visit_id>/sheet")
@signed_in
def sheet(visit_id: int) -> Answer:
    """The visit on one page of paper."""
    return render_template("insights/sheet.html", sheet=wrapping.get_sheet(me(), visit_id), now=now())


@blueprint.get("/programmes/<slug>/feedback")
@requires(Role.ADMIN, Role.OWNER)
def feedback(slug: str) -> Answer:
    """What both sides said of the hours of a programme, in total."""
    return render_template("insights/feedback.html", totals=sayings.totals(slug))


def _page(wrap: wrapping.Wrap, form: WrapForm, thanks_form: ThanksForm | None) -> str:
    said = wrap.feedback
    kept = {"worth": said.worth, "words": said.words} if said else {}
    return render_template(
        "insights/wrap.html",
        wrap=wrap,
        form=form,
        thanks_form=thanks_form or ThanksForm(formdata=None, **kept),
        now=now(),
    )


def _as_kept(wrap: wrapping.Wrap) -> dict[str, Any]:
    worst = [
        {
            "note": picked.note.id,
            "frequency": picked.note.frequency,
            "impact": picked.note.impact,
            "persistence": picked.note.persistence,
            "idea": picked.idea,
        }
        for picked in wrap.picks
    ]
    mine = wrap.mine
    if mine is None:
        return {"worst": worst}
    words = {"works_well": mine.works_well, "promise": mine.promise, "promised_for": mine.promised_for}
    return {"worst": worst, **words}


def _fields(form: WrapForm) -> wrapping.WrapFields:
    worst = [
        wrapping.Worst(
            note_id=one.note.data,
            frequency=Frequency(one.frequency.data) if one.frequency.data else None,
            impact=one.impact.data,
            persistence=Persistence(one.persistence.data) if one.persistence.data else None,
            idea=one.idea.data or "",
        )
        for one in form.worst
        if one.note.data is not None
    ]
    return wrapping.WrapFields(
        worst, form.works_well.data or "", form.promise.data or "", form.promised_for.data
    )
