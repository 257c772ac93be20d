"""Programmes: admins make and change them, everyone signed in may read those that run."""

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from itertools import count
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.exc import IntegrityError

from gemba.db import db, insert_new, table_of
from gemba.errors import Forbidden, Invalid, NotFound
from gemba.openings import hours_opened
from gemba.people import service as people
from gemba.people.models import Person
from gemba.people.rules import Role
from gemba.programmes import doors
from gemba.programmes.models import Consent, Programme
from gemba.programmes.rules import GUIDES, BadProgramme, Problem, Values, parse_programme, slug_from

SHAPE = (
    "slug",
    "name",
    "name_ru",
    "purpose",
    "purpose_ru",
    *GUIDES,
    "format",
    "duration_minutes",
    "slot_step_minutes",
    "min_notice_minutes",
    "move_notice_minutes",
    "cancel_notice_minutes",
    "horizon_days",
    "seats",
    "return_after_months",
    "approval",
    "approval_hours",
    "offer_hours",
    "slot_offset_minutes",
    "visitor_per_day",
    "visitor_per_week",
    "visitor_per_month",
    "review_hours",
    "keep_months",
    "smallest_group",
    "who",
    "departments",
    "opening",
    "languages",
    "lines",
    "goal_share",
    "goal_months",
    "goal_visits",
    "active",
)


def list_programmes(viewer: Person) -> list[Programme]:
    """Programmes in the order they were made: all for admins, those that run for everyone else."""
    found = select(Programme).order_by(Programme.id)
    if not viewer.has(Role.ADMIN):
        found = found.where(Programme.active)
    return list(db.session.scalars(found))


def to_book(person: Person) -> list[Programme]:
    """Those that run and that somebody may take part in, in the order they were made."""
    return doors.for_person([each for each in list_programmes(person) if each.active], person)


def get_programme(slug: str) -> Programme:
    """The programme of an address, whether it runs or not. Raises NotFound."""
    programme = find_programme(slug)
    if programme is None:
        raise NotFound
    return programme


@cache
def _by_slug() -> Select[Any]:
    return select(Programme).where(Programme.slug == bindparam("slug"))


def find_programme(slug: str) -> Programme | None:
    """The programme of this slug, whether it runs or not."""
    return db.session.scalars(_by_slug(), {"slug": slug}).first()


def default_programme() -> Programme:
    """The programme one means who names none: the oldest that runs. Raises NotFound where none runs."""
    programme = db.session.scalar(select(Programme).where(Programme.active).order_by(Programme.id).limit(1))
    if programme is None:
        raise NotFound
    return programme


def create(viewer: Person, document: object, *, draft: bool = False, now: datetime) -> Programme:
    """A new programme from its JSON shape (rules.py). Raises Forbidden or Invalid by field."""
    _admins_only(viewer)
    return add(viewer, _parsed(document, whole=True), draft=draft, now=now)


def add(viewer: Person, values: Values, *, draft: bool, now: datetime) -> Programme:
    """A new programme with values that are good. Raises Forbidden, or Invalid where the address is taken.

    A draft rests until it is started, and may be thrown away until then.
    """
    _admins_only(viewer)
    if draft:
        values["active"] = False
    programme = Programme(**values, draft=draft, created_at=now)
    try:
        with db.session.begin_nested():
            db.session.add(programme)
    except IntegrityError as taken:
        raise Invalid({"slug": [Problem.SLUG_TAKEN.value]}) from taken
    _audit(viewer, programme, "programme.create", values, now)
    return programme


def update(viewer: Person, slug: str, document: object, *, now: datetime) -> Programme:
    """Changes the fields that the document names. Raises NotFound, Forbidden or Invalid by field."""
    _admins_only(viewer)
    programme = get_programme(slug)
    values = _parsed(document, whole=False)
    if values.get("slug", slug) != slug:
        raise Invalid({"slug": [Problem.SLUG_FIXED.value]})
    changed: Values = {name: value for name, value in values.items() if getattr(programme, name) != value}
    for name, value in changed.items():
        setattr(programme, name, value)
    if programme.active:
        programme.draft = False
    if changed:
        _audit(viewer, programme, "programme.update", changed, now)
    db.session.flush()
    if changed:
        hours_opened(now=now)
    return programme


def free_slug(name: str) -> str:
    """An address for a new programme of this name that no other has."""
    base = slug_from(name)
    taken = set(db.session.scalars(select(Programme.slug).where(Programme.slug.startswith(base))))
    return next(slug for slug in _tries(base) if slug not in taken)


def _tries(base: str) -> Iterator[str]:
    yield base
    yield from (f"{base}-{number}" for number in count(2))


def throw_away(viewer: Person, slug: str, *, now: datetime) -> None:
    """A draft is gone, with its list and its training. Raises Forbidden, NotFound for what was started."""
    _admins_only(viewer)
    programme = get_programme(slug)
    if not programme.draft:
        raise NotFound
    _audit(viewer, programme, "programme.throw_away", {"slug": slug}, now)
    db.session.delete(programme)
    db.session.flush()


def has_confirmed(programme_id: int, person_id: int) -> bool:
    """Whether somebody confirmed what a programme asks of its visitors."""
    return db.session.get(Consent, (programme_id, person_id)) is not None


def confirm(programme: Programme, person: Person, *, now: datetime) -> None:
    """Notes that somebody confirms what the programme asks of its visitors; again changes nothing."""
    if not has_confirmed(programme.id, person.id):
        row = {"programme_id": programme.id, "person_id": person.id, "at": now}
        db.session.execute(insert_new(table_of(Consent), "programme_id", "person_id").values(row))
        people.audit(person, "consent.confirm", f"programme:{programme.id}", {}, now)


def programme_document(programme: Programme) -> dict[str, object]:
    """The JSON shape of a programme, as the API answers it and `create` takes it."""
    return {name: getattr(programme, name) for name in SHAPE}


def _parsed(document: object, *, whole: bool) -> Values:
    try:
        values = parse_programme(document, whole=whole)
    except BadProgramme as bad:
        raise Invalid(bad.errors) from bad
    if values.get("lines") and not {line.id for line in people.all_lines()}.issuperset(values["lines"]):  # type: ignore[arg-type]
        raise Invalid({"lines": [Problem.LINES.value]})
    return values


def _admins_only(viewer: Person) -> None:
    if not viewer.has(Role.ADMIN):
        raise Forbidden


def _audit(viewer: Person, programme: Programme, action: str, detail: Values, now: datetime) -> None:
    people.audit(viewer, action, f"programme:{programme.id}", detail, now)
