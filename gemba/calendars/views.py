"""The page of an agent's busy calendars: what is known of each, add, read again, remove."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _

from gemba.calendars import service
from gemba.calendars.forms import CalendarForm
from gemba.calendars.rules import MOST_SOURCES
from gemba.calendars.uploads import read_upload
from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid, Refused
from gemba.schedule.service import agent_in_sight
from gemba.web.access import me, signed_in
from gemba.web.limits import limiter
from gemba.web.pages import Answer, say

blueprint = Blueprint("calendars", __name__)


@blueprint.get("/availability/<int:agent_id>/calendars")
@signed_in
def index(agent_id: int) -> Answer:
    """The busy calendars of an agent."""
    return _page(agent_id, CalendarForm(formdata=None))


@blueprint.post("/availability/<int:agent_id>/calendars")
@limiter.limit("30 per minute")
@signed_in
def add(agent_id: int) -> Answer:
    """Adds a calendar by its address or as a file."""
    agent_in_sight(me(), agent_id)
    form = CalendarForm()
    try:
        if not form.submitted():
            return _page(agent_id, form), 422
        words = _add(agent_id, form)
    except Invalid as invalid:
        db.session.rollback()
        form.take_errors(invalid)
        return _page(agent_id, form), 422
    except Refused as refused:
        db.session.rollback()
        form.refuse(say(refused))
        return _page(agent_id, form), refused.status
    db.session.commit()
    flash(words, "success")
    return redirect(url_for("calendars.index", agent_id=agent_id), 303)


@blueprint.post("/availability/<int:agent_id>/calendars/<int:source_id>/refresh")
@limiter.limit("30 per minute")
@signed_in
def refresh(agent_id: int, source_id: int) -> Answer:
    """Has a calendar read again in a moment."""
    service.refresh(me(), agent_id, source_id, now())
    db.session.commit()
    flash(_("It will be read in a moment. Load this page again to see what came of it."), "success")
    return redirect(url_for("calendars.index", agent_id=agent_id), 303)


@blueprint.post("/availability/<int:agent_id>/calendars/<int:source_id>/remove")
@signed_in
def remove(agent_id: int, source_id: int) -> Answer:
    """Removes a calendar with its busy times."""
    was = service.remove(me(), agent_id, source_id, now())
    db.session.commit()
    flash(_("%(name)s is removed, and its busy times are forgotten.", name=was.name), "success")
    return redirect(url_for("calendars.index", agent_id=agent_id), 303)


def _add(agent_id: int, form: CalendarForm) -> str:
    """Adds what the form names; answers the sentence that says so. Raises Invalid, Refused."""
    name = form.name.data or ""
    if form.url.data:
        service.add_address(me(), agent_id, url=form.url.data, name=name, now=now())
        return str(_("Added. It will be read in a moment."))
    file = form.file.data
    copy = read_upload(me(), agent_id, file.read(), now=now())
    service.add_file(me(), agent_id, copy=copy, name=name, file_name=file.filename or "", now=now())
    return str(_("Added. Its busy times count from now on."))


def _page(agent_id: int, form: CalendarForm) -> str:
    agent = agent_in_sight(me(), agent_id)
    sources = service.sources_of(me(), agent_id, now())
    return render_template(
        "calendars/index.html",
        agent=agent,
        mine=agent.id == me().id,
        sources=sources,
        full=len(sources) >= MOST_SOURCES,
        form=form,
        at=now(),
    )
