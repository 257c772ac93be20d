"""Who calls: the bearer token, and nothing else. A cookie never authenticates the API."""

import hashlib

from flask import g, request
from flask_limiter.util import get_remote_address

from gemba.api.problems import TokenNeeded, TokenReadsOnly
from gemba.clock import now
from gemba.db import begin_reading, db
from gemba.people import service as people
from gemba.people.rules import Scope
from gemba.people.service.tokens import TokenUse
from gemba.web.access import SAFE_METHODS


def _token() -> str:
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.casefold() == "bearer" else ""


def caller() -> str:
    """Whose calls are counted together: a token's, else an address's."""
    token = _token()
    return hashlib.sha256(token.encode()).hexdigest() if token else get_remote_address()


def authenticate() -> None:
    """Before every call: finds the token's person. Raises TokenNeeded, TokenReadsOnly."""
    g.me = g.sign_in = None
    token, reads = _token(), request.method in SAFE_METHODS
    use = people.use_of_token(token, now()) if token else None
    if use is not None and not use.is_noted:
        use = _noted(token, use, reads)
    if use is None:
        raise TokenNeeded
    if not reads and use.scope is not Scope.WRITE:
        raise TokenReadsOnly
    g.me = use.person


def _noted(token: str, use: TokenUse, reads: bool) -> TokenUse | None:
    """Notes the token's use; where the call reads, in a transaction of its own, for it must not wait for
    writers."""
    if not reads:
        people.note_use(use, now())
        return use
    db.session.rollback()
    begin_reading(False)
    people.note_use(use, now())
    db.session.commit()
    begin_reading(True)
    return people.use_of_token(token, now())
