"""How people prove who they are: a mailed link or code, a provider's word, and the browser's cookie."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any

from sqlalchemy import CursorResult, bindparam, delete, func, select, update
from sqlalchemy.orm import joinedload

from gemba.db import db
from gemba.errors import NotFound
from gemba.people.errors import (
    OtherIdentity,
    ProofGone,
    TooManyMails,
    UnknownIdentity,
    UnverifiedEmail,
    WrongCode,
)
from gemba.people.models import Identity, Person, SignIn, SignInRequest
from gemba.people.rules import clean_email, masked_email
from gemba.people.service.audit import audit

SIGN_IN_LASTS = timedelta(days=30)
IDLE_LASTS = timedelta(days=14)
PROOF_LASTS = timedelta(minutes=10)
MOST_TRIES = 5
MOST_MAILS_AN_HOUR = 5
REQUESTS_KEPT = timedelta(days=1)


@dataclass(frozen=True)
class MailOrder:
    """A sign-in mail to be sent: whoever queues it adds the link's address around `link_token`."""

    to: str
    name: str
    locale: str
    code: str
    link_token: str
    expires_at: datetime
    dedup_key: str


def hashed(token: str) -> str:
    """What is stored of a token: its SHA-256 (tokens are >= 128 random bits, so no salt is needed)."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


_BY_TOKEN = (
    select(SignIn).where(SignIn.token_hash == bindparam("token_hash")).options(joinedload(SignIn.person))
)


def find_sign_in(token: str, *, now: datetime) -> SignIn | None:
    """The living sign-in of a cookie's token, with its person; None where it ended."""
    row = db.session.scalar(_BY_TOKEN, {"token_hash": hashed(token)})
    if row is None or row.revoked_at is not None or not row.person.active:
        return None
    return row if row.expires_at > now and row.seen_at + IDLE_LASTS > now else None


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


def sign_ins_of(person: Person, *, now: datetime) -> list[SignIn]:
    """The living sign-ins of a person, last used first."""
    return list(
        db.session.scalars(
            select(SignIn)
            .where(
                SignIn.person_id == person.id,
                SignIn.revoked_at.is_(None),
                SignIn.expires_at > now,
                SignIn.seen_at > now - IDLE_LASTS,
            )
            .order_by(SignIn.seen_at.desc(), SignIn.id.desc())
        )
    )


def end_sign_in(person: Person, sign_in_id: int, *, now: datetime, address: str = "") -> None:
    """Signs one browser of a person out. Raises NotFound where it is not theirs."""
    row = db.session.scalar(select(SignIn).where(SignIn.id == sign_in_id, SignIn.person_id == person.id))
    if row is None:
        raise NotFound
    if row.revoked_at is None:
        row.revoked_at = now
        audit(person, "sign-out", f"person:{person.id}", {"sign_in": row.id}, now, address)


def end_sign_ins(person: Person, *, now: datetime, by: Person | None, address: str = "") -> None:
    """Signs a person out in every browser and makes mailed proofs worthless."""
    db.session.execute(
        update(SignIn)
        .where(SignIn.person_id == person.id, SignIn.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    db.session.execute(
        update(SignInRequest)
        .where(SignInRequest.person_id == person.id, SignInRequest.used_at.is_(None))
        .values(used_at=now)
    )
    audit(by, "sign-out-everywhere", f"person:{person.id}", {}, now, address)


def request_sign_in(email: str, browser_token: str, *, now: datetime) -> MailOrder | None:
    """Asks for a sign-in by mail; `browser_token` is the new secret of the browser that asks.

    Returns the mail to send, None where nobody active has the (clean) address: to whoever asks both look
    the same. Raises TooManyMails, for known and unknown addresses alike.
    """
    # The lock makes simultaneous requests for one person count one another.
    person = db.session.scalar(select(Person).where(Person.email == email).with_for_update())
    _forget_old_requests(now)
    _check_mails(email, now)
    code, link_token = f"{secrets.randbelow(10**6):06}", secrets.token_urlsafe(32)
    known = person if person is not None and person.active else None
    row = SignInRequest(
        email=email,
        person_id=known.id if known else None,
        browser_hash=hashed(browser_token),
        link_hash=hashed(link_token),
        code_hash=_code_hash(browser_token, code),
        created_at=now,
        expires_at=now + PROOF_LASTS,
    )
    db.session.add(row)
    db.session.flush()
    if known is None:
        return None
    return MailOrder(
        email, known.name, known.locale, code, link_token, row.expires_at, f"sign-in:{row.link_hash[:32]}"
    )


def _forget_old_requests(now: datetime) -> None:
    db.session.execute(delete(SignInRequest).where(SignInRequest.created_at < now - REQUESTS_KEPT))


def _check_mails(email: str, now: datetime) -> None:
    asked = db.session.scalar(
        select(func.count())
        .select_from(SignInRequest)
        .where(SignInRequest.email == email, SignInRequest.created_at > now - timedelta(hours=1))
    )
    if (asked or 0) >= MOST_MAILS_AN_HOUR:
        raise TooManyMails


def _code_hash(browser_token: str, code: str) -> str:
    # Six digits alone could be guessed from their hash; the browser's secret is not in the database.
    return hashed(f"{browser_token}:{code}")


def check_code(browser_token: str, code: str, *, now: datetime, address: str = "") -> Person:
    """The person who typed the code into the browser that asked; code and link are then used up.

    Raises WrongCode and ProofGone. Commit even then: the try has to be counted.
    """
    row = db.session.scalar(select(SignInRequest).where(SignInRequest.browser_hash == hashed(browser_token)))
    if row is None or row.expires_at <= now or not _count_try(row):
        raise ProofGone
    right = compare_digest(row.code_hash, _code_hash(browser_token, code))
    if not right or row.person_id is None:
        audit(None, "sign-in-failed", f"email:{row.email}", {"method": "code"}, now, address)
        raise WrongCode
    return _use_up(row, now)


def _count_try(row: SignInRequest) -> bool:
    """Counts a try; one statement, so that simultaneous guesses cannot share one."""
    statement = (
        update(SignInRequest)
        .where(SignInRequest.id == row.id, SignInRequest.tries < MOST_TRIES, SignInRequest.used_at.is_(None))
        .values(tries=SignInRequest.tries + 1)
    )
    return _changed(statement)


def _use_up(row: SignInRequest, now: datetime) -> Person:
    """Burns code and link together; the winner of simultaneous uses gets the person."""
    statement = (
        update(SignInRequest)
        .where(SignInRequest.id == row.id, SignInRequest.used_at.is_(None))
        .values(used_at=now)
    )
    person = _person_of(row)
    if not _changed(statement) or person is None:
        raise ProofGone
    return person


def _changed(statement: Any) -> bool:
    result = db.session.execute(statement)
    assert isinstance(result, CursorResult)  # noqa: S101 (tells the type checker what UPDATE returns)
    return result.rowcount == 1


def _person_of(row: SignInRequest) -> Person | None:
    person = db.session.get(Person, row.person_id) if row.person_id is not None else None
    return person if person is not None and person.active and person.email == row.email else None


def _open_link(link_token: str, now: datetime) -> SignInRequest:
    row = db.session.scalar(select(SignInRequest).where(SignInRequest.link_hash == hashed(link_token)))
    if row is None or row.used_at is not None or row.expires_at <= now or _person_of(row) is None:
        raise ProofGone
    return row


def look_at_link(link_token: str, *, now: datetime) -> str:
    """The masked address a mailed link is for; changes nothing. Raises ProofGone."""
    return masked_email(_open_link(link_token, now).email)


def use_link(link_token: str, *, now: datetime) -> Person:
    """The person a mailed link is for; code and link are then used up. Raises ProofGone."""
    return _use_up(_open_link(link_token, now), now)


def person_of_identity(
    issuer: str, subject: str, email: str, *, email_verified: bool, now: datetime
) -> Person:
    """The person an OpenID Connect provider speaks of.

    Who is known by (issuer, subject) is found by that alone, whatever the address. Otherwise the identity
    is tied to the active person with the address, where the provider vouches for it. Nobody is created.
    Raises UnknownIdentity, UnverifiedEmail, OtherIdentity.
    """
    identity = db.session.scalar(
        select(Identity)
        .where(Identity.issuer == issuer, Identity.subject == subject)
        .options(joinedload(Identity.person))
    )
    if identity is not None:
        if not identity.person.active:
            raise UnknownIdentity
        return identity.person
    return _tie_identity(issuer, subject, email, email_verified, now)


def _tie_identity(issuer: str, subject: str, email: str, email_verified: bool, now: datetime) -> Person:
    if not email_verified:
        raise UnverifiedEmail
    person = db.session.scalar(
        select(Person).where(Person.email == (clean_email(email) or ""), Person.active).with_for_update()
    )
    if person is None:
        raise UnknownIdentity
    taken = select(Identity.id).where(Identity.person_id == person.id, Identity.issuer == issuer)
    if db.session.scalar(taken) is not None:
        # The address may have been given to another colleague: that one must not become this person.
        raise OtherIdentity
    db.session.add(Identity(person_id=person.id, issuer=issuer, subject=subject, created_at=now))
    audit(person, "identity-linked", f"person:{person.id}", {"issuer": issuer}, now)
    return person


def identities_of(person: Person) -> list[Identity]:
    """The provider accounts a person signs in with."""
    return list(db.session.scalars(select(Identity).where(Identity.person_id == person.id)))


def forget_identities(person: Person, *, by: Person | None, now: datetime, address: str = "") -> None:
    """Unties a person from provider accounts; the next sign-in by address ties anew."""
    db.session.execute(delete(Identity).where(Identity.person_id == person.id))
    audit(by, "identity-unlinked", f"person:{person.id}", {}, now, address)


def set_locale(person: Person, locale: str) -> None:
    """The language a person is spoken to in."""
    person.locale = locale
