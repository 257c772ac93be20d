"""Support lines and products, for admins: one small page with a form for each."""

from collections.abc import Callable

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _

from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid
from gemba.people import service
from gemba.people.forms import LineForm, ProductForm
from gemba.people.rules import Role
from gemba.people.views.base import Answer, blueprint
from gemba.web.access import client_address, me, requires
from gemba.web.forms import Form


@blueprint.get("/lines")
@requires(Role.ADMIN)
def lines() -> Answer:
    """All lines and products."""
    return _page(None, 200)


def _prefix(kind: str, row_id: int | None) -> str:
    """What sets the fields of one form apart from those of the others on the page."""
    return f"{kind}-{row_id or 'new'}-"


def _page(sent: Form | None, status: int) -> Answer:
    """The page; `sent` is the form that was refused, with its words and errors."""
    none: list[tuple[int | None, str]] = [(None, _("no lead"))]
    leads = none + [(lead.id, lead.name) for lead in service.people_holding(Role.LEAD)]

    def line_form(row_id: int | None, **values: object) -> Form:
        prefix = _prefix("line", row_id)
        known = sent if sent is not None and sent._prefix == prefix else None
        form = known or LineForm(formdata=None, prefix=prefix, **values)
        form["lead_id"].choices = leads
        return form

    def product_form(row_id: int | None, **values: object) -> Form:
        prefix = _prefix("product", row_id)
        known = sent if sent is not None and sent._prefix == prefix else None
        return known or ProductForm(formdata=None, prefix=prefix, **values)

    return render_template(
        "people/lines.html",
        lines=[(line, line_form(line.id, obj=line)) for line in service.all_lines()],
        products=[(product, product_form(product.id, obj=product)) for product in service.all_products()],
        new_line=line_form(None),
        new_product=product_form(None),
        people_by_line=service.people_by_line(),
        people_by_product=service.people_by_product(),
        sent=sent,
    ), status


def _save(form: Form, act: Callable[[], object]) -> Answer:
    if form.submitted():
        try:
            act()
        except Invalid as error:
            db.session.rollback()
            form.take_errors(error)
        else:
            db.session.commit()
            flash(_("Saved."), "success")
            return redirect(url_for("people.lines"), 303)
    return _page(form, 422)


def _save_line(line_id: int | None) -> Answer:
    if line_id is not None:
        service.get_line(line_id)
    form = LineForm(prefix=_prefix("line", line_id))
    # Whether a lead may be chosen is the service's to say.
    form.lead_id.validate_choice = False
    return _save(
        form,
        lambda: service.save_line(
            line_id,
            name=form.name.data or "",
            lead_id=form.lead_id.data,
            by=me(),
            now=now(),
            address=client_address(),
        ),
    )


def _save_product(product_id: int | None) -> Answer:
    if product_id is not None:
        service.get_product(product_id)
    form = ProductForm(prefix=_prefix("product", product_id))
    return _save(
        form,
        lambda: service.save_product(
            product_id, name=form.name.data or "", by=me(), now=now(), address=client_address()
        ),
    )


@blueprint.post("/lines")
@requires(Role.ADMIN)
def add_line() -> Answer:
    """Adds a line."""
    return _save_line(None)


@blueprint.post("/lines/<int:line_id>")
@requires(Role.ADMIN)
def change_line(line_id: int) -> Answer:
    """Renames a line, sets its lead."""
    return _save_line(line_id)


@blueprint.post("/products")
@requires(Role.ADMIN)
def add_product() -> Answer:
    """Adds a product."""
    return _save_product(None)


@blueprint.post("/products/<int:product_id>")
@requires(Role.ADMIN)
def change_product(product_id: int) -> Answer:
    """Renames a product."""
    return _save_product(product_id)
