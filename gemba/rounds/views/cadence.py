"""Coming back: the page of one's next visit, and for admins who is due, overdue or never came."""

from datetime import UTC, datetime

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid, NotFound
from gemba.people.rules import Role
from gemba.programmes import doors
from gemba.programmes import service as programmes
from gemba.programmes.models import Programme
from gemba.rounds.cadence_rules import Standing
from gemba.rounds.forms import HeadForm
from gemba.rounds.service import cadence
from gemba.rounds.views.edge import SHOWN, blueprint, number
from gemba.web.access import me, requires, signed_in
from gemba.web.limits import limiter
from gemba.web.pages import Answer


@blueprint.get("/coming-back/<slug>")
@signed_in
def coming_back(slug: str) -> Answer:
    """When one is due, and hours to book with one press."""
    programme = _running(slug)
    if not doors.by_hand(programme) or not doors.is_for(programme, me()):
        # The page of booking says by which way visits come about, or that they do not for this person.
        return redirect(url_for("visits.book", programme=slug))
    return render_template(
        "rounds/coming_back.html", programme=programme, found=cadence.coming_back(programme, me(), now=now())
    )


@blueprint.post("/coming-back/<slug>")
@limiter.limit("20 per minute")
@signed_in
def book_again(slug: str) -> Answer:
    """Books such an hour (`choice`: agent and second)."""
    agent, _dash, second = request.form.get("choice", "").partition("-")
    if not (agent.isascii() and agent.isdigit() and len(agent) <= 9):
        raise NotFound
    if not (second.isascii() and second.isdigit() and len(second) <= 11):
        raise NotFound
    start = datetime.fromtimestamp(int(second), UTC)
    visit = cadence.book_again(_running(slug), me(), int(agent), start, now=now())
    db.session.commit()
    flash(_("Your next visit is booked."), "success")
    return redirect(url_for("visits.show", visit_id=visit.id), 303)


@blueprint.get("/cadence/<slug>")
@signed_in
def standing(slug: str) -> Answer:
    """Who is due, overdue or never came, and how departments stand; for heads those of their departments."""
    return _page(slug, HeadForm(formdata=None))


@blueprint.post("/cadence/<slug>")
@requires(Role.ADMIN)
def set_head(slug: str) -> Answer:
    """Says who heads a department."""
    form = HeadForm()
    try:
        if not form.validate():
            raise Invalid({})
        cadence.set_head(me(), form.department.data or "", form.email.data or "", now=now())
        db.session.commit()
    except Invalid as invalid:
        db.session.rollback()
        form.take_errors(invalid)
        return _page(slug, form), 422
    flash(_("Saved."), "success")
    return redirect(url_for(".standing", slug=slug), 303)


def _page(slug: str, form: HeadForm) -> str:
    mine = cadence.in_sight(me())
    programme = programmes.get_programme(slug) if mine is None else _running(slug)
    rows = cadence.everyone(programme, of=mine, now=now())
    shown = request.args.get("show", Standing.OVERDUE.value)
    departments = cadence.departments(programme, rows, now=now())
    form.department.choices = [(each.name, each.name) for each in departments]
    part = [row for row in rows if row.standing == shown]
    page = number("page")
    return render_template(
        "rounds/cadence.html",
        programme=programme,
        programmes=[each for each in programmes.list_programmes(me()) if each.return_after_months],
        runs=mine is None,
        counts={each.value: sum(row.standing == each for row in rows) for each in Standing},
        rows=part[SHOWN * page : SHOWN * page + SHOWN],
        total=len(part),
        shown=shown,
        departments=departments,
        form=form,
        page=page,
        size=SHOWN,
    )


def _running(slug: str) -> Programme:
    programme = programmes.get_programme(slug)
    if not programme.active:
        raise NotFound
    return programme
