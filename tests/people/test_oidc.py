"""Signing in with an OpenID Connect provider, against a mock one on loopback."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import oidc_provider_mock
import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient

from gemba.app import create_app
from gemba.config import Oidc
from gemba.db import db
from gemba.people import service
from gemba.people.models import Identity, Person
from tests.cast import Cast, make_cast
from tests.conftest import StandingClock, settings_for
from tests.people.stage import acts, is_in


class Provider:
    """The mock provider: who is known there, and what a person does in its window."""

    def __init__(self, url: str) -> None:
        self.url = url

    def knows(self, subject: str, **claims: object) -> None:
        """Sets what the provider says of a subject."""
        answer = requests.put(f"{self.url}/users/{quote(subject)}", json=claims, timeout=5)
        assert answer.status_code == 204

    def agree(self, address: str, subject: str) -> str:
        """Agrees in the provider's window; returns the path it leads back to."""
        answer = requests.post(address, data={"sub": subject}, allow_redirects=False, timeout=5)
        assert answer.status_code in (302, 303), answer.text
        back = urlsplit(answer.headers["Location"])
        return f"{back.path}?{back.query}"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """A provider on a free port."""
    with oidc_provider_mock.run_server_in_thread() as server:
        yield Provider(f"http://localhost:{server.server_port}")


def _app(url: str, folder: Path, issuer: str, clock: StandingClock) -> Flask:
    oidc = Oidc(issuer, "gemba-client", "a-secret")
    app = create_app(settings_for(url, folder, oidc=oidc), clock)
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        make_cast(clock())
    return app


@pytest.fixture
def house(sqlite_url: str, tmp_path: Path, provider: Provider, clock: StandingClock) -> Iterator[Flask]:
    """The app with this provider and the cast."""
    app = _app(sqlite_url, tmp_path, provider.url, clock)
    yield app
    with app.app_context():
        db.engine.dispose()


def _id(app: Flask, email: str) -> int:
    with app.app_context():
        person = service.find_person(email)
        assert person is not None
        return person.id


def _start(client: FlaskClient, target: str = "/") -> str:
    answer = client.post("/sign-in/oidc", data={"next": target})
    assert answer.status_code == 303
    return str(answer.location)


def _in_as(client: FlaskClient) -> str:
    page = client.get("/profile")
    assert page.status_code == 200
    return page.text


def test_the_provider_lets_in(house: Flask, provider: Provider) -> None:
    provider.knows("s-vera", email="Vera@gemba.example", email_verified=True)
    client = house.test_client()
    assert "/sign-in/oidc" in client.get("/sign-in").text
    address = _start(client, "/backlog")
    asked = parse_qs(urlsplit(address).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == ["http://localhost/sign-in/oidc/callback"]
    assert asked["state"][0] != asked["nonce"][0]
    answer = client.get(provider.agree(address, "s-vera"))
    assert (answer.status_code, answer.location) == (303, "/backlog")
    assert "Vera Visitor" in _in_as(client)
    assert acts(house) == ["identity-linked", "sign-in"]


def test_later_the_subject_decides_not_the_address(house: Flask, provider: Provider) -> None:
    provider.knows("s-olga", email="olga@gemba.example", email_verified=True)
    client = house.test_client()
    client.get(provider.agree(_start(client), "s-olga"))
    provider.knows("s-olga", email="eve@gemba.example", email_verified=False)
    client = house.test_client()
    assert client.get(provider.agree(_start(client), "s-olga")).status_code == 303
    assert "Olga Owner" in _in_as(client)


def test_an_address_given_to_somebody_else_does_not_hand_the_person_over(
    house: Flask, provider: Provider
) -> None:
    provider.knows("s-lev", email="lev@gemba.example", email_verified=True)
    provider.knows("s-new", email="lev@gemba.example", email_verified=True)
    client = house.test_client()
    client.get(provider.agree(_start(client), "s-lev"))
    other = house.test_client()
    answer = other.get(provider.agree(_start(other), "s-new"))
    assert answer.status_code == 409
    assert "another account of your provider" in answer.text
    assert not is_in(other)


@pytest.mark.parametrize(
    ("subject", "claims", "sentence"),
    [
        ("s-1", {"email": "vera@gemba.example"}, "does not vouch"),
        ("s-2", {"email": "vera@gemba.example", "email_verified": False}, "does not vouch"),
        ("s-3", {"email": "vera@gemba.example", "email_verified": "true"}, "does not vouch"),
        ("s-4", {"email": "stranger@gemba.example", "email_verified": True}, "Nobody here"),
        ("s-5", {"email_verified": True}, "Nobody here"),
        ("s-6", {"email": "not an address", "email_verified": True}, "Nobody here"),
    ],
)
def test_who_is_not_vouched_for_stays_out(
    house: Flask, provider: Provider, subject: str, claims: dict[str, object], sentence: str
) -> None:
    provider.knows(subject, **claims)
    client = house.test_client()
    answer = client.get(provider.agree(_start(client, "/backlog"), subject))
    assert answer.status_code == 409
    assert sentence in answer.text
    assert 'value="/backlog"' in answer.text
    assert not is_in(client)
    with house.app_context():
        assert db.session.query(Identity).count() == 0
        assert service.find_person("stranger@gemba.example") is None
    assert acts(house) == ["sign-in-failed"]


def test_the_deactivated_stay_out(house: Flask, provider: Provider, clock: StandingClock) -> None:
    provider.knows("s-eve", email="eve@gemba.example", email_verified=True)
    provider.knows("s-ada", email="ada@gemba.example", email_verified=True)
    client = house.test_client()
    client.get(provider.agree(_start(client), "s-eve"))
    assert is_in(client)
    with house.app_context():
        for email in ("eve@gemba.example", "ada@gemba.example"):
            person = service.find_person(email)
            assert person is not None
            service.update_person(person, by=None, now=clock(), active=False)
        db.session.commit()
    assert not is_in(client)
    for subject in ("s-eve", "s-ada"):
        client = house.test_client()
        assert client.get(provider.agree(_start(client), subject)).status_code == 409
        assert not is_in(client)


def test_only_the_browser_that_started_can_finish(house: Flask, provider: Provider) -> None:
    provider.knows("s-vera", email="vera@gemba.example", email_verified=True)
    started, victim = house.test_client(), house.test_client()
    back = provider.agree(_start(started), "s-vera")
    answer = victim.get(back)
    assert answer.status_code == 400
    assert "Please start again" in answer.text
    assert not is_in(victim)
    wrong = back.replace("state=", "state=x")
    assert started.get(wrong).status_code == 400
    assert started.get("/sign-in/oidc/callback").status_code == 400
    assert started.get("/sign-in/oidc/callback?error=access_denied&state=x").status_code == 400
    assert not is_in(started)
    assert started.get(back).status_code == 303
    again = started.get(back)
    assert again.status_code == 400


def test_another_issuer_in_the_answer_is_refused(house: Flask, provider: Provider) -> None:
    provider.knows("s-vera", email="vera@gemba.example", email_verified=True)
    client = house.test_client()
    back = provider.agree(_start(client), "s-vera")
    assert client.get(f"{back}&iss=https://evil.example").status_code == 400
    assert not is_in(client)


def test_a_word_signed_for_somebody_else_is_refused(house: Flask, provider: Provider) -> None:
    provider.knows("s-vera", email="vera@gemba.example", email_verified=True)
    client = house.test_client()
    back = provider.agree(_start(client), "s-vera")
    with client.session_transaction() as cookie:
        [key] = [name for name in cookie if name.startswith("_state_")]
        state = dict(cookie[key])
        state["data"] = {**state["data"], "nonce": "another"}
        cookie[key] = state
    assert client.get(back).status_code == 400
    assert not is_in(client)


def test_a_silent_provider_leaves_the_other_ways(
    sqlite_url: str, tmp_path: Path, clock: StandingClock
) -> None:
    app = _app(sqlite_url, tmp_path, "http://localhost:9", clock)
    client = app.test_client()
    answer = client.post("/sign-in/oidc", data={"next": "/backlog"})
    assert answer.status_code == 503
    assert "does not answer" in answer.text
    assert 'value="/backlog"' in answer.text
    assert client.get("/sign-in/oidc/callback?code=x&state=y").status_code == 503
    assert client.post("/sign-in", data={"email": "vera@gemba.example"}).status_code == 303
    with app.app_context():
        db.engine.dispose()


def test_a_provider_that_names_another_issuer_is_refused(
    sqlite_url: str, tmp_path: Path, provider: Provider, clock: StandingClock
) -> None:
    app = _app(sqlite_url, tmp_path, provider.url.replace("localhost", "127.0.0.1"), clock)
    app.extensions["gemba_oidc"]._server_metadata_url = f"{provider.url}/.well-known/openid-configuration"
    assert app.test_client().post("/sign-in/oidc").status_code == 503
    with app.app_context():
        db.engine.dispose()


def test_without_a_provider_there_is_no_such_way(site: Flask, site_cast: Cast) -> None:
    client = site.test_client()
    assert "provider" not in client.get("/sign-in").text
    assert client.post("/sign-in/oidc").status_code == 404
    assert client.get("/sign-in/oidc/callback?code=x&state=y").status_code == 404


def test_an_admin_unties_the_account(house: Flask, provider: Provider) -> None:
    provider.knows("s-vera-1", email="vera@gemba.example", email_verified=True)
    provider.knows("s-vera-2", email="vera@gemba.example", email_verified=True)
    provider.knows("s-adam", email="adam@gemba.example", email_verified=True)
    vera, admin = house.test_client(), house.test_client()
    vera.get(provider.agree(_start(vera), "s-vera-1"))
    admin.get(provider.agree(_start(admin), "s-adam"))
    path = f"/people/{_id(house, 'vera@gemba.example')}"
    assert "Untie" in admin.get(path).text
    assert admin.post(f"{path}/unlink").status_code == 303
    again = house.test_client()
    assert again.get(provider.agree(_start(again), "s-vera-2")).status_code == 303
    with house.app_context():
        assert db.session.query(Identity).join(Person).filter(Person.name == "Vera Visitor").count() == 1
