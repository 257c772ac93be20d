"""Pages of a visit's life beside booking: a lead's yes and no, offers of the waitlist, stand-ins."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from gemba.clock import now
from gemba.db import db
from gemba.errors import Refused
from gemba.people.service.lookups import names_of
from gemba.schedule.rules import discreet
from gemba.visits import facts, service, words
from gemba.visits.because import speaks_for
from gemba.visits.errors import NobodyFree, NoMentorFree, NotYoursToDecide, NotYoursToSwap
from gemba.visits.forms import CancelForm, SwapForm
from gemba.visits.models import Visit
from gemba.visits.rules import Status
from gemba.visits.views import asked, booked_words, programme_asked_for
from gemba.web.access import me, signed_in
from gemba.web.pages import say

blueprint = Blueprint("life", __name__, url_prefix="/visits")

Answer = BaseResponse | str | tuple[str, int]


@blueprint.post("/<int:visit_id>/approve")
@signed_in
def approve(visit_id: int) -> Answer:
    """Says yes to a request."""
    visit = service.get_visit(me(), visit_id)
    yes = _("Approved. Everyone gets a calendar invite.")
    return _try(visit_id, lambda: service.approve(visit, me(), now=now()), lambda: yes)


@blueprint.route("/<int:visit_id>/decline", methods=["GET", "POST"])
@signed_in
def decline(visit_id: int) -> Answer:
    """Says no to a request, with a reason."""
    visit = service.get_visit(me(), visit_id)
    if not service.may_decide(visit, me()):
        raise NotYoursToDecide
    form = CancelForm()
    if form.submitted():
        reason, no = form.reason.data or "", _("Declined. The visitor hears why, and the hour is free again.")
        return _try(visit_id, lambda: service.decline(visit, me(), reason=reason, now=now()), lambda: no)
    if visit.status != Status.REQUESTED:
        return redirect(url_for("visits.show", visit_id=visit_id), 303)
    return render_template("visits/decline.html", visit=visit, form=form), 422 if form.errors else 200


@blueprint.post("/<int:visit_id>/take")
@signed_in
def take(visit_id: int) -> Answer:
    """Takes the hour that is held for me."""
    visit = service.get_visit(me(), visit_id)
    return _try(visit_id, lambda: service.take_offer(visit, me(), now=now()), lambda: booked_words(visit))


@blueprint.post("/<int:visit_id>/refuse")
@signed_in
def refuse(visit_id: int) -> Answer:
    """Says that the hour held for me does not suit."""
    visit = service.get_visit(me(), visit_id)
    words_after = _("All right. You keep your place and we write when another hour becomes free.")
    return _try(visit_id, lambda: service.refuse_offer(visit, me(), now=now()), lambda: words_after)


@blueprint.route("/<int:visit_id>/swap", methods=["GET", "POST"])
@signed_in
def swap(visit_id: int) -> Answer:
    """Finds a stand-in for the agent: who is free at this very hour, best first."""
    visit = service.get_visit(me(), visit_id)
    if not service.may_decide(visit, me()):
        raise NotYoursToSwap
    form = SwapForm()
    if form.submitted():
        try:
            service.swap(visit, me(), agent_id=form.agent_id, now=now())
        except Refused as refusal:
            db.session.rollback()
            visit = service.get_visit(me(), visit_id)
            if visit.status not in (Status.BOOKED, Status.REQUESTED):
                return _back(visit_id, say(refusal))
            return _swap_page(visit, refusal), refusal.status
        db.session.commit()
        flash(_("Done: %(name)s takes the visit. Invites follow.", name=visit.agent.name), "success")
        return redirect(url_for("visits.show", visit_id=visit_id), 303)
    if visit.status not in (Status.BOOKED, Status.REQUESTED) or visit.starts_at <= now():
        return _back(visit_id, _("Only a visit that is still to come can go to another agent."))
    return _swap_page(visit)


@blueprint.route("/<int:visit_id>/mentor", methods=["GET", "POST"])
@signed_in
def swap_mentor(visit_id: int) -> Answer:
    """Finds another mentor for a visit: who is free at this very hour, best first."""
    visit = service.get_visit(me(), visit_id)
    if not service.may_decide(visit, me()):
        raise NotYoursToSwap
    form, refusal = SwapForm(), None
    if form.submitted():
        try:
            service.swap_mentor(visit, me(), mentor_id=form.agent_id, now=now())
        except Refused as refused:
            db.session.rollback()
            visit, refusal = service.get_visit(me(), visit_id), refused
        else:
            db.session.commit()
            name = visit.mentor.name if visit.mentor else ""
            flash(_("Done: %(name)s guides the visit. Invites follow.", name=name), "success")
            return redirect(url_for("visits.show", visit_id=visit_id), 303)
    if not _has_mentor_to_come(visit):
        return _back(visit_id, _("Only a hands-on visit that is still to come can get another mentor."))
    return _mentor_page(visit, refusal), refusal.status if refusal else 200


def _has_mentor_to_come(visit: Visit) -> bool:
    is_open = visit.status in (Status.BOOKED, Status.REQUESTED) and visit.starts_at > now()
    return is_open and visit.joins_id is None and facts.is_guided(visit.programme)


def _mentor_page(visit: Visit, refusal: Refused | None) -> str:
    free = service.free_mentors(visit)
    names = names_of(free)
    return render_template(
        "visits/swap_mentor.html",
        visit=visit,
        free=[(mentor, names[mentor], "") for mentor in free],
        refusal=say(refusal) if refusal else say(NoMentorFree()) if not free else None,
    )


@blueprint.post("/waitlist")
@signed_in
def wait() -> Answer:
    """Puts me on the waitlist of the programme in the address, with the wish in the address."""
    programme = programme_asked_for()
    if programme is not None:
        service.wait(programme, me(), asked(), now=now())
        db.session.commit()
        flash(_("You are on the list. We write when an hour becomes free, and hold it for you."), "success")
    return redirect(url_for("visits.book", **request.args.to_dict()), 303)  # type: ignore[arg-type]


@blueprint.post("/waitlist/leave")
@signed_in
def stop_waiting() -> Answer:
    """Takes me off the waitlist of the programme in the address."""
    programme = programme_asked_for()
    if programme is not None:
        service.stop_waiting(programme, me(), now=now())
        db.session.commit()
        flash(_("You are no longer on the list."), "success")
    return redirect(url_for("visits.book", **request.args.to_dict()), 303)  # type: ignore[arg-type]


def _try(visit_id: int, act: Callable[[], Visit], done: Callable[[], str]) -> BaseResponse:
    """Does it once; a second click or another tab hears in words how things stand."""
    try:
        visit = act()
    except Refused as refusal:
        db.session.rollback()
        return _back(visit_id, say(refusal))
    db.session.commit()
    flash(done(), "success")
    return redirect(url_for("visits.show", visit_id=visit.id), 303)


def _back(visit_id: int, sentence: str) -> BaseResponse:
    flash(sentence, "info")
    return redirect(url_for("visits.show", visit_id=visit_id), 303)


def _swap_page(visit: Visit, refusal: Refused | None = None) -> str:
    found = service.stand_ins(visit, now=now())
    names = names_of([choice.agent for choice in found.free] + [agent for agent, _reasons in found.nearly])
    free = [
        (choice.agent, names[choice.agent], speaks_for(choice.facts, met=choice.because == "met-all"))
        for choice in found.free
    ]
    theirs = service.run_by(me(), [agent for agent, _reasons in found.nearly])
    nearly = [
        (names[agent], words.sentences(reasons if agent in theirs else discreet(reasons)))
        for agent, reasons in found.nearly
    ]
    return render_template(
        "visits/swap.html",
        visit=visit,
        free=free,
        nearly=nearly,
        refusal=say(refusal) if refusal else say(NobodyFree()) if not free else None,
        now=now(),
    )
