"""Pages on which admins make and change programmes."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid
from gemba.people import service as people_service
from gemba.people.rules import Role
from gemba.programmes import copying, doors, service
from gemba.programmes.forms import PeopleForm, ProgrammeForm
from gemba.programmes.guides import Part, shipped
from gemba.programmes.models import Programme
from gemba.programmes.rules import Format
from gemba.web.access import me, requires
from gemba.web.limits import limiter
from gemba.web.pages import Answer

blueprint = Blueprint("programmes", __name__, url_prefix="/programmes")
LISTED = 50


@blueprint.get("")
@requires(Role.ADMIN)
def index() -> Answer:
    """All programmes."""
    return render_template("programmes/index.html", programmes=service.list_programmes(me()))


@blueprint.get("/new")
@requires(Role.ADMIN)
def new() -> Answer:
    """All fields on one page, with the usual values."""
    return _page(ProgrammeForm(data=_USUAL | _shipped()), None)


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


@blueprint.post("/<slug>/copy")
@limiter.limit("20 per minute")
@requires(Role.ADMIN)
def copy(slug: str) -> Answer:
    """Makes a draft like a programme, training and list included."""
    made = copying.copy(me(), slug, now=now())
    db.session.commit()
    flash(_("This is a draft with all of it. Name it, look through it, and start it."), "success")
    return redirect(url_for("wizard.step", slug=made.slug, step="format"), 303)


@blueprint.get("/<slug>/people")
@requires(Role.ADMIN)
def people(slug: str) -> Answer:
    """Who is on the list of those who may take part."""
    return _people_page(slug, PeopleForm(formdata=None))


@blueprint.post("/<slug>/people")
@limiter.limit("20 per minute")
@requires(Role.ADMIN)
def add_people(slug: str) -> Answer:
    """Puts people on the list."""
    form = PeopleForm()
    try:
        if not form.validate():
            raise Invalid({})
        put_on_list(service.get_programme(slug), form)
        db.session.commit()
    except Invalid as invalid:
        db.session.rollback()
        form.take_errors(invalid)
        return _people_page(slug, form), 422
    return redirect(url_for(".people", slug=slug), 303)


def put_on_list(programme: Programme, form: PeopleForm) -> None:
    """Puts those named in a form on the list, and says what came of it. Raises Invalid."""
    content = form.file.data.read() if form.file.data else b""
    addresses = people_service.addresses_in(form.addresses.data or "", content)
    added = doors.add_people(me(), programme, addresses, now=now())
    words = ngettext("%(num)d person is on the list now.", "%(num)d people are on the list now.", added.new)
    if added.before:
        words += " " + ngettext("%(num)d was before.", "%(num)d were before.", added.before)
    flash(words, "success")
    if added.unknown:
        named = ", ".join(added.unknown[:10])
        flash(
            _("Nobody here has these addresses: %(named)s. Add them under People first.", named=named),
            "error",
        )


@blueprint.post("/<slug>/people/<int:person_id>/remove")
@requires(Role.ADMIN)
def remove_person(slug: str, person_id: int) -> Answer:
    """Takes somebody off the list."""
    doors.remove_person(me(), service.get_programme(slug), person_id, now=now())
    db.session.commit()
    flash(_("Taken off the list. What they have booked stays."), "success")
    return redirect(url_for(".people", slug=slug, page=request.form.get("page") or None), 303)


def _people_page(slug: str, form: PeopleForm) -> str:
    programme = service.get_programme(slug)
    page = min(request.args.get("page", 0, type=int), 9999)
    return render_template(
        "programmes/people.html",
        programme=programme,
        form=form,
        people=doors.listed(programme, limit=LISTED, offset=LISTED * max(page, 0)),
        total=doors.count_listed(programme),
        page=max(page, 0),
        size=LISTED,
    )


def _shipped() -> dict[str, str]:
    """The guides that come with the house, to be changed."""
    locales = {"": "en", "_ru": "ru"}
    return {
        f"{part}{end}": "\n".join(shipped(Format.SHADOW, part, locale))
        for part in Part
        for end, locale in locales.items()
    }


def _page(form: ProgrammeForm, programme: Programme | None) -> str:
    form.offer(people_service.departments(), people_service.line_choices())
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
    "goal_months": 6,
}
