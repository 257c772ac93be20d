"""Pages of agents' hours: one's own, and those of an agent one looks after."""

from calendar import Calendar
from datetime import UTC, date, datetime
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid, NotFound, Stale
from gemba.people.models import Person
from gemba.people.rules import COMMON_ZONES, Role
from gemba.schedule import declined, quiet, rules, service
from gemba.schedule.forms import WEEKDAYS, AvailabilityForm, WeekForm, read_hours
from gemba.schedule.models import Availability, QuietHours
from gemba.web.access import me, requires, signed_in
from gemba.web.filters import country_name, full_date, local
from gemba.web.pages import Answer

blueprint = Blueprint("schedule", __name__)
MONTHS_SHOWN = 3
A_WEEK = [date(2024, 1, day) for day in range(1, 8)]


@blueprint.get("/availability")
@requires(Role.AGENT, Role.MENTOR)
def availability() -> Answer:
    """My hours."""
    return _show(me().id)


@blueprint.post("/availability")
@requires(Role.AGENT, Role.MENTOR)
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


@blueprint.post("/availability/<int:agent_id>/open-again")
@signed_in
def open_again(agent_id: int) -> Answer:
    """Offers the hour that begins at `start` (seconds from 1970), which the agent had said no to."""
    second = request.form.get("start", "")
    if not (second.isascii() and second.isdigit() and len(second) <= 11):
        raise NotFound
    declined.open_again(me(), agent_id, datetime.fromtimestamp(int(second), UTC), now=now())
    db.session.commit()
    flash(_("Open again: visitors can book this hour."), "success")
    return redirect(_address(agent_id), 303)


@blueprint.post("/availability/<int:agent_id>/put-back")
@signed_in
def put_back(agent_id: int) -> Answer:
    """Undoes a removal: a time off (`first`, `last`) or a journey (`date`, `timezone`) is listed again."""
    document: dict[str, Any] = service.availability_document(service.availability(me(), agent_id))
    name, keys = (
        ("time_off", ("first", "last"))
        if "first" in request.values
        else ("zone_changes", ("date", "timezone"))
    )
    entry = {key: request.values.get(key, "") for key in keys}
    if entry not in document[name]:
        document[name] = [*document[name], entry]
        try:
            service.set_availability(me(), agent_id, document, now=now())
        except Invalid as invalid:
            raise NotFound from invalid
        db.session.commit()
    flash(_("Done: it is as it was."), "success")
    return redirect(_address(agent_id), 303)


@blueprint.get("/availability/holidays")
@signed_in
def holiday_parts() -> Answer:
    """The parts of a country that have public holidays of their own: `{"DE-BY": "Bayern", …}`."""
    answer = jsonify(dict(rules.holiday_parts(request.args.get("country", ""))))
    answer.headers["Cache-Control"] = "private, max-age=86400"
    return answer


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


@blueprint.get("/lines/<int:line_id>/quiet-hours")
@signed_in
def quiet_hours(line_id: int) -> Answer:
    """The quiet hours of a line, for its lead and admins."""
    row = quiet.quiet_hours(me(), line_id)
    return _quiet_page(row, _quiet_form(row))


@blueprint.post("/lines/<int:line_id>/quiet-hours")
@signed_in
def save_quiet_hours(line_id: int) -> Answer:
    """Replaces the quiet hours of a line."""
    form = WeekForm()
    try:
        if not form.validate():
            raise Invalid(quiet.problems_of(form.document()))
        quiet.set_quiet_hours(me(), line_id, form.document(), version=form.seen_version, now=now())
    except Invalid as invalid:
        db.session.rollback()
        form.take_errors(invalid)
        return _quiet_page(quiet.quiet_hours(me(), line_id), form), 422
    except Stale:
        db.session.rollback()
        row = quiet.quiet_hours(me(), line_id)
        form.version.data = str(row.version)
        form.tidy()
        return _quiet_page(row, form, theirs=_quiet_form(row)), 409
    db.session.commit()
    flash(_("Saved. New visits keep away from these hours."), "success")
    return redirect(url_for("schedule.quiet_hours", line_id=line_id), 303)


def _quiet_form(row: QuietHours) -> WeekForm:
    return WeekForm.of_week(quiet.quiet_document(row), version=row.version)


def _quiet_page(row: QuietHours, form: WeekForm, theirs: WeekForm | None = None) -> str:
    minutes = quiet.minutes_a_week(row)
    return render_template(
        "schedule/quiet_hours.html",
        line=quiet.line_in_sight(me(), row.line_id),
        row=row,
        form=form,
        theirs=theirs,
        weekdays=WEEKDAYS,
        week_dates=A_WEEK,
        zones=COMMON_ZONES,
        at=now(),
        hours=f"{minutes / 60:g}",
        minutes=minutes,
    )


def _show(agent_id: int) -> Answer:
    row = service.availability(me(), agent_id)
    return _page(row, _form_of(row))


def _save(agent_id: int) -> Answer:
    form = AvailabilityForm()
    toggled = request.form.get("toggle", "")
    usual = form.hours_on(toggled)
    if toggled:
        form.toggle(toggled)
    removed = form.remove(request.form.get("remove", ""))
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
    if toggled:
        _tell_toggled(agent_id, toggled, usual)
    elif removed:
        _tell_removed(agent_id, removed)
    else:
        flash(_("Saved. %(opens)s", opens=_opens_of(row)), "success")
    return redirect(_address(agent_id), 303)


def _conflict(agent_id: int, form: AvailabilityForm) -> str:
    """What was typed, beside what someone else saved; saving again means it."""
    row = service.availability(me(), agent_id)
    form.version.data = str(row.version)
    form.tidy()
    return _page(row, form, theirs=_form_of(row))


def _tell_toggled(agent_id: int, toggled: str, removed: str | None) -> None:
    """Says what became of a date that was tapped; one more tap undoes it."""
    day = full_date(date.fromisoformat(toggled))
    undo = url_for("schedule.set_date", agent_id=agent_id, day=toggled, hours=removed)
    words = (
        _("%(day)s is a day off.", day=day)
        if removed is None
        else _("%(day)s has its usual hours again.", day=day)
    )
    _offer_undo(words, undo)


def _tell_removed(agent_id: int, entry: dict[str, Any]) -> None:
    """Says what was removed from a list, and offers to put it back."""
    words = _("The time off is removed.") if "first" in entry else _("The change of the zone is removed.")
    _offer_undo(words, url_for("schedule.put_back", agent_id=agent_id, **entry))


def _offer_undo(words: str, address: str) -> None:
    message: Any = {"text": words, "action": address, "label": _("Undo")}
    flash(message, "success")


def _page(row: Availability, form: AvailabilityForm, theirs: AvailabilityForm | None = None) -> str:
    agent = db.session.get_one(Person, row.person_id)
    hours, at = service.hours_of(row), now()
    today = local(at, hours.zone_at(at)).date()
    months = _months(today, MONTHS_SHOWN)
    return render_template(
        "schedule/availability.html",
        agent=agent,
        mine=agent.id == me().id,
        row=row,
        zone=hours.zone_at(at),
        form=form,
        theirs=theirs,
        weekdays=WEEKDAYS,
        week_dates=A_WEEK,
        months=months,
        today=today,
        zones=COMMON_ZONES,
        countries=_countries(),
        parts=rules.holiday_parts(form.holidays.data or ""),
        opens=_opens_of(row),
        at=at,
        listed={entry.form.day.data: entry.form.hours.data for entry in form.dates.entries},
        declined=declined.declined_hours(row, now=at),
        closed={day: words for _first, weeks in months for day, words in _closed(hours, weeks)},
    )


def _closed(hours: rules.Hours, weeks: list[list[date]]) -> list[tuple[date, str]]:
    """The dates that are off without being listed, and why."""
    days = [day for week in weeks for day in week if day not in hours.overrides]
    found = [(day, str(_("public holiday"))) for day in days if hours.is_holiday(day)]
    return found + [(day, str(_("time off"))) for day in days if hours.is_time_off(day)]


def _countries() -> list[tuple[str, str]]:
    """Countries with their names in the reader's language, by name."""
    codes = [code for code in rules.holiday_countries() if "-" not in code]
    return sorted(((code, country_name(code)) for code in codes), key=lambda each: each[1].casefold())


def _form_of(row: Availability) -> AvailabilityForm:
    """The form of what is saved. A journey that has begun is over: its zone is now simply the zone."""
    document: dict[str, Any] = service.availability_document(row)
    hours, at = service.hours_of(row), now()
    zone = hours.zone_at(at)
    begun = sum(begins <= at for begins, _zone in hours.zones()) - 1
    document |= {"timezone": zone, "zone_changes": document["zone_changes"][begun:]}
    return AvailabilityForm.of(document, version=row.version, today=local(at, zone).date())


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
