"""The demo's own pages: sign in as one of the cast, and read the mail that went out.

They exist only where the database holds the demo company: `init_app` registers nothing elsewhere.
"""

import re
from typing import Any

from flask import Blueprint, Flask, render_template, request, url_for
from werkzeug.wrappers import Response

from gemba.clock import now
from gemba.config import current_settings
from gemba.db import db, reading
from gemba.demo import mailbox, service, state
from gemba.errors import NotFound
from gemba.people import service as people
from gemba.people.views.base import let_in
from gemba.web.access import public, this_sign_in

blueprint = Blueprint("demo", __name__)

PAGE = 60
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-top-navigation-by-user-activation allow-popups"
)


@blueprint.get("/demo")
@public
def cast() -> str:
    """Who one can be, with one button each."""
    return render_template("demo/cast.html", members=service.cast())


@blueprint.post("/demo")
@public
def sign_in() -> Response:
    """Signs in as one of the cast, and nobody else; whoever was signed in here is signed out."""
    person, before = service.cast_person(request.form.get("person", "")), this_sign_in()
    if before is not None:
        people.end_sign_in(before.person, before.id, now=now())
    return let_in(person, "demo", None)


@blueprint.get("/demo/mail")
@public
def mail() -> str:
    """The mail that went out, newest first, all or one recipient's."""
    settings = current_settings()
    everything = mailbox.envelopes(settings.mail_folder)
    to = request.args.get("to", "")
    start = max(request.args.get("from", 0, type=int), 0)
    chosen = [one for one in everything if to in ("", one.to)]
    return render_template(
        "demo/mail.html",
        envelopes=chosen[start : start + PAGE],
        count=len(chosen),
        recipients=mailbox.recipients(everything),
        to=to,
        next_url=_page_url(to, start + PAGE) if start + PAGE < len(chosen) else None,
        prev_url=_page_url(to, max(start - PAGE, 0)) if start else None,
        by_smtp=settings.smtp is not None,
    )


@blueprint.get("/demo/mail/<name>")
@public
def letter(name: str) -> str:
    """One mail: who, when, its HTML in a frame, its text, and what the calendar part says."""
    return render_template("demo/letter.html", letter=_letter(name))


@blueprint.get("/demo/mail/<name>/html")
@public
def letter_html(name: str) -> Response:
    """The HTML part alone, for the frame: no scripts, nothing loaded, links open the whole page."""
    html = _letter(name).html
    if html is None:
        raise NotFound
    answer = Response(_with_top_links(html), mimetype="text/html")
    answer.headers["Content-Security-Policy"] = MAIL_POLICY
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    return answer


@blueprint.get("/demo/mail/<name>/raw")
@public
def letter_raw(name: str) -> Response:
    """The mail as it left the house, as a download."""
    found = _letter(name)
    answer = Response(found.raw, mimetype="message/rfc822")
    answer.headers["Content-Disposition"] = f'attachment; filename="{found.envelope.name}"'
    return answer


def _letter(name: str) -> mailbox.Letter:
    found = mailbox.letter(current_settings().mail_folder, name)
    if found is None:
        raise NotFound
    return found


def _page_url(to: str, start: int) -> str:
    asked: dict[str, Any] = {"to": to or None, "from": start or None}
    return url_for("demo.mail", **asked)


def _with_top_links(html: str) -> str:
    base = '<base target="_top">'
    with_base, found = re.subn(r"(<head[^>]*>)", rf"\1{base}", html, count=1, flags=re.IGNORECASE)
    return with_base if found else base + html


def init_app(app: Flask) -> None:
    """Registers these pages where the database holds the demo company when the app is made."""
    with app.app_context(), reading():
        is_demo = state.is_demo()
        db.session.remove()
    if not is_demo:
        return
    app.register_blueprint(blueprint)

    @app.context_processor
    def strip() -> dict[str, Any]:
        return {"demo": True}
