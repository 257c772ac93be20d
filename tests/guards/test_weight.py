"""What a browser loads: a first visit under 250 kB compressed, each page under 60 kB of HTML."""

import gzip
import re
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gemba.db import db
from gemba.insights.models import Insight
from gemba.visits.models import Visit
from tests.cast import Cast
from tests.conftest import MONDAY, Browser
from tests.crowd import add_agents, add_insights, add_visits

FIRST_VISIT = 250_000
PAGE = 60_000
LARGER = {"/api/docs": 300_000}
"""The description of all calls is one page, to be searched in: 24 kB on the wire."""
GZIP = {"Accept-Encoding": "gzip"}
ASSET = re.compile(r'(?:href|src)="(/static/[^"#]+)')
IMPORT = re.compile(r'(?:from|import)\s*\(?\s*"([^"]+\.js)"')

PAGES = [
    ("vera", "/"),
    ("adam", "/"),
    ("vera", "/visits"),
    ("vera", "/visits/book"),
    ("vera", "/visits/book?start={start}"),
    ("vera", "/visits/{visit}"),
    ("vera", "/visits/{visit}/move"),
    ("vera", "/visits/{visit}/notes"),
    ("vera", "/backlog"),
    ("olga", "/backlog/board"),
    ("olga", "/backlog?status=all"),
    ("olga", "/insights/{insight}"),
    ("alice", "/availability/{agent}"),
    ("alice", "/availability/{agent}/calendars"),
    ("adam", "/team"),
    ("adam", "/team?day=2026-11-26"),
    ("alice", "/availability/{agent}/hours?view=week"),
    ("adam", "/people"),
    ("adam", "/outbox"),
    ("vera", "/profile"),
    ("vera", "/api/docs"),
]


@pytest.fixture
def values(site: Flask, site_cast: Cast) -> dict[str, object]:
    """What addresses need, in a company of forty agents, 140 visits and 200 insights."""
    with site.app_context():
        agents = add_agents(site_cast, 40, MONDAY)
        visits = add_visits(site_cast, agents, 140, MONDAY)
        insights = add_insights(site_cast, visits, 200, MONDAY)
        db.session.commit()
        coming = db.session.query(Visit).filter(Visit.starts_at > MONDAY).order_by(Visit.starts_at).first()
        assert coming is not None
        assert db.session.get(Insight, insights[-1]) is not None
        return {
            "visit": coming.id,
            "insight": insights[-1],
            "agent": site_cast.alice.id,
            "start": "2026-11-26T08:00:00Z",
        }


def on_the_wire(answer: TestResponse) -> int:
    return len(answer.data)


def html(answer: TestResponse) -> str:
    packed = answer.headers.get("Content-Encoding") == "gzip"
    return (gzip.decompress(answer.data) if packed else answer.data).decode()


def load(client: FlaskClient, address: str, seen: dict[str, int]) -> None:
    """Loads a page and, once each, what it and its scripts name, as a browser that keeps files does."""
    answer = client.get(address, headers=GZIP)
    assert answer.status_code == 200, address
    seen[address] = on_the_wire(answer)
    names = ASSET.findall(html(answer))
    while names:
        name = names.pop().replace("&amp;", "&")
        if name in seen:
            continue
        file = client.get(name, headers=GZIP)
        assert file.status_code == 200, name
        seen[name] = on_the_wire(file)
        if urlsplit(name).path.endswith(".js"):
            folder = urlsplit(name).path.rpartition("/")[0]
            names += [f"{folder}/{found.removeprefix('./')}" for found in IMPORT.findall(html(file))]


def test_a_first_visit_is_light(site_cast: Cast, browser: Browser, values: dict[str, object]) -> None:
    client = browser.as_(site_cast.vera.id)
    seen: dict[str, int] = {}
    load(client, "/", seen)
    load(client, "/visits/book", seen)
    assert any(name.endswith(".css") or ".css?" in name for name in seen)
    assert any(".js" in name for name in seen)
    assert all(size < 15_000 for size in seen.values()), seen
    assert sum(seen.values()) < FIRST_VISIT, sorted(seen.items(), key=lambda item: -item[1])


@pytest.mark.parametrize(("who", "path"), PAGES)
def test_a_page_is_light(
    site_cast: Cast, browser: Browser, values: dict[str, object], who: str, path: str
) -> None:
    client = browser.as_(getattr(site_cast, who).id)
    answer = client.get(path.format(**values), headers=GZIP)
    assert answer.status_code == 200
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(html(answer).encode()) < LARGER.get(path, PAGE)
