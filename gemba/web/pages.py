"""Pages that belong to no domain: health, readiness, language, and what is shown when something fails."""

import secrets

import structlog
from flask import Blueprint, Flask, current_app, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, OperationalError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from gemba.db import db
from gemba.errors import GembaError, SignInNeeded
from gemba.migrate import readiness
from gemba.people import service as people
from gemba.people.rules import LOCALES
from gemba.web.access import me_or_none, public, safe_next
from gemba.web.addresses import without_secrets

blueprint = Blueprint("pages", __name__)
log = structlog.get_logger()

Answer = Response | tuple[str, int] | tuple[str, int, dict[str, str]] | str


@blueprint.get("/healthz")
@public
def healthz() -> Answer:
    """The process answers."""
    return "ok\n", 200, {"Content-Type": "text/plain; charset=utf-8"}


@blueprint.get("/readyz")
@public
def readyz() -> Answer:
    """The database answers and has the schema this code needs; 503 with the reason where not."""
    reason = readiness()
    return (reason or "ready") + "\n", 503 if reason else 200, {"Content-Type": "text/plain; charset=utf-8"}


@blueprint.get("/service-worker.js")
@public
def service_worker() -> Answer:
    """The script that keeps a page of notes for when there is no connection; its scope is the whole site."""
    answer = current_app.send_static_file("js/service-worker.js")
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@blueprint.post("/language")
@public
def language() -> Answer:
    """Another language, for this browser and for the person signed in."""
    chosen = request.form.get("locale", "")
    if chosen in LOCALES:
        session["locale"] = chosen
        person = me_or_none()
        if person is not None:
            people.set_locale(person, chosen)
            db.session.commit()
    return redirect(safe_next(request.form.get("next")), 303)


def say(error: GembaError) -> str:
    """The sentence of a refusal in the reader's language."""
    words = str(_(error.sentence))
    return words % error.values if error.values else words


def _page(status: int, title: str, text: str, error_id: str = "") -> tuple[str, int]:
    return render_template(
        "errors/error.html", status=status, title=title, text=text, error_id=error_id
    ), status


def _http_words(status: int) -> tuple[str, str]:
    words = {
        400: (_("This request is not complete"), _("Go back, reload the page and try again.")),
        403: (_("Not for your role"), _("Your role does not allow this. An admin can change roles.")),
        404: (_("Nothing here"), _("The address is wrong, or this is not yours to see.")),
        405: (_("Not this way"), _("This address does not answer that kind of request.")),
        413: (_("Too much at once"), _("What you sent is larger than this page takes.")),
        429: (
            _("A little slower, please"),
            _("Too many tries in a short time. Wait a minute and try again."),
        ),
    }
    return words.get(status, (_("That did not work"), _("Go back, reload the page and try again.")))


def refusal(error: GembaError) -> Answer:
    """What a page that was refused answers: one sentence, or the sign-in."""
    db.session.rollback()
    if isinstance(error, SignInNeeded):
        here = request.full_path.rstrip("?") if request.method == "GET" else "/"
        return redirect(url_for("people.sign_in", next=here if here != "/" else None), 303)
    title, _text = _http_words(error.status)
    return _page(error.status, title, say(error))


def _http_error(error: HTTPException) -> Answer | HTTPException:
    if error.response is not None or (error.code or 500) < 400:
        return error
    db.session.rollback()
    return _page(error.code or 500, *_http_words(error.code or 500))


def csrf_error(_error: CSRFError) -> Answer:
    """What a form with a token of another sign-in answers."""
    text = _(
        "This page was open in another sign-in. Go back: your words are still there. Reload, then send again."
    )
    return _page(400, _("Please send that once more"), text)


def _database_error(error: DBAPIError) -> Answer:
    db.session.rollback()
    error_id = secrets.token_hex(4)
    log.error("database", error_id=error_id, exc_info=error)
    text = _("The database did not answer in time. Nothing was changed. Try again in a moment.")
    return _page(503, _("Not saved"), text, error_id)


def _surprise(error: Exception) -> Answer:
    if current_app.testing:
        raise error
    db.session.rollback()
    error_id = secrets.token_hex(4)
    log.error("unexpected", error_id=error_id, path=without_secrets(request.path), exc_info=error)
    text = _("Something broke on our side. Nothing was changed. The number below finds it in the log.")
    return _page(500, _("That did not work"), text, error_id)


def init_app(app: Flask) -> None:
    """Registers the pages and one handler for each kind of failure."""
    app.register_blueprint(blueprint)
    app.register_error_handler(GembaError, refusal)
    app.register_error_handler(CSRFError, csrf_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(OperationalError, _database_error)
    app.register_error_handler(Exception, _surprise)
