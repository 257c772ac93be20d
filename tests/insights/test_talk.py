"""Talk around insights: who reads and writes what, who is mailed, what merging does to it."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.errors import Forbidden, Invalid, NotFound
from gemba.insights import service
from gemba.insights.errors import MergeIntoItself, NoSuchTarget
from gemba.insights.models import Observation
from gemba.insights.rules.kinds import CommentKind, LinkKind
from gemba.insights.service import talk
from gemba.insights.service.striking import Words, rewrite
from gemba.outbox.models import OutboxItem
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.insights.stage import make_visit, note


def seen(cast: Cast, clock: StandingClock, text: str = "slow search") -> int:
    visit = make_visit(cast, clock() - timedelta(hours=1), status="held")
    return note(visit, cast.vera, text, clock()).insight_id or 0


def mailed(template: str) -> list[str]:
    query = select(OutboxItem).where(OutboxItem.state == "ready").order_by(OutboxItem.id)
    return [
        one.recipient.split("@")[0]
        for one in db.session.scalars(query)
        if one.payload["template"] == template
    ]


def test_comments_notes_and_asks(cast: Cast, clock: StandingClock) -> None:
    one = seen(cast, clock)
    talk.say(one, cast.eve, "Me too, @vera and @nobody and x@olga", now=clock())
    talk.say(one, cast.olga, "@lev @eve: dear", CommentKind.NOTE, now=clock())
    talk.say(one, cast.lev, "We need one search", CommentKind.ASK, now=clock())
    assert mailed("insight_mention") == ["vera", "lev"]
    for viewer, count in ((cast.eve, 1), (cast.alice, 1), (cast.olga, 2), (cast.lev, 2), (cast.adam, 2)):
        found = talk.of(one, viewer)
        assert (len(found.comments), len(found.asks)) == (count, 1), viewer.name
    for viewer, kind in (
        (cast.eve, CommentKind.NOTE),
        (cast.eve, CommentKind.ASK),
        (cast.olga, CommentKind.ASK),
    ):
        with pytest.raises(Forbidden):
            talk.say(one, viewer, "no", kind, now=clock())
    for words in ("  ", "x" * 4001):
        with pytest.raises(Invalid):
            talk.say(one, cast.eve, words, now=clock())
    mine = talk.of(one, cast.eve).comments[0]
    inner = talk.of(one, cast.olga).comments[1]
    for viewer, comment in ((cast.vera, mine), (cast.eve, inner), (cast.lev, inner)):
        with pytest.raises(NotFound):
            talk.take_back(comment.id, viewer, now=clock())
    assert talk.take_back(mine.id, cast.eve, now=clock()).text == ""
    assert talk.of(one, cast.eve).comments == []


def test_followers_hear_and_merging_keeps_talk_where_it_was(cast: Cast, clock: StandingClock) -> None:
    one, other = seen(cast, clock), seen(cast, clock, "another thing")
    for _twice in range(2):
        talk.follow(one, cast.ada, now=clock())
    talk.say(one, cast.eve, "here", now=clock())
    service.merge(one, cast.olga, other, now=clock())
    assert sorted(mailed("insight_news")) == ["ada", "alice", "lev", "vera"]
    word = next(
        row for row in db.session.scalars(select(OutboxItem)) if row.payload["template"] == "insight_news"
    )
    assert word.payload["context"]["into"] == "another thing"
    both = talk.of(other, cast.ada)
    assert (len(both.comments), both.follows, both.followers) == (1, True, 1)
    service.unmerge(one, cast.olga, now=clock())
    apart = talk.of(other, cast.ada)
    assert (len(apart.comments), apart.follows, apart.followers) == (0, False, 0)
    assert talk.of(one, cast.ada).follows
    talk.follow(one, cast.ada, on=False, now=clock())
    assert not talk.of(one, cast.ada).follows


def test_links_go_both_ways_and_never_to_what_one_may_not_read(cast: Cast, clock: StandingClock) -> None:
    one, other, hidden = (seen(cast, clock, text) for text in ("slow search", "no search", "zanzibar"))
    waiting = db.session.scalars(select(Observation).where(Observation.insight_id == hidden)).one()
    assert waiting.insight is not None
    talk.link(one, cast.olga, other, LinkKind.BLOCKS, now=clock())
    talk.link(one, cast.olga, hidden, LinkKind.RELATED, now=clock())
    waiting.insight.review_visit_id = waiting.visit_id
    db.session.flush()
    assert [(each.insight.id, each.how) for each in talk.of(one, cast.eve).links] == [(other, "blocks")]
    assert [(each.insight.id, each.how) for each in talk.of(other, cast.eve).links] == [(one, "blocked-by")]
    assert len(talk.of(one, cast.alice).links) == 2
    with pytest.raises(Forbidden):
        talk.link(one, cast.eve, other, LinkKind.RELATED, now=clock())
    with pytest.raises(NoSuchTarget):
        talk.link(one, cast.olga, hidden, LinkKind.RELATED, now=clock())
    with pytest.raises(MergeIntoItself):
        talk.link(one, cast.olga, one, LinkKind.RELATED, now=clock())
    with pytest.raises(NotFound):
        talk.say(hidden, cast.eve, "x", now=clock())
    talk.unlink(other, cast.olga, one)
    assert talk.of(other, cast.eve).links == []


def test_struck_words_leave_talk_and_fields(cast: Cast, clock: StandingClock) -> None:
    one = seen(cast, clock, "Call zanzibar first")
    talk.say(one, cast.eve, "So: Call zanzibar first", now=clock())
    service.patch(
        one, cast.olga, {"workaround": "Call zanzibar first", "step": "Call zanzibar first"}, now=clock()
    )
    made = db.session.scalars(select(Observation).where(Observation.insight_id == one)).one()
    rewrite(made, Words("Call somebody", "", ""), now=clock())
    detail = service.get(one, cast.eve, now=clock())
    insight = detail.item.insight
    said = [insight.title, insight.workaround, insight.step, talk.of(one, cast.eve).comments[0].text]
    said += [change.after for change in detail.changes]
    assert "zanzibar" not in str(said)


def test_the_page(site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock) -> None:
    with site.app_context():
        one, other = seen(site_cast, clock), seen(site_cast, clock, "another thing")
        talk.say(one, site_cast.lev, "only inside", CommentKind.NOTE, now=clock())
        db.session.commit()
    page = f"/insights/{one}"
    eve, olga = browser.as_(site_cast.eve.id), browser.as_(site_cast.olga.id)
    assert eve.post(f"{page}/comments", data={"text": "<b>hello</b>"}).status_code == 303
    refused = eve.post(f"{page}/comments", data={"text": "kept", "kind": "secret"})
    assert (refused.status_code, "kept" in refused.text) == (422, True)
    assert eve.post(f"{page}/comments", data={"text": "no", "kind": "note"}).status_code == 403
    assert eve.post(f"{page}/follow", data={"on": "1"}).status_code == 303
    text = eve.get(page).text
    assert "&lt;b&gt;hello&lt;/b&gt;" in text
    assert "only inside" not in text
    assert "only inside" in olga.get(page).text
    assert olga.post(f"{page}/links", data={"other": str(other), "how": "blocked-by"}).status_code == 303
    assert "this one waits for it" in olga.get(page).text
    address = {"other": f"https://gemba.example/insights/{other}?x=1#talk", "how": "none"}
    assert olga.post(f"{page}/links", data=address).status_code == 303
    assert "this one waits for it" not in olga.get(page).text
    kept = olga.post(f"{page}/links", data={"other": "the other one", "how": "blocks"})
    assert 'value="the other one"' in kept.text
    assert '<option value="blocks" selected>' in kept.text
    renamed = {"owner_id": site_cast.olga.id, "product_id": site_cast.courier.id}
    with site.app_context():
        service.patch(one, site_cast.olga, renamed, now=clock())
        db.session.commit()
    for words in (f"Owner: – → {site_cast.olga.name}", "Product: – → ", f"Number {one}<"):
        assert words in olga.get(page).text
    for data in ({"other": "x"}, {"other": "999999"}, {"other": str(one)}, {"other": str(other), "how": "?"}):
        assert olga.post(f"{page}/links", data=data).status_code in (409, 422)
    assert olga.post(f"{page}/links", data={"other": str(other), "how": "none"}).status_code == 303
