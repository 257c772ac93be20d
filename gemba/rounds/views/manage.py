"""Pages on which admins make a round, ask people and see who answered."""

from datetime import timedelta

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid
from gemba.people import service as people
from gemba.people.rules import Role
from gemba.programmes import doors
from gemba.programmes import service as programmes
from gemba.rounds import service
from gemba.rounds.forms import InviteForm, RoundForm
from gemba.rounds.service import calendars, campaigns, inviting, proposing
from gemba.rounds.service.campaigns import close_sign_up
from gemba.rounds.views.edge import SHOWN, blueprint, number
from gemba.web.access import me, requires
from gemba.web.filters import local
from gemba.web.limits import limiter
from gemba.web.pages import Answer


@blueprint.get("")
@requires(Role.ADMIN)
def index() -> Answer:
    """All rounds, newest first."""
    return render_template("rounds/index.html", rounds=service.list_rounds(me()), now=now())


@blueprint.route("/new", methods=["GET", "POST"])
@requires(Role.ADMIN)
def new() -> Answer:
    """Make a round."""
    today = local(now()).date()
    days = {"closes_on": 7, "first_day": 10, "last_day": 23}
    form = RoundForm(data={name: today + timedelta(days=ahead) for name, ahead in days.items()})
    running = [each for each in programmes.list_programmes(me()) if each.active and doors.by_rounds(each)]
    form.programme.choices = [(each.slug, each.name_in(me().locale)) for each in running]
    if form.submitted():
        try:
            programme = programmes.get_programme(form.programme.data or "")
            made = service.make(me(), programme, form.plan(), now=now())
            db.session.commit()
        except Invalid as invalid:
            db.session.rollback()
            form.take_errors(invalid)
        else:
            words = _("The round is made and open for sign-up. Now ask people.")
            if asked := service.counts(made).invited:
                words += " " + ngettext(
                    "%(num)d person who waited for it is asked already.",
                    "%(num)d people who waited for it are asked already.",
                    asked,
                )
            flash(words, "success")
            return redirect(url_for(".manage", round_id=made.id), 303)
    return render_template("rounds/new.html", form=form, round=None), 422 if form.errors else 200


@blueprint.route("/<int:round_id>/edit", methods=["GET", "POST"])
@requires(Role.ADMIN)
def edit(round_id: int) -> Answer:
    """Other names or days, such as a later last day of sign-up."""
    chosen = service.managed(me(), round_id)
    form = RoundForm.of(campaigns.plan_of(chosen, me()))
    if form.submitted():
        try:
            gone = campaigns.change(me(), chosen, form.plan(), now=now())
            db.session.commit()
        except Invalid as invalid:
            db.session.rollback()
            form.take_errors(invalid)
        else:
            words = _("Saved.")
            if gone:
                words += " " + ngettext(
                    "%(num)d proposed pair lay outside the new days and is given up: propose again.",
                    "%(num)d proposed pairs lay outside the new days and are given up: propose again.",
                    gone,
                )
            flash(words, "success")
            return redirect(url_for(".manage", round_id=round_id), 303)
    chosen = service.managed(me(), round_id)
    return render_template("rounds/new.html", form=form, round=chosen), 422 if form.errors else 200


@blueprint.get("/<int:round_id>/manage")
@requires(Role.ADMIN)
def manage(round_id: int) -> Answer:
    """How a round stands, who is asked, who answered."""
    return _page(round_id, InviteForm(formdata=None))


@blueprint.post("/<int:round_id>/invite")
@limiter.limit("20 per minute")
@requires(Role.ADMIN)
def invite(round_id: int) -> Answer:
    """Ask people to take part."""
    chosen = service.managed(me(), round_id, lock=True)
    form = InviteForm()
    try:
        if not form.validate():
            raise Invalid({})
        content = form.file.data.read() if form.file.data else b""
        found = inviting.invite(
            me(),
            chosen,
            addresses=people.addresses_in(form.addresses.data or "", content),
            department=form.department.data or "",
            now=now(),
        )
        db.session.commit()
    except Invalid as invalid:
        db.session.rollback()
        form.take_errors(invalid)
        return _page(round_id, form), 422
    words = ngettext("%(num)d person is asked.", "%(num)d people are asked.", found.new)
    if found.before:
        words += " " + ngettext("%(num)d was asked before.", "%(num)d were asked before.", found.before)
    if found.outside:
        words += " " + ngettext(
            "%(num)d may not take part in this programme and was not asked.",
            "%(num)d may not take part in this programme and were not asked.",
            found.outside,
        )
    flash(words, "success")
    if found.unknown:
        named = ", ".join(found.unknown[:10])
        flash(
            _("Nobody here has these addresses: %(named)s. Add them under People first.", named=named),
            "error",
        )
    return redirect(url_for(".manage", round_id=round_id), 303)


@blueprint.post("/<int:round_id>/remind")
@requires(Role.ADMIN)
def remind(round_id: int) -> Answer:
    """Remind everyone who did not answer."""
    count = inviting.remind(me(), service.managed(me(), round_id, lock=True), now=now())
    db.session.commit()
    flash(ngettext("%(num)d person is reminded.", "%(num)d people are reminded.", count), "success")
    return redirect(url_for(".manage", round_id=round_id), 303)


@blueprint.post("/<int:round_id>/ask-agents")
@requires(Role.ADMIN)
def ask_agents(round_id: int) -> Answer:
    """Ask agents how many visits they take."""
    count = inviting.ask_agents(me(), service.managed(me(), round_id, lock=True), now=now())
    db.session.commit()
    flash(ngettext("%(num)d agent is asked.", "%(num)d agents are asked.", count), "success")
    return redirect(url_for(".manage", round_id=round_id), 303)


@blueprint.post("/<int:round_id>/close")
@requires(Role.ADMIN)
def close(round_id: int) -> Answer:
    """End sign-up now."""
    close_sign_up(me(), service.managed(me(), round_id, lock=True), now=now())
    db.session.commit()
    flash(_("Sign-up is closed."), "success")
    return redirect(url_for(".manage", round_id=round_id), 303)


def _page(round_id: int, form: InviteForm) -> str:
    chosen = service.managed(me(), round_id)
    form.department.choices = [
        ("", _("None")),
        *((name, f"{name} ({count})") for name, count in people.departments()),
    ]
    signs = inviting.signed_up(chosen, limit=SHOWN, offset=SHOWN * number("page"))
    return render_template(
        "rounds/manage.html",
        round=chosen,
        form=form,
        counts=service.counts(chosen),
        silent=inviting.silent(chosen, limit=SHOWN),
        signs=signs,
        calendars=calendars.read_of(chosen, now()),
        page=number("page"),
        shown=SHOWN,
        run=proposing.newest_run(chosen),
        open=service.is_open(chosen, now()),
        now=now(),
    )
