"""Triage: kept, added to another, put off, asked about, set apart; by whom, and what is refused."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.errors import Forbidden, Invalid, NotFound
from gemba.insights import service
from gemba.insights.models import Insight
from gemba.insights.rules.kinds import Triage
from gemba.insights.service import triage
from gemba.outbox.models import OutboxItem
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.insights.stage import make_visit, note


def insights(cast: Cast, clock: StandingClock, *texts: str, tool: str = "") -> list[int]:
    visit = make_visit(cast, clock() - timedelta(hours=1), status="held")
    made = [note(visit, cast.vera, text, clock(), tool=tool) for text in texts]
    return [one.insight_id or 0 for one in made]


def box(cast: Cast, clock: StandingClock, which: Triage = Triage.INBOX) -> list[int]:
    return [row.id for row in triage.inbox(cast.olga, which, None, now=clock()).rows]


def test_what_is_sorted_leaves_the_inbox(cast: Cast, clock: StandingClock) -> None:
    keep, twin, wait, query, stay = insights(cast, clock, "one", "two", "three", "four", "five")
    assert box(cast, clock) == [keep, twin, wait, query, stay]
    assert triage.take(keep, cast.olga, "A better title", now=clock()).title == "A better title"
    assert triage.same(twin, cast.olga, keep, now=clock()).id == keep
    triage.later(wait, cast.olga, "after the release", now=clock())
    triage.ask(query, cast.adam, "which screen was it?", now=clock())
    assert box(cast, clock) == [stay]
    assert box(cast, clock, Triage.LATER) == [wait]
    assert box(cast, clock, Triage.QUESTION) == [query]
    assert triage.count(Triage.LATER) == 1
    assert service.get(keep, cast.eve, now=clock()).item.counts.observations == 2
    asked = select(OutboxItem).where(OutboxItem.group_key == f"insight:{query}")
    mail = db.session.scalars(asked).one()
    assert (mail.recipient, mail.payload["context"]["question"]) == (cast.vera.email, "which screen was it?")
    triage.back(wait, cast.olga, now=clock())
    assert box(cast, clock) == [wait, stay]
    service.unmerge(twin, cast.olga, now=clock())
    assert service.get(keep, cast.eve, now=clock()).item.counts.observations == 1


def test_a_pair_set_apart_is_not_offered_again(cast: Cast, clock: StandingClock) -> None:
    one, two = insights(cast, clock, "Order search needs the full number", "searching orders: full numbers")
    assert [near.item.insight.id for near in service.similar(one, cast.olga, now=clock())] == [two]
    for _twice in range(2):
        triage.set_apart(two, cast.olga, one, now=clock())
    assert service.similar(one, cast.olga, now=clock()) == []
    assert service.similar(two, cast.olga, now=clock()) == []
    with pytest.raises(NotFound):
        triage.set_apart(one, cast.olga, one, now=clock())


def test_what_is_open_on_the_same_tool_and_step(cast: Cast, clock: StandingClock) -> None:
    visit = make_visit(cast, clock() - timedelta(hours=1), status="held")

    def made(text: str, tool: str = "", step: str = "", **fields: object) -> int:
        noted = note(visit, cast.vera, text, clock(), tool=tool)
        insight = db.session.get_one(Insight, noted.insight_id)
        insight.step = step
        for name, value in fields.items():
            setattr(insight, name, value)
        db.session.flush()
        return insight.id

    one = made("the parcel is not found", "CRM", "search")
    tool_only = made("macros vanish", "crm")
    step_too = made("four clicks for each buyer", "CRM", "Search")
    made("it is done", "crm", "search", status="done")
    made("it is declined", "crm", "search", status="declined")
    made("slow map", "map", "search")
    hidden = made("nobody reads it yet", "crm", "search")
    elsewhere = make_visit(cast, clock() - timedelta(hours=3), visitor=cast.eve)
    db.session.get_one(Insight, hidden).review_visit_id = elsewhere.id
    db.session.flush()

    def near() -> list[tuple[int, str]]:
        found = triage.inbox(cast.olga, Triage.INBOX, one, now=clock()).near
        assert found is not None
        return [(each.item.insight.id, each.place) for each in found.neighbours]

    assert near() == [(step_too, "step"), (tool_only, "tool")]
    triage.set_apart(one, cast.olga, step_too, now=clock())
    assert near() == [(tool_only, "tool")]
    triage.same(one, cast.olga, tool_only, now=clock())
    counts = service.get(tool_only, cast.eve, now=clock()).item.counts
    assert counts.observations == 2


def test_refusals(cast: Cast, clock: StandingClock) -> None:
    (one,) = insights(cast, clock, "one")
    for words in ("", "  ", "x" * 501):
        with pytest.raises(Invalid):
            triage.later(one, cast.olga, words, now=clock())
    for person in (cast.vera, cast.alice, cast.lev):
        with pytest.raises(Forbidden):
            triage.take(one, person, "", now=clock())
    triage.take(one, cast.olga, "", now=clock())
    for act in (triage.take, triage.later):
        with pytest.raises(NotFound):
            act(one, cast.olga, "again", now=clock())
    hidden = db.session.get_one(Insight, insights(cast, clock, "two")[0])
    hidden.review_visit_id = make_visit(cast, clock()).id
    db.session.flush()
    assert box(cast, clock) == []
    with pytest.raises(NotFound):
        triage.take(hidden.id, cast.olga, "", now=clock())


def test_the_page_without_scripts(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    with site.app_context():
        one, two, three = insights(
            site_cast, clock, "Order search needs the full number", "searching orders: full numbers", "late"
        )
        db.session.commit()
    olga = browser.as_(site_cast.olga.id)
    page = olga.get("/backlog/triage").text
    for words in (
        "3 insights wait here",
        "Perhaps the same",
        "shared words: searching, orders, full, numbers",
    ):
        assert words in page
    assert olga.post(f"/backlog/triage/{one}", data={"act": "later", "reason": ""}).status_code == 422
    assert olga.post(f"/backlog/triage/{one}", data={"act": "fly"}).status_code == 422
    assert olga.post("/backlog/triage/9999", data={"act": "take"}).status_code == 404
    missing = olga.post(
        f"/backlog/triage/{one}", data={"act": "same", "into": "9999", "reason": "kept words"}
    )
    assert missing.status_code == 422
    assert "kept words" in missing.text
    answer = olga.post(f"/backlog/triage/{one}", data={"act": "same", "into": str(two)})
    assert answer.location == f"/backlog/triage?at={two}"
    assert "Added as evidence to" in olga.get(answer.location).text
    assert olga.post(f"/backlog/triage/{two}", data={"act": "apart", "into": str(three)}).status_code == 303
    assert olga.post(f"/backlog/triage/{three}", data={"act": "later", "reason": "wait"}).status_code == 303
    assert "wait" in olga.get("/backlog/triage?box=later").text
    assert "Nothing waits here" in olga.get("/backlog/triage?box=question").text
    with site.app_context():
        left, _right = insights(site_cast, clock, "a parcel is lost", "four clicks a buyer", tool="crm")
        db.session.commit()
    page = olga.get(f"/backlog/triage?at={left}").text
    for words in ("Open on the same tool: crm", "same tool", 'data-key="m1"'):
        assert words in page
    vera = browser.as_(site_cast.vera.id)
    assert vera.get("/backlog/triage").status_code == 403
    assert vera.post(f"/backlog/triage/{three}", data={"act": "take"}).status_code == 403
