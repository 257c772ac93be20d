"""Pages of the short way to a new programme: every step is a form of its own, and works without scripts."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from wtforms import Field

from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid, NotFound
from gemba.people import service as people
from gemba.people.rules import Role
from gemba.programmes import doors, hosts, service, wizard
from gemba.programmes.forms import PeopleForm, ProgrammeForm
from gemba.programmes.models import Programme
from gemba.programmes.training import service as training
from gemba.programmes.views import put_on_list
from gemba.programmes.wizard import SavedMeanwhile, Step
from gemba.web.access import me, requires
from gemba.web.limits import limiter
from gemba.web.pages import Answer, say

blueprint = Blueprint("wizard", __name__, url_prefix="/programmes/new")


@blueprint.get("/steps")
@requires(Role.ADMIN)
def begin() -> Answer:
    """The first step of a programme that is not there yet."""
    return _page(Step.FORMAT, ProgrammeForm(formdata=None), None)


@blueprint.post("/steps")
@limiter.limit("30 per minute")
@requires(Role.ADMIN)
def create() -> Answer:
    """Keeps the first step as a draft."""
    form = ProgrammeForm()
    document = {name: form.document()[name] for name in wizard.FIELDS[Step.FORMAT]}
    try:
        if not form.validate():
            raise Invalid({})
        made = wizard.begin(me(), document, now=now())
        db.session.commit()
    except Invalid as invalid:
        db.session.rollback()
        form.take_errors(invalid)
        return _page(Step.FORMAT, form, None), 422
    return redirect(_next(made, Step.FORMAT), 303)


@blueprint.get("/<slug>/<step>")
@requires(Role.ADMIN)
def step(slug: str, step: str) -> Answer:
    """One step of a draft; a programme that was started has its page of all fields."""
    programme, here = service.get_programme(slug), _step(step)
    if not programme.draft:
        return redirect(url_for("programmes.edit", slug=slug), 303)
    return _page(here, ProgrammeForm(formdata=None, data=wizard.shown(programme, here)), programme)


@blueprint.post("/<slug>/<step>")
@limiter.limit("60 per minute")
@requires(Role.ADMIN)
def save(slug: str, step: str) -> Answer:
    """Keeps a step and goes on to the next, or leaves."""
    here, form, listed = _step(step), ProgrammeForm(), PeopleForm()
    programme = service.get_programme(slug)
    if not programme.draft:
        return redirect(url_for("programmes.edit", slug=slug), 303)
    try:
        if not form.validate() or not listed.validate():
            raise Invalid({})
        seen = request.form.get("seen", "")[:64]
        programme = wizard.save(me(), slug, here, form.document(), seen=seen, now=now())
        if here is Step.PEOPLE and (listed.addresses.data or listed.file.data):
            put_on_list(programme, listed)
        db.session.commit()
    except Invalid as invalid:
        db.session.rollback()
        (listed if {"addresses", "file"} & set(invalid.errors) else form).take_errors(invalid)
        return _page(here, form, service.get_programme(slug), listed), 422
    except SavedMeanwhile as refused:
        db.session.rollback()
        form.refuse(say(refused))
        return _page(here, form, service.get_programme(slug), listed, meanwhile=True), 409
    if request.form.get("go") == "leave":
        flash(_("The draft is kept. Nobody but admins sees it until it is started."), "success")
        return redirect(url_for("programmes.index"), 303)
    return redirect(_next(programme, here), 303)


@blueprint.post("/<slug>/start")
@requires(Role.ADMIN)
def start(slug: str) -> Answer:
    """Starts a programme: from now on people see it. A second press changes nothing."""
    programme = service.get_programme(slug)
    if programme.draft:
        programme = service.update(me(), slug, {"active": True}, now=now())
        db.session.commit()
        flash(_("%(name)s runs.", name=programme.name_in(me().locale)), "success")
    return redirect(url_for("programmes.edit", slug=slug), 303)


@blueprint.post("/<slug>/throw-away")
@requires(Role.ADMIN)
def throw_away(slug: str) -> Answer:
    """Throws a draft away."""
    service.throw_away(me(), slug, now=now())
    db.session.commit()
    flash(_("The draft is gone."), "success")
    return redirect(url_for("programmes.index"), 303)


def _step(name: str) -> Step:
    try:
        return Step(name)
    except ValueError:
        raise NotFound from None


def _next(programme: Programme, here: Step) -> str:
    return url_for(".step", slug=programme.slug, step=here.after)


def _page(
    here: Step,
    form: ProgrammeForm,
    programme: Programme | None,
    listed: PeopleForm | None = None,
    *,
    meanwhile: bool = False,
) -> str:
    if here is Step.PEOPLE:
        form.offer(people.departments(), people.line_choices())
    return render_template(
        f"programmes/wizard/{here}.html",
        here=here,
        steps=list(Step),
        programme=programme,
        form=form,
        listed=listed or PeopleForm(formdata=None),
        total=doors.count_listed(programme) if programme and here in (Step.PEOPLE, Step.LOOK) else 0,
        seen=wizard.digest_of(programme, here) if programme else "",
        saved=_kept(form, programme, here) if programme and meanwhile else {},
        **(_looked_at(programme) if programme and here is Step.LOOK else {}),
    )


def _kept(form: ProgrammeForm, programme: Programme, here: Step) -> dict[str, str]:
    """By label, what is kept by now of the fields in which something else stands here."""
    typed = form.document()
    return {
        form[name].label.text: _in_words(form[name], value)
        for name, value in wizard.shown(programme, here).items()
        if typed[name] != value
    }


def _in_words(field: Field, value: object) -> str:
    """A value as the form's choices call it."""
    words = {str(key): str(label) for key, label in getattr(field, "choices", None) or ()}
    many = value if isinstance(value, list) else [] if value is None else [value]
    return ", ".join(words.get(str(each), str(each)) for each in many)


def _looked_at(programme: Programme) -> dict[str, Any]:
    """What the last step shows beside the fields: the steps of a training, how many may take part, and with
    whom."""
    trains = training.has_training(programme)
    return {
        "training": training.steps_of(me(), programme.slug)[1] if trains else [],
        "reached": doors.reach(programme),
        "lines": [name for number, name in people.line_choices() if number in programme.lines],
        "languages": hosts.languages_of(programme),
        "hosts": hosts.count(programme),
    }
