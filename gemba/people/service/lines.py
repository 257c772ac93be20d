"""Support lines and products."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from gemba.db import db
from gemba.errors import Invalid, NotFound
from gemba.people.models import Line, Person, PersonProduct, Product
from gemba.people.rules import N_, Role, clean_line, folded
from gemba.people.service.audit import audit

NAME_MAX = 80


def all_lines() -> list[Line]:
    """Every line with its lead, by name."""
    return list(db.session.scalars(select(Line).options(joinedload(Line.lead)).order_by(Line.name, Line.id)))


def line_choices() -> list[tuple[int, str]]:
    """Id and name of every line, by name."""
    return [(line.id, line.name) for line in all_lines()]


def all_products() -> list[Product]:
    """Every product, by name."""
    return list(db.session.scalars(select(Product).order_by(Product.name, Product.id)))


def people_by_line() -> dict[int, int]:
    """How many active people each line has, by its id."""
    rows = db.session.execute(
        select(Person.line_id, func.count()).where(Person.active).group_by(Person.line_id)
    )
    return {line_id: count for line_id, count in rows.tuples() if line_id is not None}


def people_by_product() -> dict[int, int]:
    """How many active people support each product, by its id."""
    rows = db.session.execute(
        select(PersonProduct.product_id, func.count())
        .join(Person, Person.id == PersonProduct.person_id)
        .where(Person.active)
        .group_by(PersonProduct.product_id)
    )
    return dict(rows.tuples().all())


def find_line(name: str) -> Line | None:
    """The line with this name, whatever its case."""
    return next((line for line in all_lines() if folded(line.name) == folded(name)), None)


def get_line(line_id: int) -> Line:
    """The line with this id. Raises NotFound."""
    line = db.session.get(Line, line_id)
    if line is None:
        raise NotFound
    return line


def get_product(product_id: int) -> Product:
    """The product with this id. Raises NotFound."""
    product = db.session.get(Product, product_id)
    if product is None:
        raise NotFound
    return product


def save_line(
    line_id: int | None,
    *,
    name: str,
    lead_id: int | None,
    by: Person | None,
    now: datetime,
    address: str = "",
) -> Line:
    """Adds a line (`line_id` None) or renames it and sets its lead. Raises NotFound, Invalid."""
    line = get_line(line_id) if line_id is not None else Line()
    taken = next((other.id for other in all_lines() if folded(other.name) == folded(name)), None)
    errors = _name_errors(name, taken, line_id)
    lead = db.session.get(Person, lead_id) if lead_id is not None else None
    if lead_id is not None and (lead is None or not lead.active or not lead.has(Role.LEAD)):
        errors["lead_id"] = [N_("Choose an active person with the role lead.")]
    if errors:
        raise Invalid(errors)
    line.name, line.lead_id = clean_line(name), lead_id
    db.session.add(line)
    db.session.flush()
    action = "line-added" if line_id is None else "line-changed"
    audit(by, action, f"line:{line.id}", {"name": line.name, "lead": lead_id}, now, address)
    return line


def save_product(
    product_id: int | None, *, name: str, by: Person | None, now: datetime, address: str = ""
) -> Product:
    """Adds a product (`product_id` None) or renames it. Raises NotFound, Invalid."""
    product = get_product(product_id) if product_id is not None else Product()
    taken = next((other.id for other in all_products() if folded(other.name) == folded(name)), None)
    errors = _name_errors(name, taken, product_id)
    if errors:
        raise Invalid(errors)
    product.name = clean_line(name)
    db.session.add(product)
    db.session.flush()
    action = "product-added" if product_id is None else "product-changed"
    audit(by, action, f"product:{product.id}", {"name": product.name}, now, address)
    return product


def _name_errors(name: str, taken_by: int | None, own_id: int | None) -> dict[str, list[str]]:
    if not 0 < len(clean_line(name)) <= NAME_MAX:
        return {"name": [N_("Write a name of at most 80 characters.")]}
    if taken_by is not None and taken_by != own_id:
        return {"name": [N_("This name is taken. Choose another one.")]}
    return {}


def departments() -> list[tuple[str, int]]:
    """The departments of active people, by name, with how many there are."""
    query = (
        select(Person.department, func.count())
        .where(Person.active, Person.department != "")
        .group_by(Person.department)
        .order_by(Person.department)
    )
    return list(db.session.execute(query).tuples())
