"""Pages of outgoing webhooks, for admins."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid, Refused
from gemba.people.rules import Role
from gemba.sealing import KeyChanged
from gemba.web.access import me, requires
from gemba.web.limits import limiter
from gemba.web.pages import say
from gemba.webhooks import service
from gemba.webhooks.models import Webhook
from gemba.webhooks.rules import CHOICES

blueprint = Blueprint("webhooks", __name__)
admins = requires(Role.ADMIN)
Answer = Response | str | tuple[str, int]


@blueprint.get("/webhooks")
@admins
def index() -> Answer:
    """All addresses, and the form for another one."""
    return _index()


@blueprint.post("/webhooks")
@admins
@limiter.limit("20 per minute")
def create() -> Answer:
    """Adds an address."""
    url, events = request.form.get("url", "").strip(), request.form.getlist("events")
    try:
        row = service.add(me(), url, events, now=now())
        db.session.commit()
    except Invalid as invalid:
        db.session.rollback()
        errors = {name: [_(words) for words in sentences] for name, sentences in invalid.errors.items()}
        return _index(url, events, errors), 422
    except Refused as refused:
        db.session.rollback()
        flash(say(refused), "error")
        return redirect(url_for(".index"), 303)
    return redirect(url_for(".show", webhook_id=row.id), 303)


@blueprint.get("/webhooks/<int:webhook_id>")
@admins
def show(webhook_id: int) -> Answer:
    """One address: its secret, what it heard lately."""
    row = service.get(webhook_id, me())
    return render_template(
        "webhooks/webhook.html",
        webhook=row,
        secret=_secret(row),
        deliveries=service.deliveries(webhook_id, me()),
        now=now(),
    )


@blueprint.post("/webhooks/<int:webhook_id>/ping")
@admins
@limiter.limit("20 per minute")
def ping(webhook_id: int) -> Answer:
    """Sends something harmless."""
    service.ping(webhook_id, me(), now=now())
    db.session.commit()
    flash(_("A ping is on its way. Look again in a moment."), "success")
    return redirect(url_for(".show", webhook_id=webhook_id), 303)


@blueprint.post("/webhooks/<int:webhook_id>/remove")
@admins
def remove(webhook_id: int) -> Answer:
    """Forgets an address."""
    service.remove(webhook_id, me(), now=now())
    db.session.commit()
    flash(_("The webhook is removed."), "success")
    return redirect(url_for(".index"), 303)


def _secret(row: Webhook) -> str:
    try:
        return service.secret_of(row)
    except KeyChanged:
        return ""


def _index(url: str = "", events: list[str] | None = None, errors: dict[str, list[str]] | None = None) -> str:
    return render_template(
        "webhooks/index.html",
        webhooks=service.all_webhooks(me()),
        choices=[event.value for event in CHOICES],
        url=url,
        chosen=[event.value for event in CHOICES] if events is None else events,
        errors=errors or {},
    )
