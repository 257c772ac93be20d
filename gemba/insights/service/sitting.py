"""Who takes notes in a visit, when its notes are open, and when it really began."""

from datetime import datetime, timedelta

from gemba.errors import Refused
from gemba.insights.errors import ConsentMissing, NotesCancelled, NotesClosed, NotesNotOpenYet, NotStartable
from gemba.insights.service.standing import lacks_consent
from gemba.people.models import Person
from gemba.visits import service as visits
from gemba.visits.errors import VisitNotFound
from gemba.visits.models import Visit
from gemba.visits.rules import HAPPENING

OPEN_BEFORE = timedelta(minutes=15)
OPEN_AFTER = timedelta(days=14)


def visit_for_notes(viewer: Person, visit_id: int) -> Visit:
    """A visit in which this person sits. Raises VisitNotFound."""
    visit = visits.get_visit(viewer, visit_id)
    if not visits.is_participant(visit, viewer):
        raise VisitNotFound
    return visit


def why_closed(visit: Visit, now: datetime) -> Refused | None:
    """Why the visit takes no notes now, None where it does."""
    if visit.status not in HAPPENING:
        return NotesCancelled()
    if now < visit.starts_at - OPEN_BEFORE:
        return NotesNotOpenYet()
    if now > visit.ends_at + OPEN_AFTER:
        return NotesClosed()
    return None


def why_not(visit: Visit, author: Person, now: datetime) -> Refused | None:
    """Why this person cannot note anything in this visit now, None where they can.

    Asked before every note, change and draft: what else must be true first belongs here.
    """
    closed = why_closed(visit, now)
    return closed or (ConsentMissing() if lacks_consent(visit, author) else None)


def start_of(visit: Visit) -> datetime:
    """When the visit really began: when "started now" was pressed, else the planned hour.

    A press that does not fit the hour (the visit moved since) does not count.
    """
    pressed = visit.started_at
    if pressed is not None and visit.starts_at - OPEN_BEFORE <= pressed < visit.ends_at:
        return pressed
    return visit.starts_at


def start_now(visit_id: int, person: Person, at: datetime | None, *, planned: bool, now: datetime) -> Visit:
    """Counts the visit's minutes from `at` (by default now), or from the planned hour again.

    Raises VisitNotFound, NotStartable, and as record().
    """
    visit = visit_for_notes(person, visit_id)
    if refusal := why_not(visit, person, now):
        raise refusal
    pressed = min(at or now, now)
    if not visit.starts_at - OPEN_BEFORE <= pressed < visit.ends_at:
        raise NotStartable
    visit.started_at = None if planned else pressed
    return visit


def minute_of(visit: Visit, at: datetime) -> int | None:
    """The minute of the visit, counted from its real start; None before it and after its end."""
    start = start_of(visit)
    if not start <= at <= max(visit.ends_at, start + (visit.ends_at - visit.starts_at)):
        return None
    return int((at - start).total_seconds() // 60)
