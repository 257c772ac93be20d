"""Programmes, and the hours they offer."""

from datetime import timedelta
from typing import Any

from gemba.api.blueprint import call
from gemba.api.lookups import caller, product_id, visible_programme, window
from gemba.api.paging import answer, part, unseal
from gemba.api.problems import reason_document
from gemba.api.schemas import people as shapes
from gemba.api.schemas.common import PartQuery
from gemba.clock import now
from gemba.errors import NotFound
from gemba.programmes import doors, service
from gemba.schedule import service as schedule
from gemba.schedule.rules import Span, discreet
from gemba.visits import service as visits
from gemba.visits.facts import Ask

USUAL_WINDOW = timedelta(days=14)


@call("GET", "/programmes", tag="Programmes", query=PartQuery, answer=shapes.ProgrammePart)
def list_programmes(query: dict[str, Any]) -> Any:
    """Programmes

    Those that run; admins see all.
    """
    after = unseal(query["cursor"], 1)
    rows = [each for each in service.list_programmes(caller()) if after is None or each.id > after[0]]
    shown, cursor = part(rows, query["limit"], lambda each: (each.id,))
    return answer([service.programme_document(each) for each in shown], cursor)


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
    return service.programme_document(service.create(caller(), body, now=now()))


@call("GET", "/programmes/<slug:slug>", tag="Programmes", answer=shapes.Programme, problems=[404])
def show_programme(slug: str) -> Any:
    """One programme"""
    return service.programme_document(visible_programme(slug))


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
    return service.programme_document(service.update(caller(), slug, body, now=now()))


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
