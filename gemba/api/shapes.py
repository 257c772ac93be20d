"""Rows as the documents that the API answers."""

from collections.abc import Iterable, Sequence
from typing import Any

from gemba.config import current_settings
from gemba.insights import service as insights
from gemba.insights.models import Observation
from gemba.insights.models_backlog import ProgrammeStatus
from gemba.insights.rules.private import PRIVATE_FIELDS, sorts
from gemba.insights.views.edge import looks_like
from gemba.invites import service as invites
from gemba.invites.service import InviteState
from gemba.trackers.models import Claim
from gemba.trackers.service import connections
from gemba.visits import notices
from gemba.visits.models import Visit, VisitAnswer
from gemba.visits.replies import rows_of
from gemba.visits.rules import Status


def visit_documents(visits: Sequence[Visit]) -> list[dict[str, Any]]:
    """Visits with their invites and answers, each read in one statement."""
    ids = [visit.id for visit in visits]
    states, answers = invites.invites_of_all(ids), rows_of(ids)
    return [_visit(visit, states.get(visit.id, []), answers[visit.id].values()) for visit in visits]


def visit_document(visit: Visit) -> dict[str, Any]:
    """A visit with its invites."""
    return visit_documents([visit])[0]


def new_visit_document(visit: Visit) -> dict[str, Any]:
    """A visit made in this transaction: nobody answered yet, and what is queued is known."""
    states = notices.just_booked(visit) if visit.status == Status.BOOKED else []
    return _visit(visit, states, ())


def _visit(visit: Visit, states: Sequence[InviteState], answers: Iterable[VisitAnswer]) -> dict[str, Any]:
    seats = [(visitor, "visitor") for visitor in visit.visitors] + [(visit.agent, "agent")]
    if visit.mentor is not None:
        seats.append((visit.mentor, "mentor"))
    if visit.lead is not None:
        seats.append((visit.lead, "lead"))
    return {
        "id": visit.id,
        "programme": visit.programme.slug,
        "agent": visit.agent_id,
        "visitors": [visitor.id for visitor in visit.visitors],
        "lead": visit.lead_id,
        "mentor": visit.mentor_id,
        "people": [{"id": person.id, "name": person.name, "part": part} for person, part in seats],
        "product": visit.product.name if visit.product else None,
        "start": visit.starts_at,
        "end": visit.ends_at,
        "status": str(visit.status),
        "expires_at": visit.expires_at,
        "joins": visit.joins_id,
        "because": visit.because,
        "cancel_reason": visit.cancel_reason,
        "note": visit.note,
        "uid": visit.uid,
        "sequence": visit.sequence,
        "meeting_url": visit.meeting_url,
        "answers": [
            {"person": row.person_id, "answer": row.answer.lower(), "comment": row.comment, "at": row.at}
            for row in sorted(answers, key=lambda row: row.person_id)
        ],
        "invites": [
            {
                "to": state.to,
                "method": state.method,
                "state": state.state,
                "attempts": state.attempts,
                "last_error": state.last_error or None,
            }
            for state in states
        ],
    }


def observation_document(note: Observation, visit: Visit) -> dict[str, Any]:
    """A note."""
    return {
        **{name: getattr(note, name) for name in _SAME},
        "visit": note.visit_id,
        "author": note.author_id,
        "kind": str(note.kind),
        "frequency": str(note.frequency) or None,
        "product": note.product.name if note.product else None,
        "tags": note.tags.split(),
        "insight": note.insight_id,
        "minute": insights.minute_of(visit, note.at),
        "warnings": [
            {"field": name, "code": str(sort), "detail": looks_like([sort])}
            for name in PRIVATE_FIELDS
            for sort in sorts(getattr(note, name))
        ],
    }


_SAME = (
    "id",
    "client_id",
    "text",
    "severity",
    "verbatim",
    "workaround",
    "tool",
    "is_question",
    "is_ask",
    "at",
    "created_at",
    "edited_at",
)


def insight_url(insight_id: int) -> str:
    """The address of an insight's page."""
    return f"{current_settings().base_url}/insights/{insight_id}"


def insight_documents(items: Sequence[insights.Item]) -> list[dict[str, Any]]:
    """Insights with their figures and tickets, in one statement more."""
    tickets = connections.tickets_of([item.insight.id for item in items])
    return [insight_document(item, tickets.get(item.insight.id, ())) for item in items]


def insight_document(item: insights.Item, tickets: Sequence[Claim]) -> dict[str, Any]:
    """An insight with its figures."""
    insight, counts = item.insight, item.counts
    return {
        "id": insight.id,
        "title": insight.title,
        "body": insight.body,
        "kind": str(insight.kind),
        "status": str(insight.status),
        "own_status": own_status_document(insight.own_status) if insight.own_status else None,
        "product": insight.product.name if insight.product else None,
        "score": item.score.score if item.score else None,
        "evidence": counts.observations,
        "visits": counts.visits,
        "agents": counts.agents,
        "votes": item.votes,
        "voted": item.voted,
        "severity": counts.severity,
        "last_seen": counts.last_seen,
        "owner": insight.owner_id,
        "hurts": insight.hurts or None,
        "minutes_lost": insight.minutes_lost,
        "workaround": insight.workaround,
        "tool": insight.tool,
        "step": insight.step,
        "due": insight.due,
        "tags": insight.tags.split(),
        "merged_into": insight.merged_into_id,
        "tickets": [
            {"tracker": each.tracker_id, "key": each.key, "url": each.url, "status": each.status}
            for each in tickets
            if each.key
        ],
        "version": insight.version,
        "created_at": insight.created_at,
        "updated_at": insight.updated_at,
        "url": insight_url(insight.id),
    }


def own_status_document(row: ProgrammeStatus) -> dict[str, Any]:
    """A status of a programme's own."""
    return {name: getattr(row, name) for name in ("id", "name", "name_ru", "category")}


def insight_detail(
    detail: insights.Detail, reach: insights.Reach, months: Sequence[insights.Month]
) -> dict[str, Any]:
    """An insight with its evidence. Agents are not named, only their line."""
    return {
        **insight_documents([detail.item])[0],
        "reach": {
            "visits": reach.visits,
            "among": reach.among,
            "ground": str(reach.ground),
            "name": reach.name,
            "agents": reach.agents,
            "lines": reach.lines,
        },
        "months": [{"month": f"{each.first:%Y-%m}", "visits": each.visits} for each in months],
        "observations": [
            {
                "id": note.id,
                "text": note.text,
                "kind": str(note.kind),
                "severity": note.severity,
                "verbatim": note.verbatim,
                "workaround": note.workaround,
                "tool": note.tool,
                "line": insights.line_of(note),
                "at": note.at,
            }
            for note in detail.evidence
        ],
        "merged": sorted(part.id for part in detail.parts),
    }
