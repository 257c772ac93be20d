"""Who may call what: every view says so with exactly one of these marks, and no mark means no.

`@public` lets everyone in, `@signed_in` anyone signed in, `@requires(Role.X, …)` holders of one of
the roles. Rights on objects are in how services fetch them, not here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, current_app, g, request, session
from flask_babel import refresh
from werkzeug.wrappers import Response

from gemba.clock import now
from gemba.db import begin_reading, db
from gemba.errors import Forbidden, SignInNeeded
from gemba.people import service as people
from gemba.people.models import Person, SignIn
from gemba.people.rules import Role

View = TypeVar("View", bound=Callable[..., object])
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
TOUCH_EVERY = timedelta(minutes=30)
API = "api"
"""The blueprint whose own check stands before each of its calls."""
WITHOUT_COOKIE = frozenset({None, "static", "feeds.calendar"})
"""Who calls these is nobody's business: they look at no cookie."""


@dataclass(frozen=True)
class Access:
    """Who may call a view; `roles` empty means anyone signed in."""

    public: bool = False
    roles: frozenset[Role] = frozenset()


def _mark(view: View, access: Access) -> View:
    view.access = access  # type: ignore[attr-defined]
    return view


def public(view: View) -> View:
    """Everyone may call this view, signed in or not."""
    return _mark(view, Access(public=True))


def signed_in(view: View) -> View:
    """Anyone signed in may call this view."""
    return _mark(view, Access())


def requires(*roles: Role) -> Callable[[View], View]:
    """Holders of one of these roles may call this view."""
    return lambda view: _mark(view, Access(roles=frozenset(roles)))


def access_of(app: Flask, endpoint: str) -> Access | None:
    """The mark of an endpoint's view, None where it has none."""
    return cast("Access | None", getattr(app.view_functions[endpoint], "access", None))


def me_or_none() -> Person | None:
    """The person signed in in this browser, if any."""
    return cast("Person | None", g.get("me"))


def speak_to(person: Person, locale: str) -> None:
    """This page is for this person, signed in or not: in their zone and this language."""
    g.reader, g.locale = person, locale
    refresh()


def reader_or_none() -> Person | None:
    """Whose language and zone this page is in: by default that of the person signed in, if any."""
    return cast("Person | None", g.get("reader")) or me_or_none()


def me() -> Person:
    """The person signed in. Raises SignInNeeded."""
    person = me_or_none()
    if person is None:
        raise SignInNeeded
    return person


def this_sign_in() -> SignIn | None:
    """The row behind this browser's cookie."""
    return cast("SignIn | None", g.get("sign_in"))


def safe_next(target: str | None) -> str:
    """`target` where it is a path of this site, else the home page (no open redirects)."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return "/"
    if "\\" in target or any(ord(ch) < 32 or ord(ch) == 127 for ch in target):
        return "/"
    parts = urlsplit(target)
    return "/" if parts.scheme or parts.netloc else target


def client_address() -> str:
    """The caller's address, as far as the configured proxies vouch for it."""
    return request.remote_addr or ""


def _recognise() -> None:
    begin_reading(request.method in SAFE_METHODS)
    g.me = g.sign_in = None
    # The API knows its callers by bearer token alone (gemba/api/bearer.py).
    if request.endpoint in WITHOUT_COOKIE or request.blueprint == API:
        return
    token = session.get("sign_in")
    if token is None:
        return
    row = people.find_sign_in(token, now=now())
    if row is None:
        # The cookie stays as it is: emptied, it would go over one that another tab has just got.
        return
    if now() - row.seen_at > TOUCH_EVERY:
        row = _touch(token) or row
    g.sign_in, g.me = row, row.person


def _touch(token: str) -> SignIn | None:
    """Notes in a transaction of its own that the sign-in is in use."""
    db.session.rollback()
    begin_reading(False)
    row = people.find_sign_in(token, now=now())
    if row is not None:
        row.seen_at = now()
    db.session.commit()
    begin_reading(request.method in SAFE_METHODS)
    return row


def _check() -> None:
    if request.endpoint is None or request.endpoint == "static" or request.blueprint == API:
        return
    access = access_of(current_app, request.endpoint)
    if access is None:
        raise Forbidden
    if access.public:
        return
    person = me()
    if access.roles and not person.has(*access.roles):
        raise Forbidden


def _done_reading(response: Response) -> Response:
    begin_reading(False)
    return response


def init_app(app: Flask) -> None:
    """Recognises the person and checks the mark of the view before every request."""
    app.before_request(_recognise)
    app.before_request(_check)
    app.after_request(_done_reading)


__all__ = [
    "Access",
    "access_of",
    "client_address",
    "init_app",
    "me",
    "me_or_none",
    "public",
    "reader_or_none",
    "requires",
    "safe_next",
    "signed_in",
    "speak_to",
    "this_sign_in",
]
