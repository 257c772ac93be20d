"""Who calls: the bearer token, and nothing else. A cookie never authenticates the API."""

import hashlib

from flask import g, request
from flask_limiter.util import get_remote_address

from gemba.api.problems import TokenNeeded, TokenReadsOnly
from gemba.clock import now
from gemba.db import begin_reading, db
from gemba.people import service as people
from gemba.people.models import Person
from gemba.people.rules import Scope
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
    found = people.person_of_token(token, now()) if token else None
    if found is None:
        raise TokenNeeded
    if reads and people.token_wants_touch(token, now()):
        found = _touch(token) or found
    person, scope = found
    if not reads and scope is not Scope.WRITE:
        raise TokenReadsOnly
    g.me = person


def _touch(token: str) -> tuple[Person, Scope] | None:
    """Notes the token's use in a transaction of its own, for a read must not wait for writers."""
    db.session.rollback()
    begin_reading(False)
    people.person_of_token(token, now())
    db.session.commit()
    begin_reading(True)
    return people.person_of_token(token, now())
