"""GET /me; GET and POST /people; GET and PATCH /people/{id}."""

import pytest
from flask import Flask

from gemba.db import db
from gemba.people.models import AuditEntry, Person
from tests.api.conftest import Callers, problem_of
from tests.cast import Cast

NEW = {"email": "Nora@Gemba.example", "name": "Nora New", "timezone": "Asia/Kolkata", "roles": ["agent"]}


def test_me(as_: Callers, site_cast: Cast) -> None:
    assert as_("alice").get("/me").get_json() == {
        "id": site_cast.alice.id,
        "email": "alice@gemba.example",
        "name": "Alice Agent",
        "timezone": "Europe/Berlin",
        "locale": "en",
        "roles": ["agent"],
        "department": "",
        "line": "Checkout line",
        "languages": ["en"],
        "products": ["Checkout"],
        "active": True,
    }


def test_people_are_listed_in_parts(as_: Callers) -> None:
    admin = as_("adam")
    whole = admin.get("/people").get_json()
    assert len(whole["items"]) == 9
    assert whole["next"] is None
    found, path = [], "/people?limit=4&active=true"
    for size in (4, 4, 1):
        answer = admin.get(path).get_json()
        assert len(answer["items"]) == size
        found += answer["items"]
        path = (answer["next"] or "").removeprefix("http://localhost")
    assert path == ""
    assert found == whole["items"]


def test_a_list_costs_the_same_for_few_and_for_many(as_: Callers, statements: list[str]) -> None:
    admin = as_("adam")
    admin.get("/people", limit=1)
    costs = []
    for limit in (1, 9):
        statements.clear()
        admin.get("/people", limit=limit)
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 10


def test_who_sees_whom(as_: Callers, site_cast: Cast) -> None:
    seen = {person["name"]: person for person in as_("eve").get("/people").get_json()["items"]}
    assert set(seen) == {"Alice Agent", "Anton Agent", "Ada Other", "Lev Lead", "Lena Lead", "Eve Elsewhere"}
    assert seen["Alice Agent"]["email"] is None
    assert seen["Alice Agent"]["active"] is None
    assert seen["Eve Elsewhere"]["email"] == "eve@gemba.example"
    problem_of(as_("eve").get(f"/people/{site_cast.vera.id}"), 404, "not-found")
    assert as_("lev").get(f"/people/{site_cast.alice.id}").get_json()["email"] == "alice@gemba.example"


def test_filters_of_people(as_: Callers) -> None:
    admin = as_("adam")

    def names(**query: object) -> list[str]:
        return [person["name"] for person in admin.get("/people", **query).get_json()["items"]]

    assert names(role="lead") == ["Lev Lead", "Lena Lead"]
    assert names(line="courier LINE") == ["Ada Other", "Lena Lead"]
    assert names(q="agent") == ["Alice Agent", "Anton Agent"]
    assert names(active="false") == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("role", "king"), ("line", "Nowhere"), ("active", "yes"), ("q", "a"), ("q", "x" * 101), ("limit", "0")],
)
def test_bad_filters_of_people(field: str, value: str, as_: Callers) -> None:
    assert list(problem_of(as_("adam").get("/people", **{field: value}), 422, "invalid")["errors"]) == [field]


def test_an_admin_adds_a_person(site: Flask, as_: Callers) -> None:
    body = {**NEW, "line": "Checkout line", "products": ["checkout"], "languages": ["ru", "en"]}
    answer = as_("adam").post("/people", body)
    assert answer.status_code == 201
    made = answer.get_json()
    assert answer.headers["Location"] == f"http://localhost/api/v1/people/{made['id']}"
    assert made["email"] == "nora@gemba.example"
    assert (made["line"], made["products"], made["languages"]) == (
        "Checkout line",
        ["Checkout"],
        ["en", "ru"],
    )
    assert as_("adam").get(f"/people/{made['id']}").get_json() == made
    with site.app_context():
        assert db.session.query(AuditEntry).filter_by(action="person-added").count() == 1


@pytest.mark.parametrize("name", ["vera", "alice", "lev", "olga"])
def test_only_admins_add_people(name: str, as_: Callers) -> None:
    problem_of(as_(name).post("/people", NEW), 403, "forbidden")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "nobody"),
        ("email", "x" * 300 + "@gemba.example"),
        ("email", "vera@gemba.example"),
        ("email", None),
        ("email", 5),
        ("name", ""),
        ("name", " \x00\t"),
        ("name", "x" * 121),
        ("name", ["Nora"]),
        ("timezone", "Mars/Olympus"),
        ("timezone", None),
        ("locale", "fr"),
        ("roles", []),
        ("roles", "agent"),
        ("roles", ["king"]),
        ("roles", [["agent"]]),
        ("department", "x" * 121),
        ("line", "Nowhere"),
        ("line", 3),
        ("languages", ["de"]),
        ("products", ["Nothing"]),
        ("products", [999]),
        ("products", [2**70]),
        ("active", 1),
        ("active", "false"),
    ],
)
def test_bad_fields_of_a_person(field: str, value: object, as_: Callers, site_cast: Cast) -> None:
    admin = as_("adam")
    refusals = [
        admin.post("/people", {**NEW, field: value}),
        admin.patch(f"/people/{site_cast.eve.id}", {field: value}),
    ]
    for answer in refusals:
        errors = problem_of(answer, 422, "invalid")["errors"]
        assert [path.partition(".")[0] for path in errors] == [field]
        assert all(sentence.endswith(".") for said in errors.values() for sentence in said)


def test_what_is_needed_of_a_new_person(as_: Callers) -> None:
    errors = problem_of(as_("adam").post("/people", {}), 422, "invalid")["errors"]
    assert set(errors) == {"email", "name"}
    assert errors["name"] == ["This is needed. Give text of 1 to 120 characters."]


def test_an_admin_changes_a_person(as_: Callers, site_cast: Cast) -> None:
    path = f"/people/{site_cast.eve.id}"
    answer = as_("adam").patch(path, {"roles": ["visitor", "owner"], "line": "Courier line", "active": False})
    assert answer.status_code == 200
    changed = answer.get_json()
    assert (changed["roles"], changed["line"], changed["active"]) == (
        ["visitor", "owner"],
        "Courier line",
        False,
    )
    assert as_("adam").patch(path, {"line": None}).get_json()["line"] is None


def test_people_change_what_is_theirs(as_: Callers, site_cast: Cast, site: Flask) -> None:
    vera = as_("vera")
    path = f"/people/{site_cast.vera.id}"
    answer = vera.patch(path, {"name": "Vera  V.", "timezone": "Asia/Tokyo", "locale": "ru"}).get_json()
    assert (answer["name"], answer["timezone"], answer["locale"]) == ("Vera V.", "Asia/Tokyo", "ru")
    for body in ({"roles": ["admin"]}, {"email": "v@gemba.example"}, {"name": "V", "active": True}):
        problem_of(vera.patch(path, body), 403, "forbidden")
    with site.app_context():
        assert db.session.get_one(Person, site_cast.vera.id).email == "vera@gemba.example"


def test_others_are_not_changed(as_: Callers, site_cast: Cast) -> None:
    problem_of(as_("vera").patch(f"/people/{site_cast.alice.id}", {"name": "X"}), 403, "forbidden")
    problem_of(as_("vera").patch(f"/people/{site_cast.eve.id}", {"name": "X"}), 404, "not-found")
    problem_of(as_("adam").patch("/people/2147483647", {"name": "X"}), 404, "not-found")


def test_the_last_admin_stays(as_: Callers, site_cast: Cast) -> None:
    answer = as_("adam").patch(f"/people/{site_cast.adam.id}", {"roles": ["visitor"]})
    assert list(problem_of(answer, 422, "invalid")["errors"]) == ["roles"]
