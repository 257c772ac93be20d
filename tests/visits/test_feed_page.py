"""The address of a calendar feed: who gets which answer, and the part of the profile that makes it."""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import structlog
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from gemba.app import create_app
from gemba.db import db
from gemba.invites.models import CalendarFeed
from gemba.people.models import AuditEntry, Line, Person, PersonRole
from gemba.visits import feed
from gemba.web.limits import limiter
from tests.cast import Cast
from tests.conftest import Browser, StandingClock, settings_for
from tests.crowd import add_visits
from tests.visits.feeds import Feed, address

GONE = (404, "There is no calendar at this address.\n", "text/plain; charset=utf-8")


@pytest.fixture
def path(site: Flask, site_cast: Cast, clock: StandingClock) -> str:
    """The address of Vera's feed, with some visits."""
    with site.app_context():
        add_visits(site_cast, [site_cast.alice.id, site_cast.anton.id], 12, clock())
        db.session.commit()
    return address(site, site_cast.vera.id, clock())


def answer_at(site: Flask, path: str) -> tuple[int, str, str]:
    answer = site.test_client().get(path)
    return answer.status_code, answer.text, answer.headers["Content-Type"]


def feeds_of(site: Flask) -> list[CalendarFeed]:
    with site.app_context():
        return list(db.session.scalars(select(CalendarFeed).order_by(CalendarFeed.id)))


def change(site: Flask, model: Any, key: Any, **values: Any) -> None:
    with site.app_context():
        row = db.session.get_one(model, key)
        for name, value in values.items():
            setattr(row, name, value)
        db.session.commit()


def test_a_calendar_is_answered_with_what_caches_need(site: Flask, path: str) -> None:
    answer = site.test_client().get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert re.fullmatch(r'W/"[0-9a-f]{32}"', answer.headers["ETag"])
    assert "Set-Cookie" not in answer.headers
    assert len(Feed.of(answer.data).events) == 12


def test_what_has_not_changed_is_not_sent_again(
    site: Flask, site_cast: Cast, path: str, clock: StandingClock
) -> None:
    client = site.test_client()
    etag = client.get(path).headers["ETag"]
    for known in (etag, etag.removeprefix("W/"), f'"other", {etag}', "*"):
        same = client.get(path, headers={"If-None-Match": known, "Accept-Encoding": "gzip"})
        assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", etag)
    change(site, Person, site_cast.alice.id, name="Alisa Novikova")
    other = client.get(path, headers={"If-None-Match": etag})
    assert other.status_code == 200
    assert other.headers["ETag"] != etag
    change(site, Person, site_cast.alice.id, name="Alice Agent")
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304


def test_it_is_packed_for_who_can_unpack(site: Flask, path: str) -> None:
    plain = site.test_client().get(path)
    packed = site.test_client().get(path, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["ETag"] == plain.headers["ETag"]
    assert gzip.decompress(packed.data) == plain.data


def test_a_head_says_the_same_without_the_calendar(site: Flask, path: str) -> None:
    full, head = site.test_client().get(path), site.test_client().head(path)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["ETag"] == full.headers["ETag"]


def test_a_large_feed_is_packed_while_it_is_made(
    site: Flask, site_cast: Cast, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gemba.visits.feed_views.AT_ONCE", 3)
    packed = site.test_client().get(path, headers={"Accept-Encoding": "gzip, deflate"})
    assert (packed.status_code, packed.headers["Content-Encoding"]) == (200, "deflate")
    assert len(Feed.of(zlib.decompress(packed.data)).events) == 12


@pytest.mark.parametrize(
    "path", ["/calendar/x.ics", f"/calendar/{'x' * 43}.ics", f"/calendar/{'я' * 43}.ics", "/calendar/%00.ics"]
)
def test_wrong_secrets_find_nothing(site: Flask, site_cast: Cast, path: str) -> None:
    assert answer_at(site, path) == GONE


def test_other_addresses_and_methods_find_nothing(site: Flask, path: str) -> None:
    assert site.test_client().get(path.removesuffix(".ics")).status_code == 404
    for method in ("POST", "PUT", "DELETE", "PROPFIND"):
        assert site.test_client().open(path, method=method).status_code == 405


def test_a_cookie_opens_nothing_and_changes_nothing(
    site: Flask, site_cast: Cast, browser: Browser, path: str
) -> None:
    vera, eve = browser.as_(site_cast.vera.id), browser.as_(site_cast.eve.id)
    assert vera.get("/calendar/.ics").status_code == 404
    assert vera.get(f"/calendar/{'x' * 43}.ics").text == GONE[1]
    assert eve.get(path).data == site.test_client().get(path).data
    assert eve.get(path).headers["Vary"] == "Accept-Encoding"


def test_whoever_is_gone_has_no_calendar(site: Flask, site_cast: Cast, path: str) -> None:
    change(site, Person, site_cast.vera.id, active=False)
    assert answer_at(site, path) == GONE
    change(site, Person, site_cast.vera.id, active=True)
    assert answer_at(site, path)[0] == 200


def test_a_line_feed_ends_with_the_lead(
    site: Flask, site_cast: Cast, path: str, clock: StandingClock
) -> None:
    of_line = address(site, site_cast.lev.id, clock(), site_cast.line.id)
    assert answer_at(site, of_line)[0] == 200
    change(site, Line, site_cast.line.id, lead_id=site_cast.lena.id)
    assert answer_at(site, of_line) == GONE
    change(site, Line, site_cast.line.id, lead_id=site_cast.lev.id)
    assert answer_at(site, of_line)[0] == 200
    with site.app_context():
        db.session.delete(db.session.get_one(PersonRole, (site_cast.lev.id, "lead")))
        db.session.commit()
    assert answer_at(site, of_line) == GONE


def test_a_read_is_noted_once_an_hour(site: Flask, path: str, clock: StandingClock) -> None:
    start = clock()
    for wait, seen in ((0, 0), (59, 0), (1, 60), (30, 60), (30, 120)):
        clock.forward(minutes=wait)
        assert site.test_client().get(path).status_code == 200
        assert feeds_of(site)[0].seen_at == start + timedelta(minutes=seen)


def test_a_read_waits_for_nobody_and_holds_nobody_up(
    site: Flask, path: str, clock: StandingClock, statements: list[str]
) -> None:
    site.test_client().get(path)
    statements.clear()
    assert site.test_client().get(path).status_code == 200
    assert [line.split()[0] for line in statements] == ["BEGIN", "SELECT", "SELECT"]


def test_two_statements_whatever_the_number_of_visits(
    site: Flask, site_cast: Cast, path: str, clock: StandingClock, statements: list[str]
) -> None:
    with site.app_context():
        add_visits(site_cast, [site_cast.alice.id], 100, clock() + timedelta(minutes=90))
        db.session.commit()
    site.test_client().get(path)
    statements.clear()
    assert site.test_client().get(path).status_code == 200
    assert len(statements) == 3


def test_texts_that_cannot_be_kept_are_sent_all_the_same(
    site: Flask, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_given: object) -> None:
        raise OperationalError("INSERT", {}, Exception("database is locked"))

    monkeypatch.setattr(feed, "keep", locked)
    assert len(Feed.of(site.test_client().get(path).data).events) == 12


def test_a_crowd_of_reads_is_slowed_down(
    sqlite_url: str, tmp_path: Path, site_cast: Cast, path: str, clock: StandingClock
) -> None:
    limited = create_app(settings_for(sqlite_url, tmp_path, testing=False), clock)
    try:
        limiter.reset()
        answers = [limited.test_client().get(path).status_code for _ in range(61)]
        assert answers == [200] * 60 + [429]
        assert limited.test_client().get(f"/calendar/{'x' * 43}.ics").status_code == 404
    finally:
        limiter.reset()
        limiter.enabled = False
        with limited.app_context():
            db.engine.dispose()


def test_no_log_line_names_the_secret(
    site: Flask, path: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_given: object, **_named: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(feed, "texts", broken)
    monkeypatch.setitem(site.config, "TESTING", False)
    with structlog.testing.capture_logs() as lines:
        assert site.test_client().get(path).status_code == 500
    assert [line["path"] for line in lines] == ["/calendar/…"]
    assert path.split("/")[2].removesuffix(".ics") not in str(lines) + "".join(capfd.readouterr())


# The part of the profile


def make(client: Any, line: str = "") -> tuple[str, dict[str, str]]:
    """Makes an address; its path and the links of the page."""
    answer = client.post("/profile/feeds", data={"line": line})
    assert answer.status_code == 201
    page = unescape(answer.text)
    (found,) = re.findall(r'value="(http://localhost/calendar/[\w-]{43}\.ics)"', page)
    links = {
        name: re.findall(rf'href="([^"]+)"[^>]*>Add to {name}<', page)[0]
        for name in ("Google", "Outlook", "Apple")
    }
    return urlsplit(found).path, links


def test_an_address_is_shown_once_and_only_its_hash_is_kept(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    vera = browser.as_(site_cast.vera.id)
    assert "no address yet" in vera.get("/profile").text
    path, links = make(vera)
    secret = path.split("/")[2].removesuffix(".ics")
    assert answer_at(site, path)[0] == 200
    assert feeds_of(site)[0].secret_hash == hashlib.sha256(secret.encode()).hexdigest()
    clock.forward(minutes=5)
    profile = vera.get("/profile").text
    assert secret not in profile
    assert "last read 5 minutes ago" in profile
    assert unquote(parse_qs(urlsplit(links["Google"]).query)["cid"][0]) == f"webcal://localhost{path}"
    assert parse_qs(urlsplit(links["Outlook"]).query) == {
        "url": [f"http://localhost{path}"],
        "name": ["Gemba: my visits"],
    }
    assert links["Apple"] == f"webcal://localhost{path}"
    with site.app_context():
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "feed-made")).one()
        assert (entry.person_id, entry.detail) == (site_cast.vera.id, {"line": None})


def test_a_new_address_ends_the_old_one(site: Flask, site_cast: Cast, browser: Browser) -> None:
    vera = browser.as_(site_cast.vera.id)
    old, _links = make(vera)
    new, _links = make(vera)
    assert answer_at(site, old) == GONE
    assert answer_at(site, new)[0] == 200
    assert vera.post("/profile/feeds/end").location == "/profile#feeds"
    assert answer_at(site, new) == GONE
    assert vera.post("/profile/feeds/end").status_code == 404
    assert [row.revoked_at is None for row in feeds_of(site)] == [False, False]


def test_a_lead_has_one_more_for_each_line(site: Flask, site_cast: Cast, browser: Browser) -> None:
    lev, line = browser.as_(site_cast.lev.id), str(site_cast.line.id)
    assert "Visits of Checkout line" in lev.get("/profile").text
    own, _links = make(lev)
    of_line, links = make(lev, line)
    assert parse_qs(urlsplit(links["Outlook"]).query)["name"] == ["Gemba: visits of Checkout line"]
    assert {answer_at(site, path)[0] for path in (own, of_line)} == {200}
    assert lev.post("/profile/feeds/end", data={"line": line}).status_code == 303
    assert (answer_at(site, own)[0], answer_at(site, of_line)) == (200, GONE)


@pytest.mark.parametrize("line", ["999", "x", "-1", "9" * 30, "²", "{line}"])
def test_lines_of_others_and_rubbish_make_no_feed(
    site: Flask, site_cast: Cast, browser: Browser, line: str
) -> None:
    line = line.format(line=site_cast.line.id)
    for person in (site_cast.lena, site_cast.vera, site_cast.adam):
        client = browser.as_(person.id)
        assert client.post("/profile/feeds", data={"line": line}).status_code == 404
        assert client.post("/profile/feeds/end", data={"line": line}).status_code == 404
    assert feeds_of(site) == []


def test_whoever_is_not_signed_in_makes_none(site: Flask, site_cast: Cast, browser: Browser) -> None:
    nobody = browser.anonymous()
    for path in ("/profile/feeds", "/profile/feeds/end"):
        assert nobody.post(path).location.startswith("/sign-in")
    assert browser.as_(site_cast.vera.id).get("/profile/feeds").location == "/profile#feeds"
    assert browser.as_(site_cast.vera.id).get("/profile/feeds/end").status_code == 405
    assert feeds_of(site) == []
