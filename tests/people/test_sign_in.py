"""Signing in by a mailed code or link: what lets in, and what does not."""

import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from gemba.app import create_app
from gemba.config import ROOT
from gemba.db import db
from gemba.people import service
from gemba.people.models import Person, SignIn
from gemba.web import limits
from tests.cast import Cast, make_cast
from tests.conftest import Browser, StandingClock, settings_for
from tests.people.stage import acts, another, ask, is_in, mails


def test_the_code_lets_in(site: Flask, site_cast: Cast, browser: Browser) -> None:
    client = browser.anonymous()
    ask(client, "  Vera@Gemba.example ", "/visits?day=2026-11-26")
    [(to, code, _path)] = mails(site)
    page = client.get("/sign-in/code")
    assert "vera@gemba.example" in page.text
    answer = client.post("/sign-in/code", data={"code": f"{code[:3]} {code[3:]}"})
    assert (to, answer.status_code, answer.location) == ("vera@gemba.example", 303, "/visits?day=2026-11-26")
    assert is_in(client)
    assert acts(site) == ["sign-in"]


def test_the_link_lets_in_after_a_button(site: Flask, site_cast: Cast, browser: Browser) -> None:
    ask(browser.anonymous(), target="/backlog")
    [(_to, _code, path)] = mails(site)
    phone = browser.anonymous()
    page = phone.get(path)
    assert page.status_code == 200
    assert "v•••@gemba.example" in page.text
    assert "Vera" not in page.text
    assert "vera@" not in page.text
    assert not is_in(phone)
    answer = phone.post(path.partition("?")[0], data={"next": "/backlog"})
    assert (answer.status_code, answer.location) == (303, "/backlog")
    assert is_in(phone)


@pytest.mark.parametrize("way", ["code", "link"])
def test_code_and_link_burn_together(site: Flask, site_cast: Cast, browser: Browser, way: str) -> None:
    client = browser.anonymous()
    ask(client)
    with client.session_transaction() as cookie:
        asked = cookie["asked"]
    [(_to, code, path)] = mails(site)
    path = path.partition("?")[0]
    answer = client.post("/sign-in/code", data={"code": code}) if way == "code" else client.post(path)
    assert answer.status_code == 303
    late = browser.anonymous()
    with late.session_transaction() as cookie:
        cookie["asked"] = asked
    assert late.post("/sign-in/code", data={"code": code}).status_code == 422
    assert late.get(path).status_code == 410
    answer = late.post(path)
    assert answer.status_code == 410
    assert "Ask for a new one" in answer.text
    assert not is_in(late)


def test_the_code_is_bound_to_the_browser_that_asked(site: Flask, site_cast: Cast, browser: Browser) -> None:
    laptop, phone = browser.anonymous(), browser.anonymous()
    ask(laptop)
    ask(phone)
    (_, first, _), (_, second, _) = mails(site)
    if first != second:
        assert phone.post("/sign-in/code", data={"code": first}).status_code == 422
    assert phone.post("/sign-in/code", data={"code": second}).status_code == 303
    assert laptop.post("/sign-in/code", data={"code": first}).status_code == 303
    nobody = browser.anonymous().post("/sign-in/code", data={"code": first})
    assert (nobody.status_code, nobody.location) == (303, "/sign-in")


def test_five_tries_and_no_more(site: Flask, site_cast: Cast, browser: Browser) -> None:
    client = browser.anonymous()
    ask(client)
    [(_to, code, _path)] = mails(site)
    for _ in range(5):
        answer = client.post("/sign-in/code", data={"code": another(code)})
        assert answer.status_code == 422
        assert "This code is not right" in answer.text
    answer = client.post("/sign-in/code", data={"code": code})
    assert answer.status_code == 422
    assert "used up" in answer.text
    assert "Send a new code" in answer.text
    assert not is_in(client)
    assert acts(site) == ["sign-in-failed"] * 5


def test_the_wrong_code_stays_in_the_field_and_the_right_one_still_works(
    site: Flask, site_cast: Cast, browser: Browser
) -> None:
    client = browser.anonymous()
    ask(client)
    [(_to, code, _path)] = mails(site)
    assert f'value="{another(code)}"' in client.post("/sign-in/code", data={"code": another(code)}).text
    for shape in ("", "12345", "abcdef", "1234567", "１２３４５６"):
        assert client.post("/sign-in/code", data={"code": shape}).status_code == 422
    assert client.post("/sign-in/code", data={"code": code}).status_code == 303


@pytest.mark.parametrize(("minutes", "status"), [(9.9, 303), (10, 422)])
def test_the_code_lasts_ten_minutes(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock, minutes: float, status: int
) -> None:
    client = browser.anonymous()
    ask(client)
    [(_to, code, path)] = mails(site)
    clock.forward(minutes=minutes)
    assert client.get(path).status_code == (200 if status == 303 else 410)
    assert client.post("/sign-in/code", data={"code": code}).status_code == status


def test_known_unknown_and_deactivated_addresses_look_the_same(
    site: Flask, site_cast: Cast, browser: Browser
) -> None:
    with site.app_context():
        eve = db.session.get_one(Person, site_cast.eve.id)
        service.update_person(eve, by=None, now=browser.clock(), active=False)
        db.session.commit()
    pages = []
    for email in ("vera@gemba.example", "nobody@gemba.example", "eve@gemba.example"):
        client = browser.anonymous()
        ask(client, email)
        typed = client.post("/sign-in/code", data={"code": "000000"})
        for page in (client.get("/sign-in/code"), typed):
            words = page.text.replace(email, "X")
            pages.append(re.sub(r"nonce=\"[^\"]+\"|csrf_token\" value=\"[^\"]+\"", "", words))
    assert pages[0::2] == [pages[0]] * 3
    assert pages[1::2] == [pages[1]] * 3
    assert [to for to, _code, _path in mails(site)] == ["vera@gemba.example"]


@pytest.mark.parametrize("email", ["vera@gemba.example", "nobody@gemba.example"])
def test_five_mails_an_hour_for_an_address(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock, email: str
) -> None:
    for _ in range(5):
        ask(browser.anonymous(), email)
    answer = browser.anonymous().post("/sign-in", data={"email": email})
    assert answer.status_code == 429
    assert "five times in the last hour" in answer.text
    assert email in answer.text
    ask(browser.anonymous(), "lev@gemba.example")
    clock.forward(hours=1)
    ask(browser.anonymous(), email)


@pytest.mark.parametrize("email", ["", "vera", "vera@", "a" * 300 + "@gemba.example"])
def test_what_is_no_address_is_said_at_the_field(
    site: Flask, site_cast: Cast, browser: Browser, email: str
) -> None:
    answer = browser.anonymous().post("/sign-in", data={"email": email, "next": "/backlog"})
    assert answer.status_code == 422
    assert 'id="email-error"' in answer.text
    assert email in answer.text
    assert 'value="/backlog"' in answer.text
    assert mails(site) == []


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\nb"]
)
def test_nobody_is_led_off_the_site(site: Flask, site_cast: Cast, browser: Browser, target: str) -> None:
    client = browser.anonymous()
    page = client.get("/sign-in", query_string={"next": target}).text
    assert re.search(r'<input id="next" [^>]*value="/">', page)
    ask(client, target=target)
    [(_to, code, path)] = mails(site)
    assert "evil" not in path
    assert client.post("/sign-in/code", data={"code": code}).location == "/"
    ask(client, "lev@gemba.example")
    link = mails(site)[-1][2].partition("?")[0]
    page = client.get(link, query_string={"next": target}).text
    assert re.search(r'<input type="hidden" name="next" value="/">', page)
    assert client.post(link, data={"next": target}).location == "/"
    assert browser.as_(site_cast.vera.id).get("/sign-in", query_string={"next": target}).location == "/"


def test_the_cookie_starts_afresh(site: Flask, site_cast: Cast, browser: Browser) -> None:
    client = browser.as_(site_cast.eve.id)
    with client.session_transaction() as cookie:
        before, cookie["planted"] = cookie["sign_in"], "x"
    ask(client)
    [(_to, code, _path)] = mails(site)
    client.post("/sign-in/code", data={"code": code})
    with client.session_transaction() as cookie:
        assert cookie["sign_in"] != before
        assert "planted" not in cookie
        assert "asked" not in cookie
        assert cookie.permanent


def test_an_answer_in_flight_leaves_the_cookie_of_a_newer_sign_in_alone(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    client = browser.as_(site_cast.vera.id)
    assert "Set-Cookie" in client.get("/").headers  # the first page puts its token in
    for path in ("/", "/visits", "/backlog", "/no-such-page"):
        assert "Set-Cookie" not in client.get(path).headers
    clock.forward(days=13)
    assert "Set-Cookie" not in client.get("/visits").headers
    clock.forward(days=13)
    assert client.get("/visits").status_code == 200
    with site.app_context():
        db.session.execute(update(SignIn).values(revoked_at=clock()))
        db.session.commit()
    # Ended: nothing that is asked in the background takes the cookie away.
    assert "Set-Cookie" not in client.get("/visits").headers
    assert "Set-Cookie" not in client.post("/visits/1/notes/draft", data={"line": "x"}).headers


def test_an_unconfirmed_zone_leads_to_the_profile_first(
    site: Flask, site_cast: Cast, browser: Browser
) -> None:
    with site.app_context():
        db.session.get_one(Person, site_cast.vera.id).timezone_confirmed = False
        db.session.commit()
    client = browser.anonymous()
    ask(client, target="/backlog")
    [(_to, code, _path)] = mails(site)
    answer = client.post("/sign-in/code", data={"code": code})
    assert answer.location == "/profile?next=/backlog"
    assert "data-timezone" in client.get(answer.location).text


def test_deactivation_after_asking_keeps_out(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    client = browser.anonymous()
    ask(client)
    [(_to, code, path)] = mails(site)
    with site.app_context():
        vera = db.session.get_one(Person, site_cast.vera.id)
        service.update_person(vera, by=None, now=clock(), active=False)
        db.session.commit()
    assert client.get(path).status_code == 410
    assert client.post("/sign-in/code", data={"code": code}).status_code == 422


def test_signing_out_ends_the_row(site: Flask, site_cast: Cast, browser: Browser) -> None:
    client = browser.as_(site_cast.vera.id)
    cookie_before = client.get_cookie("gemba")
    assert cookie_before is not None
    assert client.post("/sign-out").location == "/sign-in"
    assert not is_in(client)
    thief = browser.anonymous()
    thief.set_cookie("gemba", cookie_before.value)
    assert not is_in(thief)
    assert acts(site) == ["sign-out"]
    with site.app_context():
        assert db.session.query(SignIn).one().revoked_at is not None


def test_sign_ins_end_by_disuse_and_by_age(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    client = browser.as_(site_cast.vera.id)
    for _ in range(2):
        clock.forward(days=13)
        assert is_in(client)
    clock.forward(days=5)
    assert not is_in(client)
    client = browser.as_(site_cast.vera.id)
    clock.forward(days=14)
    assert not is_in(client)


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", "/sign-out"), ("put", "/sign-in"), ("delete", "/sign-in/code"), ("get", "/sign-in/oidc")],
)
def test_other_methods_do_nothing(browser: Browser, site_cast: Cast, method: str, path: str) -> None:
    assert getattr(browser.anonymous(), method)(path).status_code == 405


@pytest.mark.parametrize("token", ["x", "%F0%9F%98%80", "a" * 3000, "%00", "%ED%B3%BF"])
def test_odd_links_are_only_gone(browser: Browser, site_cast: Cast, token: str) -> None:
    assert browser.anonymous().get(f"/sign-in/link/{token}").status_code == 410
    assert browser.anonymous().post(f"/sign-in/link/{token}").status_code == 410


def test_forms_carry_a_token(site: Flask, site_cast: Cast, browser: Browser) -> None:
    site.config["WTF_CSRF_ENABLED"] = True
    client = browser.anonymous()
    assert client.post("/sign-in", data={"email": "vera@gemba.example"}).status_code == 400
    page = client.get("/sign-in").text
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    answer = client.post("/sign-in", data={"email": "vera@gemba.example", "csrf_token": found[1]})
    assert answer.status_code == 303
    link = mails(site)[0][2]
    assert browser.anonymous().post(link).status_code == 400
    assert browser.as_(site_cast.vera.id).post("/sign-out").status_code == 400


def test_secrets_are_kept_as_hashes_only(site: Flask, site_cast: Cast, browser: Browser) -> None:
    client = browser.anonymous()
    ask(client)
    [(_to, code, path)] = mails(site)
    client.post("/sign-in/code", data={"code": code})
    with client.session_transaction() as cookie:
        token = cookie["sign_in"]
    link = path.partition("?")[0].rpartition("/")[2]
    assert len(link) >= 22 + 20
    with site.app_context():
        kept = [table for table in db.metadata.sorted_tables if table.name != "outbox_item"]
        dump = str([list(db.session.execute(table.select())) for table in kept])
    assert link not in dump
    assert token not in dump
    assert code not in dump


def test_one_address_may_not_ask_without_end(sqlite_url: str, tmp_path: Path, clock: StandingClock) -> None:
    app = create_app(settings_for(sqlite_url, tmp_path, testing=False), clock)
    app.config["WTF_CSRF_ENABLED"] = False
    try:
        limits.limiter.reset()
        with app.app_context():
            make_cast(clock())
        client = app.test_client()
        answers = [
            client.post("/sign-in", data={"email": f"p{i}@gemba.example"}).status_code for i in range(31)
        ]
        assert answers == [303] * 30 + [429]
        assert client.get("/sign-in").status_code == 200
    finally:
        limits.limiter.reset()
        limits.limiter.enabled = False
        with app.app_context():
            db.engine.dispose()


def test_the_mail_says_the_same_twice() -> None:
    folder = ROOT / "templates" / "email"
    for name in ("sign_in.txt", "sign_in.html"):
        words = (folder / name).read_text()
        assert "secret.code" in words
        assert "base_url ~ secret.path" in words or "{{ base_url }}{{ secret.path }}" in words
