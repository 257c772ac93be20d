"""The token's person, and the people they may see."""

from typing import Any, cast

from gemba.api.blueprint import call
from gemba.api.lookups import caller, line_id, product_id
from gemba.api.paging import answer, part, unseal
from gemba.api.schemas import people as shapes
from gemba.clock import now
from gemba.errors import Forbidden, Invalid
from gemba.people import service
from gemba.people.rules import PersonFields, Role
from gemba.people.service import Asked
from gemba.web.access import client_address

OWN_FIELDS = frozenset({"name", "timezone", "locale"})
"""What people may say about themselves; the rest is for admins."""


@call("GET", "/me", tag="People", answer=shapes.Person)
def me() -> Any:
    """The person whose token this is"""
    return service.person_fields(caller(), caller())


@call("GET", "/people", tag="People", query=shapes.PeopleQuery, answer=shapes.PersonPart)
def list_people(query: dict[str, Any]) -> Any:
    """The people you may see

    Admins see everyone. Others see themselves, agents, leads, and the people of lines they lead.
    """
    after = unseal(query["cursor"], 1)
    asked = Asked(query["q"], query["role"], line_id(query["line"]), query["active"])
    limit = query["limit"]
    rows = service.visible_people(caller(), asked, limit=limit + 1, after_id=after[0] if after else 0)
    shown, cursor = part(rows, limit, lambda person: (person.id,))
    return answer([service.person_fields(caller(), person) for person in shown], cursor)


@call(
    "POST",
    "/people",
    tag="People",
    body=shapes.NewPerson,
    answer=shapes.Person,
    status=201,
    located="/people/{id}",
)
def add_person(body: dict[str, Any]) -> Any:
    """Add a person

    For admins. Nobody is told: people sign in by mail with their address.
    """
    if not caller().has(Role.ADMIN):
        raise Forbidden
    person = _said(
        body, lambda fields: service.add_person(by=caller(), now=now(), address=client_address(), **fields)
    )
    return service.person_fields(caller(), person)


@call("GET", "/people/<id:person_id>", tag="People", answer=shapes.Person, problems=[404])
def show_person(person_id: int) -> Any:
    """One person"""
    return service.person_fields(caller(), service.get_person(caller(), person_id))


@call(
    "PATCH",
    "/people/<id:person_id>",
    tag="People",
    body=shapes.PersonChange,
    answer=shapes.Person,
    problems=[404],
)
def change_person(body: dict[str, Any], person_id: int) -> Any:
    """Change a person

    Admins change everything; people change their own name, time zone and language.
    """
    person = service.get_person(caller(), person_id)
    if not caller().has(Role.ADMIN) and (person.id != caller().id or not body.keys() <= OWN_FIELDS):
        raise Forbidden
    _said(
        body,
        lambda fields: service.update_person(
            person, by=caller(), now=now(), address=client_address(), **fields
        ),
    )
    return service.person_fields(caller(), person)


def _said(body: dict[str, Any], write: Any) -> Any:
    """Writes what the body says; the services' field names become the API's."""
    try:
        return write(_fields(body))
    except Invalid as error:
        names = {"line_id": "line", "product_ids": "products"}
        raise Invalid({names.get(name, name): said for name, said in error.errors.items()}) from error


def _fields(body: dict[str, Any]) -> PersonFields:
    said = dict(body)
    if "line" in said:
        said["line_id"] = line_id(said.pop("line"))
    if "products" in said:
        said["product_ids"] = [product_id(ref, "products") for ref in said.pop("products")]
    return cast(PersonFields, said)
