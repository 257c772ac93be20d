"""Pages of trainings: the visitor's checklist, the mentor's list of trainees, the admin's steps."""

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid, Refused
from gemba.people.rules import Role
from gemba.programmes.training import service
from gemba.programmes.training.errors import MentorsStep, NotQuite
from gemba.programmes.training.forms import StepForm, TakeForm
from gemba.programmes.training.models import TrainingStep
from gemba.programmes.training.rules import FILE_MAX, StepKind
from gemba.programmes.training.service import Upload
from gemba.web.access import me, requires, signed_in
from gemba.web.limits import limiter
from gemba.web.pages import Answer, say

blueprint = Blueprint("training", __name__)
ROOM = FILE_MAX + 64 * 1024
"""A file and the fields beside it."""


@blueprint.url_value_preprocessor
def _make_room(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Pages that take a file take more than others; said before anything reads the form."""
    if endpoint in ("training.new", "training.edit"):
        request.max_content_length = ROOM


@blueprint.get("/programmes/<slug>/training")
@signed_in
def show(slug: str) -> Answer:
    """What to do before the first visit, and how far one is."""
    return _checklist(slug)


def _checklist(slug: str, wrong: int = 0, error: str = "", chosen: list[int] | None = None) -> str:
    programme = service.visible_programme(me(), slug)
    return render_template(
        "training/show.html",
        training=service.training_of(programme, me()),
        wrong=wrong,
        error=error,
        chosen=chosen or [],
    )


@blueprint.post("/programmes/<slug>/training/<int:step_id>")
@limiter.limit("120 per 10 minutes")
@signed_in
def take(slug: str, step_id: int) -> Answer:
    """A step is done, answered, or open again after all."""
    form = TakeForm()
    if not form.submitted():
        return _checklist(slug, step_id, form.form_errors[0] if form.form_errors else ""), 422
    chosen = [int(place) for place in request.form.getlist("choice") if place.isdecimal()][:20]
    try:
        if request.form.get("do") == "open":
            service.open_step(me(), slug, step_id)
        else:
            service.take_step(me(), slug, step_id, chosen, now=now())
    except (NotQuite, MentorsStep) as refused:
        db.session.rollback()
        return _checklist(slug, step_id, say(refused), chosen), 422
    db.session.commit()
    training = service.training_of(service.visible_programme(me(), slug), me())
    if training.is_complete:
        flash(_("The training is done. You can book a visit now."), "success")
    return redirect(url_for(".show", slug=slug, _anchor=f"step-{step_id}"), 303)


@blueprint.get("/programmes/<slug>/training/<int:step_id>/file")
@signed_in
def file(slug: str, step_id: int) -> Response:
    """A step's PDF, to be kept or opened outside: it never runs as a page of ours."""
    name, content = service.file_of(me(), slug, step_id)
    answer = Response(content, content_type="application/pdf")
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox; frame-ancestors 'none'"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@blueprint.get("/training")
@requires(Role.MENTOR, Role.ADMIN)
def index() -> Answer:
    """Who is on the way through a training, who waits for a mentor's word first."""
    return render_template("training/index.html", trainees=service.trainees(me()))


@blueprint.post("/training/<int:step_id>/people/<int:person_id>")
@requires(Role.MENTOR, Role.ADMIN)
def sign(step_id: int, person_id: int) -> Answer:
    """Signs somebody's training off, or takes that back."""
    try:
        if request.form.get("do") == "back":
            service.take_back(me(), step_id, person_id, now=now())
            words = _("The sign-off is taken back.")
        else:
            service.sign_off(me(), step_id, person_id, now=now())
            words = _("Signed off.")
    except Refused as refused:
        db.session.rollback()
        flash(say(refused), "error")
    else:
        db.session.commit()
        flash(words, "success")
    return redirect(url_for(".index"), 303)


@blueprint.get("/programmes/<slug>/training/steps")
@requires(Role.ADMIN)
def steps(slug: str) -> Answer:
    """The steps of a training, to be changed."""
    programme, found = service.steps_of(me(), slug)
    trained = service.people_trained(programme) if found else 0
    return render_template("training/steps.html", programme=programme, steps=found, trained=trained)


@blueprint.route("/programmes/<slug>/training/steps/new", methods=["GET", "POST"])
@requires(Role.ADMIN)
def new(slug: str) -> Answer:
    """A new step of a kind."""
    programme, _steps = service.steps_of(me(), slug)
    asked = request.args.get("kind", "")
    kind = StepKind(asked) if asked in set(StepKind) else StepKind.READ
    form = StepForm()
    if form.submitted():
        try:
            service.add_step(me(), slug, kind, form.words(), _upload(form), now=now())
        except Invalid as invalid:
            db.session.rollback()
            form.take_errors(invalid)
        else:
            db.session.commit()
            flash(_("The step is added."), "success")
            return redirect(url_for(".steps", slug=slug), 303)
    page = render_template("training/step.html", programme=programme, step=None, kind=kind, form=form)
    return page, 422 if form.errors else 200


@blueprint.route("/programmes/<slug>/training/steps/<int:step_id>", methods=["GET", "POST"])
@requires(Role.ADMIN)
def edit(slug: str, step_id: int) -> Answer:
    """One step as a form."""
    step = service.get_step(me(), slug, step_id)
    form = StepForm(obj=step)
    if form.submitted():
        words, again = form.words(), bool(form.again.data)
        try:
            service.change_step(me(), slug, step_id, words, _upload(form), again=again, now=now())
        except Invalid as invalid:
            db.session.rollback()
            form.take_errors(invalid)
        else:
            db.session.commit()
            flash(_("The step is saved."), "success")
            return redirect(url_for(".steps", slug=slug), 303)
    return _edit_page(step, form), 422 if form.errors else 200


def _edit_page(step: TrainingStep, form: StepForm) -> str:
    return render_template(
        "training/step.html", programme=step.programme, step=step, kind=StepKind(step.kind), form=form
    )


@blueprint.post("/programmes/<slug>/training/steps/<int:step_id>/move")
@requires(Role.ADMIN)
def move(slug: str, step_id: int) -> Answer:
    """One place up or down."""
    service.move_step(me(), slug, step_id, 1 if request.form.get("to") == "down" else -1, now=now())
    db.session.commit()
    return redirect(url_for(".steps", slug=slug, _anchor=f"step-{step_id}"), 303)


@blueprint.post("/programmes/<slug>/training/steps/<int:step_id>/remove")
@requires(Role.ADMIN)
def remove(slug: str, step_id: int) -> Answer:
    """Takes a step out."""
    service.remove_step(me(), slug, step_id, now=now())
    db.session.commit()
    flash(_("The step is removed."), "success")
    return redirect(url_for(".steps", slug=slug), 303)


def _upload(form: StepForm) -> Upload | None:
    sent = form.file.data
    if not hasattr(sent, "read"):
        return None
    content = sent.read(FILE_MAX + 1)
    return Upload(sent.filename or "training.pdf", content) if content else None
