"""Visits: book, list, look, move, cancel, tell how it went, keep in a calendar."""

from datetime import datetime
from typing import Any

from flask import Response

from gemba.api.blueprint import call
from gemba.api.lookups import caller, product_id, running_programme
from gemba.api.paging import answer, instant_of, micros, part, unseal
from gemba.api.schemas import visits as shapes
from gemba.api.shapes import new_visit_document, visit_document, visit_documents
from gemba.clock import now
from gemba.errors import Forbidden, Invalid
from gemba.invites import mail as invite_mail
from gemba.visits import notices, service
from gemba.visits.facts import Ask
from gemba.visits.rules import TookPlace


@call("GET", "/visits", tag="Visits", query=shapes.VisitsQuery, answer=shapes.VisitPart)
def list_visits(query: dict[str, Any]) -> Any:
    """The visits you may see, by start

    Those you take part in, those of agents in a line you lead; admins see all.
    """
    since, until = query["since"], query["until"]
    if since and until and until < since:
        raise Invalid({"to": ["Give an instant that is not before from."]})
    rows = service.list_visits(
        caller(),
        since=since,
        until=until,
        statuses=[query["status"]] if query["status"] else [],
        agent_id=query["agent"],
        limit=query["limit"] + 1,
        after=_after(query["cursor"]),
    )
    shown, cursor = part(rows, query["limit"], lambda visit: (micros(visit.starts_at), visit.id))
    return answer(visit_documents(shown), cursor)


def _after(cursor: str | None) -> tuple[datetime, int] | None:
    found = unseal(cursor, 2)
    return (instant_of(found[0]), found[1]) if found else None


@call(
    "POST",
    "/visits",
    tag="Visits",
    body=shapes.NewVisit,
    answer=shapes.Visit,
    status=201,
    problems=[409],
    located="/visits/{id}",
)
def book_visit(body: dict[str, Any]) -> Any:
    """Book an hour

    For the token's person, with the named agent or any that fits. Its status is booked, or requested where
    the programme wants a yes: then it holds the hour until expires_at. 409 slot-taken names the three nearest
    starts that are open; 422 not-offered says which rules stand against it.
    """
    programme = running_programme(body["programme"])
    ask = Ask(body["agent"], product_id(body["product"]), body["language"])
    at = now()
    visit = service.book(
        programme=programme,
        visitor=caller(),
        start=body["start"],
        ask=ask,
        note=body["note"],
        alone=True,
        now=at,
    )
    is_new = visit.created_at == visit.changed_at == at and visit.joins_id is None
    return new_visit_document(visit) if is_new else visit_document(visit)


@call("GET", "/visits/<id:visit_id>", tag="Visits", answer=shapes.Visit, problems=[404])
def show_visit(visit_id: int) -> Any:
    """One visit"""
    return visit_document(service.get_visit(caller(), visit_id))


@call(
    "POST",
    "/visits/<id:visit_id>/move",
    tag="Visits",
    body=shapes.Move,
    answer=shapes.Visit,
    problems=[404, 409],
)
def move_visit(body: dict[str, Any], visit_id: int) -> Any:
    """Move a visit

    To another start and, if wanted, another agent. It keeps its UID and its room; its sequence grows. At the
    same start the head of the agent's line and admins swap the agent, for which no notice is needed. Where
    the programme wants a yes, a visitor's new start of a booked visit is only proposed to who decides: the
    answer is the visit where it still is.
    """
    visit = service.get_visit(caller(), visit_id)
    service.move(visit, caller(), start=body["start"], agent_id=body["agent"], now=now())
    return visit_document(visit)


@call(
    "POST",
    "/visits/<id:visit_id>/cancel",
    tag="Visits",
    body=shapes.Cancel,
    answer=shapes.Visit,
    problems=[404, 409],
)
def cancel_visit(body: dict[str, Any], visit_id: int) -> Any:
    """Cancel a visit

    Everyone hears of it, with the reason; the hour is free again. One visitor of several only leaves.
    """
    visit = service.get_visit(caller(), visit_id)
    service.cancel(visit, caller(), reason=body["reason"], now=now())
    return visit_document(visit)


@call(
    "POST",
    "/visits/<id:visit_id>/approve",
    tag="Visits",
    body=shapes.Nothing,
    answer=shapes.Visit,
    problems=[403, 404, 409],
)
def approve_visit(body: dict[str, Any], visit_id: int) -> Any:
    """Say yes to a requested visit

    For the head of the agent's line and admins. Everyone gets an invite. A yes to a seat answers with the
    visit it is in.
    """
    visit = service.get_visit(caller(), visit_id)
    return visit_document(service.approve(visit, caller(), now=now()))


@call(
    "POST",
    "/visits/<id:visit_id>/decline",
    tag="Visits",
    body=shapes.Cancel,
    answer=shapes.Visit,
    problems=[403, 404, 409],
)
def decline_visit(body: dict[str, Any], visit_id: int) -> Any:
    """Say no to a requested visit

    For the head of the agent's line and admins. The visitor hears the reason; the hour is free again.
    """
    visit = service.get_visit(caller(), visit_id)
    service.decline(visit, caller(), reason=body["reason"], now=now())
    return visit_document(visit)


@call(
    "POST",
    "/visits/<id:visit_id>/take",
    tag="Visits",
    body=shapes.Nothing,
    answer=shapes.Visit,
    problems=[404, 409],
)
def take_visit(body: dict[str, Any], visit_id: int) -> Any:
    """Take an hour that is held for you

    It is booked, or requested where the programme wants a yes. Of a seat in a visit that takes place anyway
    the answer is that visit.
    """
    visit = service.get_visit(caller(), visit_id)
    return visit_document(service.take_offer(visit, caller(), now=now()))


@call(
    "POST",
    "/visits/<id:visit_id>/refuse",
    tag="Visits",
    body=shapes.Nothing,
    answer=shapes.Visit,
    problems=[404, 409],
)
def refuse_visit(body: dict[str, Any], visit_id: int) -> Any:
    """Say that an hour held for you does not suit

    You keep your place on the waitlist.
    """
    visit = service.get_visit(caller(), visit_id)
    service.refuse_offer(visit, caller(), now=now())
    return visit_document(visit)


@call(
    "POST",
    "/visits/<id:visit_id>/outcome",
    tag="Visits",
    body=shapes.Outcome,
    answer=shapes.Visit,
    problems=[404, 409],
)
def tell_outcome(body: dict[str, Any], visit_id: int) -> Any:
    """Say whether a visit took place

    Each participant says it for themselves, from a quarter of an hour after the start.
    """
    visit = service.get_visit(caller(), visit_id)
    if not service.is_participant(visit, caller()):
        raise Forbidden
    service.tell_outcome(visit, caller(), TookPlace(body["took_place"]), now=now())
    return visit_document(visit)


@call("GET", "/visits/<id:visit_id>/invite.ics", tag="Visits", media="text/calendar", problems=[404])
def visit_invite(visit_id: int) -> Any:
    """The visit as a calendar file"""
    visit = service.get_visit(caller(), visit_id)
    body = invite_mail.calendar_download(notices.snapshot(visit), locale=caller().locale)
    file = Response(body, content_type="text/calendar; charset=utf-8")
    file.headers["Content-Disposition"] = f'attachment; filename="visit-{visit.id}.ics"'
    return file
