"""Pages of visits: find an hour, book it, look at it, move it, cancel it, say how it went."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from gemba.clock import now
from gemba.db import db
from gemba.errors import GembaError, NotFound
from gemba.invites import mail as invite_mail
from gemba.invites import service as invites
from gemba.people import service as people
from gemba.people.rules import LANGUAGES
from gemba.people.service.lookups import names_of
from gemba.programmes import service as programmes
from gemba.programmes.models import Programme
from gemba.schedule.rules import Span, discreet
from gemba.visits import notices, pick, service, words
from gemba.visits.because import because
from gemba.visits.errors import NotBooked, NotOffered, SlotTaken
from gemba.visits.facts import Ask
from gemba.visits.forms import BookForm, CancelForm, OutcomeForm, parse_instant, stamp
from gemba.visits.models import Visit
from gemba.visits.rules import HAPPENING, Status, TookPlace
from gemba.visits.ways_out import WaysOut, ways_out
from gemba.web.access import me, signed_in
from gemba.web.filters import moment
from gemba.web.pages import say

blueprint = Blueprint("visits", __name__, url_prefix="/visits")

Answer = BaseResponse | str | tuple[str, int]
PAGE = 20
COMING = (Status.OFFERED, Status.REQUESTED, Status.BOOKED, Status.HELD)
PAST = (*HAPPENING, Status.CANCELLED)


@blueprint.get("")
@signed_in
def index() -> Answer:
    """Visits to come and past ones."""
    page = request.args.get("page", default=0, type=int)
    page = page if 0 <= page < 10_000 else 0
    coming = service.list_visits(me(), since=now(), statuses=COMING, limit=50)
    past = service.list_visits(
        me(), until=now(), statuses=PAST, newest_first=True, limit=PAGE + 1, offset=page * PAGE
    )
    over = [visit for visit in past if visit.ends_at <= now()]
    return render_template(
        "visits/index.html",
        coming=coming if page == 0 else [],
        waits=service.places_of(me()) if page == 0 else [],
        past=over[:PAGE],
        next_url=url_for(".index", page=page + 1) if len(past) > PAGE else None,
        prev_url=url_for(".index", page=page - 1) if page else None,
        now=now(),
    )


@blueprint.route("/book", methods=["GET", "POST"])
@signed_in
def book() -> Answer:
    """Find an hour and book it."""
    programme = programme_asked_for()
    if programme is None:
        return render_template("visits/no_programme.html")
    form = BookForm()
    if form.submitted():
        ask = Ask(form.agent_id or asked().agent_id, asked().product_id, asked().language)
        try:
            visit = service.book(programme=programme, visitor=me(), start=form.start_at, ask=ask, now=now())
        except (SlotTaken, NotOffered) as refusal:
            db.session.rollback()
            mine = _already_mine(form.start_at)
            if mine is not None:
                return redirect(url_for(".show", visit_id=mine.id), 303)
            return _pick_page(programme, form, refusal=refusal), refusal.status
        db.session.commit()
        flash(booked_words(visit), "success")
        return redirect(url_for(".show", visit_id=visit.id), 303)
    return _pick_page(programme, form), 422 if form.errors else 200


@blueprint.get("/<int:visit_id>")
@signed_in
def show(visit_id: int) -> Answer:
    """One visit: when, with whom, where, what to expect, what to do."""
    visit = service.get_visit(me(), visit_id)
    return _visit_page(visit)


@blueprint.route("/<int:visit_id>/move", methods=["GET", "POST"])
@signed_in
def move(visit_id: int) -> Answer:
    """Another hour, or another agent, for the same visit."""
    visit = service.get_visit(me(), visit_id)
    form = BookForm()
    if form.submitted():
        try:
            service.move(visit, me(), start=form.start_at, agent_id=form.agent_id, now=now())
        except (SlotTaken, NotOffered) as refusal:
            db.session.rollback()
            visit = service.get_visit(me(), visit_id)
            return _pick_page(visit.programme, form, moving=visit, refusal=refusal), refusal.status
        db.session.commit()
        booked = visit.status == Status.BOOKED
        flash(_("Moved. Everyone gets an updated invite.") if booked else booked_words(visit), "success")
        return redirect(url_for(".show", visit_id=visit_id), 303)
    return _pick_page(visit.programme, form, moving=visit), 422 if form.errors else 200


@blueprint.route("/<int:visit_id>/cancel", methods=["GET", "POST"])
@signed_in
def cancel(visit_id: int) -> Answer:
    """Cancel a visit, with a word for the others."""
    visit = service.get_visit(me(), visit_id)
    if visit.status == Status.CANCELLED:
        flash(_("This visit was cancelled already."), "info")
        return redirect(url_for(".show", visit_id=visit_id), 303)
    form, leaves = CancelForm(), service.only_leaves(visit, me())
    if form.submitted():
        service.cancel(visit, me(), reason=form.reason.data or "", now=now())
        db.session.commit()
        if leaves:
            flash(_("You left the visit. The others keep it."), "success")
            return redirect(url_for(".index"), 303)
        flash(_("Cancelled. The hour is free again and everyone hears of it."), "success")
        return redirect(url_for(".show", visit_id=visit_id), 303)
    status = 422 if form.errors else 200
    return render_template("visits/cancel.html", visit=visit, form=form, leaves=leaves), status


@blueprint.post("/<int:visit_id>/outcome")
@signed_in
def outcome(visit_id: int) -> Answer:
    """What one side says: did it take place?"""
    visit = service.get_visit(me(), visit_id)
    form = OutcomeForm()
    if not form.submitted() or not service.is_participant(visit, me()):
        return _visit_page(visit, outcome_form=form), 422
    service.tell_outcome(visit, me(), TookPlace(form.took_place.data), now=now())
    db.session.commit()
    flash(_("Thank you, noted."), "success")
    return redirect(url_for(".show", visit_id=visit_id), 303)


@blueprint.get("/<int:visit_id>/invite.ics")
@signed_in
def invite(visit_id: int) -> Response:
    """The visit as a calendar file."""
    visit = service.get_visit(me(), visit_id)
    if visit.status not in (*HAPPENING, Status.CANCELLED):
        raise NotBooked
    body = invite_mail.calendar_download(notices.snapshot(visit), locale=str(get_locale()))
    answer = Response(body, content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="visit-{visit.id}.ics"'
    return answer


def _visit_page(visit: Visit, outcome_form: OutcomeForm | None = None) -> str:
    answers = service.answers_of(visit)
    mine = answers.get(me().id)
    is_visitor, may_decide = (
        me().id in {visitor.id for visitor in visit.visitors},
        service.may_decide(visit, me()),
    )
    return render_template(
        "visits/show.html",
        visit=visit,
        invites=[row for row in invites.invites_of(visit.id) if row.sequence == visit.sequence],
        names={who.email: who.name for who in notices.snapshot(visit).people},
        is_participant=service.is_participant(visit, me()),
        now=now(),
        outcome_form=outcome_form or OutcomeForm(took_place=mine),
        my_answer=mine,
        differ={TookPlace.YES, TookPlace.NO} <= set(answers.values()),
        answers=_answers(visit, answers) if may_decide else [],
        is_visitor=is_visitor,
        leaves=service.only_leaves(visit, me()),
        may_decide=may_decide,
        deciders=service.deciders(visit) if visit.status == Status.REQUESTED else [],
        because=because(visit, own=is_visitor),
        guide=visit.programme.guide_in(str(get_locale())),
        move_until=visit.starts_at - timedelta(minutes=visit.programme.move_notice_minutes),
        cancel_until=visit.starts_at - timedelta(minutes=visit.programme.cancel_notice_minutes),
    )


def _answers(visit: Visit, answers: Mapping[int, TookPlace]) -> list[tuple[str, TookPlace]]:
    """Who said what about whether the visit took place, by name."""
    sides = [*visit.visitors, visit.agent, *([visit.lead] if visit.lead else [])]
    return [(person.name, answers[person.id]) for person in sides if person.id in answers]


def programme_asked_for() -> Programme | None:
    """The programme the address names, else the oldest that runs; None where none runs."""
    running = programmes.list_programmes(me())
    slug = request.args.get("programme")
    named = [programme for programme in running if programme.active and slug in (None, programme.slug)]
    if slug and not named:
        raise NotFound
    return named[0] if named else None


def _already_mine(start: datetime) -> Visit | None:
    """A double click or a reload: the visit that the first request booked."""
    same = service.list_visits(
        me(),
        since=start,
        until=start + timedelta(minutes=1),
        statuses=[Status.BOOKED, Status.REQUESTED],
        mine=True,
    )
    return next((visit for visit in same if visit.starts_at == start and visit.booked_by_id == me().id), None)


def asked() -> Ask:
    """What the address asks for."""
    return Ask(_number("agent"), _number("product"), _language())


def booked_words(visit: Visit) -> str:
    """What is said after booking: that it is booked, or asked for."""
    if visit.status == Status.REQUESTED and visit.expires_at is not None:
        return str(_("Asked. You hear by %(moment)s.", moment=moment(visit.expires_at, inside=True)))
    return str(_("Booked. Everyone gets a calendar invite."))


def _number(name: str) -> int | None:
    value = request.args.get(name, "")
    return int(value) if value.isdecimal() and len(value) < 10 else None


def _language() -> str | None:
    value = request.args.get("language")
    return value if value in LANGUAGES else None


def _day() -> date | None:
    try:
        return date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return None


def _pick_page(
    programme: Programme,
    form: BookForm,
    *,
    moving: Visit | None = None,
    refusal: SlotTaken | NotOffered | None = None,
) -> str:
    ask = Ask(_number("agent") or (moving.agent_id if moving else None), _number("product"), _language())
    window = Span(now(), now() + timedelta(days=programme.horizon_days))
    offer = service.open_slots(programme, me(), ask=ask, window=window, now=now(), moving=moving)
    start = parse_instant(request.args.get("start"))
    picker = pick.pick(
        offer,
        zone=me().timezone,
        now=now(),
        horizon_days=programme.horizon_days,
        day=_day(),
        start=start or (form.start_at if refusal else None),
    )
    ways = None if picker.total else _ways_out(programme, ask, moving)
    return render_template(
        "visits/move.html" if moving else "visits/book.html",
        ways=ways,
        own_reasons=words.sentences(ways.own, own=moving is None) if ways else [],
        programme=programme,
        programmes=[each for each in programmes.list_programmes(me()) if each.active],
        form=form,
        picker=picker,
        ask=ask,
        visit=moving,
        agents=_agents_of(offer.agents_at(picker.chosen.start) if picker.chosen else ()),
        asked_agent=names_of([ask.agent_id]).get(ask.agent_id) if ask.agent_id else None,
        products=people.all_products(),
        languages=LANGUAGES,
        refusal=say(refusal) if refusal else None,
        reasons=_reason_words(refusal, own=moving is None),
        alternatives=refusal.alternatives if isinstance(refusal, SlotTaken) else [],
        gone=start is not None and picker.chosen is None and refusal is None,
        address=_address(moving),
        place=next(
            (each for each in service.places_of(me()) if each.entry.programme_id == programme.id), None
        ),
        stamp=stamp,
        now=now(),
    )


def _ways_out(programme: Programme, ask: Ask, moving: Visit | None) -> WaysOut:
    visitors = tuple(visitor.id for visitor in moving.visitors) if moving else (me().id,)
    return ways_out(programme, visitors, ask, now=now(), moving=moving)


def _agents_of(agents: tuple[int, ...]) -> list[tuple[int, str]]:
    names = names_of(agents) if agents else {}
    return sorted(names.items(), key=lambda item: item[1])


def _reason_words(refusal: GembaError | None, *, own: bool) -> list[str]:
    """What stood against it, without what is the agent's own business."""
    if not isinstance(refusal, NotOffered):
        return []
    return words.sentences(discreet(refusal.reasons), own=own)


def _address(moving: Visit | None) -> Any:
    """Builds addresses of this page with some parts of the query changed; None takes a part out."""

    def address(**changes: Any) -> str:
        query = {**request.args.to_dict(), **changes}
        kept = {name: value for name, value in query.items() if value not in (None, "")}
        if moving:
            return url_for(".move", visit_id=moving.id, **kept)
        return url_for(".book", **kept)

    return address
