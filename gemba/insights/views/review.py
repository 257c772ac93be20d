"""The agent's look at the notes of a visit."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid
from gemba.insights.forms import ReviewForm, words_said
from gemba.insights.service import reviewing
from gemba.insights.views.edge import Answer, blueprint
from gemba.web.access import me, signed_in


@blueprint.route("/visits/<int:visit_id>/review", methods=["GET", "POST"])
@signed_in
def review(visit_id: int) -> Answer:
    """Every note with its answers: true, not quite, private; each sentence can be struck out."""
    form = ReviewForm()
    shown = reviewing.get_review(me(), visit_id)
    if not form.submitted():
        return render_template(
            "insights/review.html", review=shown, form=form, typed=None, now=now()
        ), 422 if form.errors else 200
    said = {
        one.note.id: reviewing.Said(**words)
        for one in shown.notes
        if (words := words_said(request.form, one.note.id)) is not None
    }
    finish = request.form.get("finish") == "1"
    try:
        struck = reviewing.save_review(me(), visit_id, said, finish=finish, now=now())
    except Invalid as invalid:
        db.session.rollback()
        form.take_errors(invalid)
        again = reviewing.get_review(me(), visit_id)
        return render_template(
            "insights/review.html", review=again, form=form, typed=said, refused=invalid.errors, now=now()
        ), 422
    db.session.commit()
    _say(struck, finish)
    return redirect(url_for(".review", visit_id=visit_id), 303)


def _say(struck: int, finish: bool) -> None:
    if struck:
        flash(ngettext("%(num)s passage is erased.", "%(num)s passages are erased.", struck), "success")
    if finish:
        flash(
            _("Thank you. The notes are published, without what you kept private or struck out."), "success"
        )
    elif not struck:
        flash(_("Saved."), "success")
