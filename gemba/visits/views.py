"""Pages of visits: find an hour, book it, look at it, move it, cancel it, say how it went."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid, NotFound
from gemba.invites import mail as invite_mail
from gemba.invites import service as invites
from gemba.programmes import doors, next_time
from gemba.programmes import service as programmes
from gemba.programmes.models import Programme
from gemba.programmes.training import service as training
from gemba.visits import answered, debriefs, notices, service
from gemba.visits.because import because
from gemba.visits.errors import NotBooked, NotOffered, SlotTaken
from gemba.visits.facts import Ask
from gemba.visits.forms import AnswerForm, BookForm, CancelForm, NoteForm, OutcomeForm
from gemba.visits.models import Visit
from gemba.visits.picking import language, number, pick_page
from gemba.visits.rules import HAPPENING, Status, TookPlace
from gemba.web.access import me, signed_in
from gemba.web.filters import moment

blueprint = Blueprint("visits", __name__, url_prefix="/visits")

Answer = BaseResponse | str | tuple[str, int]
PAGE = 20
COMING = (Status.OFFERED, Status.REQUESTED, Status.BOOKED, Status.HELD)
ENDED = (Status.CANCELLED, Status.DECLINED, Status.LAPSED)
PAST = (*HAPPENING, *ENDED)
ENDED_SHOWN = 10


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
    came_to_nothing = service.list_visits(me(), since=now(), statuses=ENDED, limit=ENDED_SHOWN)
    over = [visit for visit in past if visit.ends_at <= now()]
    return render_template(
        "visits/index.html",
        coming=coming if page == 0 else [],
        waits=service.places_of(me()) if page == 0 else [],
        past=over[:PAGE],
        ended=[visit for visit in came_to_nothing if visit.ends_at > now()] if page == 0 else [],
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
    if not doors.is_for(programme, me()) or not doors.by_hand(programme):
        return _not_by_hand(programme)
    if not training.is_trained(programme, me().id):
        return _train_first(programme)
    form = NoteForm()
    if form.submitted():
        return _book(programme, form)
    return _book_page(programme, form), 422 if form.errors else 200


def _book(programme: Programme, form: NoteForm) -> Answer:
    ask = Ask(form.agent_id or asked().agent_id, asked().product_id, asked().language)
    try:
        visit = service.book(
            programme=programme,
            visitor=me(),
            start=form.start_at,
            ask=ask,
            note=form.note.data or "",
            alone=True,
            now=now(),
        )
    except Invalid as invalid:
        db.session.rollback()
        form.take_errors(invalid)
        return _book_page(programme, form), 422
    except (SlotTaken, NotOffered) as refusal:
        db.session.rollback()
        mine = _already_mine(form.start_at)
        if mine is not None:
            return redirect(url_for(".show", visit_id=mine.id), 303)
        return _book_page(programme, form, refusal=refusal), refusal.status
    db.session.commit()
    flash(booked_words(visit), "success")
    return redirect(url_for(".show", visit_id=visit.id), 303)


def _not_by_hand(programme: Programme) -> Answer:
    """In place of the hours: that the programme is for others, or that its visits come from rounds."""
    is_for = doors.is_for(programme, me())
    page = render_template(
        "visits/not_by_hand.html",
        programme=programme,
        is_for=is_for,
        waits=is_for and next_time.waits(programme, me()),
        coming=doors.next_round(programme, now()) if is_for else None,
        programmes=[each for each in programmes.to_book(me()) if each.id != programme.id],
    )
    return page, 200 if request.method == "GET" else (409 if is_for else 403)


def _train_first(programme: Programme) -> Answer:
    """In place of the hours: what is left of the training."""
    page = render_template(
        "visits/train_first.html",
        training=training.training_of(programme, me()),
        programmes=programmes.to_book(me()),
    )
    return page, 200 if request.method == "GET" else 409


@blueprint.get("/<int:visit_id>")
@signed_in
def show(visit_id: int) -> Answer:
    """One visit: when, with whom, where, what to expect, what to do."""
    visit = service.get_visit(me(), visit_id)
    if visit.status == Status.JOINED:
        return redirect(url_for(".show", visit_id=visit.joins_id), 303)
    return visit_page(visit)


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
            return move_page(visit, form, refusal=refusal), refusal.status
        db.session.commit()
        flash(moved_words(visit, form.start_at), "success")
        return redirect(url_for(".show", visit_id=visit_id), 303)
    return move_page(visit, form), 422 if form.errors else 200


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
        return visit_page(visit, outcome_form=form), 422
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


def visit_page(
    visit: Visit, outcome_form: OutcomeForm | None = None, answer_form: AnswerForm | None = None
) -> str:
    """The page of a visit, perhaps with a form that has to be looked at again."""
    answers, said = service.answers_of(visit), answered.context(visit, me(), answer_form, now=now())
    my_answer = answers.get(me().id)
    is_visitor, may_decide = (
        me().id in {visitor.id for visitor in visit.visitors},
        service.may_decide(visit, me()),
    )
    return render_template(
        "visits/show.html",
        visit=visit,
        invites=_newest(visit),
        names={voice.person.email: voice.person.name for voice in said["voices"].values()},
        is_participant=service.is_participant(visit, me()),
        now=now(),
        outcome_form=outcome_form or OutcomeForm(took_place=my_answer),
        my_answer=my_answer,
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
        writes_debrief=debriefs.writes(visit, me()),
        reads_debriefs=debriefs.reads(visit, me()),
        debriefed=debriefs.is_written(visit, me()),
        may_edit=service.may_edit_note(visit, me()),
        may_hand_on=any(service.may_hand_on(visit, visitor, me()) for visitor in visit.visitors),
        **said,
    )


def _newest(visit: Visit) -> list[invites.InviteState]:
    """The last invite to each person, of those that tell of the visit as it is."""
    rows = [row for row in invites.invites_of(visit.id) if row.sequence == visit.sequence]
    return list({row.to: row for row in rows}.values())


def _answers(visit: Visit, answers: Mapping[int, TookPlace]) -> list[tuple[str, TookPlace]]:
    """Who said what about whether the visit took place, by name."""
    sides = [*visit.visitors, visit.agent, *([visit.lead] if visit.lead else [])]
    return [(person.name, answers[person.id]) for person in sides if person.id in answers]


def programme_asked_for() -> Programme | None:
    """The programme the address names, else the oldest in which I can book; None where none runs."""
    running = [programme for programme in programmes.list_programmes(me()) if programme.active]
    slug = request.args.get("programme")
    named = [programme for programme in running if slug == programme.slug]
    if slug and not named:
        raise NotFound
    mine = named or [each for each in doors.for_person(running, me()) if doors.by_hand(each)] or running
    return mine[0] if mine else None


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
    return Ask(number("agent"), number("product"), language())


def moved_words(visit: Visit, start: datetime) -> str:
    """What is said after a move: that it moved, was asked for anew, or is proposed to who decides."""
    if visit.status != Status.BOOKED:
        return booked_words(visit)
    if visit.starts_at != start:
        return str(_("Asked. The visit stays where it is until the new hour is agreed to."))
    return str(_("Moved. Everyone gets an updated invite."))


def booked_words(visit: Visit) -> str:
    """What is said after booking: that it is booked, or asked for."""
    if visit.status == Status.REQUESTED and visit.expires_at is not None:
        return str(_("Asked. You hear by %(moment)s.", moment=moment(visit.expires_at, inside=True)))
    return str(_("Booked. Everyone gets a calendar invite."))


def _book_page(programme: Programme, form: BookForm, *, refusal: SlotTaken | NotOffered | None = None) -> str:
    def to(**query: str) -> str:
        return url_for("visits.book", **query)  # type: ignore[arg-type]

    return pick_page("visits/book.html", programme, form, me(), to=to, refusal=refusal)


def move_page(visit: Visit, form: BookForm, *, refusal: SlotTaken | NotOffered | None = None) -> str:
    """The page on which another hour for a visit is chosen, with what stood against one."""

    def to(**query: str) -> str:
        return url_for("visits.move", visit_id=visit.id, **query)  # type: ignore[arg-type]

    return pick_page("visits/move.html", visit.programme, form, me(), to=to, moving=visit, refusal=refusal)
