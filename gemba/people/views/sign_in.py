"""Signing in by a mailed link or code, and signing out."""

import secrets
from datetime import datetime

from flask import current_app, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from gemba.clock import now
from gemba.config import current_settings
from gemba.db import db
from gemba.errors import GembaError
from gemba.people import service
from gemba.people.errors import ProofGone, TooManyMails, WrongCode
from gemba.people.forms import CodeForm, SignInForm
from gemba.people.rules import clean_email
from gemba.people.views.base import Answer, blueprint, let_in
from gemba.web.access import client_address, me, me_or_none, public, safe_next, signed_in, this_sign_in
from gemba.web.limits import limiter


@blueprint.get("/sign-in")
@public
def sign_in() -> Answer:
    """Asks for the address."""
    target = safe_next(request.args.get("next"))
    if me_or_none() is not None:
        return redirect(target, 303)
    return sign_in_page(SignInForm(next=target), 200)


def sign_in_page(form: SignInForm, status: int) -> Answer:
    """The page with the ways to sign in."""
    provider = current_settings().oidc is not None
    return render_template("people/sign_in.html", form=form, provider=provider), status


@blueprint.post("/sign-in")
@limiter.limit("30 per 10 minutes; 120 per hour")
@public
def ask_for_sign_in() -> Answer:
    """Sends a mail to a known address, and leads to the code for any address."""
    form = SignInForm()
    email = clean_email(form.email.data or "") if form.submitted() else None
    if email is None:
        if not form.errors:
            form.email.errors = [_("Write your e-mail address, such as vera@example.com.")]
        return sign_in_page(form, 422)
    target, browser_token = safe_next(form.next.data), secrets.token_urlsafe(32)
    try:
        order = service.request_sign_in(email, browser_token, now=now())
    except TooManyMails as error:
        db.session.rollback()
        form.email.errors = [_(error.sentence)]
        return sign_in_page(form, error.status)
    if order is not None:
        _send(order, target, now())
    db.session.commit()
    session["asked"] = {"token": browser_token, "email": email, "next": target}
    return redirect(url_for("people.sign_in_code"), 303)


def _send(order: service.MailOrder, target: str, at: datetime) -> None:
    link = url_for(
        "people.sign_in_link", token=order.link_token, next=target if target != "/" else None, _external=False
    )
    # The outbox stands above people, so app.py hands its queue_mail() in.
    current_app.extensions["gemba_send_mail"](
        to=order.to,
        name=order.name,
        locale=order.locale,
        template="sign_in",
        context={"secret": {"code": order.code, "path": link}, "expires_at": order.expires_at},
        dedup_key=order.dedup_key,
        now=at,
    )


@blueprint.get("/sign-in/code")
@public
def sign_in_code() -> Answer:
    """Asks for the code, in the browser that asked for the mail."""
    if "asked" not in session:
        return redirect(url_for("people.sign_in"), 303)
    return _code_page(CodeForm(), 200)


def _code_page(form: CodeForm, status: int, gone: bool = False) -> Answer:
    asked = session["asked"]
    again = SignInForm(formdata=None, email=asked["email"], next=asked["next"])
    return render_template(
        "people/sign_in_code.html", form=form, again=again, email=asked["email"], gone=gone
    ), status


@blueprint.post("/sign-in/code")
@limiter.limit("60 per 10 minutes")
@public
def type_code() -> Answer:
    """Signs in by the typed code."""
    asked = session.get("asked")
    if asked is None:
        return redirect(url_for("people.sign_in"), 303)
    form = CodeForm()
    if not form.submitted():
        return _code_page(form, 422)
    try:
        person = service.check_code(asked["token"], form.code.data or "", now=now(), address=client_address())
    except (WrongCode, ProofGone) as error:
        db.session.commit()
        form.code.errors = [_(error.sentence)]
        return _code_page(form, error.status, gone=isinstance(error, ProofGone))
    return let_in(person, "code", asked["next"])


@blueprint.get("/sign-in/link/<token>")
@public
def sign_in_link(token: str) -> Answer:
    """Shows a button: programs that follow links in mails must not use them up."""
    try:
        email = service.look_at_link(token, now=now())
    except ProofGone as error:
        return _gone(error, request.args.get("next"))
    target = safe_next(request.args.get("next"))
    return render_template("people/sign_in_link.html", token=token, email=email, target=target)


@blueprint.post("/sign-in/link/<token>")
@limiter.limit("60 per 10 minutes")
@public
def use_link(token: str) -> Answer:
    """Signs in by the mailed link."""
    try:
        person = service.use_link(token, now=now())
    except ProofGone as error:
        db.session.rollback()
        return _gone(error, request.form.get("next"))
    return let_in(person, "link", request.form.get("next"))


def _gone(error: GembaError, target: str | None) -> Answer:
    form = SignInForm(formdata=None, next=safe_next(target))
    return render_template("people/sign_in_gone.html", text=_(error.sentence), form=form), 410


@blueprint.post("/sign-out")
@signed_in
def sign_out() -> Response:
    """Signs this browser out."""
    row = this_sign_in()
    if row is not None:
        service.end_sign_in(me(), row.id, now=now(), address=client_address())
    locale = me().locale
    db.session.commit()
    session.clear()
    session["locale"] = locale
    return redirect(url_for("people.sign_in"), 303)
