"""An insight written by hand: made, found to be there already, refused; nothing typed is lost."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from gemba.db import db
from gemba.errors import Forbidden, Invalid
from gemba.insights import service
from gemba.insights.errors import NoSuchTarget
from gemba.insights.models import Insight
from gemba.insights.service import making, talk
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.insights.stage import make_visit, note

TYPED = {
    "title": "Order search needs all fourteen characters",
    "body": "The sticker has four of them.",
    "kind": "tool-pain",
    "hurts": "both",
    "minutes_lost": "4",
    "workaround": "search by e-mail",
    "tool": "crm",
    "step": "search",
    "due": "2026-12-24",
    "tags": "orders slow",
}


def test_it_is_made_found_and_refused(cast: Cast, clock: StandingClock) -> None:
    made = making.make(
        cast.olga, {"title": " Slow  search ", "kind": "tool-pain", "tags": "#b a"}, now=clock()
    )
    detail = service.get(made.id, cast.eve, now=clock())
    assert (made.title, made.tags, made.status, detail.item.score) == ("Slow search", "a b", "new", None)
    assert [change.field for change in detail.changes] == ["made"]
    assert [one.item.insight.id for one in service.similar_to("slow searching", cast.eve, now=clock())] == [
        made.id
    ]
    for fields, error in (
        ({"title": "", "kind": "tool-pain"}, "title"),
        ({"title": "x", "kind": "no such"}, "kind"),
        ({"kind": "tool-pain"}, "title"),
        ({"title": "x", "kind": "tool-pain", "owner_id": cast.eve.id}, "owner_id"),
    ):
        with pytest.raises(Invalid) as refused:
            making.make(cast.olga, fields, now=clock())
        assert error in refused.value.errors
    for _twice in range(2):
        assert making.same_as(made.id, cast.adam, "also on the phone", now=clock()).votes == 1
    assert [one.text for one in talk.of(made.id, cast.eve).comments] == ["also on the phone"] * 2
    for person in (cast.vera, cast.lev, cast.alice):
        with pytest.raises(Forbidden):
            making.make(person, {"title": "x", "kind": "tool-pain"}, now=clock())
        with pytest.raises(Forbidden):
            making.same_as(made.id, person, "x", now=clock())
    hidden = note(make_visit(cast, clock()), cast.vera, "hidden", clock()).insight
    assert hidden is not None
    hidden.review_visit_id = make_visit(cast, clock() - timedelta(hours=2)).id
    db.session.flush()
    with pytest.raises(NoSuchTarget):
        making.same_as(hidden.id, cast.olga, "x", now=clock())


def test_the_form_without_scripts(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    with site.app_context():
        visit = make_visit(site_cast, clock() - timedelta(hours=1), status="held")
        there = note(visit, site_cast.vera, "searching an order: needs characters", clock()).insight_id
        on_tool = note(visit, site_cast.vera, "macros vanish", clock(), tool="crm").insight_id
        db.session.commit()
    olga = browser.as_(site_cast.olga.id)
    assert 'value="typed before"' in olga.get("/backlog/new?q=typed+before").text
    for act, code in (({"act": "look"}, 200), ({"minutes_lost": "many"}, 422), ({"same": "9999"}, 422)):
        answer = olga.post("/backlog/new", data=TYPED | act)
        assert answer.status_code == code
        for words in TYPED.keys() - {"kind", "hurts"}:
            assert (TYPED | act)[words] in answer.text
        for words in ("shared words: searching, order", f'name="same" value="{there}"', "same tool"):
            assert words in answer.text
    part = olga.get("/backlog/new/near?title=&tool=crm&step=").text
    assert "<html" not in part
    assert f'value="{on_tool}"' in part
    answer = olga.post("/backlog/new", data=TYPED | {"same": str(there)})
    assert answer.location == f"/insights/{there}"
    page = olga.get(answer.location).text
    for words in ("Your words are a comment here", TYPED["title"], TYPED["body"], TYPED["workaround"]):
        assert words in page
    answer = olga.post("/backlog/new", data=TYPED)
    page = olga.get(answer.location).text
    for words in (
        "It is in the backlog.",
        "Written by hand",
        "24 December",
        "crm · search",
        "no evidence",
    ):
        assert words.casefold() in page.casefold()
    ended = browser.anonymous().post("/backlog/new", data=TYPED)
    assert ended.status_code == 401
    for words in (TYPED["title"], TYPED["body"], TYPED["due"]):
        assert words in ended.text
    vera = browser.as_(site_cast.vera.id)
    for answer in (vera.get("/backlog/new"), vera.post("/backlog/new", data=TYPED)):
        assert answer.status_code == 403
    assert "New insight" not in vera.get("/backlog").text
    with site.app_context():
        assert db.session.scalar(select(func.count(Insight.id))) == 3
