"""Pages of agents' hours: one's own, and those of an agent one looks after."""

from calendar import Calendar
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid, NotFound, Stale
from gemba.people.models import Person
from gemba.people.rules import COMMON_ZONES, Role
from gemba.schedule import service
from gemba.schedule.forms import WEEKDAYS, AvailabilityForm, read_hours
from gemba.schedule.models import Availability
from gemba.web.access import me, requires, signed_in
from gemba.web.filters import full_date, local
from gemba.web.pages import Answer

blueprint = Blueprint("schedule", __name__)
MONTHS_SHOWN = 3


@blueprint.get("/availability")
@requires(Role.AGENT)
def availability() -> Answer:
    """My hours."""
    return _show(me().id)


@blueprint.post("/availability")
@requires(Role.AGENT)
def save() -> Answer:
    """Replaces my hours."""
    return _save(me().id)


@blueprint.get("/availability/<int:agent_id>")
@signed_in
def agent_availability(agent_id: int) -> Answer:
    """An agent's hours, for the lead of their line and admins."""
    return _show(agent_id)


@blueprint.post("/availability/<int:agent_id>")
@signed_in
def save_agent(agent_id: int) -> Answer:
    """Replaces an agent's hours."""
    return _save(agent_id)


@blueprint.post("/availability/<int:agent_id>/pause")
@signed_in
def pause(agent_id: int) -> Answer:
    """The "not now" switch; `on` is yes or no."""
    on = request.values.get("on") != "no"
    service.pause(me(), agent_id, on, now())
    db.session.commit()
    undo = url_for("schedule.pause", agent_id=agent_id, on="no" if on else "yes")
    words = (
        _("No new visits from now on. Visits that are booked stay.")
        if on
        else _("Visits can be booked again.")
    )
    _offer_undo(words, undo)
    return redirect(_address(agent_id), 303)


@blueprint.post("/availability/<int:agent_id>/dates")
@signed_in
def set_date(agent_id: int) -> Answer:
    """Gives `day` the hours in `hours` (words; empty is a day off), or the usual ones without `hours`."""
    hours = request.values.get("hours")
    ranges = None if hours is None else read_hours(hours)
    if hours is not None and ranges is None:
        raise NotFound
    try:
        service.set_date(me(), agent_id, request.values.get("day", ""), ranges, now=now())
    except Invalid as invalid:
        raise NotFound from invalid
    db.session.commit()
    flash(_("Done: the date is as it was."), "success")
    return redirect(_address(agent_id), 303)


@blueprint.get("/availability/<int:agent_id>/preview")
@signed_in
def preview(agent_id: int) -> Answer:
    """One sentence: how much the hours in the query would open."""
    row = service.availability(me(), agent_id)
    form = AvailabilityForm(request.args, meta={"csrf": False})
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    try:
        if not form.validate():
            raise Invalid(form.errors)
        minutes = service.minutes_of_document(form.document(), now=now())
    except Invalid:
        return _("Some hours need another look."), 422, headers
    return _opens(0 if row.paused else minutes, row.paused), 200, headers


def _show(agent_id: int) -> Answer:
    row = service.availability(me(), agent_id)
    return _page(row, _form_of(row))


def _save(agent_id: int) -> Answer:
    form = AvailabilityForm()
    toggled = request.form.get("toggle", "")
    removed = form.hours_on(toggled)
    if toggled:
        form.toggle(toggled)
    try:
        if not form.validate():
            raise Invalid(service.problems_of(form.document()))
        row = service.set_availability(me(), agent_id, form.document(), version=form.seen_version, now=now())
    except Invalid as invalid:
        db.session.rollback()
        form.take_errors(invalid)
        return _page(service.availability(me(), agent_id), form), 422
    except Stale:
        db.session.rollback()
        return _conflict(agent_id, form), 409
    db.session.commit()
    _tell(row, toggled, removed)
    return redirect(_address(agent_id), 303)


def _conflict(agent_id: int, form: AvailabilityForm) -> str:
    """What was typed, beside what someone else saved; saving again means it."""
    row = service.availability(me(), agent_id)
    form.version.data = str(row.version)
    form.tidy()
    return _page(row, form, theirs=_form_of(row))


def _tell(row: Availability, toggled: str, removed: str | None) -> None:
    """Says what was saved; a date that was tapped can be undone with one more tap."""
    if not toggled:
        flash(_("Saved. %(opens)s", opens=_opens_of(row)), "success")
        return
    day = full_date(date.fromisoformat(toggled))
    undo = url_for("schedule.set_date", agent_id=row.person_id, day=toggled, hours=removed)
    words = (
        _("%(day)s is a day off.", day=day)
        if removed is None
        else _("%(day)s has its usual hours again.", day=day)
    )
    _offer_undo(words, undo)


def _offer_undo(words: str, address: str) -> None:
    message: Any = {"text": words, "action": address, "label": _("Undo")}
    flash(message, "success")


def _page(row: Availability, form: AvailabilityForm, theirs: AvailabilityForm | None = None) -> str:
    agent = db.session.get_one(Person, row.person_id)
    today = local(now(), row.timezone).date()
    return render_template(
        "schedule/availability.html",
        agent=agent,
        mine=agent.id == me().id,
        row=row,
        form=form,
        theirs=theirs,
        weekdays=WEEKDAYS,
        months=_months(today, MONTHS_SHOWN),
        today=today,
        zones=COMMON_ZONES,
        opens=_opens_of(row),
        at=now(),
        listed={entry.form.day.data: entry.form.hours.data for entry in form.dates.entries},
    )


def _form_of(row: Availability) -> AvailabilityForm:
    document: dict[str, Any] = service.availability_document(row)
    return AvailabilityForm.of(document, version=row.version, today=local(now(), row.timezone).date())


def _address(agent_id: int) -> str:
    if agent_id == me().id:
        return url_for("schedule.availability")
    return url_for("schedule.agent_availability", agent_id=agent_id)


def _opens_of(row: Availability) -> str:
    return _opens(service.open_minutes(row, now=now()), row.paused)


def _opens(minutes: int, paused: bool) -> str:
    """The live line: whole hours, because a visit that does not fit opens nothing."""
    if paused:
        return str(_("Nothing is open while no visits are taken."))
    if minutes < 60:
        return str(_("This opens no hour in the next 4 weeks."))
    words = ngettext(
        "This opens %(num)d hour in the next 4 weeks.",
        "This opens %(num)d hours in the next 4 weeks.",
        minutes // 60,
    )
    return str(words)


def _months(today: date, count: int) -> list[tuple[date, list[list[date]]]]:
    """The first of each month from this one on, with its weeks of seven dates."""
    firsts = [
        date(today.year + (today.month + n - 1) // 12, (today.month + n - 1) % 12 + 1, 1)
        for n in range(count)
    ]
    return [(first, Calendar().monthdatescalendar(first.year, first.month)) for first in firsts]
