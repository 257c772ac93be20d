"""Hours an agent said no to: nobody is offered that very time with them until they open it again."""

from datetime import UTC, datetime, timedelta

from gemba.db import db
from gemba.errors import NotFound
from gemba.openings import hours_opened
from gemba.people import service as people
from gemba.people.models import Person
from gemba.schedule import service
from gemba.schedule.models import Availability, new_stamp
from gemba.schedule.rules import Span

MINUTE = timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def keep_no(agent_id: int, span: Span, *, now: datetime) -> None:
    """Notes that an agent said no to a time; what is over is forgotten.

    Belongs under the lock of the agent. Nothing happens where they saved no hours.
    """
    row = db.session.get(Availability, agent_id, populate_existing=True)
    if row is None:
        return
    said = [int((span.start - EPOCH) / MINUTE), -int(-(span.end - EPOCH) // MINUTE)]
    row.declined = sorted([each for each in _to_come(row, now) if each != said] + [said])
    row.stamp = new_stamp()
    db.session.flush()


def declined_hours(row: Availability, *, now: datetime) -> list[Span]:
    """The times to come that an agent said no to."""
    return [Span(EPOCH + start * MINUTE, EPOCH + end * MINUTE) for start, end in _to_come(row, now)]


def open_again(viewer: Person, agent_id: int, start: datetime, *, now: datetime) -> Availability:
    """Offers the time that begins then as if nobody had said no. Raises NotFound, also where nobody did."""
    row = service.locked_hours(viewer, agent_id)
    minute = int((start - EPOCH) / MINUTE)
    left = [each for each in row.declined if each[0] != minute]
    if len(left) == len(row.declined):
        raise NotFound
    row.declined, row.stamp = left, new_stamp()
    db.session.flush()
    if viewer.id != agent_id:
        people.audit(
            viewer, "availability.open-again", f"person:{agent_id}", {"start": start.isoformat()}, now
        )
    hours_opened(now=now)
    return row


def _to_come(row: Availability, now: datetime) -> list[list[int]]:
    return [each for each in row.declined if EPOCH + each[1] * MINUTE > now]
