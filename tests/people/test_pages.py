"""Profile, people, lines and products as pages: works, signed out, wrong role, missing, bad input."""

import re
from collections.abc import Callable

import pytest
from flask import Flask

from gemba.db import db
from gemba.people import service
from gemba.people.models import Line, Person, Product
from tests.cast import Cast
from tests.conftest import MONDAY, Browser
from tests.people.stage import acts, is_in

PROFILE = {"name": "Vera Visitor", "timezone": "Europe/Berlin", "locale": "en"}
PERSON = {
    "name": "Nina New",
    "email": "nina@gemba.example",
    "roles": ["visitor", "lead"],
    "line_id": "",
    "department": "QA",
    "timezone": "Asia/Kolkata",
    "locale": "ru",
    "languages": ["ru"],
    "active": "y",
}
ADMIN_PAGES = ["/people", "/people/new", "/people/1", "/lines"]
ADMIN_ACTS = [
    "/people/new",
    "/people/1",
    "/people/1/sign-out",
    "/people/1/unlink",
    "/lines",
    "/lines/1",
    "/products",
    "/products/1",
]
OWN_ACTS = [
    "/profile",
    "/profile/sign-ins/end",
    "/profile/sign-ins/1/end",
    "/profile/tokens",
    "/profile/tokens/1/revoke",
    "/sign-out",
]


def _person(app: Flask, person_id: int) -> Person:
    with app.app_context():
        person = db.session.get_one(Person, person_id)
        assert person.line is None or person.line.name
        assert person.products is not None
        assert person.languages is not None
        assert person.roles is not None
        db.session.expunge_all()
        return person


@pytest.mark.parametrize("path", ["/profile", *ADMIN_PAGES])
def test_signed_out_readers_are_led_to_the_sign_in(browser: Browser, site_cast: Cast, path: str) -> None:
    answer = browser.anonymous().get(path)
    assert (answer.status_code, answer.location) == (303, f"/sign-in?next={path}")


@pytest.mark.parametrize("path", OWN_ACTS + ADMIN_ACTS)
def test_signed_out_acts_change_nothing(site: Flask, browser: Browser, site_cast: Cast, path: str) -> None:
    answer = browser.anonymous().post(path, data=PERSON)
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert acts(site) == []


@pytest.mark.parametrize("who", ["vera", "alice", "lev", "olga"])
def test_admin_pages_are_for_admins(site: Flask, browser: Browser, site_cast: Cast, who: str) -> None:
    client = browser.as_(getattr(site_cast, who).id)
    assert {client.get(path).status_code for path in ADMIN_PAGES} == {403}
    assert {client.post(path, data=PERSON).status_code for path in ADMIN_ACTS} == {403}
    assert acts(site) == []


@pytest.mark.parametrize(
    "path", ["/people/999", "/people/999/sign-out", "/people/999/unlink", "/lines/999", "/products/999"]
)
def test_what_is_missing_is_not_found(browser: Browser, site_cast: Cast, path: str) -> None:
    client = browser.as_(site_cast.adam.id)
    assert client.post(path, data=PERSON).status_code == 404
    assert client.post(path, data={}).status_code == 404


@pytest.mark.parametrize(
    "path", ["/profile/tokens", "/people/1/sign-out", "/products", "/profile/sign-ins/end"]
)
def test_acts_want_a_post(browser: Browser, site_cast: Cast, path: str) -> None:
    assert browser.as_(site_cast.adam.id).get(path).status_code == 405
    assert browser.as_(site_cast.adam.id).put(path).status_code == 405


# --- profile


def test_the_profile_is_saved_and_the_zone_confirmed(site: Flask, browser: Browser, site_cast: Cast) -> None:
    with site.app_context():
        db.session.get_one(Person, site_cast.vera.id).timezone_confirmed = False
        db.session.commit()
    client = browser.as_(site_cast.vera.id)
    said = {"name": " Vera  V. ", "timezone": "Asia/Tokyo", "locale": "ru", "next": "/backlog"}
    answer = client.post("/profile", data={**said, "roles": "admin", "email": "x@gemba.example"})
    assert (answer.status_code, answer.location) == (303, "/backlog")
    vera = _person(site, site_cast.vera.id)
    assert (vera.name, vera.timezone, vera.locale, vera.timezone_confirmed) == (
        "Vera V.",
        "Asia/Tokyo",
        "ru",
        True,
    )
    assert vera.email == "vera@gemba.example"
    assert vera.roles == {"visitor"}


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", " "), ("name", "V" * 121), ("timezone", ""), ("timezone", "Mars/Base"), ("locale", "de")],
)
def test_a_bad_profile_keeps_its_words(
    site: Flask, browser: Browser, site_cast: Cast, field: str, value: str
) -> None:
    client = browser.as_(site_cast.vera.id)
    answer = client.post("/profile", data={**PROFILE, "name": "Vera Newname", field: value})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    if field != "name":
        assert "Vera Newname" in answer.text
    assert _person(site, site_cast.vera.id).name == "Vera Visitor"
    assert _person(site, site_cast.vera.id).timezone == "Europe/Berlin"


def test_the_profile_leads_nowhere_else(browser: Browser, site_cast: Cast) -> None:
    client = browser.as_(site_cast.vera.id)
    assert client.post("/profile", data={**PROFILE, "next": "//evil.example"}).location == "/"


def test_other_browsers_are_signed_out(site: Flask, browser: Browser, site_cast: Cast) -> None:
    here, there, eve = (browser.as_(i) for i in (site_cast.vera.id, site_cast.vera.id, site_cast.eve.id))
    page = here.get("/profile").text
    paths = re.findall(r"/profile/sign-ins/\d+/end", page)
    assert len(paths) == 1
    assert "this browser" in page
    assert eve.post(paths[0]).status_code == 404
    assert is_in(there)
    assert here.post(paths[0]).status_code == 303
    assert (is_in(here), is_in(there), is_in(eve)) == (True, False, True)
    assert here.post("/profile/sign-ins/end").location == "/sign-in"
    assert not is_in(here)


def test_a_token_is_shown_once(site: Flask, browser: Browser, site_cast: Cast) -> None:
    vera, eve = browser.as_(site_cast.vera.id), browser.as_(site_cast.eve.id)
    answer = vera.post("/profile/tokens", data={"name": "Weekly <report>", "scope": "write"})
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    found = re.search(r'value="(gemba_[\w-]{43})"', answer.text)
    assert found
    with site.app_context():
        assert service.use_of_token(found[1], MONDAY) is not None
    page = vera.get("/profile").text
    assert found[1] not in page
    assert "Weekly &lt;report&gt;" in page
    path = re.search(r"/profile/tokens/\d+/revoke", page)
    assert path
    assert eve.post(path[0]).status_code == 404
    assert vera.post(path[0]).status_code == 303
    with site.app_context():
        assert service.use_of_token(found[1], MONDAY) is None
    assert acts(site) == ["token-made", "token-revoked"]


@pytest.mark.parametrize(("name", "scope"), [("", "read"), ("n" * 61, "read"), ("kept words", "all")])
def test_a_bad_token_is_not_made(
    site: Flask, browser: Browser, site_cast: Cast, name: str, scope: str
) -> None:
    answer = browser.as_(site_cast.vera.id).post("/profile/tokens", data={"name": name, "scope": scope})
    assert answer.status_code == 422
    assert name in answer.text
    assert "Vera Visitor" in answer.text
    assert acts(site) == []


# --- people


def test_people_are_found_and_filtered(browser: Browser, site_cast: Cast) -> None:
    client = browser.as_(site_cast.adam.id)
    found = client.get("/people?q=ANT&role=agent&line=1").text
    assert "Anton Agent" in found
    assert "Alice Agent" not in found
    assert "Type at least two letters" in client.get("/people?q=a").text
    assert "Nobody fits" in client.get("/people?q=zzz").text
    odd = client.get("/people?page=-1&role=king&line=x&state=odd&q=%00%25")
    assert odd.status_code == 200


def test_people_come_a_page_at_a_time_at_a_constant_price(
    site: Flask, browser: Browser, site_cast: Cast, statements: list[str]
) -> None:
    client = browser.as_(site_cast.adam.id)
    prices = []
    for _ in range(2):
        client.get("/people")
        statements.clear()
        page = client.get("/people").text
        prices.append(len(statements))
        with site.app_context():
            for number in range(60):
                email = f"p{number}-{len(prices)}@gemba.example"
                service.add_person(by=None, now=MONDAY, email=email, name=f"P {number}", line_id=1)
            db.session.commit()
    assert prices[0] == prices[1]
    assert page.count("row-title") == 50
    assert 'rel="next"' in page
    last = client.get("/people?page=3").text
    assert 'rel="prev"' in last
    assert 'rel="next"' not in last


def test_a_person_is_added_and_changed(site: Flask, browser: Browser, site_cast: Cast) -> None:
    client = browser.as_(site_cast.adam.id)
    answer = client.post("/people/new", data={**PERSON, "line_id": "2", "product_ids": ["1", "2"]})
    assert (answer.status_code, answer.location) == (303, "/people")
    with site.app_context():
        found = service.find_person("nina@gemba.example")
        assert found is not None
        nina_id = found.id
    nina = _person(site, nina_id)
    assert (nina.name, nina.line_id, nina.department) == ("Nina New", 2, "QA")
    assert (nina.timezone, nina.locale, nina.languages, len(nina.products)) == (
        "Asia/Kolkata",
        "ru",
        ["ru"],
        2,
    )
    page = client.get(f"/people/{nina_id}").text
    assert 'value="nina@gemba.example"' in page
    assert page.count("checked") == 2 + 1 + 2 + 1
    answer = client.post(f"/people/{nina_id}", data={**PERSON, "name": "Nina Newer", "roles": ["owner"]})
    assert answer.status_code == 303
    nina = _person(site, nina_id)
    assert (nina.name, nina.line_id, nina.products) == ("Nina Newer", None, [])
    assert nina.roles == {"owner"}
    assert acts(site) == ["person-added", "roles-changed", "person-changed"]
    assert "Roles are now: owner" in client.get(f"/people/{nina_id}").text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("email", "nina"),
        ("email", "alice@gemba.example"),
        ("roles", ["king"]),
        ("roles", []),
        ("line_id", "99"),
        ("line_id", "x"),
        ("timezone", "Berlin"),
        ("locale", "de"),
        ("languages", ["de"]),
        ("product_ids", ["99"]),
        ("department", "D" * 121),
    ],
)
def test_a_bad_person_is_not_added_and_words_are_kept(
    site: Flask, browser: Browser, site_cast: Cast, field: str, value: object
) -> None:
    client = browser.as_(site_cast.adam.id)
    before = _person(site, site_cast.eve.id)
    for path in ("/people/new", f"/people/{site_cast.eve.id}"):
        answer = client.post(path, data={**PERSON, field: value})
        assert answer.status_code == 422
        assert f'id="{field}-error"' in answer.text
        assert "Nina New" in answer.text or field == "name"
    after = _person(site, site_cast.eve.id)
    assert (before.name, before.email, before.roles) == (after.name, after.email, after.roles)
    assert acts(site) == []


def test_a_deactivated_person_is_out_at_once(site: Flask, browser: Browser, site_cast: Cast) -> None:
    admin, eve = browser.as_(site_cast.adam.id), browser.as_(site_cast.eve.id)
    assert is_in(eve)
    data = {k: v for k, v in PERSON.items() if k != "active"}
    assert admin.post(f"/people/{site_cast.eve.id}", data=data).status_code == 303
    assert not is_in(eve)
    assert "Nina New" not in admin.get("/people").text.replace("Nina New is saved.", "")
    assert "Nina New" in admin.get("/people?state=inactive").text


def test_the_last_admin_cannot_leave(site: Flask, browser: Browser, site_cast: Cast) -> None:
    admin = browser.as_(site_cast.adam.id)
    answer = admin.post(f"/people/{site_cast.adam.id}", data={**PERSON, "roles": ["owner"]})
    assert answer.status_code == 422
    assert "This is the only admin" in answer.text
    assert _person(site, site_cast.adam.id).roles == {"admin"}
    assert _person(site, site_cast.adam.id).name == "Adam Admin"


def test_an_admin_signs_somebody_out(browser: Browser, site_cast: Cast) -> None:
    admin, eve = browser.as_(site_cast.adam.id), browser.as_(site_cast.eve.id)
    page = admin.get(f"/people/{site_cast.eve.id}").text
    assert "Signed in in 1 browser." in page
    assert admin.post(f"/people/{site_cast.eve.id}/sign-out").status_code == 303
    assert not is_in(eve)


# --- lines and products


def _line_names(site: Flask) -> set[tuple[str, int | None]]:
    with site.app_context():
        return {(line.name, line.lead_id) for line in db.session.query(Line)}


def test_lines_and_products_are_added_and_renamed(site: Flask, browser: Browser, site_cast: Cast) -> None:
    client = browser.as_(site_cast.adam.id)
    page = client.get("/lines").text
    assert "Checkout line" in page
    assert "Lev Lead" in page
    lena = site_cast.lena.id
    assert (
        client.post("/lines", data={"line-new-name": " Payments ", "line-new-lead_id": ""}).status_code == 303
    )
    data = {"line-1-name": "Buyers", "line-1-lead_id": str(lena)}
    assert client.post("/lines/1", data=data).status_code == 303
    assert _line_names(site) == {("Buyers", lena), ("Courier line", lena), ("Payments", None)}
    assert client.post("/products", data={"product-new-name": "Wallet"}).status_code == 303
    assert client.post("/products/1", data={"product-1-name": "Basket"}).status_code == 303
    with site.app_context():
        assert {p.name for p in db.session.query(Product)} == {"Basket", "Courier app", "Wallet"}


@pytest.mark.parametrize(
    ("path", "data", "error"),
    [
        ("/lines", {"line-new-name": " "}, "line-new-name"),
        ("/lines", {"line-new-name": "courier LINE"}, "line-new-name"),
        ("/lines", {"line-new-name": "L" * 81}, "line-new-name"),
        ("/lines", {"line-new-name": "New", "line-new-lead_id": "999"}, "line-new-lead_id"),
        ("/lines/1", {"line-1-name": "Courier line"}, "line-1-name"),
        ("/lines/1", {"line-1-name": "kept words", "line-1-lead_id": "VERA"}, "line-1-lead_id"),
        ("/lines/1", {"line-1-name": "kept words", "line-1-lead_id": "x"}, "line-1-lead_id"),
        ("/products", {"product-new-name": ""}, "product-new-name"),
        ("/products/1", {"product-1-name": "Courier App"}, "product-1-name"),
    ],
)
def test_bad_lines_and_products_stay_out(
    site: Flask, browser: Browser, site_cast: Cast, path: str, data: dict[str, str], error: str
) -> None:
    before = _line_names(site)
    said = {k: v.replace("VERA", str(site_cast.vera.id)) for k, v in data.items()}
    answer = browser.as_(site_cast.adam.id).post(path, data=said)
    assert answer.status_code == 422
    assert f'id="{error}-error"' in answer.text
    assert next(iter(data.values())).strip() in answer.text
    assert _line_names(site) == before


@pytest.mark.parametrize("make", [lambda c: c.adam.id, lambda c: c.vera.id])
def test_pages_speak_russian(
    site: Flask, browser: Browser, site_cast: Cast, make: Callable[[Cast], int]
) -> None:
    client = browser.as_(make(site_cast))
    client.post("/language", data={"locale": "ru"})
    assert '<html lang="ru"' in client.get("/profile").text
