"""One mail, in a transaction of its own: what all ways in call."""

import hashlib
from collections.abc import Collection

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from gemba.clock import now as app_now
from gemba.db import db, insert_new, table_of
from gemba.inbox import service
from gemba.inbox.models import ReceivedMail
from gemba.inbox.rules import Outcome

_AWAY = (OperationalError, InterfaceError, PoolTimeout)

log = structlog.get_logger()


class Away(Exception):
    """The database does not take anything right now: the mail has to be offered again."""


def receive(raw: bytes, *, via: str, recipients: Collection[str] = ()) -> str:
    """Takes in a mail and commits; says what became of it. Raises Away, and nothing else.

    A mail that brings something nobody thought of is written down as `failed`, lest it come back for ever.
    """
    try:
        result = service.handle_message(raw, via=via, recipients=recipients, now=app_now()).result
        db.session.commit()
    except _AWAY as error:
        db.session.rollback()
        raise Away from error
    except Exception:
        db.session.rollback()
        log.exception("inbox.surprise", via=via)
        return _note_failure(raw, via)
    return result


def _note_failure(raw: bytes, via: str) -> str:
    row = {
        "digest": f"failed:{hashlib.sha256(raw).hexdigest()}",
        "via": via,
        "sender": "",
        "subject": "",
        "method": "",
        "result": Outcome.FAILED.value,
        "detail": "",
        "received_at": app_now(),
    }
    try:
        db.session.execute(insert_new(table_of(ReceivedMail), "digest"), row)
        db.session.commit()
    except _AWAY as error:
        db.session.rollback()
        raise Away from error
    return Outcome.FAILED.value
