"""The people: who they are, who may see whom, and how they are added and changed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Unpack, cast

from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlalchemy.orm import joinedload, selectinload

from gemba.db import db
from gemba.errors import Invalid, NotFound
from gemba.openings import hours_opened
from gemba.people.models import Line, Person, PersonLanguage, PersonRole, Product
from gemba.people.rules import N_, PersonFields, Role, clean_email, clean_person, folded
from gemba.people.service.audit import audit
from gemba.people.service.sign_in import end_sign_ins
from gemba.people.service.tokens import end_tokens

OPENING = {"roles", "active", "line_id", "languages", "product_ids"}
"""What makes somebody an agent whom others can visit, or the agent they look for."""


@dataclass(frozen=True)
class Asked:
    """Which people are asked for; `search` needs two letters, `active` None means both."""

    search: str = ""
    role: str | None = None
    line_id: int | None = None
    active: bool | None = None


def visible_people(
    viewer: Person,
    asked: Asked = Asked(),
    *,
    limit: int = 50,
    offset: int = 0,
    after_id: int | None = None,
) -> list[Person]:
    """The people `viewer` may see, by name; with `after_id` in order of id, those that follow it.

    Admins see all; others see themselves, active agents and leads, and the people of lines they lead.
    Line, roles, products and languages come along.
    """
    statement = _asked_for(viewer, asked)
    if after_id is not None:
        statement = statement.where(Person.id > after_id).order_by(Person.id)
    else:
        statement = statement.order_by(func.lower(Person.name), Person.id)
    return list(db.session.scalars(whole(statement).limit(limit).offset(offset)))


def whole(statement: Select[Person]) -> Select[Person]:
    """Loads line, roles, products and languages along, as person_fields wants them of many."""
    return statement.options(
        joinedload(Person.line),
        selectinload(Person.role_rows),
        selectinload(Person.products),
        selectinload(Person.language_rows),
    )


def people_named(ids: Collection[int], addresses: Collection[str]) -> tuple[set[int], list[str]]:
    """Active people by id or address, and which of these ids and addresses nobody has."""
    emails = {each: clean_email(each) for each in addresses}
    known = [email for email in emails.values() if email]
    query = select(Person.id, Person.email).where(
        Person.active, or_(Person.id.in_(list(ids)), Person.email.in_(known))
    )
    found = dict(db.session.execute(query).tuples().all())
    there = set(found.values())
    unknown = [str(each) for each in ids if each not in found]
    return set(found), unknown + [each for each, email in emails.items() if email not in there]


def count_people(viewer: Person, asked: Asked = Asked()) -> int:
    """How many people visible_people() would return without a limit."""
    ids = _asked_for(viewer, asked).with_only_columns(Person.id).subquery()
    return db.session.scalar(select(func.count()).select_from(ids)) or 0


def _asked_for(viewer: Person, asked: Asked) -> Select[Person]:
    statement = select(Person).where(_visible_to(viewer))
    if asked.role:
        statement = statement.where(_holds(asked.role))
    if asked.line_id is not None:
        statement = statement.where(Person.line_id == asked.line_id)
    if asked.active is not None:
        statement = statement.where(Person.active.is_(asked.active))
    if len(folded(asked.search)) >= 2:
        statement = statement.where(Person.id.in_(_found(viewer, folded(asked.search))))
    return statement


def _found(viewer: Person, words: str) -> list[int]:
    """Ids of people whose name (for admins: or address) has the words. Compared here, because SQLite,
    and PostgreSQL in locale C, fold the case of Latin letters only."""
    admin = viewer.has(Role.ADMIN)
    rows = db.session.execute(select(Person.id, Person.name, Person.email))
    return [
        person_id for person_id, name, email in rows if words in folded(name) or (admin and words in email)
    ]


def _holds(*roles: str) -> ColumnElement[bool]:
    return Person.id.in_(select(PersonRole.person_id).where(PersonRole.role.in_([str(r) for r in roles])))


def _visible_to(viewer: Person) -> ColumnElement[bool]:
    if viewer.has(Role.ADMIN):
        return Person.id.is_not(None)
    return or_(
        Person.id == viewer.id,
        Person.active & _holds(Role.AGENT, Role.LEAD),
        Person.line_id.in_(select(Line.id).where(Line.lead_id == viewer.id)),
    )


def get_person(viewer: Person, person_id: int) -> Person:
    """The person with this id. Raises NotFound where the viewer may not see them."""
    person = db.session.scalar(select(Person).where(Person.id == person_id, _visible_to(viewer)))
    if person is None:
        raise NotFound
    return person


def find_person(email: str) -> Person | None:
    """The person with this address, active or not."""
    return db.session.scalar(select(Person).where(Person.email == (clean_email(email) or "")))


def people_holding(role: Role) -> list[Person]:
    """The active holders of a role, by name."""
    statement = select(Person).where(Person.active, _holds(role)).order_by(Person.name, Person.id)
    return list(db.session.scalars(statement))


def agents_named(names: Sequence[str]) -> tuple[list[int], list[str]]:
    """The active agents of these names, by id, and the names that nobody has."""
    if not names:
        return [], []
    wanted = {folded(name): name for name in names}
    rows = db.session.execute(
        select(Person.id, Person.name).where(Person.active, _holds(Role.AGENT)).order_by(Person.id)
    )
    found = [(person, folded(name)) for person, name in rows if folded(name) in wanted]
    there = {name for _person, name in found}
    return [person for person, _name in found], [told for name, told in wanted.items() if name not in there]


def may_see_email(viewer: Person, person: Person, *, fellow: bool = False) -> bool:
    """Whether `viewer` may read the address: their own, as admin, as lead of the line, or as `fellow`
    (the caller knows that both take part in one visit)."""
    leads = person.line is not None and person.line.lead_id == viewer.id
    return viewer.id == person.id or viewer.has(Role.ADMIN) or leads or fellow


def person_fields(viewer: Person, person: Person, *, fellow: bool = False) -> dict[str, Any]:
    """What `viewer` may read about `person`; what is hidden is None.

    Keys: id, email, name, timezone, locale, roles, department, line (its name), languages, products
    (names), active (admins and the person only).
    """
    own = viewer.id == person.id or viewer.has(Role.ADMIN)
    return {
        "id": person.id,
        "email": person.email if may_see_email(viewer, person, fellow=fellow) else None,
        "name": person.name,
        "timezone": person.timezone,
        "locale": person.locale,
        "roles": [str(role) for role in Role if role in person.roles],
        "department": person.department,
        "line": person.line.name if person.line else None,
        "languages": person.languages,
        "products": [product.name for product in person.products],
        "active": person.active if own else None,
    }


def add_person(
    *, by: Person | None, now: datetime, address: str = "", **fields: Unpack[PersonFields]
) -> Person:
    """Adds a person; `email` and `name` are a must, roles default to visitor, the zone to UTC.

    `by` is who does it, None on the command line. Raises Invalid.
    """
    given: PersonFields = {"email": "", "name": "", "roles": [Role.VISITOR], **fields}
    cleaned = _checked(given, None)
    person = Person(email=cleaned["email"], name=cleaned["name"], created_at=now)
    _apply(person, cleaned)
    db.session.add(person)
    db.session.flush()
    roles = [str(role) for role in cleaned["roles"]]
    audit(by, "person-added", f"person:{person.id}", {"roles": roles}, now, address)
    return person


def update_person(
    person: Person, *, by: Person | None, now: datetime, address: str = "", **fields: Unpack[PersonFields]
) -> list[str]:
    """Changes what is given; returns the names of the fields that became different.

    A time zone said by the person (`by` is `person`) counts as confirmed. Deactivation ends sign-ins and
    tokens at once. Raises Invalid; the last admin can be neither deactivated nor demoted.
    """
    cleaned = _checked(fields, person)
    if by is not None and by.id == person.id and "timezone" in cleaned:
        person.timezone_confirmed = True
    before = _facts(person)
    changed = [name for name, value in _comparable(cleaned).items() if before[name] != value]
    if not changed:
        db.session.flush()
        return []
    _keep_an_admin(person, cleaned)
    _apply(person, cleaned)
    db.session.flush()
    _follow_up(person, changed, before, by, now, address)
    return changed


def _checked(fields: PersonFields, person: Person | None) -> PersonFields:
    cleaned, errors = clean_person(fields)
    if "email" in cleaned and "email" not in errors:
        owner = db.session.scalar(select(Person.id).where(Person.email == cleaned["email"]))
        if owner is not None and (person is None or owner != person.id):
            errors["email"] = [N_("Someone else has this address.")]
    line_id = cleaned.get("line_id")
    if line_id is not None and db.session.get(Line, line_id) is None:
        errors["line_id"] = [N_("Choose a line that exists.")]
    if "product_ids" in cleaned and len(_products(cleaned["product_ids"])) != len(
        set(cleaned["product_ids"])
    ):
        errors["product_ids"] = [N_("Choose products that exist.")]
    if errors:
        raise Invalid(errors)
    return cleaned


def _products(ids: Collection[int]) -> Sequence[Product]:
    return db.session.scalars(select(Product).where(Product.id.in_(ids))).all() if ids else []


def _facts(person: Person) -> dict[str, Any]:
    return {
        "email": person.email,
        "name": person.name,
        "timezone": person.timezone,
        "locale": person.locale,
        "department": person.department,
        "line_id": person.line_id,
        "active": person.active,
        "roles": {str(role) for role in person.roles},
        "languages": set(person.languages),
        "product_ids": {product.id for product in person.products},
    }


def _comparable(cleaned: PersonFields) -> dict[str, Any]:
    said = cast("dict[str, Any]", {**cleaned})
    for name in ("roles", "languages"):
        if name in said:
            said[name] = {str(value) for value in said[name]}
    if "product_ids" in said:
        said["product_ids"] = set(said["product_ids"])
    return said


def _apply(person: Person, cleaned: PersonFields) -> None:
    if cleaned.get("email", person.email) != person.email:
        person.bounced_at, person.bounce = None, ""
    for name in ("email", "name", "timezone", "locale", "department", "line_id", "active"):
        if name in cleaned:
            setattr(person, name, cleaned[name])
    if "roles" in cleaned:
        wanted = {str(role) for role in cleaned["roles"]}
        kept = [row for row in person.role_rows if row.role in wanted]
        new = wanted - {row.role for row in kept}
        person.role_rows = [*kept, *(PersonRole(role=role) for role in sorted(new))]
    if "languages" in cleaned:
        spoken = [row for row in person.language_rows if row.language in cleaned["languages"]]
        more = set(cleaned["languages"]) - {row.language for row in spoken}
        person.language_rows = [*spoken, *(PersonLanguage(language=code) for code in sorted(more))]
    if "product_ids" in cleaned:
        person.products = list(_products(cleaned["product_ids"]))


def _keep_an_admin(person: Person, cleaned: PersonFields) -> None:
    """Gemba without an admin could not be repaired from its pages."""
    loses_role = "roles" in cleaned and Role.ADMIN not in cleaned["roles"]
    loses_access = cleaned.get("active") is False
    if not (person.active and person.has(Role.ADMIN) and (loses_role or loses_access)):
        return
    # The lock keeps two admins from removing each other at the same moment.
    admins = db.session.scalars(
        select(Person.id).where(Person.active, _holds(Role.ADMIN)).order_by(Person.id).with_for_update()
    ).all()
    if len(admins) <= 1:
        sentence = N_("This is the only admin. Make someone else an admin first.")
        raise Invalid({"roles" if loses_role else "active": [sentence]})


def _follow_up(
    person: Person, changed: list[str], before: dict[str, Any], by: Person | None, now: datetime, address: str
) -> None:
    subject = f"person:{person.id}"
    if not person.active or not person.has(Role.LEAD):
        db.session.execute(update(Line).where(Line.lead_id == person.id).values(lead_id=None))
    if "roles" in changed:
        detail = {"before": sorted(before["roles"]), "after": sorted(str(role) for role in person.roles)}
        audit(by, "roles-changed", subject, detail, now, address)
    if "active" in changed:
        audit(by, "person-activated" if person.active else "person-deactivated", subject, {}, now, address)
        if not person.active:
            end_sign_ins(person, now=now, by=by, address=address)
            end_tokens(person, now)
    if OPENING & set(changed):
        hours_opened(now=now)
    rest = sorted(set(changed) - {"roles", "active"})
    if rest:
        audit(by, "person-changed", subject, {"fields": rest}, now, address)


def save_person(
    *, by: Person | None, now: datetime, **fields: Unpack[PersonFields]
) -> tuple[Person, bool, list[str]]:
    """Adds the person with the address `email` or changes them: (person, added, changed fields).

    Raises Invalid.
    """
    person = find_person(fields.get("email", ""))
    if person is None:
        return add_person(by=by, now=now, **fields), True, []
    return person, False, update_person(person, by=by, now=now, **fields)
