"""Pages behind the signed links of mails: one visit, as one person, without a sign-in.

A GET only shows, for programs follow links in mails; only a POST acts. The page is in the person's language
and zone, and whoever is signed in in this browser does not matter.
"""

from collections.abc import Callable
from functools import wraps

from flask import Blueprint, Response, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from gemba.clock import now
from gemba.db import db
from gemba.errors import Refused
from gemba.people.models import Person
from gemba.people.rules import LOCALES
from gemba.visits import answered, links, service
from gemba.visits.edit_views import said_words, take
from gemba.visits.errors import NotOffered, SlotTaken
from gemba.visits.facts import Ask
from gemba.visits.forms import AnswerForm, BookForm, CancelForm, OutcomeForm
from gemba.visits.links import Holder
from gemba.visits.picking import pick_page
from gemba.visits.replies import Taken
from gemba.visits.rules import HAPPENING, Status, TookPlace
from gemba.web.access import me_or_none, public, speak_to
from gemba.web.limits import limiter
from gemba.web.pages import say

blueprint = Blueprint("answers", __name__, url_prefix="/answer")

Answer = BaseResponse | str | tuple[str, int]
SHOWN = (*HAPPENING, Status.CANCELLED)


@blueprint.after_request
def _not_for_robots(response: Response) -> Response:
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _token() -> str:
    """One link is counted by itself, wherever it is opened."""
    return str((request.view_args or {}).get("token", ""))


def held(view: Callable[..., Answer]) -> Callable[..., Answer]:
    """Opens the link; where it is none, or its person no longer takes part, the page says so instead."""

    @public
    @limiter.limit("300 per minute")
    @limiter.limit("60 per minute", key_func=_token)
    @wraps(view)
    def opened(token: str, **more: int) -> Answer:
        holder = links.whose_link(token, now=now())
        if holder is None:
            return render_template("answers/unknown.html", me=None), 404
        _speak(holder.person)
        if holder.visit.status not in SHOWN or not service.is_participant(holder.visit, holder.person):
            return render_template("answers/left.html", me=None, person=holder.person), 410
        return view(token, holder, **more)

    return opened


def _speak(person: Person) -> None:
    """In the person's language, unless another one was chosen in this browser."""
    chosen = session.get("locale") if me_or_none() is None else None
    speak_to(person, str(chosen) if chosen in LOCALES else person.locale)


@blueprint.get("/<token>")
@held
def show(token: str, holder: Holder) -> Answer:
    """The visit, what one said, and what one can do."""
    return _page(token, holder)


@blueprint.post("/<token>")
@held
def answer(token: str, holder: Holder) -> Answer:
    """Takes the answer."""
    form = AnswerForm()
    if not form.submitted():
        return _page(token, holder, form), 422
    visit, person = holder.visit, holder.person
    taken = take(visit, person, form)
    db.session.commit()
    flash(said_words(visit, person, taken), "info" if taken is Taken.OVER else "success")
    return _again(token)


@blueprint.route("/<token>/move", methods=["GET", "POST"])
@held
def move(token: str, holder: Holder) -> Answer:
    """Another hour for this visit."""
    form = BookForm()
    if not form.submitted():
        return _move_page(token, form), 422 if form.errors else 200

    def act() -> None:
        service.move(holder.visit, holder.person, start=form.start_at, now=now())

    return _do(token, act, _("Moved. Everyone gets an updated invite."), form)


@blueprint.route("/<token>/cancel", methods=["GET", "POST"])
@held
def cancel(token: str, holder: Holder) -> Answer:
    """Cancels the visit, or leaves it where others come too."""
    visit, person, form = holder.visit, holder.person, CancelForm()
    leaves = service.only_leaves(visit, person)
    if visit.status == Status.CANCELLED:
        return _again(token)
    if not form.submitted():
        back, instead = _address(token), url_for("answers.move", token=token)
        page = render_template(
            "visits/cancel.html", me=None, visit=visit, form=form, leaves=leaves, back=back, instead=instead
        )
        return page, 422 if form.errors else 200
    left, cancelled = (
        _("You left the visit. The others keep it."),
        _("Cancelled. The hour is free again and everyone hears of it."),
    )

    def act() -> None:
        service.cancel(visit, person, reason=form.reason.data or "", now=now())

    return _do(token, act, left if leaves else cancelled)


@blueprint.post("/<token>/outcome")
@held
def outcome(token: str, holder: Holder) -> Answer:
    """Says whether the visit took place."""
    form = OutcomeForm()
    if not form.submitted():
        return _page(token, holder, outcome_form=form), 422

    def act() -> None:
        service.tell_outcome(holder.visit, holder.person, TookPlace(form.took_place.data), now=now())

    return _do(token, act, _("Thank you, noted."))


@blueprint.post("/<token>/proposals/<int:proposal_id>/accept")
@held
def accept(token: str, holder: Holder, proposal_id: int) -> Answer:
    """Moves the visit to an hour that was proposed; where the rules refuse, says why and shows others."""

    def act() -> None:
        service.accept_proposal(holder.visit, proposal_id, holder.person, now=now())

    return _do(token, act, _("Moved. Everyone gets an updated invite."))


@blueprint.post("/<token>/proposals/<int:proposal_id>/decline")
@held
def keep(token: str, holder: Holder, proposal_id: int) -> Answer:
    """Leaves the visit where it is though somebody proposed another hour."""

    def act() -> None:
        service.decline_proposal(holder.visit, proposal_id, holder.person, now=now())

    done = _("The visit stays where it is, and whoever proposed another hour hears of it.")
    return _do(token, act, done)


def _do(token: str, act: Callable[[], None], done: str, form: BookForm | None = None) -> Answer:
    """Acts, and says so; an hour that cannot be had is explained beside others that can."""
    try:
        act()
    except (SlotTaken, NotOffered) as refusal:
        db.session.rollback()
        return _move_page(token, form or BookForm(formdata=None), refusal), refusal.status
    except Refused as refusal:
        db.session.rollback()
        flash(say(refusal), "info")
    else:
        db.session.commit()
        flash(done, "success")
    return _again(token)


def _address(token: str) -> str:
    return url_for("answers.show", token=token)


def _again(token: str) -> BaseResponse:
    return redirect(_address(token), 303)


def _page(
    token: str, holder: Holder, form: AnswerForm | None = None, *, outcome_form: OutcomeForm | None = None
) -> str:
    visit, person, here = holder.visit, holder.person, me_or_none()
    outcomes = service.answers_of(visit)
    return render_template(
        "answers/show.html",
        me=None,
        token=token,
        visit=visit,
        person=person,
        signed_in_as=here if here is not None and here.id != person.id else None,
        say=request.args.get("say"),
        now=now(),
        outcome_form=outcome_form or OutcomeForm(formdata=None),
        my_outcome=outcomes.get(person.id),
        asks_outcome=visit.status in HAPPENING and now() >= visit.ends_at,
        **answered.context(visit, person, form, now=now()),
    )


def _move_page(token: str, form: BookForm, refusal: SlotTaken | NotOffered | None = None) -> str:
    holder = links.whose_link(token, now=now())
    if holder is None:
        raise ValueError("only a link that was opened leads here")
    visit = holder.visit

    def to(**query: str) -> str:
        return url_for("answers.move", token=token, **query)  # type: ignore[arg-type]

    return pick_page(
        "visits/move.html",
        visit.programme,
        form,
        holder.person,
        to=to,
        moving=visit,
        ask=Ask(agent_id=visit.agent_id),
        refusal=refusal,
        more={"me": None, "back": _address(token)},
    )
