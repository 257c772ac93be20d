"""People and how they prove who they are."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from gemba.db import db
from gemba.people.models import Person, SignIn

SIGN_IN_LASTS = timedelta(days=30)


def hashed(token: str) -> str:
    """What is stored of a token: its SHA-256 (tokens are >= 128 random bits, so no salt is needed)."""
    return hashlib.sha256(token.encode()).hexdigest()


def find_sign_in(token: str, *, now: datetime) -> SignIn | None:
    """The living sign-in of a cookie's token, with its person; None where it ended."""
    row = db.session.scalar(
        select(SignIn).where(SignIn.token_hash == hashed(token)).options(joinedload(SignIn.person))
    )
    if row is None or row.revoked_at is not None or row.expires_at <= now or not row.person.active:
        return None
    return row


def begin_sign_in(person_id: int, *, method: str, browser: str, now: datetime) -> str:
    """Signs a person in; returns the token for the browser's cookie (only its hash is kept)."""
    token = secrets.token_urlsafe(32)
    db.session.add(
        SignIn(
            person_id=person_id,
            token_hash=hashed(token),
            method=method,
            browser=browser[:200],
            created_at=now,
            seen_at=now,
            expires_at=now + SIGN_IN_LASTS,
        )
    )
    return token


def set_locale(person: Person, locale: str) -> None:
    """The language a person is spoken to in."""
    person.locale = locale
