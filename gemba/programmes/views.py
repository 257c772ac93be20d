"""Pages on which admins make and change programmes."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid
from gemba.people.rules import Role
from gemba.programmes import service
from gemba.programmes.forms import ProgrammeForm
from gemba.programmes.guides import Part, shipped
from gemba.programmes.models import Programme
from gemba.programmes.rules import Format
from gemba.web.access import me, requires
from gemba.web.pages import Answer

blueprint = Blueprint("programmes", __name__, url_prefix="/programmes")


@blueprint.get("")
@requires(Role.ADMIN)
def index() -> Answer:
    """All programmes."""
    return render_template("programmes/index.html", programmes=service.list_programmes(me()))


@blueprint.get("/new")
@requires(Role.ADMIN)
def new() -> Answer:
    """A form with the usual values, or with those of another programme (`like`), to be named anew."""
    like = request.args.get("like", "")
    if not like:
        return _page(ProgrammeForm(data=_USUAL | _shipped()), None)
    told = service.programme_document(service.get_programme(like))
    return _page(ProgrammeForm(data={**told, "slug": "", "name": "", "name_ru": ""}), None)


@blueprint.post("/new")
@requires(Role.ADMIN)
def create() -> Answer:
    """Makes a programme."""
    form = ProgrammeForm()
    if form.submitted():
        try:
            made = service.create(me(), {**form.document(), "slug": form.slug.data or ""}, now=now())
            db.session.commit()
        except Invalid as invalid:
            db.session.rollback()
            form.take_errors(invalid)
        else:
            flash(_("%(name)s is made.", name=made.name), "success")
            return redirect(url_for("programmes.index"), 303)
    return _page(form, None), 422


@blueprint.get("/<slug>")
@requires(Role.ADMIN)
def edit(slug: str) -> Answer:
    """One programme as a form."""
    programme = service.get_programme(slug)
    return _page(ProgrammeForm(data=service.programme_document(programme)), programme)


@blueprint.post("/<slug>")
@requires(Role.ADMIN)
def update(slug: str) -> Answer:
    """Changes a programme."""
    form = ProgrammeForm()
    form.slug.data = slug
    if form.submitted():
        try:
            changed = service.update(me(), slug, form.document(), now=now())
            db.session.commit()
        except Invalid as invalid:
            db.session.rollback()
            form.take_errors(invalid)
        else:
            flash(_("%(name)s is saved.", name=changed.name), "success")
            return redirect(url_for("programmes.index"), 303)
    return _page(form, service.get_programme(slug)), 422


def _shipped() -> dict[str, str]:
    """The guides that come with the house, to be changed."""
    locales = {"": "en", "_ru": "ru"}
    return {
        f"{part}{end}": "\n".join(shipped(Format.SHADOW, part, locale))
        for part in Part
        for end, locale in locales.items()
    }


def _page(form: ProgrammeForm, programme: Programme | None) -> str:
    return render_template("programmes/programme.html", form=form, programme=programme)


_USUAL = {
    "duration_minutes": 60,
    "slot_step_minutes": 30,
    "min_notice_minutes": 240,
    "move_notice_minutes": 240,
    "cancel_notice_minutes": 60,
    "horizon_days": 28,
    "seats": 1,
    "return_after_months": 6,
    "slot_offset_minutes": 0,
    "approval_hours": 48,
    "offer_hours": 12,
    "review_hours": 48,
    "keep_months": 24,
    "smallest_group": 5,
}
