"""Signed links in mails: whoever holds one acts for one person in one visit, without a sign-in.

A link is made of the two ids and their HMAC, so nothing is stored and nothing can be guessed; it opens
nothing but the pages under /answer/, until 30 days after the visit.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from struct import Struct

from gemba.config import current_settings
from gemba.db import db
from gemba.people.models import Person
from gemba.visits.models import Visit

LIVES = timedelta(days=30)
"""So long after its visit a link is good."""

_IDS = Struct(">II")
_MAC = 16
"""Bytes of the signature: 128 bits."""
_LENGTH = 32
"""Characters of a token."""


@dataclass(frozen=True)
class Holder:
    """Whose link it is, and the visit it is about, whether or not they still take part."""

    visit: Visit
    person: Person


def link_token(visit_id: int, person_id: int) -> str:
    """What stands behind /answer/ in a person's mails about a visit; the same at every call."""
    ids = _IDS.pack(visit_id, person_id)
    return urlsafe_b64encode(ids + _signature(ids)).decode()


def answer_path(visit_id: int, person_id: int) -> str:
    """The address of the page of such a link, below this site's."""
    return f"/answer/{link_token(visit_id, person_id)}"


def whose_link(token: str, *, now: datetime) -> Holder | None:
    """Whose link this is; None where it is forged or too old, or the person is gone."""
    if len(token) != _LENGTH or not token.isascii():
        return None
    try:
        told = urlsafe_b64decode(token)
    except ValueError:
        return None
    ids, signature = told[: _IDS.size], told[_IDS.size :]
    # Encoding once more tells one spelling from others of the same bytes.
    genuine = hmac.compare_digest(signature, _signature(ids)) and urlsafe_b64encode(told).decode() == token
    if not genuine:
        return None
    visit_id, person_id = _IDS.unpack(ids)
    visit, person = db.session.get(Visit, visit_id), db.session.get(Person, person_id)
    if visit is None or person is None or not person.active or now > visit.ends_at + LIVES:
        return None
    return Holder(visit, person)


def _signature(ids: bytes) -> bytes:
    key = hmac.digest(current_settings().secret_key.encode(), b"gemba: links to answer a visit", sha256)
    return hmac.digest(key, ids, sha256)[:_MAC]
