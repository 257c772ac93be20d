"""Pages of rounds: what it is, sign up, withdraw."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from gemba.clock import now
from gemba.db import db
from gemba.people.rules import Role
from gemba.rounds import service
from gemba.rounds.forms import SignUpForm
from gemba.web.access import me, signed_in

blueprint = Blueprint("rounds", __name__, url_prefix="/rounds")


@blueprint.route("/<int:round_id>", methods=["GET", "POST"])
@signed_in
def show(round_id: int) -> Response | str | tuple[str, int]:
    """A round: until when, who signed up, and one's own sign-up."""
    chosen = service.get_round(round_id)
    mine = next((row for row in chosen.sign_ups if row.person_id == me().id), None)
    form = SignUpForm(obj=mine)
    if form.submitted():
        service.sign_up(me(), chosen, note=form.note.data or "", now=now())
        db.session.commit()
        flash(_("You are signed up. You hear from us when the pairs are published."), "success")
        return redirect(url_for(".show", round_id=round_id), 303)
    page = render_template(
        "rounds/show.html",
        round=chosen,
        mine=mine,
        form=form,
        open=chosen.opens_at <= now() < chosen.closes_at,
        sees_names=me().has(Role.ADMIN),
        now=now(),
    )
    return page, 422 if form.errors else 200


@blueprint.post("/<int:round_id>/withdraw")
@signed_in
def withdraw(round_id: int) -> Response:
    """Take one's sign-up back."""
    service.withdraw(me(), service.get_round(round_id), now=now())
    db.session.commit()
    flash(_("You are no longer signed up."), "success")
    return redirect(url_for(".show", round_id=round_id), 303)
