"""What participants change on a visit's page without a new hour: answers, proposals, words, seats."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid, Refused
from gemba.invites.rules import Answer as Said
from gemba.people.models import Person
from gemba.visits import service, words
from gemba.visits.errors import CannotCome, NotOffered, NotYourSeat, NotYoursToEdit, SlotTaken
from gemba.visits.forms import AnswerForm, BookForm, HandOnForm, WordsForm
from gemba.visits.models import Visit
from gemba.visits.replies import WEB, Taken
from gemba.visits.rules import Status
from gemba.visits.views import move_page, visit_page
from gemba.web.access import me, signed_in
from gemba.web.pages import say

blueprint = Blueprint("edits", __name__, url_prefix="/visits")

Answer = BaseResponse | str | tuple[str, int]


@blueprint.post("/<int:visit_id>/answer")
@signed_in
def answer(visit_id: int) -> Answer:
    """Says whether I will be there."""
    visit, form = service.get_visit(me(), visit_id), AnswerForm()
    if not form.submitted() or not service.is_participant(visit, me()):
        return visit_page(visit, answer_form=form), 422
    leaves = service.only_leaves(visit, me())
    taken = take(visit, me(), form)
    db.session.commit()
    flash(said_words(visit, me(), taken), "info" if taken is Taken.OVER else "success")
    if leaves and not service.is_participant(visit, me()):
        return redirect(url_for("visits.index"), 303)
    return redirect(url_for("visits.show", visit_id=visit_id), 303)


def take(visit: Visit, person: Person, form: AnswerForm) -> Taken:
    """Takes what a form says, as this person's answer."""
    said = service.Said(Said(form.answer.data), form.comment.data or "", WEB)
    return service.take_answer(visit.id, person.id, said, now=now())


def said_words(visit: Visit, person: Person, taken: Taken) -> str:
    """What is said after an answer: what became of the visit."""
    if taken is Taken.OVER:
        return str(_("This visit is over or cancelled, so there is nothing to answer any more."))
    if not service.is_participant(visit, person):
        return str(_("You left the visit. The others keep it."))
    if visit.status == Status.CANCELLED:
        return str(_("Cancelled. The hour is free again and everyone hears of it."))
    return str(_("Thank you, noted."))


@blueprint.post("/<int:visit_id>/proposals/<int:proposal_id>/accept")
@signed_in
def accept(visit_id: int, proposal_id: int) -> Answer:
    """Moves the visit to an hour that was proposed; where the rules refuse, says why and shows others."""
    return _decide(
        visit_id, proposal_id, service.accept_proposal, _("Moved. Everyone gets an updated invite.")
    )


@blueprint.post("/<int:visit_id>/proposals/<int:proposal_id>/decline")
@signed_in
def keep(visit_id: int, proposal_id: int) -> Answer:
    """Leaves the visit where it is though somebody proposed another hour."""
    done = _("The visit stays where it is, and whoever proposed another hour hears of it.")
    return _decide(visit_id, proposal_id, service.decline_proposal, done)


def _decide(visit_id: int, proposal_id: int, decide: Callable[..., Visit], done: str) -> Answer:
    visit = service.get_visit(me(), visit_id)
    try:
        decide(visit, proposal_id, me(), now=now())
    except (SlotTaken, NotOffered) as refusal:
        db.session.rollback()
        visit = service.get_visit(me(), visit_id)
        return move_page(visit, BookForm(formdata=None), refusal=refusal), refusal.status
    except Refused as refusal:
        return _back(visit_id, refusal)
    db.session.commit()
    flash(done, "success")
    return redirect(url_for("visits.show", visit_id=visit_id), 303)


@blueprint.route("/<int:visit_id>/words", methods=["GET", "POST"])
@signed_in
def edit_words(visit_id: int) -> Answer:
    """What the visitors would like to see, and the link of the video call."""
    visit = service.get_visit(me(), visit_id)
    if not service.may_edit_note(visit, me()):
        raise NotYoursToEdit
    with_link = service.may_edit_link(visit, me())
    form = WordsForm(obj=visit)
    if not with_link:
        del form.meeting_url
    if form.submitted():
        try:
            link = form.meeting_url.data if with_link else None
            service.edit_words(visit, me(), note=form.note.data or "", meeting_url=link, now=now())
        except Invalid as invalid:
            db.session.rollback()
            form.take_errors(invalid)
        except Refused as refusal:
            return _back(visit_id, refusal)
        else:
            db.session.commit()
            flash(_("Saved. Everyone's calendar gets the new words."), "success")
            return redirect(url_for("visits.show", visit_id=visit_id), 303)
    visit = service.get_visit(me(), visit_id)
    return render_template("visits/words.html", visit=visit, form=form), 422 if form.errors else 200


@blueprint.route("/<int:visit_id>/hand-on", methods=["GET", "POST"])
@signed_in
def hand_on(visit_id: int) -> Answer:
    """Somebody else comes instead of a visitor."""
    visit = service.get_visit(me(), visit_id)
    seats = [visitor for visitor in visit.visitors if service.may_hand_on(visit, visitor, me())]
    if not seats:
        raise NotYourSeat
    form, reasons = HandOnForm(), []
    if form.submitted():
        leaving = next((visitor for visitor in seats if visitor.id == form.leaving_id), seats[0])
        try:
            service.hand_on(visit, me(), leaving=leaving, email=form.email.data or "", now=now())
        except CannotCome as refusal:
            db.session.rollback()
            reasons = words.sentences(refusal.reasons)
            form.email.errors = [say(refusal)]
        except Invalid as invalid:
            db.session.rollback()
            form.take_errors(invalid)
        except Refused as refusal:
            return _back(visit_id, refusal)
        else:
            return _handed_on(visit)
    visit = service.get_visit(me(), visit_id)
    page = render_template("visits/hand_on.html", visit=visit, form=form, seats=seats, reasons=reasons)
    return page, 422 if form.errors else 200


def _handed_on(visit: Visit) -> BaseResponse:
    db.session.commit()
    flash(_("Done. Invites follow."), "success")
    if service.is_participant(visit, me()) or service.may_decide(visit, me()):
        return redirect(url_for("visits.show", visit_id=visit.id), 303)
    return redirect(url_for("visits.index"), 303)


def _back(visit_id: int, refusal: Refused) -> BaseResponse:
    db.session.rollback()
    flash(say(refusal), "info")
    return redirect(url_for("visits.show", visit_id=visit_id), 303)
