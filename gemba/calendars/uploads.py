"""An uploaded calendar is worked out while its sender waits: nothing is fetched, and the child is bounded."""

import threading
from datetime import datetime

from gemba.calendars import service
from gemba.calendars.copies import Copy
from gemba.calendars.reading import work_out
from gemba.calendars.rules import LIMIT_BYTES, Trouble, Unreadable
from gemba.db import db
from gemba.people.models import Person

AT_ONCE = 2
PATIENCE = 5.0
_places = threading.BoundedSemaphore(AT_ONCE)
"""So that a handful of large files leaves the other threads of this process to everyone else."""


def read_upload(viewer: Person, agent_id: int, data: bytes, *, now: datetime) -> Copy:
    """What an uploaded file says, or why it cannot be read. Raises NotFound.

    Ends the transaction, in which nothing may have been written: on SQLite nobody could write meanwhile.
    """
    return read_bytes(data, service.zone_of(viewer, agent_id), now=now)


def read_bytes(data: bytes, zone: str, *, now: datetime) -> Copy:
    """The same for anybody's file; whole days are meant in `zone`."""
    db.session.rollback()
    if len(data) > LIMIT_BYTES:
        return Copy(error=Trouble.TOO_LARGE)
    if not _places.acquire(timeout=PATIENCE):
        return Copy(error=Trouble.OVERLOADED)
    try:
        spans, events, known_until = work_out(data, zone=zone, now=now)
    except Unreadable as unreadable:
        return Copy(error=unreadable.trouble)
    finally:
        _places.release()
    return Copy("", spans, events, known_until)
