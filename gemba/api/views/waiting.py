"""The waitlist of a programme, and the quiet hours of lines."""

from typing import Any

from gemba.api.blueprint import call
from gemba.api.lookups import caller, product_id, visible_programme
from gemba.api.paging import answer, part, unseal
from gemba.api.schemas import waiting as shapes
from gemba.api.schemas.common import PartQuery
from gemba.clock import now
from gemba.errors import NotFound
from gemba.schedule import quiet
from gemba.schedule import service as schedule
from gemba.visits import service as visits
from gemba.visits.facts import Ask

PATH = "/programmes/<slug:slug>/waitlist"


@call("GET", PATH, tag="Waitlist", answer=shapes.Place, problems=[404])
def show_place(slug: str) -> Any:
    """Your place in the waitlist

    404 where you do not wait in this programme.
    """
    return _place(slug)


@call("PUT", PATH, tag="Waitlist", body=shapes.Wish, answer=shapes.Place, problems=[404])
def wait(body: dict[str, Any], slug: str) -> Any:
    """Wait for an hour

    Who waits already keeps the place, with the new wish. The first in line is offered an hour that becomes
    free, by mail and as `visit`: POST /visits/{id}/take or /refuse.
    """
    programme = visible_programme(slug)
    if not programme.active:
        raise NotFound
    ask = Ask(body["agent"], product_id(body["product"]), body["language"])
    visits.wait(programme, caller(), ask, now=now())
    return _place(slug)


@call("DELETE", PATH, tag="Waitlist", answer=shapes.Place, problems=[404])
def stop_waiting(slug: str) -> Any:
    """Leave the waitlist

    Answers the place it was. What was held for you is offered to the next.
    """
    place = _place(slug)
    visits.stop_waiting(visible_programme(slug), caller(), now=now())
    return place


def _place(slug: str) -> dict[str, Any]:
    programme = visible_programme(slug)
    found = (each for each in visits.places_of(caller()) if each.entry.programme_id == programme.id)
    place = next(found, None)
    if place is None:
        raise NotFound
    entry = place.entry
    return {
        "programme": programme.slug,
        "position": place.position,
        "agent": entry.agent_id,
        "product": entry.product_id,
        "language": entry.language,
        "since": entry.queued_at,
        "visit": entry.visit_id,
    }


@call("GET", "/lines", tag="Lines", query=PartQuery, answer=shapes.LinePart)
def list_lines(query: dict[str, Any]) -> Any:
    """The lines you look after

    Those you lead; admins see all.
    """
    after = unseal(query["cursor"], 1)
    lines = sorted(schedule.lines_looked_after(caller()), key=lambda line: line.id)
    rows = [line for line in lines if after is None or line.id > after[0]]
    shown, cursor = part(rows, query["limit"], lambda line: (line.id,))
    return answer([{"id": line.id, "name": line.name, "lead": line.lead_id} for line in shown], cursor)


@call("GET", "/lines/<id:line_id>/quiet-hours", tag="Lines", answer=shapes.QuietHours, problems=[404])
def show_quiet_hours(line_id: int) -> Any:
    """A line's quiet hours

    For the head of the line and admins.
    """
    return quiet.quiet_document(quiet.quiet_hours(caller(), line_id))


@call(
    "PUT",
    "/lines/<id:line_id>/quiet-hours",
    tag="Lines",
    body=shapes.QuietHours,
    answer=shapes.QuietHours,
    problems=[404],
)
def set_quiet_hours(body: Any, line_id: int) -> Any:
    """Replace a line's quiet hours

    No visit is offered in them with any agent of the line. Visits already booked stay.
    """
    return quiet.quiet_document(quiet.set_quiet_hours(caller(), line_id, body, now=now()))
