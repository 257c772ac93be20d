"""Things that requests name: found, or refused with what there is."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from flask import g

from gemba.api.fields import listed
from gemba.errors import Invalid, NotFound
from gemba.people import service as people
from gemba.people.models import Person
from gemba.people.rules import Role, folded
from gemba.programmes import service as programmes
from gemba.programmes.models import Programme

NAMED = 30
"""So many names a refusal lists."""


def caller() -> Person:
    """The token's person."""
    return cast(Person, g.me)


def product_id(ref: int | str | None, field: str = "product") -> int | None:
    """The id of a product given by id or name. Raises Invalid."""
    if ref is None:
        return None
    known = people.all_products()
    for product in known:
        if ref == product.id or (isinstance(ref, str) and folded(ref) == folded(product.name)):
            return product.id
    raise Invalid({field: [_none_such("product", "Products", [f"{p.name} ({p.id})" for p in known])]})


def line_id(name: str | None) -> int | None:
    """The id of a support line given by name. Raises Invalid."""
    if name is None:
        return None
    line = people.find_line(name)
    if line is None:
        raise Invalid({"line": [_none_such("line", "Lines", [line.name for line in people.all_lines()])]})
    return line.id


def people_of(body: Mapping[str, Any]) -> set[int]:
    """The ids of the people a body names under `people` and `emails`. Raises Invalid."""
    found, unknown = people.people_named(body.get("people") or (), body.get("emails") or ())
    if unknown:
        more = f" and {len(unknown) - NAMED} more" if len(unknown) > NAMED else ""
        raise Invalid({"people": [f"There is nobody active for {', '.join(unknown[:NAMED])}{more}."]})
    return found


def running_programme(slug: str) -> Programme:
    """A programme to book in. Raises Invalid."""
    programme = programmes.find_programme(slug)
    if programme is not None and programme.active:
        return programme
    running = [each for each in programmes.list_programmes(caller()) if each.active]
    raise Invalid({"programme": [_none_such("programme", "Programmes", [each.slug for each in running])]})


def visible_programme(slug: str) -> Programme:
    """A programme of an address; those that do not run are for admins only. Raises NotFound."""
    programme = programmes.get_programme(slug)
    if not programme.active and not caller().has(Role.ADMIN):
        raise NotFound
    return programme


def window(
    since: datetime | None, until: datetime | None, *, now: datetime, horizon: timedelta, usual: timedelta
) -> tuple[datetime, datetime]:
    """The part of [since, until) that lies between now and the horizon. Raises Invalid."""
    start = since or now
    end = until or start + usual
    if end < start:
        raise Invalid({"to": ["Give an instant that is not before from."]})
    return max(start, now.astimezone(UTC)), min(end, now + horizon)


def _none_such(what: str, plural: str, names: list[str]) -> str:
    known = f"{plural} are {listed(names[:NAMED])}." if names else "There is none yet."
    return f"There is no such {what}. {known}"
