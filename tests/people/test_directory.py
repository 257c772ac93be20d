"""Who sees whom, and how people are added and changed; on both databases."""

import pytest
from flask import Flask
from sqlalchemy import event, select

from gemba.db import db
from gemba.errors import Invalid, NotFound
from gemba.people import service
from gemba.people.errors import ProofGone
from gemba.people.models import AuditEntry, Person
from gemba.people.rules import PersonFields, Role
from gemba.people.service import Asked
from tests.cast import Cast
from tests.conftest import MONDAY

EVERYBODY = Asked()


def _names(viewer: Person, asked: Asked = EVERYBODY) -> set[str]:
    return {person.name.split()[0] for person in service.visible_people(viewer, asked)}


def test_admins_see_all_others_whom_they_may_visit(cast: Cast) -> None:
    everyone = {"Alice", "Anton", "Ada", "Lev", "Lena", "Vera", "Olga", "Adam", "Eve"}
    assert _names(cast.adam) == everyone
    assert _names(cast.vera) == {"Vera", "Alice", "Anton", "Ada", "Lev", "Lena"}
    assert service.count_people(cast.vera) == 6
    with pytest.raises(NotFound):
        service.get_person(cast.vera, cast.eve.id)
    assert service.get_person(cast.vera, cast.alice.id) is cast.alice


def test_a_lead_sees_the_own_line_also_the_deactivated(cast: Cast) -> None:
    service.update_person(cast.alice, by=cast.adam, now=MONDAY, active=False)
    assert "Alice" in _names(cast.lev)
    assert "Alice" not in _names(cast.lena)
    assert "Alice" not in _names(cast.vera)


def test_search_folds_cyrillic_and_keeps_addresses_to_admins(cast: Cast) -> None:
    service.update_person(cast.anton, by=None, now=MONDAY, name="Антон Ёлкин")
    for words in ("ЁЛКИН", "елкин", "антон ё"):
        assert _names(cast.vera, Asked(search=words)) == {"Антон"}
    assert _names(cast.adam, Asked(search="anton@")) == {"Антон"}
    assert _names(cast.vera, Asked(search="anton@")) == set()
    assert len(_names(cast.adam, Asked(search="а"))) == 9


def test_filters_and_pages(cast: Cast) -> None:
    assert _names(cast.adam, Asked(role="agent")) == {"Alice", "Anton", "Ada"}
    assert _names(cast.adam, Asked(line_id=cast.line.id)) == {"Alice", "Anton", "Lev"}
    assert _names(cast.adam, Asked(role="agent", line_id=cast.line.id, search="ali")) == {"Alice"}
    assert _names(cast.adam, Asked(active=False)) == set()
    everyone = service.visible_people(cast.adam)
    assert [p.name for p in everyone] == sorted(p.name for p in everyone)
    assert service.visible_people(cast.adam, limit=2, offset=2) == everyone[2:4]
    first = service.visible_people(cast.adam, after_id=0, limit=4)
    rest = service.visible_people(cast.adam, after_id=first[-1].id)
    ids = [p.id for p in [*first, *rest]]
    assert ids == sorted(ids)
    assert len(ids) == 9


def test_addresses_are_for_few(cast: Cast) -> None:
    def email(viewer: Person, fellow: bool = False) -> object:
        return service.person_fields(viewer, cast.alice, fellow=fellow)["email"]

    for viewer in (cast.alice, cast.adam, cast.lev):
        assert email(viewer) == "alice@gemba.example"
    for viewer in (cast.vera, cast.lena, cast.olga, cast.anton):
        assert email(viewer) is None
    assert email(cast.vera, fellow=True) == "alice@gemba.example"


def test_fields_of_a_person(cast: Cast) -> None:
    assert service.person_fields(cast.vera, cast.anton) == {
        "id": cast.anton.id,
        "email": None,
        "name": "Anton Agent",
        "timezone": "Europe/Moscow",
        "locale": "ru",
        "roles": ["agent"],
        "department": "",
        "line": "Checkout line",
        "languages": ["en", "ru"],
        "products": ["Checkout", "Courier app"],
        "active": None,
    }


def test_a_person_is_added(cast: Cast) -> None:
    fields: PersonFields = {
        "email": " Nina@Gemba.Example ",
        "name": "  Nina \t New ",
        "roles": ["agent", "lead"],
        "timezone": "Asia/Kolkata",
        "locale": "ru",
        "department": "Support",
        "line_id": cast.line.id,
        "languages": ["ru", "en"],
        "product_ids": [cast.checkout.id],
    }
    nina = service.add_person(by=cast.adam, now=MONDAY, **fields)
    db.session.commit()
    assert (nina.email, nina.name, nina.languages) == ("nina@gemba.example", "Nina New", ["en", "ru"])
    assert nina.roles == {Role.AGENT, Role.LEAD}
    assert not nina.timezone_confirmed
    plain = service.add_person(by=None, now=MONDAY, email="p@gemba.example", name="P")
    assert plain.roles == {Role.VISITOR}
    assert (plain.timezone, plain.active) == ("UTC", True)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"email": "x", "name": "N"}, {"email"}),
        ({}, {"email", "name"}),
        ({"email": "alice@GEMBA.example", "name": "N"}, {"email"}),
        ({"email": "n@gemba.example", "name": " \n "}, {"name"}),
        ({"email": "n@gemba.example", "name": "N" * 121}, {"name"}),
        ({"email": "n@gemba.example", "name": "N", "roles": ["king"], "locale": "de"}, {"roles", "locale"}),
        ({"email": "n@gemba.example", "name": "N", "roles": []}, {"roles"}),
        ({"email": "n@gemba.example", "name": "N", "timezone": "Berlin"}, {"timezone"}),
        ({"email": "n@gemba.example", "name": "N", "languages": ["de"]}, {"languages"}),
        ({"email": "n@gemba.example", "name": "N", "department": "D" * 121}, {"department"}),
        ({"email": "n@gemba.example", "name": "N", "line_id": 999}, {"line_id"}),
        ({"email": "n@gemba.example", "name": "N", "product_ids": [999]}, {"product_ids"}),
    ],
)
def test_bad_fields_are_named(cast: Cast, fields: PersonFields, wrong: set[str]) -> None:
    with pytest.raises(Invalid) as caught:
        service.add_person(by=None, now=MONDAY, **fields)
    assert set(caught.value.errors) == wrong
    assert len(service.visible_people(cast.adam)) == 9


def test_a_change_says_what_it_changed(cast: Cast) -> None:
    changed = service.update_person(
        cast.vera, by=cast.adam, now=MONDAY, name="Vera Visitor", department="QA", roles=["owner", "visitor"]
    )
    db.session.commit()
    assert set(changed) == {"department", "roles"}
    assert cast.vera.roles == {Role.OWNER, Role.VISITOR}
    assert service.update_person(cast.vera, by=cast.adam, now=MONDAY, department="QA") == []
    entries = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(entry.action, entry.detail) for entry in entries] == [
        ("roles-changed", {"before": ["visitor"], "after": ["owner", "visitor"]}),
        ("person-changed", {"fields": ["department"]}),
    ]
    assert {entry.person_id for entry in entries} == {cast.adam.id}


def test_a_zone_is_confirmed_by_its_person_only(cast: Cast) -> None:
    cast.vera.timezone_confirmed = False
    service.update_person(cast.vera, by=cast.adam, now=MONDAY, timezone="Asia/Tokyo")
    assert not cast.vera.timezone_confirmed
    service.update_person(cast.vera, by=cast.vera, now=MONDAY, timezone="Asia/Tokyo")
    db.session.commit()
    assert cast.vera.timezone_confirmed


@pytest.mark.parametrize("fields", [{"roles": ["owner"]}, {"active": False}])
def test_the_last_admin_stays(cast: Cast, fields: PersonFields) -> None:
    with pytest.raises(Invalid) as caught:
        service.update_person(cast.adam, by=cast.adam, now=MONDAY, **fields)
    assert list(caught.value.errors) == list(fields)
    assert "only admin" in next(iter(caught.value.errors.values()))[0]
    service.update_person(cast.olga, by=cast.adam, now=MONDAY, roles=["owner", "admin"])
    service.update_person(cast.adam, by=cast.adam, now=MONDAY, **fields)
    with pytest.raises(Invalid):
        service.update_person(cast.olga, by=cast.olga, now=MONDAY, roles=["owner"])


def test_deactivation_ends_everything_at_once(cast: Cast) -> None:
    cookie = service.begin_sign_in(cast.lev.id, method="test", browser="", now=MONDAY)
    token = service.make_token(cast.lev, "report", "read", MONDAY)
    order = service.request_sign_in("lev@gemba.example", "browser", now=MONDAY)
    assert order is not None
    service.update_person(cast.lev, by=cast.adam, now=MONDAY, active=False)
    db.session.commit()
    assert cast.line.lead_id is None
    service.update_person(cast.lev, by=cast.adam, now=MONDAY, active=True)
    db.session.commit()
    assert service.find_sign_in(cookie, now=MONDAY) is None
    assert service.use_of_token(token, MONDAY) is None
    with pytest.raises(ProofGone):
        service.use_link(order.link_token, now=MONDAY)


def test_who_is_no_lead_any_more_leads_no_line(cast: Cast) -> None:
    service.update_person(cast.lev, by=cast.adam, now=MONDAY, roles=["agent"])
    db.session.commit()
    db.session.refresh(cast.line)
    assert cast.line.lead_id is None


def test_listing_costs_the_same_for_many(app: Flask, cast: Cast) -> None:
    sent: list[str] = []

    def note(_c: object, _cur: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    adam_id, product_id = cast.adam.id, cast.checkout.id
    costs = []
    for more in range(2):
        for number in range(30 * more):
            service.add_person(
                by=None,
                now=MONDAY,
                email=f"p{number}@gemba.example",
                name="P",
                product_ids=[product_id],
            )
        db.session.commit()
        db.session.expunge_all()
        adam = db.session.get_one(Person, adam_id)
        adam.roles  # noqa: B018 (loads them)
        event.listen(db.engine, "before_cursor_execute", note)
        rows = service.visible_people(adam, Asked(search="p", role="visitor"), limit=200)
        [service.person_fields(adam, person) for person in rows]
        event.remove(db.engine, "before_cursor_execute", note)
        costs.append(len(sent))
        sent.clear()
    assert costs[0] == costs[1]
