"""API tokens: a person's bearer tokens, shown once, kept as hashes."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import Executable, bindparam, func, select, update

from gemba.db import db, table_of
from gemba.errors import Invalid, NotFound
from gemba.people.models import ApiToken, Person
from gemba.people.rules import N_, Scope, clean_line
from gemba.people.service.audit import audit
from gemba.people.service.sign_in import hashed

TOUCH_EVERY = timedelta(hours=1)
MOST_TOKENS = 20
NAME_MAX = 60


def make_token(person: Person, name: str, scope: str, now: datetime, address: str = "") -> str:
    """A new token of a person; this is the only time it is known. Raises Invalid."""
    name = clean_line(name)
    errors: dict[str, list[str]] = {}
    if not 0 < len(name) <= NAME_MAX:
        errors["name"] = [N_("Write what the token is for, in at most 60 characters.")]
    if scope not in set(Scope):
        errors["scope"] = [N_("Choose read or write.")]
    if not person.active:
        errors["email"] = [N_("This person is deactivated.")]
    if not errors and _living_tokens(person) >= MOST_TOKENS:
        errors["name"] = [N_("You already have 20 tokens. Revoke one that is no longer used.")]
    if errors:
        raise Invalid(errors)
    token = f"gemba_{secrets.token_urlsafe(32)}"
    db.session.add(
        ApiToken(person_id=person.id, name=name, scope=scope, token_hash=hashed(token), created_at=now)
    )
    audit(person, "token-made", f"person:{person.id}", {"name": name, "scope": scope}, now, address)
    return token


def _living_tokens(person: Person) -> int:
    statement = select(func.count()).select_from(ApiToken)
    return (
        db.session.scalar(statement.where(ApiToken.person_id == person.id, ApiToken.revoked_at.is_(None)))
        or 0
    )


@dataclass(frozen=True)
class TokenUse:
    """Whose token it is and what it may do; `is_noted` unless its use was last noted an hour ago."""

    id: int
    person: Person
    scope: Scope
    is_noted: bool


@cache
def _living_token() -> Executable:
    """Built once: every call of the API begins with it."""
    return (
        select(ApiToken.id, ApiToken.scope, ApiToken.last_used_at, Person)
        .join(Person, Person.id == ApiToken.person_id)
        .where(ApiToken.token_hash == bindparam("hash"), ApiToken.revoked_at.is_(None), Person.active)
    )


def use_of_token(token: str, now: datetime) -> TokenUse | None:
    """Whose token this is and what it may do; None where it is not (or no longer) one.

    An hour after its use was last noted, note_use() is due.
    """
    row = db.session.execute(_living_token(), {"hash": hashed(token)}).first()
    if row is None:
        return None
    token_id, scope, noted_at, person = row
    return TokenUse(token_id, person, Scope(scope), noted_at is not None and now - noted_at < TOUCH_EVERY)


_tokens = table_of(ApiToken)
_NOTE_USE = update(_tokens).where(_tokens.c.id == bindparam("token")).values(last_used_at=bindparam("at"))


def note_use(use: TokenUse, now: datetime) -> None:
    """Writes down that a token was used."""
    db.session.execute(_NOTE_USE, {"token": use.id, "at": now})


def tokens_of(person: Person) -> list[ApiToken]:
    """The living tokens of a person, newest first."""
    return list(
        db.session.scalars(
            select(ApiToken)
            .where(ApiToken.person_id == person.id, ApiToken.revoked_at.is_(None))
            .order_by(ApiToken.id.desc())
        )
    )


def revoke_token(person: Person, token_id: int, now: datetime, address: str = "") -> None:
    """Ends a token of the person at once. Raises NotFound where it is not theirs."""
    row = db.session.scalar(select(ApiToken).where(ApiToken.id == token_id, ApiToken.person_id == person.id))
    if row is None:
        raise NotFound
    if row.revoked_at is None:
        row.revoked_at = now
        audit(person, "token-revoked", f"person:{person.id}", {"name": row.name}, now, address)


def end_tokens(person: Person, now: datetime) -> None:
    """Ends all tokens of a person at once."""
    db.session.execute(
        update(ApiToken)
        .where(ApiToken.person_id == person.id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=now)
    )
