"""The page on which people take along or erase what is theirs."""

from flask import Blueprint, Response, flash, redirect, render_template, session, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import StringField

from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid, Refused
from gemba.personal import erasing, taking
from gemba.web.access import client_address, me, signed_in
from gemba.web.filters import local
from gemba.web.forms import Form, NotBlank, at_most, one_line
from gemba.web.limits import limiter
from gemba.web.pages import Answer, say

blueprint = Blueprint("personal", __name__, url_prefix="/profile")


class EraseForm(Form):
    """The own address, typed to show that it is meant."""

    typed = StringField(_l("Your e-mail address"), filters=[one_line], validators=[NotBlank(), at_most(254)])


@blueprint.get("/data")
@signed_in
def data() -> Answer:
    """What can be taken along and erased, and what stays."""
    return render_template("personal/data.html", form=EraseForm(formdata=None))


@blueprint.get("/data.zip")
@limiter.limit("10 per hour")
@signed_in
def download() -> Answer:
    """Everything known of the person who asks."""
    answer = Response(taking.archive_of(me()), content_type="application/zip")
    name = f"gemba-{local(now()).date().isoformat()}.zip"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@blueprint.post("/erase")
@limiter.limit("10 per hour")
@signed_in
def erase() -> Answer:
    """Erases whoever asks and types their address; they are signed out everywhere."""
    form = EraseForm()
    if form.submitted():
        try:
            erasing.erase(me(), form.typed.data or "", now=now(), address=client_address())
        except Invalid as invalid:
            db.session.rollback()
            form.take_errors(invalid)
        except Refused as refusal:
            db.session.rollback()
            form.refuse(say(refusal))
        else:
            db.session.commit()
            locale = session.get("locale")
            session.clear()
            session["locale"] = locale
            flash(_("You are erased. What was published stays without your name."), "success")
            return redirect(url_for("people.sign_in"), 303)
    return render_template("personal/data.html", form=form), 422
