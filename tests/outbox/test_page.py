"""The outbox room and its commands."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from jinja2 import ChoiceLoader, DictLoader
from sqlalchemy import func, select

from gemba.cli import cli
from gemba.db import db
from gemba.outbox import claims, service
from gemba.outbox.models import OutboxItem
from gemba.outbox.rules import Permanent, State, Temporary
from gemba.people.models import Person
from gemba.people.service import audit_of
from gemba.programmes.models import Programme
from gemba.visits import reminders
from gemba.visits import service as visits
from gemba.visits.facts import Ask
from gemba.visits.links import link_token
from gemba.visits.service.reminding import due_mails
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.outbox.conftest import TEMPLATES, hello

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


def test_a_message_that_waits_too_long_is_said_aloud(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    fill(site, clock)
    clock.forward(minutes=6)
    assert "A message has been waiting for 6 minutes." in browser.as_(site_cast.adam.id).get("/outbox").text


ALARM = "so mail does not leave"


def test_admins_hear_of_it_on_every_page_and_nobody_else(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock, statements: list[str]
) -> None:
    adam, vera = browser.as_(site_cast.adam.id), browser.as_(site_cast.vera.id)
    assert "No worker was ever seen here, so mail does not leave." in adam.get("/visits").text
    ids = fill(site, clock)
    for path in ("/", "/visits", "/people", f"/outbox/{ids['dead']}"):
        assert ALARM not in adam.get(path).text
    clock.forward(minutes=6)
    for path in ("/", "/visits", "/people", f"/outbox/{ids['dead']}"):
        page = " ".join(adam.get(path).text.split())
        assert "No worker was seen for 6 minutes, so mail does not leave." in page
        assert "A message has been waiting for 6 minutes." in page
    statements.clear()
    assert ALARM not in vera.get("/visits").text
    assert not [line for line in statements if "outbox_worker" in line]
    statements.clear()
    adam.get("/visits")
    assert len([line for line in statements if "outbox_worker" in line]) == 1


def test_the_page_finds_by_recipient_and_by_what_it_is_about(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    with site.app_context():
        hello(clock(), 1, to="vera@gemba.example", template="sign_in")
        hello(clock(), 2, to="anton@gemba.example", kind="invite")
        hello(clock(), 3, to="a_b@gemba.example", kind="reminder")
        hello(clock(), 4, to="vera@gemba.example")
        db.session.commit()
    adam = browser.as_(site_cast.adam.id)

    def rows(query: str) -> list[str]:
        return re.findall(r'href="/outbox/(\d+)"', adam.get(f"/outbox?{query}").text)

    assert rows("to=VERA@") == ["4", "1"]
    assert rows("to=a_b") == ["3"]
    assert rows("to=%25") == []
    assert (rows("about=sign-in"), rows("about=invites")) == (["1"], ["2"])
    assert (rows("about=reminders"), rows("about=notices"), rows("about=work")) == (["3"], ["4"], [])
    assert rows("about=sign-in&to=anton") == []
    assert rows("about=rubbish&state=x&to=") == ["4", "3", "2", "1"]
    assert 'value="&lt;b&gt;"' in adam.get("/outbox?to=<b>").text
    page = adam.get("/outbox?to=vera&about=notices&state=waiting").text
    assert 'name="to" value="vera"' in page
    assert "about=notices" in page
    back = adam.post("/outbox/4/discard", data={"to": "vera", "about": "notices", "state": "waiting"})
    assert back.location == "/outbox?state=waiting&about=notices&to=vera"


def test_all_that_failed_is_sent_again_at_once(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    ids = fill(site, clock)
    with site.app_context():
        more = hello(clock(), 20)
        gone = hello(clock(), 21, template="code", context={"secret": None})
        more.state = gone.state = State.DEAD.value
        db.session.commit()
        more_id, gone_id = more.id, gone.id
    adam = browser.as_(site_cast.adam.id)
    assert "Send all failed again" in adam.get("/outbox?state=failed").text
    assert adam.get("/outbox/retry-failed").status_code == 405
    answer = adam.post("/outbox/retry-failed")
    assert (answer.status_code, answer.location) == (303, "/outbox?state=waiting")
    assert state(site, ids["dead"]) == state(site, more_id) == (State.READY, 0)
    assert state(site, gone_id)[0] == State.DEAD
    assert adam.post("/outbox/retry-failed").location == "/outbox?state=failed"
    assert log(site, "outbox") == [("outbox-retried", {"count": 0}), ("outbox-retried", {"count": 2})]


def log(site: Flask, subject: str) -> list[tuple[str, dict[str, object]]]:
    with site.app_context():
        return [(entry.action, entry.detail) for entry, _name in audit_of(subject)]


@pytest.fixture
def templates(site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The site knows the templates of these tests."""
    loader = site.jinja_env.loader or DictLoader({})
    monkeypatch.setattr(site.jinja_env, "loader", ChoiceLoader([DictLoader(TEMPLATES), loader]))


@pytest.mark.usefixtures("templates")
def test_a_message_is_shown_with_its_words_and_what_was_done(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    ids = fill(site, clock)
    adam = browser.as_(site_cast.adam.id)
    page = adam.get(f"/outbox/{ids['dead']}").text
    assert "<h1>Message to vera@gemba.example</h1>" in page
    assert "<h3>Hello Vera</h3>" in page
    assert "Monday 23 November" in page
    assert "550 5.1.1 &lt;no&gt; such &amp; mailbox" in page
    assert "It is given up after 12 tries." in adam.get(f"/outbox/{ids['later']}").text
    where = {"from": "message"}
    assert adam.post(f"/outbox/{ids['dead']}/retry", data=where).location == f"/outbox/{ids['dead']}"
    assert adam.post(f"/outbox/{ids['dead']}/discard", data=where).status_code == 303
    said = {"to": "vera@gemba.example", "kind": "mail", "group": "dead"}
    subject = f"outbox:{ids['dead']}"
    assert log(site, subject) == [("outbox-discarded", said), ("outbox-retried", said)]
    page = adam.get(f"/outbox/{ids['dead']}").text
    assert page.count("Adam Admin, ") == 2


def test_no_secret_of_a_mail_is_shown(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    adam = browser.as_(site_cast.adam.id)
    with site.app_context():
        secret = {"code": "123456", "path": "/sign-in/link/s3cr3t"}
        waits = hello(clock(), 1, template="sign_in", context={"secret": secret}).id
        gone = hello(clock(), 2, template="sign_in", context={"secret": None}).id
        db.session.commit()
    for item_id in (waits, gone):
        page = adam.get(f"/outbox/{item_id}").text
        assert "<h3>Sign in to Gemba</h3>" in page
        assert "Your code is •••" in page
        assert not re.search("123456|s3cr3t", page)


def test_links_that_act_for_a_person_are_left_out(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    with site.app_context():
        people = {name: db.session.get_one(Person, getattr(site_cast, name).id) for name in ("vera", "alice")}
        visit = visits.book(
            programme=db.session.get_one(Programme, site_cast.programme.id),
            visitor=people["vera"],
            start=clock().replace(day=26, hour=9),
            ask=Ask(agent_id=people["alice"].id),
            now=clock(),
        )
        item = db.session.query(OutboxItem).filter_by(kind="invite", recipient="vera@gemba.example").one()
        token, item_id = link_token(visit.id, people["vera"].id), item.id
        clock.at = visit.starts_at - timedelta(hours=1)
        reminders.queue(due_mails(clock(), limit=9), clock())
        reminded = db.session.query(OutboxItem).filter_by(kind="reminder", recipient="vera@gemba.example")
        ids = [item_id, *(each.id for each in reminded)]
        db.session.commit()
    assert len(ids) > 1
    for shown in ids:
        page = browser.as_(site_cast.adam.id).get(f"/outbox/{shown}").text
        assert "/answer/…" in page
        assert token not in page
        assert not re.search(r"/mail/[^…•<]{9}", page)


@pytest.mark.usefixtures("templates")
def test_work_behind_the_scenes_and_broken_words_are_said_so(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    with site.app_context():
        broken = hello(clock(), 1, template="broken").id
        service.queue("tick", dedup_key="t", group_key="", recipient="", payload={}, now=clock())
        db.session.commit()
        work = db.session.scalars(select(OutboxItem.id).where(OutboxItem.kind == "tick")).one()
    adam = browser.as_(site_cast.adam.id)
    assert "cannot be filled in" in adam.get(f"/outbox/{broken}").text
    assert "it has no words" in adam.get(f"/outbox/{work}").text
    assert adam.get("/outbox/999").status_code == 404


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
        assert client.get(f"/outbox/{ids['dead']}").status_code == 403
        assert client.post("/outbox/retry-failed").status_code == 403
        assert client.post(f"/outbox/{ids['dead']}/retry").status_code == 403
        assert client.post(f"/outbox/{ids['dead']}/discard").status_code == 403
    nobody = browser.anonymous()
    assert nobody.get("/outbox").location == "/sign-in?next=/outbox"
    assert nobody.post("/outbox/retry-failed").status_code == 303
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
    assert done.exit_code == 0
    assert int(done.output.splitlines()[-1]) > 1, "the mail, and the periodic work"
    with site.app_context():
        assert db.session.scalar(select(func.count()).where(OutboxItem.state == State.READY)) == 0
