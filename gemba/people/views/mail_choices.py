"""The link in the foot of mails that people may turn off.

It works without a sign-in. A GET only shows how things stand, as mail programs and their scanners open
links by themselves; a POST turns mails off or on. The one that mail programs send for their own button
(RFC 8058) carries no token of ours against forgery: the link is signed, and that is the proof.
"""

from flask import Flask, abort, redirect, render_template, request, session, url_for
from flask_babel import force_locale

from gemba.clock import now
from gemba.config import current_settings
from gemba.db import db
from gemba.people.mail_links import whose_mail
from gemba.people.models import Person
from gemba.people.rules import LOCALES, MailKind, masked_email
from gemba.people.service import mail_choices
from gemba.people.views.base import Answer, blueprint
from gemba.web.access import client_address, public

ONE_CLICK = ("List-Unsubscribe", "One-Click")


@blueprint.get("/mail/<token>")
@public
def mail(token: str) -> Answer:
    """Shows whether these mails come, with the button to turn them off or on; nothing changes."""
    found = _person_and_kind(token)
    return _page(token, *found) if found else _bad_link()


@blueprint.post("/mail/<token>")
@public
def turn_mail(token: str) -> Answer:
    """Turns these mails off or on. A mail program's own request is answered without a redirect (RFC 8058)."""
    found = _person_and_kind(token)
    if found is None:
        return _bad_link()
    one_click = request.form.get(ONE_CLICK[0]) == ONE_CLICK[1]
    wanted = "no" if one_click else request.form.get("wanted")
    if wanted not in ("yes", "no"):
        abort(400)
    person, kind = found
    mail_choices.choose_one(person, kind, wanted == "yes", now=now(), by=None, address=client_address())
    db.session.commit()
    return _page(token, person, kind) if one_click else redirect(url_for("people.mail", token=token), 303)


def _person_and_kind(token: str) -> tuple[Person, MailKind] | None:
    told = whose_mail(token, current_settings().secret_key)
    person = db.session.get(Person, told[0]) if told else None
    return (person, told[1]) if told and person and person.active else None


def _page(token: str, person: Person, kind: MailKind) -> str:
    locale = session.get("locale") if session.get("locale") in LOCALES else person.locale
    with force_locale(str(locale)):
        return render_template(
            "people/mail.html",
            token=token,
            kind=kind,
            wanted=kind in mail_choices.wanted_by(person),
            email=masked_email(person.email),
        )


def _bad_link() -> tuple[str, int]:
    return render_template("people/mail_unknown.html"), 404


def init_app(app: Flask) -> None:
    """Lets mail programs POST to a signed link without a token of a page."""
    app.extensions["csrf"].exempt(turn_mail)
