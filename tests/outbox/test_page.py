"""The outbox page and its commands."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from gemba.cli import cli
from gemba.db import db
from gemba.outbox import claims
from gemba.outbox.models import OutboxItem
from gemba.outbox.rules import Permanent, State, Temporary
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.outbox.conftest import hello

REASON = "550 5.1.1 <no> such & mailbox"


def fill(site: Flask, clock: StandingClock) -> dict[str, int]:
    """One item of each state: done, dead, a later try, dropped, waiting."""
    with site.app_context():
        claims.heartbeat("worker", clock())
        names = ("done", "dead", "later", "dropped")
        ids = {name: hello(clock(), number, group_key=name).id for number, name in enumerate(names)}
        for name in names[:3]:
            held = claims.claim(clock(), timedelta(seconds=60))
            assert held is not None
            if name == "done":
                claims.finish(held, clock())
            else:
                claims.fail(held, (Permanent if name == "dead" else Temporary)(REASON), clock())
        item = db.session.get_one(OutboxItem, ids["dropped"])
        item.state = State.DROPPED.value
        ids["waiting"] = hello(clock(), 9, to="anton@gemba.example").id
        db.session.commit()
    return ids


def state(site: Flask, item_id: int) -> tuple[str, int]:
    """An item's state and tries."""
    with site.app_context():
        item = db.session.get_one(OutboxItem, item_id)
        return item.state, item.attempts


def test_the_page_says_what_waits_and_what_failed(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    fill(site, clock)
    page = browser.as_(site_cast.adam.id).get("/outbox").text
    assert "<h1>Outbox</h1>" in page
    assert "2 messages wait to leave." in page
    assert "550 5.1.1 &lt;no&gt; such &amp; mailbox" in page
    assert "1 could not be sent. A worker was seen 0 seconds ago." in " ".join(page.split())
    assert page.count("Send again</button>") == 1
    assert page.count("Send now</button>") == 2
    assert "No worker" not in page


@pytest.mark.parametrize(
    ("asked", "rows"), [("waiting", 2), ("failed", 1), ("sent", 1), ("dropped", 1), ("all", 5), ("odd", 5)]
)
def test_the_page_filters(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock, asked: str, rows: int
) -> None:
    fill(site, clock)
    page = browser.as_(site_cast.adam.id).get(f"/outbox?state={asked}").text
    assert page.count("<tr>") - 1 == rows


def test_an_empty_outbox_says_what_will_be_here(site_cast: Cast, browser: Browser) -> None:
    page = browser.as_(site_cast.adam.id)
    assert "Nothing has been sent yet" in page.get("/outbox").text
    assert "No worker was ever seen here." in page.get("/outbox").text
    assert "Nothing of that kind" in page.get("/outbox?state=failed").text


def test_a_silent_worker_is_said_aloud(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    fill(site, clock)
    clock.forward(minutes=3)
    assert "No worker seen for 3 minutes." in browser.as_(site_cast.adam.id).get("/outbox").text


def test_pages_follow_one_another(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    with site.app_context():
        for number in range(60):
            hello(clock(), number)
        db.session.commit()
    adam = browser.as_(site_cast.adam.id)
    assert "cursor=11" in adam.get("/outbox").text
    assert adam.get("/outbox?cursor=11").text.count("<tr>") - 1 == 10
    assert adam.get("/outbox?cursor=rubbish").status_code == 200
    assert adam.get("/outbox?cursor=99999999999999999999").status_code == 200


def test_what_failed_is_sent_again_by_a_button(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    ids = fill(site, clock)
    answer = browser.as_(site_cast.adam.id).post(f"/outbox/{ids['dead']}/retry", data={"state": "failed"})
    assert (answer.status_code, answer.location) == (303, "/outbox?state=failed")
    assert state(site, ids["dead"]) == (State.READY, 0)


def test_what_waits_is_given_up_by_a_button(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    ids = fill(site, clock)
    adam = browser.as_(site_cast.adam.id)
    assert adam.post(f"/outbox/{ids['later']}/discard").status_code == 303
    assert state(site, ids["later"])[0] == State.DROPPED
    assert f'action="/outbox/{ids["later"]}/retry"' in adam.get("/outbox?state=sent").text
    assert adam.post(f"/outbox/{ids['done']}/discard").status_code == 409
    assert adam.post(f"/outbox/{ids['done']}/retry").status_code == 409
    assert adam.post(f"/outbox/{ids['later']}/retry").status_code == 303
    assert state(site, ids["later"]) == (State.READY, 0)


@pytest.mark.parametrize("path", ["/outbox/999/retry", "/outbox/999/discard"])
def test_missing_items_and_wrong_methods(site_cast: Cast, browser: Browser, path: str) -> None:
    adam = browser.as_(site_cast.adam.id)
    assert adam.post(path).status_code == 404
    assert adam.get(path).status_code == 405


def test_only_admins_see_the_outbox(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    ids = fill(site, clock)
    for person in (site_cast.vera, site_cast.alice, site_cast.lev, site_cast.olga):
        client = browser.as_(person.id)
        assert client.get("/outbox").status_code == 403
        assert client.post(f"/outbox/{ids['dead']}/retry").status_code == 403
        assert client.post(f"/outbox/{ids['dead']}/discard").status_code == 403
    nobody = browser.anonymous()
    assert nobody.get("/outbox").location == "/sign-in?next=/outbox"
    assert nobody.post(f"/outbox/{ids['dead']}/retry").status_code == 303
    assert state(site, ids["dead"])[0] == State.DEAD


def test_the_page_costs_the_same_for_many_items(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock, statements: list[str]
) -> None:
    adam = browser.as_(site_cast.adam.id)
    counts = []
    for start in (0, 40):
        with site.app_context():
            for number in range(start, start + 5 + start):
                hello(clock(), number)
            db.session.commit()
        statements.clear()
        adam.get("/outbox")
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_the_list_and_retry_commands(site: Flask, site_cast: Cast, clock: StandingClock) -> None:
    ids = fill(site, clock)
    run = site.test_cli_runner().invoke
    listed = run(cli, ["outbox", "list", "--state", "dead"])
    assert listed.output == f"{ids['dead']}\tdead\t1\tmail\tvera@gemba.example\t{REASON}\n"
    assert len(run(cli, ["outbox", "list"]).output.splitlines()) == 5
    assert run(cli, ["outbox", "retry", "--failed"]).output == "1\n"
    assert state(site, ids["dead"]) == (State.READY, 0)
    assert run(cli, ["outbox", "retry", str(ids["later"])]).output == "1\n"
    for wrong in (["retry"], ["retry", "999"], ["retry", str(ids["done"])], ["list", "--state", "odd"]):
        assert run(cli, ["outbox", *wrong]).exit_code != 0


def test_the_worker_command_drains(site: Flask, site_cast: Cast, clock: StandingClock) -> None:
    with site.app_context():
        hello(clock(), 1)
        db.session.commit()
    done = site.test_cli_runner().invoke(cli, ["worker", "--drain"])
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, "1")
    with site.app_context():
        assert db.session.scalar(select(func.count()).where(OutboxItem.state == State.READY)) == 0
