"""Trackers and exports over the API."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from gemba.db import db
from gemba.outbox.worker import Worker
from gemba.trackers.rules.kinds import TrackerKind
from tests.api.conftest import Callers
from tests.cast import Cast
from tests.conftest import StandingClock
from tests.crowd import add_insights, add_visits
from tests.trackers.fake import Fake, fake_tracker

NEW = {"kind": "github", "project": "o/r", "credentials": {"token": "secret-token"}}


@pytest.fixture
def fake(site: Flask) -> Iterator[Fake]:
    """A tracker on this machine, which the app may reach."""
    settings = site.extensions["gemba_settings"]
    site.extensions["gemba_settings"] = replace(settings, fetch_allowed=("127.0.0.0/8",))
    with fake_tracker(TrackerKind.GITHUB) as fake:
        yield fake


@pytest.fixture
def ids(site: Flask, site_cast: Cast, clock: StandingClock) -> list[int]:
    """Three insights with evidence."""
    with site.app_context():
        visits = add_visits(site_cast, [site_cast.alice.id], 2, clock())
        made = add_insights(site_cast, visits[1:], 3, clock())
        db.session.commit()
    return made


def work(site: Flask, clock: StandingClock) -> None:
    """Lets the worker do what is due."""
    with site.app_context():
        Worker(site, clock=clock).drain()


def test_connect_check_export_and_look(
    site: Flask, as_: Callers, fake: Fake, ids: list[int], clock: StandingClock
) -> None:
    adam, olga = as_("adam"), as_("olga")
    made = adam.post("/trackers", {**NEW, "base_url": fake.url})
    assert made.status_code == 201
    assert "secret-token" not in made.text
    number = made.get_json()["id"]
    checked = adam.post(f"/trackers/{number}/check")
    assert checked.status_code == 200, checked.text
    assert checked.get_json()["rights"] == {"read": True, "create": True, "label": True, "edit": True}
    dry = olga.post(f"/trackers/{number}/exports", {"insights": ids, "dry_run": True})
    assert dry.status_code == 202
    work(site, clock)
    shown = olga.get(f"/exports/{dry.get_json()['id']}").get_json()
    assert (shown["status"], {item["action"] for item in shown["items"]}) == ("dry-run", {"create"})
    assert fake.tickets == []
    begun = olga.post(f"/trackers/{number}/exports", {"insights": ids})
    assert olga.get(f"/exports/{begun.get_json()['id']}").get_json()["status"] == "running"
    work(site, clock)
    done = olga.get(f"/exports/{begun.get_json()['id']}").get_json()
    assert done["status"] == "done"
    assert [item["insight"] for item in done["items"]] == ids
    assert {item["state"] for item in done["items"]} == {"done"}
    (ticket,) = olga.get(f"/insights/{ids[0]}").get_json()["tickets"]
    assert ticket == {
        "tracker": number,
        "key": done["items"][0]["key"],
        "url": done["items"][0]["url"],
        "status": "open",
    }
    assert olga.get("/insights").get_json()["items"][0]["tickets"]
    changed = adam.patch(f"/trackers/{number}", {"name": "Web", "rule_score": 60})
    assert (changed.get_json()["name"], changed.get_json()["rule_score"]) == ("Web", 60)
    assert olga.get("/trackers").get_json()["items"][0]["name"] == "Web"
    assert adam.call("DELETE", f"/trackers/{number}").status_code == 200
    assert olga.get("/trackers").get_json()["items"] == []
    assert len(fake.tickets) == 3


def test_a_token_that_is_not_taken_says_so(as_: Callers, fake: Fake) -> None:
    adam = as_("adam")
    number = adam.post("/trackers", {**NEW, "base_url": fake.url}).get_json()["id"]
    fake.token_is_dead = True
    refused = adam.post(f"/trackers/{number}/check")
    assert refused.status_code == 422
    assert "token" in refused.get_json()["errors"]["credentials"][0]
    assert adam.get("/trackers").get_json()["items"][0]["state"] == "paused"


def test_private_addresses_are_refused(as_: Callers) -> None:
    with fake_tracker(TrackerKind.GITHUB) as fake:
        adam = as_("adam")
        number = adam.post("/trackers", {**NEW, "base_url": fake.url}).get_json()["id"]
        refused = adam.post(f"/trackers/{number}/check")
        assert refused.status_code == 422
        assert "private network" in refused.get_json()["errors"]["credentials"][0]
        assert fake.asked == []


@pytest.mark.parametrize(
    ("who", "method", "path", "body", "status"),
    [
        (None, "GET", "/trackers", None, 401),
        ("vera", "GET", "/trackers", None, 403),
        ("olga", "POST", "/trackers", NEW, 403),
        ("adam", "POST", "/trackers", {**NEW, "kind": "trello"}, 422),
        ("adam", "POST", "/trackers", {**NEW, "credentials": {}}, 422),
        ("adam", "POST", "/trackers", {**NEW, "colour": "green"}, 422),
        ("adam", "PATCH", "/trackers/999", {"name": "x"}, 404),
        ("adam", "DELETE", "/trackers/999", None, 404),
        ("adam", "POST", "/trackers/999/check", None, 404),
        ("olga", "POST", "/trackers/999/exports", {"insights": [1]}, 404),
        ("vera", "POST", "/trackers/999/exports", {"insights": [1]}, 403),
        ("olga", "POST", "/trackers/999/exports", {"insights": ["x"]}, 422),
        ("vera", "GET", "/exports/1", None, 403),
        ("olga", "GET", "/exports/1", None, 404),
        ("olga", "PUT", "/trackers", NEW, 405),
    ],
)
def test_who_is_refused(
    as_: Callers, who: str | None, method: str, path: str, body: Any, status: int
) -> None:
    assert as_(who).call(method, path, body).status_code == status
