"""Signed links in mails to say "me too": one person votes for one insight, without a sign-in.

A link is made of the two ids, its last day and their HMAC, so nothing is stored and nothing can be guessed.
Whoever opens one that is forged or too old, or whose person may not read the insight (any more), learns
nothing: all of these look the same.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from gemba.config import current_settings
from gemba.db import db
from gemba.insights.errors import InsightNotFound
from gemba.insights.models import Insight
from gemba.insights.service.sight import readable_insight
from gemba.people.models import Person

LIVES = timedelta(days=60)
"""So long after its mail a link is good."""
_BYTES = 18
"""Of the signature: 144 bits."""
_TOKEN = re.compile(r"([1-9]\d{0,9})-([1-9]\d{0,9})-([1-9]\d{0,5})-([A-Za-z0-9_-]{24})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Holder:
    """Whose link it is, and the insight that speaks for the one of the mail."""

    insight: Insight
    person: Person


def vote_path(insight_id: int, person_id: int, now: datetime) -> str:
    """The address of the page behind a link of a mail written now, below this site's."""
    told = f"{insight_id}-{person_id}-{(now + LIVES - _EPOCH).days}"
    return f"/me-too/{told}-{_signature(told)}"


def whose_link(token: str, *, now: datetime) -> Holder | None:
    """Whose link this is; None where it is forged or too old, or there is nothing (more) for its person."""
    found = _TOKEN.fullmatch(token)
    if found is None or not hmac.compare_digest(found[4], _signature(token[: -len(found[4]) - 1])):
        return None
    insight_id, person_id, last_day = (int(found[part]) for part in (1, 2, 3))
    person = db.session.get(Person, person_id)
    if person is None or not person.active or (now - _EPOCH).days > last_day:
        return None
    try:
        root_id = readable_insight(insight_id, person).root_id
        return Holder(readable_insight(root_id, person), person)
    except InsightNotFound:
        return None


def _signature(told: str) -> str:
    key = hmac.digest(current_settings().secret_key.encode(), b"gemba: links to say me too", sha256)
    return urlsafe_b64encode(hmac.digest(key, told.encode(), sha256)[:_BYTES]).decode()
