"""The own page: name, time zone, language, mails, where one is signed in, and API tokens."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid
from gemba.people import service
from gemba.people.forms import ZONES, MailForm, ProfileForm, TokenForm
from gemba.people.rules import COMMON_ZONES, MailKind, browser_name
from gemba.people.service import mail_choices
from gemba.people.views.base import Answer, blueprint
from gemba.web.access import client_address, me, safe_next, signed_in, this_sign_in


@blueprint.get("/profile")
@signed_in
def profile() -> Answer:
    """Shows what there is."""
    person = me()
    form = ProfileForm(obj=person, next=safe_next(request.args.get("next", url_for("people.profile"))))
    if not person.timezone_confirmed and person.timezone == "UTC":
        form.timezone.data = ""
    return _page(form, TokenForm(), 200)


def _page(form: ProfileForm, token_form: TokenForm, status: int, mail_form: MailForm | None = None) -> Answer:
    person = me()
    own = [] if person.timezone in COMMON_ZONES else [(person.timezone, person.timezone)]
    form.timezone.choices = [("", _("Choose…")), *own, *ZONES]
    here = this_sign_in()
    return render_template(
        "people/profile.html",
        form=form,
        token_form=token_form,
        mail_form=mail_form or MailForm(formdata=None, kinds=sorted(mail_choices.wanted_by(person))),
        sign_ins=[(row, *browser_name(row.browser)) for row in service.sign_ins_of(person, now=now())],
        here_id=here.id if here else None,
        tokens=service.tokens_of(person),
        now=now(),
    ), status


@blueprint.post("/profile")
@signed_in
def save_profile() -> Answer:
    """Keeps what people say about themselves; a time zone said here is confirmed."""
    form, person = ProfileForm(), me()
    # Which zones exist is the service's to say.
    form.timezone.validate_choice = False
    if not form.submitted():
        return _page(form, TokenForm(formdata=None), 422)
    try:
        service.update_person(
            person,
            by=person,
            now=now(),
            address=client_address(),
            name=form.name.data or "",
            timezone=form.timezone.data or "",
            locale=form.locale.data,
        )
    except Invalid as error:
        db.session.rollback()
        form.take_errors(error)
        return _page(form, TokenForm(formdata=None), 422)
    db.session.commit()
    flash(_("Saved."), "success")
    return redirect(safe_next(form.next.data), 303)


@blueprint.post("/profile/mail")
@signed_in
def save_mail_choices() -> Answer:
    """Keeps which mails somebody wants."""
    form, person = MailForm(), me()
    if not form.submitted():
        profile_form = ProfileForm(formdata=None, obj=person, next=url_for("people.profile"))
        return _page(profile_form, TokenForm(formdata=None), 422, form)
    wanted = [MailKind(kind) for kind in form.kinds.data or []]
    mail_choices.choose(person, wanted, now=now(), by=person, address=client_address())
    db.session.commit()
    flash(_("Saved."), "success")
    return redirect(url_for("people.profile") + "#mail", 303)


@blueprint.post("/profile/sign-ins/<int:sign_in_id>/end")
@signed_in
def end_sign_in(sign_in_id: int) -> Response:
    """Signs one browser out."""
    service.end_sign_in(me(), sign_in_id, now=now(), address=client_address())
    db.session.commit()
    flash(_("That browser is signed out."), "success")
    return redirect(url_for("people.profile"), 303)


@blueprint.post("/profile/sign-ins/end")
@signed_in
def end_sign_ins() -> Response:
    """Signs every browser out, this one too."""
    service.end_sign_ins(me(), now=now(), by=me(), address=client_address())
    db.session.commit()
    flash(_("You are signed out everywhere."), "success")
    return redirect(url_for("people.sign_in"), 303)


@blueprint.post("/profile/tokens")
@signed_in
def make_token() -> Answer:
    """Makes a token and shows it, this once: it must not be kept anywhere, so there is no redirect."""
    form = TokenForm()
    if form.submitted():
        try:
            token = service.make_token(
                me(), form.name.data or "", form.scope.data or "", now(), client_address()
            )
        except Invalid as error:
            db.session.rollback()
            form.take_errors(error)
        else:
            db.session.commit()
            return render_template("people/token.html", token=token, name=form.name.data), 201
    return _page(ProfileForm(formdata=None, obj=me(), next=url_for("people.profile")), form, 422)


@blueprint.post("/profile/tokens/<int:token_id>/revoke")
@signed_in
def revoke_token(token_id: int) -> Response:
    """Ends a token."""
    service.revoke_token(me(), token_id, now(), client_address())
    db.session.commit()
    flash(_("The token is revoked. What used it can no longer read or change anything."), "success")
    return redirect(url_for("people.profile") + "#tokens", 303)
