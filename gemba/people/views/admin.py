"""People, for admins: find, add, change, deactivate."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid
from gemba.people import service
from gemba.people.forms import ZONES, PersonForm
from gemba.people.models import AuditEntry, Person
from gemba.people.rules import COMMON_ZONES, PersonFields, Role, clean_line
from gemba.people.views.base import Answer, blueprint
from gemba.web.access import client_address, me, requires
from gemba.web.filters import role_name

PAGE = 50
STATES = {"": True, "all": None, "inactive": False}


@blueprint.get("/people")
@requires(Role.ADMIN)
def index() -> Answer:
    """The people, a page at a time; the address holds the filters."""
    given = request.args
    search, role, state = clean_line(given.get("q", "")), given.get("role", ""), given.get("state", "")
    line_id, page = given.get("line", type=int), max(given.get("page", 1, type=int), 1)
    asked = service.Asked(
        search=search,
        role=role if role in set(Role) else None,
        line_id=line_id,
        active=STATES.get(state, True),
    )
    rows = service.visible_people(me(), asked, limit=PAGE + 1, offset=(page - 1) * PAGE)
    filters: dict[str, Any] = {
        "q": search or None,
        "role": asked.role,
        "line": line_id,
        "state": state or None,
    }
    return render_template(
        "people/index.html",
        people=rows[:PAGE],
        count=service.count_people(me(), asked),
        lines=service.all_lines(),
        filters=filters,
        too_short=0 < len(search) < 2,
        next_url=url_for("people.index", **filters, page=page + 1) if len(rows) > PAGE else None,
        prev_url=url_for("people.index", **filters, page=page - 1) if page > 1 else None,
        roles=list(Role),
    )


def _choices(form: PersonForm, person: Person | None) -> None:
    none: list[tuple[int | None, str]] = [(None, _("no line"))]
    form.line_id.choices = none + [(line.id, line.name) for line in service.all_lines()]
    form.product_ids.choices = [(product.id, product.name) for product in service.all_products()]
    if person is not None and person.timezone not in COMMON_ZONES:
        form.timezone.choices = [(person.timezone, person.timezone), *ZONES]


def _fields(form: PersonForm) -> PersonFields:
    """The fields one by one: what else a form may carry changes nobody."""
    return {
        "name": form.name.data or "",
        "email": form.email.data or "",
        "roles": form.roles.data or [],
        "line_id": form.line_id.data,
        "department": form.department.data or "",
        "timezone": form.timezone.data,
        "locale": form.locale.data,
        "languages": form.languages.data or [],
        "product_ids": form.product_ids.data or [],
    }


@blueprint.get("/people/new")
@requires(Role.ADMIN)
def new() -> Answer:
    """An empty form."""
    form = PersonForm()
    _choices(form, None)
    return _page(form, None, 200)


def _page(form: PersonForm, person: Person | None, status: int) -> Answer:
    more: dict[str, Any] = {}
    if person is not None:
        more = {
            "sign_ins": service.sign_ins_of(person, now=now()),
            "identities": service.identities_of(person),
            "history": [
                (entry, _words(entry), name) for entry, name in service.audit_of(f"person:{person.id}")
            ],
        }
    return render_template("people/person.html", form=form, person=person, now=now(), **more), status


def _words(entry: AuditEntry) -> str:
    """What happened, as a sentence."""
    detail = entry.detail
    words = {
        "sign-in": _("Signed in"),
        "sign-out": _("Signed out"),
        "sign-out-everywhere": _("Signed out everywhere"),
        "identity-linked": _("The company's account was tied"),
        "identity-unlinked": _("The company's account was untied"),
        "token-made": _("Token made: %(name)s", name=detail.get("name", "")),
        "token-revoked": _("Token revoked: %(name)s", name=detail.get("name", "")),
        "person-added": _("Added"),
        "person-changed": _(
            "Changed: %(fields)s", fields=", ".join(map(_field_words, detail.get("fields", [])))
        ),
        "person-activated": _("Activated"),
        "person-deactivated": _("Deactivated"),
        "roles-changed": _(
            "Roles are now: %(roles)s", roles=", ".join(map(role_name, detail.get("after", [])))
        ),
    }
    return str(words.get(entry.action, entry.action))


def _field_words(field: str) -> str:
    words = {
        "email": _("e-mail"),
        "name": _("name"),
        "timezone": _("time zone"),
        "locale": _("language"),
        "department": _("department"),
        "line_id": _("line"),
        "languages": _("languages of visits"),
        "product_ids": _("products"),
    }
    return str(words.get(field, field))


@blueprint.post("/people/new")
@requires(Role.ADMIN)
def add() -> Answer:
    """Adds a person."""
    form = PersonForm()
    _choices(form, None)
    if form.submitted():
        try:
            person = service.add_person(by=me(), now=now(), address=client_address(), **_fields(form))
        except Invalid as error:
            db.session.rollback()
            form.take_errors(error)
        else:
            db.session.commit()
            flash(_("%(name)s can sign in now.", name=person.name), "success")
            return redirect(url_for("people.index"), 303)
    return _page(form, None, 422)


@blueprint.get("/people/<int:person_id>")
@requires(Role.ADMIN)
def person(person_id: int) -> Answer:
    """A person as an admin sees them."""
    found = service.get_person(me(), person_id)
    form = PersonForm(obj=found, product_ids=[product.id for product in found.products])
    _choices(form, found)
    return _page(form, found, 200)


@blueprint.post("/people/<int:person_id>")
@requires(Role.ADMIN)
def change(person_id: int) -> Answer:
    """Changes a person; deactivated ones are signed out at once."""
    found = service.get_person(me(), person_id)
    form = PersonForm()
    _choices(form, found)
    if form.submitted():
        fields: PersonFields = {**_fields(form), "active": bool(form.active.data)}
        try:
            service.update_person(found, by=me(), now=now(), address=client_address(), **fields)
        except Invalid as error:
            db.session.rollback()
            form.take_errors(error)
        else:
            name = found.name
            db.session.commit()
            flash(_("%(name)s is saved.", name=name), "success")
            return redirect(url_for("people.index"), 303)
    return _page(form, found, 422)


@blueprint.post("/people/<int:person_id>/sign-out")
@requires(Role.ADMIN)
def sign_out_person(person_id: int) -> Response:
    """Signs a person out everywhere."""
    found = service.get_person(me(), person_id)
    service.end_sign_ins(found, now=now(), by=me(), address=client_address())
    db.session.commit()
    flash(_("Signed out everywhere."), "success")
    return redirect(url_for("people.person", person_id=person_id), 303)


@blueprint.post("/people/<int:person_id>/unlink")
@requires(Role.ADMIN)
def unlink(person_id: int) -> Response:
    """Unties a person from the provider's account, so that another one can be tied."""
    found = service.get_person(me(), person_id)
    service.forget_identities(found, by=me(), now=now(), address=client_address())
    db.session.commit()
    flash(_("The provider's account is no longer tied to this person."), "success")
    return redirect(url_for("people.person", person_id=person_id), 303)
