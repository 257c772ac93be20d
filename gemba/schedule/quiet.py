"""Quiet hours of a line: its peak load, in which none of its agents takes visits.

For the line's lead and admins; everyone else is told that there is nothing. Hours are wall time in a zone of
their own, in the JSON shape of an agent's weekly hours: {"timezone": …, "weekly": [{weekday, start, end}]}.
"""

from datetime import datetime

from sqlalchemy import select

from gemba.db import db
from gemba.errors import Invalid, NotFound, Stale
from gemba.openings import hours_opened
from gemba.people import service as people
from gemba.people.models import Line, Person
from gemba.people.rules import Role
from gemba.schedule import rules, service
from gemba.schedule.models import QuietHours

FIELDS = ("timezone", "weekly")
DOCUMENT = "Please give an object with timezone and weekly, and nothing else."


def line_in_sight(viewer: Person, line_id: int) -> Line:
    """The line whose quiet hours `viewer` may see and change. Raises NotFound."""
    line = db.session.get(Line, line_id)
    if line is None or not (viewer.has(Role.ADMIN) or line.lead_id == viewer.id):
        raise NotFound
    return line


def quiet_hours(viewer: Person, line_id: int) -> QuietHours:
    """A line's quiet hours; an empty row with version 0, not part of the database, where none were saved.

    Raises NotFound.
    """
    line = line_in_sight(viewer, line_id)
    return db.session.get(QuietHours, line.id, populate_existing=True) or QuietHours(
        line_id=line.id, timezone=viewer.timezone, weekly={}, version=service.NEVER_SAVED
    )


def set_quiet_hours(
    viewer: Person, line_id: int, document: object, *, version: int | None = None, now: datetime
) -> QuietHours:
    """Replaces a line's quiet hours with a whole JSON document.

    `version` is the one the writer saw; None writes whatever is there. Raises NotFound, Invalid with the
    paths of the document, or Stale where someone else saved since.
    """
    line = line_in_sight(viewer, line_id)
    # Two first saves at once: the second waits here, and then finds the row of the first.
    db.session.execute(select(Line.id).where(Line.id == line.id).with_for_update())
    row = quiet_hours(viewer, line_id)
    if version is not None and version != row.version:
        raise Stale
    hours = _parsed(document)
    before = quiet_document(row)
    row.timezone = hours.timezone
    row.weekly = {
        str(day): [[each.start, each.end] for each in intervals] for day, intervals in hours.weekly.items()
    }
    row.version += 1
    db.session.add(row)
    people.audit(viewer, "quiet_hours.set", f"line:{line.id}", {"before": before}, now)
    db.session.flush()
    service.touch_line(line.id)
    hours_opened(now=now)
    return row


def quiet_document(row: QuietHours) -> dict[str, object]:
    """The JSON shape of a row, as `set_quiet_hours` takes it."""
    whole = rules.dump_availability(rules.ParsedAvailability(_hours_of(row)))
    return {name: whole[name] for name in FIELDS}


def problems_of(document: object) -> dict[str, list[str]]:
    """What the rules object to in a JSON document, by path; empty where they take it."""
    try:
        _parsed(document)
    except Invalid as invalid:
        return {path: list(sentences) for path, sentences in invalid.errors.items()}
    return {}


def minutes_a_week(row: QuietHours) -> int:
    """How many minutes of a usual week are quiet."""
    return sum(end - start for pairs in row.weekly.values() for start, end in pairs)


def _hours_of(row: QuietHours) -> rules.Hours:
    weekly = {
        int(day): tuple(rules.Interval(start, end) for start, end in pairs)
        for day, pairs in row.weekly.items()
    }
    return rules.Hours(row.timezone, weekly)


def _parsed(document: object) -> rules.Hours:
    if not isinstance(document, dict):
        raise Invalid({"quiet_hours": [DOCUMENT]})
    known = {name: value for name, value in document.items() if name in FIELDS}
    errors = {str(name)[:60]: [DOCUMENT] for name in document if name not in FIELDS}
    try:
        hours = rules.parse_availability(known).hours
    except rules.BadAvailability as bad:
        raise Invalid(errors | bad.errors) from bad
    if errors:
        raise Invalid(errors)
    return hours
