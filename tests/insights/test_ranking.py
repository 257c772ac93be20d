"""What comes first: weights, rank by hand, insights beside visits, a programme's own statuses."""

from datetime import timedelta

import pytest
from flask import Flask

from gemba.db import db
from gemba.errors import Forbidden, Invalid, NotFound
from gemba.insights import service
from gemba.insights.models import Insight
from gemba.insights.rules.filters import InsightFilter, Order, read
from gemba.insights.rules.kinds import CommentKind, Standing
from gemba.insights.rules.score import Weights
from gemba.insights.service import bulk, ranking, statuses, talk
from gemba.programmes.models import Programme
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.insights.stage import make_visit, note


def scene(cast: Cast, clock: StandingClock) -> list[int]:
    """Three insights: one bad and seen once, one mild and seen by two agents, one that waits for review."""
    first = make_visit(cast, clock() - timedelta(days=2), status="held")
    second = make_visit(cast, clock() - timedelta(hours=1), agent=cast.anton, status="held")
    bad = note(first, cast.vera, "worst thing", clock(), severity=4).insight_id or 0
    mild = note(first, cast.vera, "mild thing", clock(), severity=1).insight_id or 0
    note(second, cast.vera, "mild again", clock(), insight=mild, severity=2)
    waiting = note(second, cast.vera, "zanzibar", clock(), severity=3)
    waiting.standing = Standing.FRESH
    assert waiting.insight is not None
    waiting.insight.review_visit_id = second.id
    db.session.flush()
    service.reindex(waiting.insight.id)
    return [bad, mild, waiting.insight.id]


def order(cast: Cast, clock: StandingClock, by: Order = Order.SCORE) -> list[int]:
    page = service.list_insights(InsightFilter(order=by), cast.eve, now=clock())
    return [item.insight.id for item in page.items]


def test_weights_change_the_order_and_only_within_bounds(cast: Cast, clock: StandingClock) -> None:
    bad, mild, _hidden = scene(cast, clock)
    assert order(cast, clock) == [bad, mild]
    page = service.list_insights(InsightFilter(), cast.eve, now=clock())
    tried = Weights(severity=0, reach=200, agents=200)
    foreseen = {item.insight.id: ranking.weighed(ranking.plain_parts(item), tried) for item in page.items}
    ranking.set_weights(cast.programme.id, cast.olga, tried, now=clock())
    assert order(cast, clock) == [mild, bad]
    assert {one: db.session.get_one(Insight, one).score for one in foreseen} == foreseen
    for wrong in (Weights(severity=-1), Weights(fresh=201)):
        with pytest.raises(Invalid):
            ranking.set_weights(cast.programme.id, cast.olga, wrong, now=clock())


def test_rank_by_hand_stands_beside_the_score(cast: Cast, clock: StandingClock) -> None:
    bad, mild, _hidden = scene(cast, clock)
    ranking.rank(bad, cast.olga, "top", now=clock())
    ranking.rank(mild, cast.olga, "top", now=clock())
    assert order(cast, clock, Order.HAND) == [mild, bad]
    ranking.rank(mild, cast.olga, "down", now=clock())
    assert order(cast, clock, Order.HAND) == [bad, mild]
    ranking.rank(mild, cast.olga, "up", now=clock())
    ranking.rank(mild, cast.olga, "up", now=clock())
    assert order(cast, clock, Order.HAND) == [mild, bad]
    for moved, way, beside, expected in (
        (bad, "before", mild, [bad, mild]),
        (bad, "after", mild, [mild, bad]),
        (bad, "after", bad, [mild, bad]),
        (mild, "before", 999, [bad, mild]),
        (mild, "before", bad, [mild, bad]),
    ):
        ranking.rank(moved, cast.olga, way, beside=beside, now=clock())
        assert order(cast, clock, Order.HAND) == expected, (moved, way, beside)
    ranking.rank(mild, cast.olga, "off", now=clock())
    assert (db.session.get_one(Insight, mild).place, db.session.get_one(Insight, bad).place) == (0, 1)
    assert order(cast, clock) == [bad, mild]
    with pytest.raises(Forbidden):
        ranking.rank(bad, cast.eve, "top", now=clock())


def test_the_matrix_holds_what_everybody_may_read(cast: Cast, clock: StandingClock) -> None:
    bad, mild, hidden = scene(cast, clock)
    found = ranking.matrix(cast.eve, now=clock())
    first, second = (visit for visit, _at in found.visits)
    assert dict(found.cells) == {(bad, first): 4, (mild, first): 1, (mild, second): 2}
    seated = ranking.matrix(cast.vera, now=clock())
    assert seated.cells[hidden, second] == 3


def test_own_statuses(cast: Cast, clock: StandingClock) -> None:
    own = statuses.add(cast.programme.id, cast.adam, "In beta", "В бете", "doing", now=clock())
    for name, category in (("", "new"), ("In beta", "new"), ("x" * 41, "new"), ("y", "soon")):
        with pytest.raises(Invalid):
            statuses.add(cast.programme.id, cast.adam, name, "", category, now=clock())
    bad, *_rest = scene(cast, clock)
    service.patch(bad, cast.olga, {"own_status_id": own.id}, now=clock())
    statuses.remove(cast.programme.id, own.id, cast.adam, now=clock())
    db.session.expire_all()
    insight = db.session.get_one(Insight, bad)
    assert (insight.status, insight.own_status_id) == ("doing", None)
    with pytest.raises(NotFound):
        statuses.remove(cast.programme.id, own.id, cast.adam, now=clock())
    with pytest.raises(NotFound):
        statuses.change(cast.programme.id, own.id, cast.adam, "x", "", "new", now=clock())


def test_insights_follow_an_own_status_and_keep_no_other_programmes(cast: Cast, clock: StandingClock) -> None:
    bad, mild, _hidden = scene(cast, clock)
    other = Programme(slug="till", name="Free till", format="hands-on", created_at=clock())
    db.session.add(other)
    db.session.flush()
    foreign = statuses.add(other.id, cast.adam, "At the till", "", "doing", now=clock())
    own = statuses.add(cast.programme.id, cast.adam, "In beta", "В бете", "doing", now=clock())
    for wrong in (foreign.id, 999):
        with pytest.raises(Invalid) as refused:
            service.patch(bad, cast.olga, {"own_status_id": wrong}, now=clock())
        assert list(refused.value.errors) == ["own_status_id"]
    made = bulk.change([bad, mild], cast.olga, {"own_status_id": own.id}, now=clock())
    asked = read({"own_status": str(own.id)}, default_status="open")
    for category in ("done", "planned"):
        statuses.change(cast.programme.id, own.id, cast.adam, "Beta", "Бета", category, now=clock())
        rows = service.export_rows(asked, cast.eve, url_of=str, now=clock())
        assert {(row.id, row.status, row.own_status) for row in rows} == {
            (bad, category, "Beta"),
            (mild, category, "Beta"),
        }
        last = service.get(bad, cast.eve, now=clock()).changes[0]
        assert (last.field, last.after) == ("status", category)
    apart = note(make_visit(cast, clock()), cast.vera, "one more", clock(), insight=bad)
    split = service.split(bad, cast.olga, [apart.id], now=clock())
    assert (split.own_status_id, split.programme_id) == (own.id, cast.programme.id)
    assert statuses.held(cast.programme.id) == {own.id: 3}
    back = bulk.change([mild], cast.olga, {"status": "new"}, now=clock())
    statuses.remove(cast.programme.id, own.id, cast.adam, now=clock())
    # What would come back with either is gone; nobody is left with a status that does not exist.
    assert bulk.undo(back.id, cast.olga, now=clock()) == 1
    bulk.undo(made.id, cast.olga, now=clock())
    db.session.expire_all()
    assert [
        (db.session.get_one(Insight, one).status, db.session.get_one(Insight, one).own_status_id)
        for one in (bad, mild)
    ] == [("planned", None), ("planned", None)]
    assert service.list_insights(asked, cast.eve, now=clock()).items == []


def test_the_pages(site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock) -> None:
    with site.app_context():
        bad, _mild, _hidden = scene(site_cast, clock)
        talk.say(bad, site_cast.lev, "One search for all", CommentKind.ASK, now=clock())
        db.session.commit()
    olga, adam, eve = (browser.as_(one.id) for one in (site_cast.olga, site_cast.adam, site_cast.eve))
    top = eve.get("/backlog/top").text
    assert "worst thing" in top
    assert "One search for all" in top
    for path in ("/backlog/top", "/backlog/matrix", "/backlog?order=hand"):
        assert "zanzibar" not in eve.get(path).text
        assert "worst thing" in eve.get(path).text
    weights = "/programmes/shadow/weights"
    tried = olga.get(f"{weights}?severity=0&agents=200").text
    assert tried.index("mild thing") < tried.index("worst thing")
    parts = dict.fromkeys(("severity", "reach", "agents", "hurts", "minutes", "fresh"), "100")
    assert olga.post(weights, data=parts).status_code == 303
    assert olga.post(weights, data=parts | {"fresh": "201"}).status_code == 422
    assert olga.get("/programmes/none/weights").status_code == 404
    with site.app_context():
        other = Programme(slug="other", name="Other", format="hands-on", created_at=clock())
        db.session.add(other)
        db.session.commit()
    assert "No open insight of this programme" in olga.get("/programmes/other/weights").text
    statuses = "/programmes/shadow/statuses"
    assert adam.post(statuses, data={"name": "In beta", "category": "doing"}).status_code == 303
    assert adam.post(statuses, data={"name": "", "category": "doing"}).status_code == 422
    page = olga.get(f"/insights/{bad}").text
    own = page.split('value="own-')[1].split('"')[0]
    assert olga.post(f"/insights/{bad}/status", data={"status": f"own-{own}"}).status_code == 303
    assert "In beta" in olga.get("/backlog").text
    shown = "status=all&col=status&col=own_status"
    assert "worst thing,in progress,In beta" in olga.get(f"/backlog/export?format=shown&{shown}").text
    of_own = eve.get(f"/backlog?own_status={own}").text
    assert "worst thing" in of_own
    assert "mild thing" not in of_own
    assert "a removed one" in eve.get("/backlog?own_status=999").text
    board = eve.get("/backlog/board").text
    assert board.index('id="own-') < board.index("worst thing")
    renamed = {"change": own, "name": "Tried out", "name_ru": "В пробе", "category": "planned"}
    assert adam.post(statuses, data=renamed).status_code == 303
    again = adam.post(statuses, data=renamed | {"name": ""})
    assert (again.status_code, again.text.count("Give a new name of at most")) == (422, 1)
    assert "Tried out" in olga.get("/backlog/board").text
    chosen = {"insight": [str(bad)], "act": "status", "to_status": f"own-{own}"}
    assert olga.post("/backlog/bulk", data=chosen).status_code == 303
    assert olga.post(f"/insights/{bad}/status", data={"status": "own-99"}).status_code == 422
    assert adam.post(statuses, data={"remove": own}).status_code == 303
    ranked = olga.post(f"/insights/{bad}/rank?tag=x&col=status", data={"way": "top", "beside": "one"})
    assert ranked.headers["Location"] == f"/backlog?tag=x&order=hand&col=status#row-{bad}"
    assert "Out of the order" in olga.get("/backlog?order=hand").text
