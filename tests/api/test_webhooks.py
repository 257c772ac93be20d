"""Other systems hear what happened here: signed, in order, again until they answer, and nothing private."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from flask import Flask

from gemba.db import db
from gemba.insights.service import publish_due
from gemba.outbox.worker import Worker
from gemba.people.models import Person
from gemba.trackers.rules.kinds import TrackerKind
from gemba.webhooks.rules import CHOICES
from tests.api.conftest import THURSDAY, Callers, problem_of
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.crowd import add_insights, add_visits
from tests.trackers.fake import fake_tracker
from tests.trackers.stage import begin, connect


@dataclass
class Ear:
    """What a receiver heard, and what it answers next (200 where nothing is said)."""

    port: int = 0
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}/gemba"

    @property
    def events(self) -> list[str]:
        """The events that arrived, in order."""
        return [json.loads(body)["event"] for _headers, body in self.heard]


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_args: Any) -> None:
        """Says nothing."""

    def do_POST(self) -> None:
        ear: Ear = self.server.ear  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        ear.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(ear.answers.pop(0) if ear.answers else 200)
        self.end_headers()


@pytest.fixture
def ear(site: Flask) -> Iterator[Ear]:
    """A receiver on this machine, which the app may reach."""
    settings = site.extensions["gemba_settings"]
    site.extensions["gemba_settings"] = replace(settings, fetch_allowed=("127.0.0.0/8",))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.ear = Ear(server.server_address[1])  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server.ear  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


def work(site: Flask, clock: StandingClock) -> None:
    """Lets the worker do what is due."""
    with site.app_context():
        Worker(site, clock=clock).drain()


def test_what_happens_is_heard(
    site: Flask, site_cast: Cast, as_: Callers, ear: Ear, clock: StandingClock
) -> None:
    adam, vera, olga = as_("adam"), as_("vera"), as_("olga")
    made = adam.post("/webhooks", {"url": ear.url, "events": [event.value for event in CHOICES]})
    assert made.status_code == 201, made.text
    secret = made.get_json()["secret"]
    ear.answers = [503]
    start = f"{THURSDAY:%Y-%m-%dT%H:%M:%SZ}"
    visit = vera.post(
        "/visits", {"programme": "shadow", "start": start, "agent": site_cast.alice.id}
    ).get_json()["id"]
    vera.post(f"/visits/{visit}/move", {"start": "2026-11-26T10:00:00Z"})
    work(site, clock)
    assert ear.events == ["visit.booked"], "what failed is waited for, in order"
    clock.forward(minutes=2)
    work(site, clock)
    assert ear.events == ["visit.booked", "visit.booked", "visit.moved"]
    assert len({headers["webhook-id"] for headers, _body in ear.heard[:2]}) == 1, "the same event again"
    for headers, body in ear.heard:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(secret.removeprefix("whsec_"))
        code = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{code}"
        assert "Vera" not in body.decode()
        assert "@" not in body.decode()
    assert json.loads(ear.heard[0][1])["data"] == {
        "id": visit,
        "programme": "shadow",
        "start": start,
        "end": "2026-11-26T10:00:00Z",
        "status": "booked",
        "url": f"http://localhost/visits/{visit}",
    }
    ear.heard.clear()
    clock.at = THURSDAY.replace(hour=12)
    vera.post(f"/visits/{visit}/outcome", {"took_place": "yes"})
    other = vera.post(
        "/visits", {"programme": "shadow", "start": "2026-12-03T09:00:00Z", "agent": site_cast.alice.id}
    ).get_json()["id"]
    vera.post(f"/visits/{other}/cancel", {"reason": "Ill"})
    with site.app_context(), fake_tracker(TrackerKind.GITHUB) as fake:
        visits = add_visits(site_cast, [site_cast.alice.id], 2, clock())
        one, two, three = add_insights(site_cast, visits[1:], 3, clock())
        row = connect(site_cast, fake, clock())
        db.session.commit()
        olga.patch(f"/insights/{one}", {"status": "planned"})
        olga.post(f"/insights/{two}/merge", {"into": one})
        begin(site_cast, row.id, [one, three], clock())
        work(site, clock)
        clock.forward(minutes=1)
        work(site, clock)
    assert sorted(ear.events) == sorted(
        [
            "visit.held",
            "visit.booked",
            "visit.cancelled",
            "insight.status_changed",
            "insight.merged",
            "export.finished",
        ]
    )
    finished = json.loads(ear.heard[ear.events.index("export.finished")][1])["data"]
    assert (finished["done"], finished["failed"]) == (2, 0)
    merged = json.loads(ear.heard[ear.events.index("insight.merged")][1])["data"]
    assert (merged["id"], merged["into"]) == (two, one)
    assert "Ill" not in str(ear.heard)


def test_an_insight_is_created_when_everybody_may_read_it(
    site: Flask, site_cast: Cast, as_: Callers, ear: Ear, visit_id: int, clock: StandingClock
) -> None:
    as_("adam").post("/webhooks", {"url": ear.url, "events": ["insight.created"]})
    clock.at = THURSDAY

    def write(number: int) -> None:
        note = {
            "client_id": f"0b2e4a0e-6f0e-4a53-9a77-0d5f43b2f00{number}",
            "text": "Searches twice",
            "kind": "tool-pain",
        }
        answer = as_("vera").post(f"/visits/{visit_id}/observations", note)
        assert answer.status_code == 201, answer.text
        work(site, clock)

    write(1)
    assert ear.events == ["insight.created"], "this programme publishes at once"
    with site.app_context():
        db.session.merge(site_cast.programme).review_hours = 24
        db.session.commit()
    write(2)
    assert len(ear.events) == 1, "its agent has not looked at it"
    clock.forward(hours=26)
    with site.app_context():
        publish_due(clock())
        db.session.commit()
    work(site, clock)
    assert ear.events == ["insight.created"] * 2
    assert "Searches" not in str(ear.heard)


def test_who_may_and_what_cannot(as_: Callers, ear: Ear) -> None:
    adam = as_("adam")
    good = {"url": ear.url, "events": ["visit.booked"]}
    for name in ("vera", "olga", "lev"):
        problem_of(as_(name).post("/webhooks", good), 403, "forbidden")
        problem_of(as_(name).get("/webhooks"), 403, "forbidden")
    for wrong, at in (
        ({"url": "ftp://x"}, "url"),
        ({"events": []}, "events"),
        ({"events": ["ping"]}, "events"),
        ({"url": "https://user:pw@x.example"}, "url"),
    ):
        said = problem_of(adam.post("/webhooks", {**good, **wrong}), 422, "invalid")
        assert any(name.startswith(at) for name in said["errors"])
    number = adam.post("/webhooks", good).get_json()["id"]
    assert [row["id"] for row in adam.get("/webhooks").get_json()["items"]] == [number]
    assert adam.call("DELETE", f"/webhooks/{number}").status_code == 200
    problem_of(adam.call("DELETE", f"/webhooks/{number}"), 404, "no-webhook")


def test_the_pages(site: Flask, site_cast: Cast, browser: Browser, ear: Ear, clock: StandingClock) -> None:
    adam = browser.as_(site_cast.adam.id)
    empty = adam.post("/webhooks", data={"url": "nowhere"})
    assert empty.status_code == 422
    assert 'value="nowhere"' in empty.text
    assert "Choose what it should hear of." in empty.text
    made = adam.post("/webhooks", data={"url": ear.url, "events": ["visit.booked", "export.finished"]})
    assert made.status_code == 303
    assert "whsec_" in adam.get(made.location).text
    assert adam.post(f"{made.location}/ping").status_code == 303
    assert "waiting" in adam.get(made.location).text
    work(site, clock)
    assert ear.events == ["ping"]
    assert "arrived" in adam.get(made.location).text
    ear.answers = [500]
    clock.forward(seconds=1)
    adam.post(f"{made.location}/ping")
    work(site, clock)
    assert "It answers 500." in adam.get(made.location).text
    assert adam.post(f"{made.location}/remove").status_code == 303
    clock.forward(hours=1)
    work(site, clock)
    assert len(ear.events) == 2, "what waited is forgotten"
    assert adam.get(made.location).status_code == 404
    with site.app_context():
        assert db.session.get_one(Person, site_cast.adam.id).active
