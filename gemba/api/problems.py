"""Refusals as RFC 9457 problem details, for every address under /api/.

`type` ends in a stable code; words may change, codes may not. The API speaks English, so that a log reads
the same whoever's token was used.
"""

import secrets
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import structlog
from flask import Flask, Response, current_app, json, request
from sqlalchemy.exc import DBAPIError, OperationalError
from werkzeug.exceptions import HTTPException

from gemba.api.fields import utc
from gemba.config import current_settings
from gemba.db import db
from gemba.errors import Forbidden, GembaError, Invalid, SignInNeeded
from gemba.schedule.rules import REASON_SENTENCES, Reason, discreet
from gemba.visits.errors import NotOffered, SlotTaken

log = structlog.get_logger()

MEDIA = "application/problem+json"
RETRY_SECONDS = 2

PROBLEMS: dict[str, tuple[str, str]] = {
    "bad-request": ("Bad request", "The request cannot be read: look at the JSON of its body."),
    "unauthorized": ("Token needed", "Send a living token as Authorization: Bearer gemba_…"),
    "forbidden": ("Not for you", "The token or its person's role does not allow this."),
    "not-found": ("Nothing here", "There is nothing at this address, or it is not yours to see."),
    "method-not-allowed": (
        "Not this way",
        "This address does not take this method; Allow names those it takes.",
    ),
    "not-acceptable": ("Not acceptable", "The answer cannot be given in the form asked for."),
    "too-large": ("Too large", "The body is larger than the API takes."),
    "unsupported-media-type": ("JSON please", "Send the body as application/json."),
    "invalid": ("Some fields need another look", "errors names each field with what would be accepted."),
    "too-many-requests": ("A little slower", "Too many calls in a minute; Retry-After says when to go on."),
    "slot-taken": ("Taken", "Someone was faster; alternatives are the three nearest starts."),
    "not-offered": (
        "Not offered",
        "The programme's or the agent's rules stand against it; reasons says which.",
    ),
    "not-for-you": ("Not for you", "The programme is for some colleagues only; its admins can add you."),
    "by-rounds-only": ("By rounds only", "Nobody books by hand: sign up to a round of the programme."),
    "stale": ("Changed meanwhile", "Someone else changed this after the version you named."),
    "already-cancelled": ("Cancelled already", "The visit was cancelled before."),
    "already-over": ("Over already", "The visit has begun or is over."),
    "too-early": ("Too early", "Notes open a quarter of an hour before the visit."),
    "not-startable": ("Not now", "A visit can be started from a quarter of an hour before it until its end."),
    "another-person": ("Another person", "The page was opened by somebody else."),
    "too-late": ("Too late", "The time for this has passed."),
    "not-over-yet": ("Not begun yet", "Whether the visit took place is asked once it has begun."),
    "already-decided": ("Answered already", "The request was approved or declined before."),
    "lapsed": ("Too late", "The time to answer is over, and the hour is free again."),
    "offer-over": ("No longer held", "The hour is not held for you any more."),
    "not-booked": ("Not booked", "The visit is not booked, or not yet."),
    "needs-yes": ("Needs a new yes", "With another agent the visitor cancels and asks anew."),
    "others-come": ("Others come too", "One of several visitors cannot move the visit: leave it, book anew."),
    "nobody-free": ("Nobody free", "No other agent is free at this hour."),
    "under-review": ("Under review", "The agent of its visit has not looked at the notes yet."),
    "no-webhook": ("Nothing here", "There is no such webhook."),
    "too-many-webhooks": ("Too many", "There are twenty already; remove one that nobody listens to."),
    "no-tracker": ("Nothing here", "There is no such tracker, or it is not yours to see."),
    "no-export": ("Nothing here", "There is no such export, or it is not yours to see."),
    "no-ticket": ("Nothing here", "There is no such ticket, or it is not yours to see."),
    "tracker-paused": ("Paused", "The tracker does not take its token any more; give a new one and check."),
    "fields-missing": ("Fields missing", "The tracker requires fields that the mapping does not fill."),
    "nothing-to-export": ("Nothing to export", "The insights are gone, merged or not reviewed yet."),
    "too-many": ("Too many", "Export fewer insights at once."),
    "not-asking": ("Not asking", "The ticket waits for nobody's answer."),
    "no-such-ticket": ("No such ticket", "The tracker has no ticket of this name."),
    "has-ticket": ("Has a ticket", "The insight has a ticket in this tracker already."),
    "key-changed": ("Key changed", "The secret key was changed: give the tracker's token again."),
    "tracker-refused": ("Refused there", "The tracker does not do this."),
    "tracker-unavailable": ("Away", "The tracker does not answer well; nothing was sent."),
    "tracker-uncertain": ("Uncertain", "The tracker gave no clear answer: it may be done or not."),
    "tracker-token-refused": ("Token refused", "The tracker does not take the token any more."),
    "tracker-forbidden": ("Not allowed there", "The token may not do this in the tracker."),
    "tracker-gone": ("Gone there", "The tracker has nothing there any more."),
    "tracker-conflict": ("Conflict there", "The tracker has this already, or it was changed there just now."),
    "tracker-rejected": ("Rejected there", "The tracker refuses what was sent."),
    "tracker-busy": ("Wait", "The tracker asks us to wait."),
    "visit-cancelled": ("Visit cancelled", "A cancelled visit takes no notes."),
    "training-missing": (
        "Training first",
        "The programme trains its visitors before they book; its training page shows what is left.",
    ),
    "consent-missing": (
        "Confirm first",
        "The programme asks its visitors to confirm something once; its briefing page does that.",
    ),
    "note-private": ("Private", "The agent asked to keep this note inside the visit."),
    "too-many-pictures": ("Enough pictures", "A note takes five pictures, a visit sixty of one person."),
    "too-many-files": ("Enough files", "An insight takes twenty files."),
    "already-merged": ("Merged already", "The insight is part of another one."),
    "merge-circle": ("A circle", "An insight cannot be merged into itself or its own part."),
    "not-merged": ("Not merged", "The insight is not part of another one."),
    "nothing-to-split": ("Nothing to split", "Choose some of the evidence, but leave some behind."),
    "idempotency-key-reused": ("Key used before", "The same Idempotency-Key came with another request."),
    "round-closed": ("Not open", "Sign-up to the round is not open now."),
    "proposal-under-way": ("Under way", "Pairs are being looked for or booked. Wait for that, or stop it."),
    "nothing-proposed": ("Nothing proposed", "There are no proposed pairs to publish."),
    "nobody-signed-up": ("Nobody waits", "Nobody who signed up waits for a visit."),
    "reminded-today": ("Reminded today", "They were reminded within the last day."),
    "refused": ("Refused", "This cannot be done as things are now."),
    "too-many-calendars": ("Ten calendars", "An agent has ten busy calendars at most. Remove one first."),
    "calendar-is-there": ("There already", "A busy calendar with this address is there already."),
    "nothing-to-read": ("A file", "A file is not read again. Send the new one."),
    "busy": ("Busy", "The database did not answer in time; nothing was changed. Try again."),
    "error": (
        "Our fault",
        "Something broke on our side; nothing was changed. The number finds it in the log.",
    ),
}
"""Every code with its title and what it means; the page of the API shows them."""

_OF_STATUS = {
    400: "bad-request",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    413: "too-large",
    415: "unsupported-media-type",
    422: "invalid",
    429: "too-many-requests",
}


class KeyReused(GembaError):
    """This Idempotency-Key was used for another request. Take a new key for a new request."""

    status = 422
    code = "idempotency-key-reused"


class TokenNeeded(SignInNeeded):
    """Send a living token as Authorization: Bearer gemba_…"""


class TokenReadsOnly(Forbidden):
    """This token may only read. Make one with the scope write."""


def problem(code: str, status: int, detail: str, **more: object) -> Response:
    """A problem document; `more` are further members."""
    title = PROBLEMS.get(code, PROBLEMS["refused"])[0]
    kind = f"{current_settings().base_url}/problems/{code}"
    body = {"type": kind, "title": title, "status": status, "detail": detail, **more}
    return Response(json.dumps(body), status, content_type=MEDIA)


def reason_document(reason: Reason) -> dict[str, str]:
    """A reason against a start as `{code, detail}`; instants in it in UTC."""
    values = {name: _value(value) for name, value in reason.params.items()}
    return {"code": str(reason.code), "detail": REASON_SENTENCES[reason.code] % values}


def _value(value: object) -> object:
    if isinstance(value, datetime):
        return utc(value)
    return value.isoformat() if isinstance(value, date) else value


NO_AGENT = {
    "code": "no-agent",
    "detail": "No agent who takes visits fits this choice of agent, product and language.",
}


def _more(error: GembaError) -> dict[str, object]:
    """The members that a refusal adds."""
    if isinstance(error, Invalid):
        return {"errors": error.errors}
    if isinstance(error, SlotTaken):
        return {"alternatives": [utc(start) for start in error.alternatives]}
    if isinstance(error, NotOffered):
        return {"reasons": [reason_document(reason) for reason in discreet(error.reasons)] or [NO_AGENT]}
    return {}


def of_refusal(error: GembaError) -> Response:
    """The answer to what a service refused."""
    db.session.rollback()
    answer = problem(error.code, error.status, str(error), **_more(error))
    if isinstance(error, SignInNeeded):
        answer.headers["WWW-Authenticate"] = 'Bearer realm="Gemba"'
    return answer


def of_http(error: HTTPException) -> Response | HTTPException:
    """The answer to what Flask or an extension refused."""
    status = error.code or 500
    if error.response is not None or status < 400:
        return error
    db.session.rollback()
    code = _OF_STATUS.get(status, "error" if status >= 500 else "refused")
    answer = problem(code, status, PROBLEMS[code][1])
    kept = {"allow", "retry-after"}
    for name, value in error.get_headers():
        if name.lower() in kept:
            answer.headers[name] = value
    return answer


def of_database(error: DBAPIError) -> Response:
    """The answer where the database was too busy."""
    db.session.rollback()
    log.error("database", path=request.path, exc_info=error)
    answer = problem("busy", 503, PROBLEMS["busy"][1])
    answer.headers["Retry-After"] = str(RETRY_SECONDS)
    return answer


def of_surprise(error: Exception) -> Response:
    """The answer to a fault of ours: a number, and nothing of what broke."""
    if current_app.testing:
        raise error
    db.session.rollback()
    error_id = secrets.token_hex(4)
    log.error("unexpected", error_id=error_id, path=request.path, exc_info=error)
    return problem("error", 500, PROBLEMS["error"][1], error_id=error_id)


def init_app(app: Flask) -> None:
    """Lets addresses under /api/ answer with problems where pages answer with pages.

    Called after the pages put their handlers in place. At the app and not at a blueprint, because an
    address that does not exist belongs to none.
    """
    handlers: dict[type[Exception], Callable[[Any], Any]] = {
        GembaError: of_refusal,
        HTTPException: of_http,
        OperationalError: of_database,
        Exception: of_surprise,
    }
    for kind, handler in handlers.items():
        page = app.error_handler_spec[None][None][kind]
        app.register_error_handler(kind, _fork(handler, page))


def _fork(handler: Callable[[Any], Any], page: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def choose(error: Any) -> Any:
        return (handler if request.path.startswith("/api/") else page)(error)

    return choose
