"""Rounds: sign up with a wish; propose, pin and publish."""

from dataclasses import asdict
from datetime import date
from typing import Any

from flask_babel import force_locale

from gemba.api.blueprint import call
from gemba.api.lookups import caller, line_id, product_id, visible_programme
from gemba.api.paging import answer, part, unseal
from gemba.api.schemas import rounds as shapes
from gemba.api.schemas.common import PartQuery
from gemba.clock import now
from gemba.errors import Forbidden, Invalid, NotFound
from gemba.people import service as people
from gemba.people.rules import Role
from gemba.rounds import service
from gemba.rounds.models import Round, RoundSignUp
from gemba.rounds.rules import USUAL_WEEK
from gemba.rounds.service import calendars, inviting, looking, proposing, publishing, wishing
from gemba.rounds.service.wishing import Wish
from gemba.rounds.views.edge import helps_of, start_of, why_words, works_of
from gemba.schedule.forms import WEEKDAYS

ROUND = "/rounds/<id:round_id>"
ASKED = f"{ROUND}/invitations"
ROUNDS = "/programmes/<slug:slug>/rounds"


@call("GET", ROUNDS, tag="Rounds", answer=shapes.Rounds, problems=[404])
def list_rounds(slug: str) -> Any:
    """The rounds of a programme

    Newest first, 200 at most.
    """
    rounds = service.list_rounds(caller(), visible_programme(slug))
    outcomes = wishing.outcomes_of(caller())
    return {"items": [_round(each, outcomes.get(each.id)) for each in rounds]}


@call("POST", ROUNDS, tag="Rounds", body=shapes.NewRound, answer=shapes.Round, status=201, problems=[404])
def make_round(body: Any, slug: str) -> Any:
    """Make a round

    For admins. It is open for sign-up at once.
    """
    if not caller().has(Role.ADMIN):
        raise Forbidden
    made = service.make(caller(), visible_programme(slug), _plan(body), now=now())
    return _round(made, None)


@call(
    "POST",
    f"{ROUND}/wishes",
    tag="Rounds",
    body=shapes.RoundWish,
    answer=shapes.RoundWished,
    status=201,
    problems=[404, 409],
)
def wish(body: dict[str, Any], round_id: int) -> Any:
    """Sign up with a wish

    A later wish takes the place of an earlier one.
    """
    chosen = service.get_round(round_id)
    wished = Wish(
        note=body["note"],
        timezone=body["timezone"],
        weekly=body["weekly"],
        products=tuple(one for one in (product_id(ref, "products") for ref in body["products"]) if one),
        insists=body["insists"],
        line_id=line_id(body["line"]),
        language=body["language"] or "",
        refuses=tuple(body["refuses"]),
        calendar=(body["calendar_url"] or "") if "calendar_url" in body else None,
    )
    return _wished(service.sign_up(caller(), chosen, wish=wished, now=now()))


@call("GET", f"{ROUND}/wishes", tag="Rounds", answer=shapes.RoundWished, problems=[404])
def show_wish(round_id: int) -> Any:
    """Your own wish

    With what is known of your calendar. 404 where you did not sign up.
    """
    mine = wishing.sign_up_of(service.get_round(round_id), caller())
    if mine is None:
        raise NotFound
    return _wished(mine)


@call(
    "GET", f"{ROUND}/invitations", tag="Rounds", query=PartQuery, answer=shapes.RoundInvitees, problems=[404]
)
def list_invitations(query: dict[str, Any], round_id: int) -> Any:
    """Who was asked to take part

    For admins.
    """
    chosen, after = service.managed(caller(), round_id), unseal(query["cursor"], 1)
    rows = inviting.invitees(chosen, after[0] if after else 0, limit=query["limit"] + 1)
    shown, cursor = part(rows, query["limit"], lambda each: (each.person_id,))
    return answer([asdict(each) | {"person": each.person_id} for each in shown], cursor)


@call(
    "POST",
    ASKED,
    tag="Rounds",
    body=shapes.RoundInvitation,
    answer=shapes.RoundInvited,
    status=201,
    problems=[404, 409],
)
def invite(body: dict[str, Any], round_id: int) -> Any:
    """Ask people to take part

    For admins. Who was asked before is not asked again, and who may not take part is not asked at all.
    """
    chosen = service.managed(caller(), round_id, lock=True)
    found = inviting.invite(
        caller(),
        chosen,
        ids=body["people"],
        addresses=body["emails"],
        department=body["department"],
        now=now(),
    )
    return {
        "asked": found.new,
        "before": found.before,
        "nobody": list(found.unknown),
        "outside": found.outside,
    }


@call(
    "POST",
    f"{ROUND}/propose",
    tag="Rounds",
    body=shapes.ProposeRound,
    answer=shapes.Proposal,
    status=202,
    problems=[404, 409],
)
def propose(_body: Any, round_id: int) -> Any:
    """Look for pairs

    For admins. A worker does it; ask for the proposal until its status is `done`. Nothing is booked.
    """
    chosen = service.managed(caller(), round_id)
    proposing.queue(proposing.start(caller(), chosen, now=now()), now=now())
    return _proposal(chosen)


@call("GET", f"{ROUND}/proposal", tag="Rounds", answer=shapes.Proposal, problems=[404])
def show_proposal(round_id: int) -> Any:
    """The newest proposal

    For admins. While it runs, the plan that serves as many, without the best match yet.
    """
    return _proposal(service.managed(caller(), round_id))


@call(
    "PATCH",
    f"{ROUND}/proposal",
    tag="Rounds",
    body=shapes.RoundPins,
    answer=shapes.Proposal,
    problems=[404, 409],
)
def pin(body: dict[str, Any], round_id: int) -> Any:
    """Pin pairs, or let them go

    For admins. 422 `not-offered` where an agent does not offer the start or the visitor is not free. Propose
    again to have the rest follow.
    """
    chosen = service.managed(caller(), round_id, lock=True)
    for each in body["pins"]:
        if (each["agent"] is None) != (each["start"] is None):
            raise Invalid({"pins": ["Give agent and start together, or neither."]})
        if each["agent"] is None:
            proposing.pin(caller(), chosen, each["visitor"], pinned=True, now=now())
        else:
            proposing.change(caller(), chosen, each["visitor"], each["agent"], each["start"], now=now())
    for visitor in body["unpin"]:
        proposing.pin(caller(), chosen, visitor, pinned=False, now=now())
    return _proposal(chosen)


@call(
    "POST",
    f"{ROUND}/publish",
    tag="Rounds",
    body=shapes.PublishRound,
    answer=shapes.Proposal,
    status=202,
    problems=[404, 409],
)
def publish(body: dict[str, Any] | None, round_id: int) -> Any:
    """Book the proposed visits

    For admins. A worker books them one after the other by the rules of every booking; ask for the proposal
    until its status is `published`. Who lost the race for an hour is paired anew or told why not.
    """
    chosen = service.managed(caller(), round_id)
    publishing.start(caller(), chosen, only=(body or {}).get("visitors"), now=now())
    return _proposal(chosen)


def _plan(body: Any) -> service.Plan:
    """The plan of a document. Raises Invalid by field."""
    if not isinstance(body, dict):
        raise Invalid({"round": ["Give an object."]})
    days: dict[str, date] = {}
    errors = {str(name)[:60]: ["There is no such field here."] for name in body if name not in _FIELDS}
    for name in _FIELDS[2:]:
        try:
            days[name] = date.fromisoformat(str(body.get(name, "")))
        except ValueError:
            errors[name] = ["Give a date as 2026-11-23."]
    for name in _FIELDS[:2]:
        if not isinstance(body.get(name, ""), str):
            errors[name] = ["Give text."]
    if errors:
        raise Invalid(errors)
    return service.Plan(body.get("name", ""), body.get("name_ru", ""), **days)


_FIELDS = ("name", "name_ru", "closes_on", "first_day", "last_day")


def _round(each: Round, outcome: str | None) -> dict[str, Any]:
    start, end = each.window
    return {
        "id": each.id,
        "programme": each.programme.slug,
        "name": each.name,
        "name_ru": each.name_ru,
        "opens_at": each.opens_at,
        "closes_at": each.closes_at,
        "visits_from": start,
        "visits_until": end,
        "published_at": each.published_at,
        "outcome": outcome,
    }


def _wished(row: RoundSignUp) -> dict[str, Any]:
    names = {product.id: product.name for product in people.all_products()}
    weekly = row.weekly or USUAL_WEEK
    return {
        "round": row.round_id,
        "person": row.person_id,
        "timezone": row.timezone,
        "weekly": [
            {"weekday": WEEKDAYS[int(day)], "start": _clock(start), "end": _clock(end)}
            for day, ranges in sorted(weekly.items())
            for start, end in ranges
        ],
        "products": [names[one] for one in row.products if one in names],
        "insists": row.insists,
        "line": row.line.name if row.line_id is not None and row.line else None,
        "language": row.language or None,
        "refuses": row.refuses,
        "note": row.note,
        "calendar": _calendar(row),
        "outcome": row.outcome,
    }


def _calendar(row: RoundSignUp) -> dict[str, Any] | None:
    known = calendars.of(row, now())
    if known is None:
        return None
    return {
        "url": known.url,
        "busy": known.coming,
        "fetched_at": known.fetched_at,
        "tried_at": known.tried_at,
        "stale": known.stale,
        "error": known.error or None,
    }


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _proposal(chosen: Round) -> dict[str, Any]:
    run, plan = proposing.newest_run(chosen), proposing.newest_plan(chosen)
    pairs = looking.all_pairs(chosen)
    out = looking.left_out(chosen, plan)
    names = looking.help_names(out)
    with force_locale("en"):
        left = [
            {
                "person": each["person"],
                "reasons": [{"code": each["code"], "detail": " ".join(why_words(each))}],
                "would_work": works_of(each),
                "would_help": helps_of(chosen, each, names),
            }
            for each in out
        ]
    return {
        "round": chosen.id,
        "status": looking.status_of(chosen, run, pairs),
        "served": len(pairs),
        "pairs": [
            {
                "visitor": pair.person_id,
                "agent": pair.agent_id,
                "mentor": pair.mentor_id,
                "start": start_of(pair.tick),
                "pinned": pair.pinned,
                "state": pair.state,
                "visit": pair.visit_id,
                "score": pair.score,
                "because": pair.because,
            }
            for pair in pairs
        ],
        "left_out": left,
        "figures": (plan.figures or None) if plan is not None else None,
        "digest": plan.digest if plan is not None else "",
    }
