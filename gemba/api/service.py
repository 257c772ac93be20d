"""First answers to requests that named an Idempotency-Key, kept for a day.

The key is claimed by an insert in the transaction of its effect: who comes second at the same moment waits
at the unique constraint (on SQLite at the single writer) and then finds the first answer. What is refused
is rolled back together with its claim, so it may be tried again.
"""

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from gemba.api.models import IdempotentAnswer
from gemba.api.problems import KeyReused
from gemba.db import db

KEPT = timedelta(hours=24)
KEY_MAX = 200
OPEN = 0
"""The status of a claim whose answer is not known yet."""


def is_key(text: str) -> bool:
    """Whether this can be an Idempotency-Key: 1 to 200 printable characters of ASCII."""
    return 0 < len(text) <= KEY_MAX and text.isascii() and text.isprintable()


def request_hash(method: str, path: str, body: bytes) -> str:
    """What must be the same for the first answer to be given again."""
    return hashlib.sha256(b"\0".join((method.encode(), path.encode(), body))).hexdigest()


def claim(person_id: int, key: str, request_hash: str, now: datetime) -> tuple[IdempotentAnswer, bool]:
    """The answer to a key and whether it is new, to be filled by `keep`. Raises KeyReused."""
    db.session.execute(
        delete(IdempotentAnswer).where(
            IdempotentAnswer.person_id == person_id, IdempotentAnswer.created_at <= now - KEPT
        )
    )
    claimed = IdempotentAnswer(
        person_id=person_id, key=key, request_hash=request_hash, status=OPEN, body="", created_at=now
    )
    try:
        with db.session.begin_nested():
            db.session.add(claimed)
    except IntegrityError:
        return _first(person_id, key, request_hash), False
    return claimed, True


def keep(claimed: IdempotentAnswer, status: int, body: str) -> None:
    """Writes the first answer down."""
    claimed.status, claimed.body = status, body
    db.session.flush()


def _first(person_id: int, key: str, request_hash: str) -> IdempotentAnswer:
    row = db.session.scalars(
        select(IdempotentAnswer).where(IdempotentAnswer.person_id == person_id, IdempotentAnswer.key == key)
    ).one()
    if row.request_hash != request_hash:
        raise KeyReused
    return row
