"""Connecting trackers: list, add, look at one, check, change, remove."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gemba.clock import now
from gemba.config import current_settings
from gemba.db import db
from gemba.errors import Invalid, NotFound
from gemba.sealing import KeyChanged
from gemba.trackers.adapters.errors import SignInRefused, TrackerError
from gemba.trackers.forms import ConnectForm, connect_form
from gemba.trackers.models import Connection
from gemba.trackers.rules.kinds import RIGHT_LABELS, TRAITS, Right, TrackerKind
from gemba.trackers.rules.mapping import unfilled
from gemba.trackers.service import connections, exports
from gemba.trackers.views.edge import Answer, admins, blueprint, editors, said
from gemba.web.access import me
from gemba.web.filters import local
from gemba.web.limits import limiter
from gemba.web.pages import say


@blueprint.get("/trackers")
@editors
def index() -> Answer:
    """All connections."""
    return render_template(
        "trackers/index.html",
        trackers=connections.all_trackers(me()),
        may_manage=connections.may_manage(me()),
        now=now(),
    )


@blueprint.get("/trackers/new")
@admins
def new() -> Answer:
    """Choose a kind, then say where it is."""
    kind = _kind(request.args.get("kind", ""))
    if kind is None:
        return render_template("trackers/choose.html", kinds=[(each, TRAITS[each]) for each in TrackerKind])
    form = connect_form(kind)(formdata=None, kind=kind.value, base_url=TRAITS[kind].base_url)
    form.item_type.data = TRAITS[kind].item_type
    return _form_page(form, kind)


@blueprint.post("/trackers/new")
@admins
@limiter.limit("20 per minute")
def create() -> Answer:
    """Connects a tracker and looks at it at once."""
    kind = _kind(request.form.get("kind", ""))
    if kind is None:
        raise NotFound
    form = connect_form(kind)()
    if form.submitted():
        try:
            made = connections.add(me(), form.values(), now=now())
            db.session.commit()
        except Invalid as invalid:
            db.session.rollback()
            form.take_errors(invalid)
        else:
            _look(made)
            return redirect(url_for("trackers.show", tracker_id=made.id), 303)
    return _form_page(form, kind), 422


@blueprint.get("/trackers/<int:tracker_id>")
@editors
def show(tracker_id: int) -> Answer:
    """One connection: whether it works, what it may do, its exports, the way back."""
    row = connections.get(tracker_id, me())
    kind, may_manage = TrackerKind(row.kind), connections.may_manage(me())
    rights = connections.rights_of(row)
    return render_template(
        "trackers/tracker.html",
        tracker=row,
        traits=TRAITS[kind],
        may_manage=may_manage,
        rights=[
            (_(RIGHT_LABELS[right][0 if rights[right] else 1]), rights[right])
            for right in Right
            if right in rights
        ],
        expires=connections.expires_of(row),
        missing=unfilled(connections.plan_of(row), connections.fields_of(row)),
        exports=exports.exports_of(tracker_id, me()),
        hook=f"{current_settings().base_url}/hooks/trackers/{row.id}",
        hook_secret=_hook_secret(row) if may_manage else "",
        unsigned=kind in (TrackerKind.YANDEX, TrackerKind.YOUTRACK, TrackerKind.AZURE),
        today=local(now()).date(),
        now=now(),
    )


@blueprint.post("/trackers/<int:tracker_id>/check")
@admins
@limiter.limit("20 per minute")
def check(tracker_id: int) -> Answer:
    """Asks the tracker what the token may do and which fields there are."""
    _look(connections.get(tracker_id, me(), manage=True))
    return redirect(url_for("trackers.show", tracker_id=tracker_id), 303)


@blueprint.route("/trackers/<int:tracker_id>/edit", methods=["GET", "POST"])
@admins
def edit(tracker_id: int) -> Answer:
    """Another name, address, project or token."""
    row = connections.get(tracker_id, me(), manage=True)
    kind = TrackerKind(row.kind)
    form = connect_form(kind)(obj=row) if request.method == "GET" else connect_form(kind)()
    if form.submitted():
        try:
            changed = connections.change(tracker_id, me(), form.values(), now=now())
            db.session.commit()
        except Invalid as invalid:
            db.session.rollback()
            form.take_errors(invalid)
        else:
            _look(changed)
            return redirect(url_for("trackers.show", tracker_id=tracker_id), 303)
    return _form_page(form, kind, row), 422 if form.errors else 200


@blueprint.post("/trackers/<int:tracker_id>/remove")
@admins
def remove(tracker_id: int) -> Answer:
    """Forgets a connection."""
    connections.remove(tracker_id, me(), now=now())
    db.session.commit()
    flash(_("The connection is removed. Its tickets stay where they are."), "success")
    return redirect(url_for("trackers.index"), 303)


def _look(row: Connection) -> None:
    """Speaks to the tracker with no transaction open, and says what came of it."""
    tracker_id, name = row.id, row.name
    try:
        adapter = connections.adapter_of(row)
        db.session.rollback()
        found = connections.look(adapter)
    except KeyChanged as changed:
        flash(say(changed), "error")
    except TrackerError as error:
        if isinstance(error, SignInRefused):
            # The page says so, with the day the token ended.
            connections.token_refused(tracker_id, now=now())
            db.session.commit()
        else:
            flash(said(error), "error")
    else:
        connections.keep_look(tracker_id, me(), found, now=now())
        db.session.commit()
        flash(_("%(name)s answers.", name=name), "success")


def _hook_secret(row: Connection) -> str:
    try:
        return connections.hook_secret_of(row)
    except KeyChanged:
        return ""


def _kind(text: str) -> TrackerKind | None:
    return TrackerKind(text) if text in list(TrackerKind) else None


def _form_page(form: ConnectForm, kind: TrackerKind, row: Connection | None = None) -> str:
    values: dict[str, Any] = {"form": form, "traits": TRAITS[kind], "kind": kind, "tracker": row}
    return render_template("trackers/connect.html", **values)
