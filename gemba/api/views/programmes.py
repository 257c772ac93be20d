"""Programmes, and the hours they offer."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from gemba.api.blueprint import call
from gemba.api.lookups import caller, line_id, people_of, product_id, visible_programme, window
from gemba.api.paging import LIMIT, answer, part, unseal
from gemba.api.problems import reason_document
from gemba.api.schemas import people as shapes
from gemba.api.schemas.common import PartQuery
from gemba.clock import now
from gemba.errors import Forbidden, Invalid, NotFound
from gemba.people import service as people
from gemba.people.rules import Role
from gemba.programmes import doors, service
from gemba.programmes.models import Programme
from gemba.schedule import service as schedule
from gemba.schedule.rules import Span, discreet
from gemba.visits import service as visits
from gemba.visits.facts import Ask

USUAL_WINDOW = timedelta(days=14)
PEOPLE = "/programmes/<slug:slug>/people"


@call("GET", "/programmes", tag="Programmes", query=PartQuery, answer=shapes.ProgrammePart)
def list_programmes(query: dict[str, Any]) -> Any:
    """Programmes

    Those that run; admins see all.
    """
    after = unseal(query["cursor"], 1)
    rows = [each for each in service.list_programmes(caller()) if after is None or each.id > after[0]]
    shown, cursor = part(rows, query["limit"], lambda each: (each.id,))
    return answer(_documents(shown), cursor)


@call(
    "POST",
    "/programmes",
    tag="Programmes",
    body=shapes.NewProgramme,
    answer=shapes.Programme,
    status=201,
    located="/programmes/{slug}",
)
def add_programme(body: Any) -> Any:
    """Add a programme

    For admins.
    """
    return _document(service.create(caller(), _with_line_ids(body), now=now()))


@call("GET", "/programmes/<slug:slug>", tag="Programmes", answer=shapes.Programme, problems=[404])
def show_programme(slug: str) -> Any:
    """One programme"""
    return _document(visible_programme(slug))


@call(
    "PATCH",
    "/programmes/<slug:slug>",
    tag="Programmes",
    body=shapes.Programme,
    answer=shapes.Programme,
    problems=[404],
)
def change_programme(body: Any, slug: str) -> Any:
    """Change a programme

    For admins. The slug stays for life.
    """
    visible_programme(slug)
    return _document(service.update(caller(), slug, _with_line_ids(body), now=now()))


@call("GET", PEOPLE, tag="Programmes", query=PartQuery, answer=shapes.PersonPart, problems=[404])
def list_programme_people(query: dict[str, Any], slug: str) -> Any:
    """Who is on a programme's list

    For admins. It counts where the programme's `who` is `listed`.
    """
    programme, after = _kept_by_admins(slug), unseal(query["cursor"], 1)
    return _listed(programme, after[0] if after else 0, query["limit"])


@call("PUT", PEOPLE, tag="Programmes", body=shapes.ProgrammePeople, answer=shapes.PersonPart, problems=[404])
def set_programme_people(body: dict[str, Any], slug: str) -> Any:
    """Say who is on a programme's list

    For admins. All of it, at most 3000 people at once; whoever is not named is off the list, and what they
    have booked stays. Answers the first part of the list.
    """
    programme = _kept_by_admins(slug)
    if not body:
        raise Invalid({"people": ["Give people, emails, or both."]})
    doors.set_people(caller(), programme, people_of(body), now=now())
    return _listed(programme, 0, LIMIT)


@call(
    "GET",
    "/programmes/<slug:slug>/slots",
    tag="Programmes",
    query=shapes.SlotsQuery,
    answer=shapes.Slots,
    problems=[404],
)
def list_slots(query: dict[str, Any], slug: str) -> Any:
    """Starts you could book

    From `from` (default: now) until before `to` (default: 14 days later), at most to the programme's horizon.
    A date means its midnight in UTC. 403 not-for-you and 409 by-rounds-only say who books no hours here.
    """
    programme = visible_programme(slug)
    if not programme.active:
        raise NotFound
    doors.book_by_hand(programme, caller())
    horizon = timedelta(days=programme.horizon_days)
    start, end = window(query["since"], query["until"], now=now(), horizon=horizon, usual=USUAL_WINDOW)
    ask = Ask(query["agent"], product_id(query["product"]), query["language"])
    if start >= end:
        return {"slots": []}
    found = visits.open_slots(programme, caller(), ask=ask, window=Span(start, end), now=now())
    return {
        "slots": [{"start": each.start, "end": each.end, "agents": each.agents} for each in found.slots()]
    }


@call(
    "GET",
    "/programmes/<slug:slug>/slots/explain",
    tag="Programmes",
    query=shapes.ExplainQuery,
    answer=shapes.Explanation,
    problems=[404],
)
def explain_slot(query: dict[str, Any], slug: str) -> Any:
    """Why an agent is offered at a start, or not

    The agent, the lead of their line and admins hear every rule that stands against it. Everyone else asks
    for themselves: their own reasons and the programme's are named, and all that is the agent's own business
    is `agent-not-free`.
    """
    programme, asker, agent_id = visible_programme(slug), caller(), query["agent"]
    if schedule.is_in_sight(asker, agent_id):
        reasons = visits.why_not(programme, None, agent_id, start=query["start"], now=now())
    else:
        doors.book_by_hand(programme, asker)
        reasons = discreet(visits.why_not(programme, asker, agent_id, start=query["start"], now=now()))
    return {"offered": not reasons, "reasons": [reason_document(reason) for reason in reasons]}


def _documents(programmes: Iterable[Programme]) -> list[dict[str, object]]:
    """Programmes with the names of their lines. Which departments may take part is for admins: nobody is told
    who else may."""
    lines, hidden = people.line_choices(), () if caller().has(Role.ADMIN) else ("departments",)
    return [
        {
            **{name: value for name, value in service.programme_document(each).items() if name not in hidden},
            "lines": [name for number, name in lines if number in each.lines],
        }
        for each in programmes
    ]


def _document(programme: Programme) -> dict[str, object]:
    return _documents([programme])[0]


def _with_line_ids(body: Any) -> Any:
    """The document with lines by id. Raises Invalid; what is no list of names is left for the rules."""
    names = body.get("lines") if isinstance(body, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return body
    try:
        return {**body, "lines": [line_id(name) for name in names]}
    except Invalid as invalid:
        raise Invalid({"lines": invalid.errors["line"]}) from None


def _kept_by_admins(slug: str) -> Programme:
    programme = visible_programme(slug)
    if not caller().has(Role.ADMIN):
        raise Forbidden
    return programme


def _listed(programme: Programme, after: int, limit: int) -> dict[str, Any]:
    rows = doors.listed_after(programme, after, limit=limit + 1)
    shown, cursor = part(rows, limit, lambda person: (person.id,))
    return answer([people.person_fields(caller(), person) for person in shown], cursor)
