"""The pages: connect, map, look at exactly what is sent, send it, see it, link an existing ticket."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.outbox.worker import Worker
from gemba.trackers.models import Claim, Connection
from gemba.trackers.rules.kinds import TrackerKind
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.crowd import add_insights, add_visits
from tests.trackers.fake import Fake, fake_tracker


@pytest.fixture
def fake(site: Flask) -> Iterator[Fake]:
    """A Redmine with a required field, which the app may reach."""
    settings = site.extensions["gemba_settings"]
    site.extensions["gemba_settings"] = replace(settings, fetch_allowed=("127.0.0.0/8",))
    with fake_tracker(TrackerKind.REDMINE, required=True) as fake:
        yield fake


@pytest.fixture
def ids(site: Flask, site_cast: Cast, clock: StandingClock) -> list[int]:
    """Two insights with evidence."""
    with site.app_context():
        visits = add_visits(site_cast, [site_cast.alice.id], 2, clock())
        made = add_insights(site_cast, visits[1:], 2, clock())
        db.session.commit()
    return made


def form(fake: Fake, **more: Any) -> dict[str, Any]:
    """The connect page as it is filled in."""
    return {
        "kind": "redmine",
        "base_url": fake.url,
        "project": "web",
        "item_type": "Bug",
        "token": "secret-token",
        "name": "Web team",
        **more,
    }


def test_from_connecting_to_a_closed_insight(
    site: Flask, site_cast: Cast, browser: Browser, fake: Fake, ids: list[int], clock: StandingClock
) -> None:
    adam, olga = browser.as_(site_cast.adam.id), browser.as_(site_cast.olga.id)
    assert "No tracker is connected" in adam.get("/trackers").text
    made = adam.post("/trackers/new", data=form(fake))
    assert made.status_code == 303
    page = adam.get(made.location).text
    assert "the tracker requires Severity" in page
    assert "secret-token" not in page + adam.get(f"{made.location}/edit").text
    chosen = f"{made.location}/export?ids={ids[0]}&ids={ids[1]}"
    assert "the tracker requires Severity" in olga.get(chosen).text
    refused = olga.post(f"{made.location}/export", data={"ids": f"{ids[0]}"})
    assert refused.location == made.location
    assert "Severity" in olga.get(refused.location).text

    mapping = {"from:cf_4": "fixed", "value:cf_4": "high", "keep:cf_4": "once", "status:done": "done"}
    assert adam.post(f"{made.location}/mapping", data=mapping).status_code == 303
    preview = olga.get(chosen).text
    assert "2 new tickets." in preview
    assert "Send 2 insights" in preview
    assert "high" in preview
    started = olga.post(f"{made.location}/export", data={"ids": f"{ids[0]},{ids[1]}"})
    assert "It is being sent." in olga.get(started.location).text
    with site.app_context():
        Worker(site, clock=clock).drain()
    assert "Everything is settled." in olga.get(started.location).text
    assert [made.fields["custom_fields"][0]["value"] for made in fake.tickets] == ["high", "high"]
    assert "#1" in olga.get(f"/insights/{ids[0]}").text or "#2" in olga.get(f"/insights/{ids[0]}").text


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"project": ""}, "Say which project the tickets go to."),
        ({"token": ""}, "This is needed to sign in to the tracker."),
        ({"base_url": "redmine"}, "Give an address that begins with"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_words_stay(
    site_cast: Cast, browser: Browser, fake: Fake, wrong: dict[str, str], sentence: str
) -> None:
    answer = browser.as_(site_cast.adam.id).post("/trackers/new", data=form(fake, **wrong))
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'value="Web team"' in answer.text
    assert "secret-token" not in answer.text
    assert fake.asked == []


def test_a_bad_rule_keeps_what_was_chosen(site_cast: Cast, browser: Browser, fake: Fake) -> None:
    adam = browser.as_(site_cast.adam.id)
    place = adam.post("/trackers/new", data=form(fake)).location
    answer = adam.post(f"{place}/mapping", data={"rule_score": "many", "core:title": "step"})
    assert answer.status_code == 422
    assert "Give a whole number from 1 to 100, or nothing." in answer.text
    assert 'value="many"' in answer.text
    assert adam.post(f"{place}/mapping", data={"core:title": "sometimes"}).status_code == 422


def test_what_is_ticked_in_the_backlog_is_previewed(
    site_cast: Cast, browser: Browser, fake: Fake, ids: list[int]
) -> None:
    adam, olga = browser.as_(site_cast.adam.id), browser.as_(site_cast.olga.id)
    number = adam.post("/trackers/new", data=form(fake)).location.rpartition("/")[2]
    ticked = {"tracker": number, "insight": [str(each) for each in ids]}
    shown = olga.post("/trackers/export", data=ticked)
    assert shown.status_code == 303
    assert "2 new tickets." in olga.get(shown.location).text
    for nothing in ({"tracker": number}, {"insight": "1"}, {"tracker": "x", "insight": "1"}):
        answer = olga.post("/trackers/export", data=nothing)
        assert answer.location == "/backlog"
        assert "Choose insights first" in olga.get(answer.location).text


def test_an_existing_ticket_is_found_linked_and_taken_off(
    site: Flask, site_cast: Cast, browser: Browser, fake: Fake, ids: list[int]
) -> None:
    fake.create(title="Search is slow", body="")
    adam, olga = browser.as_(site_cast.adam.id), browser.as_(site_cast.olga.id)
    number = adam.post("/trackers/new", data=form(fake)).location.rpartition("/")[2]
    found = olga.get(f"/insights/{ids[0]}/link?tracker={number}&q=%231").text
    assert "Search is slow" in found
    linked = olga.post(f"/insights/{ids[0]}/link", data={"tracker": number, "ref": "1"})
    assert linked.status_code == 303
    assert "#1" in olga.get(linked.location).text
    again = olga.post(f"/insights/{ids[0]}/link", data={"tracker": number, "ref": "1"})
    assert "has a ticket in this tracker already" in olga.get(again.location).text
    nothing = olga.post(f"/insights/{ids[1]}/link", data={"tracker": number, "ref": "99"})
    assert "no ticket of this name" in olga.get(nothing.location).text
    with site.app_context():
        ticket = db.session.scalars(select(Claim.id)).one()
    assert olga.post(f"/tickets/{ticket}/unlink").status_code == 303
    with site.app_context():
        assert db.session.scalars(select(Claim)).all() == []


def test_a_token_that_is_refused_is_shown(site: Flask, site_cast: Cast, browser: Browser, fake: Fake) -> None:
    adam = browser.as_(site_cast.adam.id)
    fake.token_is_dead = True
    place = adam.post("/trackers/new", data=form(fake)).location
    assert "does not take our token any more" in adam.get(place).text
    fake.token_is_dead = False
    assert adam.post(f"{place}/edit", data=form(fake, token="new")).status_code == 303
    assert "does not take our token any more" not in adam.get(place).text
    assert adam.post(f"{place}/remove").status_code == 303
    with site.app_context():
        assert db.session.scalars(select(Connection)).all() == []
