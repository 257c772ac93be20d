"""What keeps a page of notes alive for an hour: drafts, pulse, real start, words that outlive a sign-in."""

from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError, generate_csrf
from werkzeug.wrappers import Response as AnyResponse

from gemba.clock import now
from gemba.db import db
from gemba.errors import SignInNeeded
from gemba.insights import service
from gemba.insights.errors import AnotherPerson
from gemba.insights.forms import DraftForm, StartForm
from gemba.insights.rules.kinds import Kind
from gemba.insights.service import DraftFields
from gemba.insights.views.edge import Answer, blueprint
from gemba.visits.forms import parse_instant, stamp
from gemba.web import pages
from gemba.web.access import me, signed_in

WITH_WORDS = frozenset({"insights.notes", "insights.edit_note", "insights.new", "insights.edit"})
"""Forms whose words are shown again when the sign-in or its token is gone."""
LONG = ("line", "text", "verbatim", "title", "body", "workaround")


@blueprint.post("/visits/<int:visit_id>/notes/draft")
@signed_in
def keep_draft(visit_id: int) -> Answer | AnyResponse:
    """Keeps the words that are in the field; empty words forget them. For the page's script."""
    visit = service.visit_for_notes(me(), visit_id)
    if refusal := service.why_not(visit, me(), now()):
        raise refusal
    form = DraftForm()
    if not form.submitted():
        return Response("", 422, content_type="text/plain; charset=utf-8")
    if form.person.data != str(me().id):
        raise AnotherPerson
    fields = DraftFields(
        line=form.line.data or "",
        at=min(parse_instant(form.at.data) or now(), now()),
        kind=Kind(form.kind.data),
        severity=form.severity.data,
        is_ask=form.is_ask.data,
    )
    service.keep_draft(
        visit,
        me(),
        (form.client_id.data or "").lower(),
        fields,
        instead_of=(form.draft.data or "").lower(),
        now=now(),
    )
    db.session.commit()
    return Response(status=204)


@blueprint.get("/visits/<int:visit_id>/notes/pulse")
@signed_in
def pulse(visit_id: int) -> AnyResponse:
    """For a page that has been open for long: whose sign-in this is, its token, the time, notes of others."""
    visit = service.visit_for_notes(me(), visit_id)
    return jsonify(
        person=me().id, token=generate_csrf(), now=stamp(now()), others=service.others_notes(visit, me())
    )


@blueprint.post("/visits/<int:visit_id>/notes/start")
@signed_in
def start_now(visit_id: int) -> Answer | AnyResponse:
    """Counts the minutes of the visit from now, or from the planned hour again; 204 for the page's script."""
    form = StartForm()
    planned = form.planned.data == "1"
    service.start_now(visit_id, me(), parse_instant(form.at.data), planned=planned, now=now())
    db.session.commit()
    if request.headers.get("X-Fragment"):
        return Response(status=204)
    if planned:
        flash(_("Minutes count from the planned hour again."), "success")
    else:
        flash(_("Minutes count from now."), "success")
    return redirect(url_for(".notes", visit_id=visit_id), 303)


@blueprint.errorhandler(SignInNeeded)
def sign_in_ended(error: SignInNeeded) -> Answer | AnyResponse | tuple[str, int, dict[str, str]]:
    """A form with words that came after the sign-in had ended: the words again, to be sent once more."""
    if not _has_words():
        return pages.refusal(error)
    return _words_again(
        _("Your sign-in ended"),
        _("Nothing is lost: what you wrote stands below. Sign in in another tab, then save it here."),
        401,
    )


@blueprint.errorhandler(CSRFError)
def token_ended(error: CSRFError) -> Answer | AnyResponse | tuple[str, int, dict[str, str]]:
    """A form with words that came with the token of an earlier sign-in: the words again, with a new token."""
    if not _has_words():
        return pages.csrf_error(error)
    return _words_again(
        _("Please save that once more"),
        _("This page was opened before you signed in again. What you wrote stands below."),
        400,
    )


def _has_words() -> bool:
    return (
        request.method == "POST"
        and request.endpoint in WITH_WORDS
        and "X-Fragment" not in request.headers
        and any(request.form.get(name, "").strip() for name in LONG)
    )


def _words_again(title: str, lede: str, status: int) -> tuple[str, int]:
    db.session.rollback()
    given = [(name, value) for name, value in request.form.items() if name not in ("csrf_token", "private")]
    labels = {
        "line": _("What do you see?"),
        "text": _("What you saw"),
        "verbatim": _("In their words"),
        "title": _("Title"),
        "body": _("Description"),
        "workaround": _("How they get around it"),
    }
    return render_template(
        "insights/words_again.html",
        title=title,
        lede=lede,
        needs_sign_in=status == 401,
        words=[(name, labels[name], value) for name, value in given if name in LONG and value.strip()],
        rest=[(name, value) for name, value in given if name not in LONG],
    ), status
