"""The page of a hands-on visit's debriefs."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse
from wtforms import TextAreaField

from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid
from gemba.visits import debriefs
from gemba.web.access import me, signed_in
from gemba.web.forms import Form, many_lines

blueprint = Blueprint("debriefs", __name__, url_prefix="/visits")

Answer = BaseResponse | str | tuple[str, int]


@blueprint.route("/<int:visit_id>/debrief", methods=["GET", "POST"])
@signed_in
def debrief(visit_id: int) -> Answer:
    """What one writes after a hands-on visit, and what the others of it wrote."""
    page = debriefs.page(me(), visit_id, str(get_locale()), now=now())
    form = _form(page.mine)
    if form.submitted():
        typed = [
            (question, form[f"q{number}"].data or "") for number, (question, _words) in enumerate(page.mine)
        ]
        try:
            debriefs.save(me(), visit_id, typed, now=now())
        except Invalid as invalid:
            db.session.rollback()
            form.take_errors(invalid)
            page = debriefs.page(me(), visit_id, str(get_locale()), now=now())
        else:
            db.session.commit()
            flash(_("Saved. Visitor, mentor and agent of this visit read it, nobody else."), "success")
            return redirect(url_for(".debrief", visit_id=visit_id), 303)
    return render_template("visits/debrief.html", page=page, form=form), 422 if form.errors else 200


def _form(mine: debriefs.Answers) -> Form:
    """A field for each question, with what was written."""
    fields = {
        f"q{number}": TextAreaField(question, default=words, filters=[many_lines])
        for number, (question, words) in enumerate(mine)
    }
    form: Form = type("DebriefForm", (Form,), fields)()
    return form
