"""What holds for every call: tokens, scopes, methods, media types, bodies, problems."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from gemba.api.blueprint import blueprint
from gemba.app import create_app
from gemba.db import db
from gemba.people.models import ApiToken, Person
from gemba.web.limits import limiter
from tests.api.conftest import Caller, Callers, problem_of, token_of
from tests.cast import Cast
from tests.conftest import Browser, StandingClock, settings_for

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


def _calls(app: Flask) -> list[tuple[str, str]]:
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api.")]
    numbers = (
        "person",
        "agent",
        "visit",
        "insight",
        "source",
        "tracker",
        "export",
        "line",
        "round",
        "webhook",
        "comment",
        "other",
        "file",
    )
    values: dict[str, Any] = {"slug": "shadow", **{f"{name}_id": 1 for name in numbers}}
    found = []
    with app.test_request_context():
        for rule in rules:
            arguments = {name: values[name] for name in rule.arguments}
            _, path = rule.build(arguments) or ("", "")
            found += [(method, path) for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})]
    return sorted(found)


def test_there_are_calls_and_each_is_behind_the_one_check(site: Flask) -> None:
    assert len(_calls(site)) == 76
    assert [function.__name__ for function in site.before_request_funcs["api"]] == ["authenticate"]
    under_api = {rule.endpoint for rule in site.url_map.iter_rules() if rule.rule.startswith("/api")}
    open_to_all = {endpoint for endpoint in under_api if not endpoint.startswith("api.")}
    assert open_to_all == {"api_docs.openapi", "api_docs.page", "api_docs.api_root"}
    assert blueprint.name == "api"


def test_nobody_gets_in_without_a_token(site: Flask, as_: Callers) -> None:
    for method, path in _calls(site):
        answer = as_(None).call(method, path)
        problem_of(answer, 401, "unauthorized")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "value", ["Bearer nonsense", "Bearer ", "Basic abc", "Bearer ÿ\x80", "gemba_x", "Bearer " + "x" * 9000]
)
def test_what_is_no_token(value: str, as_: Callers) -> None:
    caller = as_(None)
    caller.headers = {"Authorization": value.encode("utf-8").decode("latin-1")}
    problem_of(caller.get("/me"), 401, "unauthorized")


def test_a_revoked_token_and_a_deactivated_person_are_out(
    site: Flask, site_cast: Cast, as_: Callers, clock: StandingClock
) -> None:
    vera, eve = as_("vera"), as_("eve")
    assert (vera.get("/me").status_code, eve.get("/me").status_code) == (200, 200)
    with site.app_context():
        for row in db.session.query(ApiToken).filter_by(person_id=site_cast.vera.id):
            row.revoked_at = clock()
        db.session.get_one(Person, site_cast.eve.id).active = False
        db.session.commit()
    problem_of(vera.get("/me"), 401, "unauthorized")
    problem_of(eve.get("/me"), 401, "unauthorized")


def test_a_cookie_is_no_token(browser: Browser, site_cast: Cast) -> None:
    client = browser.as_(site_cast.adam.id)
    assert client.get("/api/v1/me").status_code == 401
    assert client.post("/api/v1/visits", json={}).status_code == 401


def test_the_token_decides_and_not_the_cookie(
    site: Flask, browser: Browser, site_cast: Cast, clock: StandingClock
) -> None:
    client = browser.as_(site_cast.adam.id)
    with site.app_context():
        token = token_of(site_cast.vera.id, clock())
    answer = client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.get_json()["id"] == site_cast.vera.id


def test_csrf_does_not_stand_in_the_way(site: Flask, as_: Callers) -> None:
    site.config["WTF_CSRF_ENABLED"] = True
    problem_of(as_("vera").post("/visits", {}), 422, "invalid")


def test_a_reading_token_only_reads(site: Flask, as_: Callers) -> None:
    reader = as_("adam", "read")
    assert reader.get("/me").status_code == 200
    for method, path in _calls(site):
        if method in UNSAFE:
            problem_of(reader.call(method, path, {}), 403, "forbidden")


def test_the_use_of_a_token_is_noted_once_an_hour(
    site: Flask, site_cast: Cast, as_: Callers, clock: StandingClock, statements: list[str]
) -> None:
    vera = as_("vera")

    def used() -> object:
        with site.app_context():
            return db.session.query(ApiToken.last_used_at).filter_by(person_id=site_cast.vera.id).scalar()

    vera.get("/me")
    first = used()
    assert first == clock()
    clock.forward(minutes=30)
    statements.clear()
    vera.get("/me")
    assert not [sent for sent in statements if sent.startswith("UPDATE")]
    clock.forward(minutes=31)
    vera.get("/me")
    assert used() == clock()


def test_wrong_methods_name_the_right_ones(site: Flask, as_: Callers) -> None:
    admin = as_("adam")
    for path in {path for _, path in _calls(site)}:
        taken = {method for method, other in _calls(site) if other == path}
        for method in UNSAFE | {"GET"}:
            if method not in taken:
                answer = admin.call(method, path)
                problem_of(answer, 405, "method-not-allowed")
                assert taken <= {word.strip() for word in answer.headers["Allow"].split(",")}


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/api",
        "/api/v2/me",
        "/visits/1/nothing",
        "/people/0x1",
        "/people/99999999999",
        "/programmes/%00",
        "/visits/-1",
        "/api/v1",
    ],
)
def test_unknown_addresses_are_problems(path: str, as_: Callers) -> None:
    if path == "/api":
        path = "/api/"
    problem_of(as_("adam").get(path), 404, "not-found")


def test_pages_outside_stay_pages(site: Flask) -> None:
    assert site.test_client().get("/nothing").content_type.startswith("text/html")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"start": Infinity}',
        b"[" * 100_000,
        b"1" * 5000 + b"x",
        b'{"a"}',
        b"9" * 5000,
    ],
)
def test_what_is_no_json(body: bytes, as_: Callers) -> None:
    answer = as_("vera").post("/visits", data=body, content_type="application/json")
    problem_of(answer, 400, "bad-request")


@pytest.mark.parametrize(
    "media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_another_media_type(media: str, as_: Callers) -> None:
    answer = as_("vera").post("/visits", data=b"{}", content_type=media)
    problem_of(answer, 415, "unsupported-media-type")


@pytest.mark.parametrize("body", [[], "x", 1, True, [{"programme": "shadow"}]])
def test_a_body_that_is_no_object(body: object, as_: Callers) -> None:
    errors = problem_of(as_("vera").post("/visits", body), 422, "invalid")["errors"]
    assert errors == {"body": ["Give a JSON object."]}


def test_a_body_that_is_too_large(as_: Callers) -> None:
    answer = as_("vera").post("/visits", data=b" " * (3 * 1024 * 1024), content_type="application/json")
    problem_of(answer, 413, "too-large")


def test_unknown_fields_are_refused_by_name(as_: Callers) -> None:
    body = {"programme": "shadow", "start": "2026-11-26T09:00:00Z", "colour": 1, "visitor": 3}
    errors = problem_of(as_("vera").post("/visits", body), 422, "invalid")["errors"]
    assert errors == {"colour": ["There is no such field here."], "visitor": ["There is no such field here."]}


def test_a_query_says_each_thing_once_and_knows_its_words(as_: Callers) -> None:
    vera = as_("vera")
    errors = problem_of(vera.get("/visits?limit=1&limit=2"), 422, "invalid")["errors"]
    assert errors == {"limit": ["Give this only once."]}
    errors = problem_of(vera.get("/visits?colour=red"), 422, "invalid")["errors"]
    assert errors == {"colour": ["There is no such field here."]}


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "1.0", "", "１", "9" * 30, "1e2"])
def test_bad_limits(limit: str, as_: Callers) -> None:
    for path in ("/visits", "/people", "/programmes", "/insights"):
        errors = problem_of(as_("vera").get(path, limit=limit), 422, "invalid")["errors"]
        assert errors == {"limit": ["Give a whole number from 1 to 200."]}


@pytest.mark.parametrize(
    "cursor", ["x", "", "AAAA", "é", "MTIz.MTIz", "LTE", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OQ", "\x00"]
)
def test_bad_cursors(cursor: str, as_: Callers) -> None:
    for path in ("/visits", "/people", "/programmes", "/insights"):
        answer = as_("vera").get(path, cursor=cursor)
        assert answer.status_code in (200, 422)
        if answer.status_code == 422:
            assert list(problem_of(answer, 422, "invalid")["errors"]) == ["cursor"]


def test_too_many_calls(
    sqlite_url: str, tmp_path: Path, site: Flask, site_cast: Cast, clock: StandingClock
) -> None:
    limited = create_app(settings_for(sqlite_url, tmp_path, testing=False), clock)
    try:
        with site.app_context():
            caller = Caller(limited, token_of(site_cast.vera.id, clock(), "read"))
        codes = [caller.get("/insights").status_code for _ in range(125)]
        assert codes[:120] == [200] * 120
        answer = caller.get("/insights")
        problem_of(answer, 429, "too-many-requests")
        assert int(answer.headers["Retry-After"]) <= 61
        assert caller.get("/me").status_code == 200
    finally:
        limiter.reset()
        limiter.enabled = False
        with limited.app_context():
            db.engine.dispose()


def test_a_fault_of_ours_shows_a_number_and_no_more(
    site: Flask, as_: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = as_("vera")
    monkeypatch.setattr("gemba.api.views.people.service.person_fields", lambda *_: 1 / 0)
    site.testing = False
    body = problem_of(caller.get("/me"), 500, "error")
    assert len(body["error_id"]) == 8
    assert "division" not in str(body)


def test_private_answers_are_not_stored(as_: Callers) -> None:
    answer = as_("vera").get("/me")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers


def test_an_hour_later_the_token_still_works_for_writers(as_: Callers, clock: StandingClock) -> None:
    vera = as_("vera")
    clock.at += timedelta(hours=5)
    assert vera.patch(f"/people/{vera.get('/me').get_json()['id']}", {"name": "Vera V"}).status_code == 200
