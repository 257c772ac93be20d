"""What lines need, and what became of it; "me too" by a link of a mail."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from gemba.db import db
from gemba.insights import service
from gemba.insights.models import Insight, InsightVote
from gemba.insights.rules.kinds import CommentKind, Standing, Status
from gemba.insights.service import asks, talk
from gemba.insights.service.asks import Wanted
from gemba.insights.service.vote_links import LIVES, vote_path, whose_link
from gemba.outbox.models import OutboxItem
from gemba.people.models import Person
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.insights.stage import make_visit, note

SECRET = "zanzibar"


def scene(cast: Cast, clock: StandingClock) -> tuple[int, int]:
    """Two insights: Lev asks at the first; of three asks noted in visits one may be read by all."""
    visit = make_visit(cast, clock() - timedelta(days=3), status="held")
    first = note(visit, cast.vera, "Order search is slow", clock(), severity=3).insight_id or 0
    second = note(visit, cast.vera, "=Refunds by hand", clock(), severity=2, is_ask=True).insight_id or 0
    fresh = note(visit, cast.vera, f"{SECRET} waits", clock(), is_ask=True)
    fresh.standing = Standing.FRESH
    assert fresh.insight is not None
    fresh.insight.review_visit_id = visit.id
    struck = note(visit, cast.vera, f"{SECRET} struck", clock(), insight=first, is_ask=True)
    struck.standing = Standing.STRUCK
    db.session.flush()
    talk.say(first, cast.lev, "One search for all orders", CommentKind.ASK, now=clock())
    talk.say(first, cast.lev, "just a word", now=clock())
    gone = talk.say(first, cast.lev, f"{SECRET} taken back", CommentKind.ASK, now=clock())
    talk.take_back(gone.id, cast.lev, now=clock())
    hidden = talk.say(fresh.insight_id or 0, cast.lev, f"{SECRET} hidden", CommentKind.ASK, now=clock())
    assert hidden.kind == CommentKind.ASK
    for root in (first, second, fresh.insight_id or 0):
        service.reindex(root)
    return first, second


def test_asks_of_lines_and_what_became_of_them(cast: Cast, clock: StandingClock) -> None:
    first, second = scene(cast, clock)
    clock.forward(days=2)
    service.patch(first, cast.olga, {"status": "declined"}, reason="By design", now=clock())

    def found(**wanted: object) -> list[tuple[str, str, str]]:
        rows = asks.of_lines(cast.eve, Wanted(**wanted), now=clock())  # type: ignore[arg-type]
        return [(ask.text, ask.by, ask.line) for ask in rows]

    line = db.session.get_one(Person, cast.alice.id).line
    assert line is not None
    said = ("One search for all orders", cast.lev.name, line.name)
    noted = ("=Refunds by hand", "", line.name)
    assert set(found()) == {said, noted}
    assert found(statuses=(Status.DECLINED,)) == [said]
    assert found(statuses=(Status.NEW,)) == [noted]
    assert set(found(line_id=line.id, programme_id=cast.programme.id)) == {said, noted}
    assert found(line_id=999) == found(programme_id=999) == []
    (declined,) = asks.of_lines(cast.eve, Wanted(statuses=(Status.DECLINED,)), now=clock())
    assert (declined.reason, declined.days, declined.item.insight.id) == ("By design", 2, first)
    # Lev sat in the visit: what waits for its review he may read.
    assert len(asks.of_lines(cast.lev, Wanted(), now=clock())) == 4
    assert asks.mine(cast.lev) == (2, 1)
    assert asks.mine(cast.eve) == (0, 0)
    service.merge(second, cast.olga, first, now=clock())
    assert len(found(statuses=(Status.DECLINED,))) == 2
    # A line too small to be spoken of is named beside no note; its lead spoke for himself.
    cast.programme.smallest_group = 99
    db.session.flush()
    assert set(found()) == {said, (noted[0], "", "")}
    assert found(line_id=line.id) == [said]


def test_the_page_and_the_file(site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock) -> None:
    eve, lev = browser.as_(site_cast.eve.id), browser.as_(site_cast.lev.id)
    assert "Nobody asks for anything yet" in eve.get("/backlog/asks").text
    with site.app_context():
        first, _second = scene(site_cast, clock)
        db.session.commit()
    page = eve.get("/backlog/asks").text
    assert "One search for all orders" in page
    assert SECRET not in page
    assert "Nothing matches" in eve.get("/backlog/asks?line=999&state=done").text
    assert "One search" in eve.get("/backlog/asks?line=x&programme=&state=soon").text
    file = eve.get("/backlog/asks/export?state=open")
    assert file.headers["Content-Disposition"].startswith('attachment; filename="gemba-asks-')
    rows = list(csv.DictReader(io.StringIO(file.get_data().decode("utf-8-sig"), newline="")))
    assert {(row["ask"], row["by"], row["status"]) for row in rows} == {
        ("One search for all orders", site_cast.lev.name, "new"),
        ("'=Refunds by hand", "", "new"),
    }
    assert SECRET not in file.text
    home = lev.get("/").text
    assert "What became of each" in home
    assert "What became of each" not in eve.get("/").text
    assert "/backlog/asks" in eve.get("/backlog").text
    assert f"/insights/{first}" in page


@pytest.fixture
def mailed(site: Flask, site_cast: Cast, clock: StandingClock) -> tuple[int, str]:
    """An insight whose news went to Alice, with the link of that mail."""
    with site.app_context():
        first, _second = scene(site_cast, clock)
        service.vote(first, site_cast.vera, now=clock())
        service.patch(first, site_cast.olga, {"status": "planned"}, now=clock())
        db.session.commit()
        mails = db.session.scalars(select(OutboxItem).where(OutboxItem.group_key == f"insight-news:{first}"))
        paths = {mail.recipient: mail.payload["context"]["vote"] for mail in mails}
        assert paths[site_cast.vera.email] == ""
        return first, paths[site_cast.alice.email]


def votes(site: Flask, insight_id: int) -> set[int]:
    with site.app_context():
        query = select(InsightVote.person_id).where(InsightVote.insight_id == insight_id)
        return set(db.session.scalars(query))


def test_me_too_by_the_link_of_a_mail(
    site: Flask, site_cast: Cast, browser: Browser, mailed: tuple[int, str], clock: StandingClock
) -> None:
    insight, path = mailed
    guest, eve = browser.anonymous(), browser.as_(site_cast.eve.id)
    shown = guest.get(path)
    assert "Order search is slow" in shown.text
    assert guest.head(path).status_code == 200
    assert votes(site, insight) == {site_cast.vera.id}
    # Whoever is signed in here does not matter, and twice is once.
    for client in (eve, guest):
        answer = client.post(path)
        assert (answer.status_code, answer.location) == (303, path)
    assert votes(site, insight) == {site_cast.vera.id, site_cast.alice.id}
    assert "You said so" in guest.get(path).text
    assert guest.put(path).status_code == 405
    assert guest.get(f"/insights/{insight}").status_code == 303


def test_links_that_lead_nowhere_all_look_the_same(
    site: Flask, site_cast: Cast, browser: Browser, mailed: tuple[int, str], clock: StandingClock
) -> None:
    insight, path = mailed
    guest = browser.anonymous()
    with site.app_context():
        hidden = db.session.scalars(select(Insight.id).where(Insight.review_visit_id.is_not(None))).one()
        alice = site_cast.alice.id
        assert whose_link(vote_path(hidden, alice, clock()).rpartition("/")[2], now=clock()) is not None
        bad = [
            path[:-1] + ("A" if path[-1] != "A" else "B"),
            path.replace(f"{insight}-", f"{insight + 1}-", 1),
            f"{path}x",
            "/me-too/1-2-3-4",
            vote_path(hidden, site_cast.eve.id, clock()),
            vote_path(999, alice, clock()),
            vote_path(insight, 999, clock()),
            vote_path(insight, alice, clock() - LIVES - timedelta(days=1)),
        ]
        db.session.get_one(Person, site_cast.ada.id).active = False
        db.session.commit()
        bad.append(vote_path(insight, site_cast.ada.id, clock()))
    pages = set()
    for one in bad:
        for answer in (guest.get(one), guest.post(one)):
            assert answer.status_code == 404, one
            pages.add(answer.text.split("<main")[1].split("</main>")[0])
    assert len(pages) == 1
    assert votes(site, insight) == {site_cast.vera.id}
    clock.forward(days=LIVES.days + 1)
    assert guest.get(path).status_code == 404


def test_asks_are_found_newest_first_by_their_own_indexes(
    site: Flask, site_cast: Cast, clock: StandingClock
) -> None:
    """However many comments and notes there are: only asks are read, and of them only the newest."""
    asked: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        asked.append((statement, parameters))

    with site.app_context():
        assert db.engine.dialect.name == "sqlite"
        scene(site_cast, clock)
        event.listen(db.engine, "before_cursor_execute", hear)
        try:
            assert asks.of_lines(site_cast.eve, Wanted(), now=clock())
        finally:
            event.remove(db.engine, "before_cursor_execute", hear)
        driver = db.session.connection()
        plans = [
            " ".join(str(row[3]) for row in driver.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", given))
            for text, given in asked
            if "LIMIT" in text
        ]
    assert [plan.count("USING INDEX ix_insight_comment_ask") for plan in plans] == [1, 0]
    assert [plan.count("USING INDEX ix_observation_ask") for plan in plans] == [0, 1]
    assert not [plan for plan in plans if "USE TEMP B-TREE FOR ORDER BY" in plan]


def test_asks_have_pages_and_the_file_holds_all(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    with site.app_context():
        first, _second = scene(site_cast, clock)
        for number in range(60):
            clock.forward(minutes=1)
            talk.say(first, site_cast.lev, f"wish {number:02}", CommentKind.ASK, now=clock())
        db.session.commit()
    eve = browser.as_(site_cast.eve.id)
    newest, older = eve.get("/backlog/asks?state=open").text, eve.get("/backlog/asks?state=open&page=2").text
    assert ("wish 59" in newest, "wish 10" in newest, "wish 09" in newest) == (True, True, False)
    assert ("wish 09" in older, "wish 10" in older) == (True, False)
    assert "/backlog/asks?page=2&amp;state=open" in newest
    assert 'href="/backlog/asks?state=open" ' in older.replace('">', '" >')
    assert "Nothing is left here" in eve.get("/backlog/asks?page=99").text
    assert eve.get("/backlog/asks?page=x").status_code == 200
    file = eve.get("/backlog/asks/export?state=open").get_data().decode("utf-8-sig")
    assert file.count("wish ") == 60
