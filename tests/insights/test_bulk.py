"""Many insights at once with undo, kept views, chosen columns and the file of exactly these."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from gemba.db import db
from gemba.errors import Forbidden, Invalid, NotFound
from gemba.insights import service
from gemba.insights.models import Insight
from gemba.insights.rules.columns import Column
from gemba.insights.service import bulk, saved
from gemba.outbox.models import OutboxItem
from gemba.people.models import Person
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.insights.stage import make_visit, note


def three(cast: Cast, clock: StandingClock) -> list[int]:
    visit = make_visit(cast, clock() - timedelta(hours=1), status="held")
    return [note(visit, cast.vera, f"thing number {word}", clock()).insight_id or 0 for word in "abc"]


def state() -> list[tuple[object, ...]]:
    names = ("status", "owner_id", "product_id", "tags", "merged_into_id", "visits", "score")
    db.session.expire_all()
    query = select(Insight.id, *(getattr(Insight, name) for name in names)).order_by(Insight.id)
    return [tuple(row) for row in db.session.execute(query)]


def waiting() -> int:
    return db.session.scalar(select(func.count()).where(OutboxItem.state == "ready")) or 0


def test_each_change_is_taken_back_whole(cast: Cast, clock: StandingClock) -> None:
    ids = three(cast, clock)
    service.patch(ids[0], cast.olga, {"tags": "old", "owner_id": cast.adam.id}, now=clock())
    before, mails = state(), waiting()
    steps: list[dict[str, Any]] = [
        {"changes": {"status": "declined"}, "reason": "too dear"},
        {"changes": {"owner_id": cast.olga.id}},
        {"changes": {"product_id": cast.courier.id}},
        {"changes": {}, "add_tags": "new old"},
        {"changes": {}, "into_id": ids[2]},
    ]
    for step in steps:
        clock.forward(minutes=1)
        made = bulk.change(ids, cast.olga, now=clock(), **step)
        assert state() != before
        clock.forward(minutes=1)
        assert bulk.undo(made.id, cast.olga, now=clock()) >= 2
        assert state() == before, step
        assert waiting() == mails, step
        with pytest.raises(bulk.TakenBack):
            bulk.undo(made.id, cast.olga, now=clock())


def test_what_was_changed_since_stays(cast: Cast, clock: StandingClock) -> None:
    ids = three(cast, clock)
    made = bulk.change(ids, cast.olga, {"owner_id": cast.olga.id}, now=clock())
    clock.forward(minutes=1)
    service.patch(ids[1], cast.adam, {"owner_id": cast.adam.id}, now=clock())
    assert bulk.undo(made.id, cast.adam, now=clock()) == 2
    assert [row[2] for row in state()] == [None, cast.adam.id, None]


def test_what_was_declined_has_its_reason_back(cast: Cast, clock: StandingClock) -> None:
    ids = three(cast, clock)
    service.patch(ids[0], cast.olga, {"status": "declined"}, reason="too dear", now=clock())
    clock.forward(minutes=1)
    made = bulk.change(ids, cast.olga, {"status": "planned"}, now=clock())
    clock.forward(minutes=1)
    bulk.undo(made.id, cast.olga, now=clock())
    assert service.reasons(ids) == {ids[0]: "too dear"}


def test_refusals_change_nothing(cast: Cast, clock: StandingClock) -> None:
    ids = three(cast, clock)
    wrongs: list[dict[str, Any]] = [
        {"ids": []},
        {"ids": range(1, 300)},
        {"changes": {"status": "declined"}},
        {"changes": {"x": 1}},
    ]
    for wrong in wrongs:
        with pytest.raises(Invalid):
            bulk.change(**{"ids": ids, "viewer": cast.olga, "changes": {}, "now": clock(), **wrong})
    with pytest.raises(Forbidden):
        bulk.change(ids, cast.eve, {"tags": "x"}, now=clock())
    made = bulk.change(ids, cast.adam, {"tags": "x"}, now=clock())
    with pytest.raises(NotFound):
        bulk.undo(made.id, cast.olga, now=clock())


def test_views_are_ones_own_or_shared(cast: Cast, clock: StandingClock) -> None:
    mine = saved.keep(cast.eve, " Mine ", "owner=me", shared=False, now=clock())
    shared = saved.keep(cast.olga, "Ours", "seen=30", shared=True, now=clock())
    assert saved.keep(cast.eve, "Mine", "seen=7", shared=False, now=clock()).id == mine.id
    assert [view.name for view in saved.of(cast.eve)] == ["Mine", "Ours"]
    assert [view.name for view in saved.of(cast.vera)] == ["Ours"]
    for viewer, view in ((cast.vera, shared), (cast.adam, mine)):
        with pytest.raises(NotFound):
            saved.remove(view.id, viewer)
    for name in (" ", "x" * 61):
        with pytest.raises(Invalid):
            saved.keep(cast.eve, name, "", shared=False, now=clock())
    saved.remove(shared.id, cast.adam)
    assert saved.of(cast.vera) == []


def test_the_pages(site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock) -> None:
    with site.app_context():
        ids = three(site_cast, clock)
        db.session.commit()
    olga, eve = browser.as_(site_cast.olga.id), browser.as_(site_cast.eve.id)
    chosen = {"insight": [str(one) for one in ids[:2]], "back": "/backlog?status=all"}
    done = olga.post(
        "/backlog/bulk", data={**chosen, "act": "tags", "add_tags": "=one"}, follow_redirects=True
    )
    assert "Changed all that you chose." in done.text
    assert "Take it back" in done.text
    assert (
        olga.post("/backlog/bulk", data={**chosen, "act": "status", "to_status": "declined"}).status_code
        == 303
    )
    assert "Say why" in olga.get("/backlog").text
    for act in ("", "merge", "tags"):
        assert olga.post("/backlog/bulk", data={**chosen, "act": act}).location == "/backlog?status=all"
    assert olga.post("/backlog/bulk", data={**chosen, "act": "merge", "into": str(ids[2])}).status_code == 303
    listed = olga.get("/backlog?status=all&col=tags&col=owner&tag=%3Done").text
    assert "thing number" not in listed
    assert eve.post(
        "/backlog/views", data={"name": "Tagged", "tag": "x", "col": "tags", "evil": "1"}
    ).location == ("/backlog?tag=x&col=tags")
    assert "/backlog?tag=x&amp;col=tags" in eve.get("/backlog").text
    assert 'name="insight"' not in eve.get("/backlog?status=all").text
    file = eve.get("/backlog/export?format=shown&status=all&col=tags&col=visits")
    rows = list(csv.reader(io.StringIO(file.get_data().decode("utf-8-sig"))))
    assert rows == [["Number", "Insight", "Tags", "Visits"], [str(ids[2]), "thing number c", "", "1"]]
    every = "&".join(f"col={column.value}" for column in Column)
    file = eve.get(f"/backlog/export?format=shown&status=all&{every}")
    heads, row = csv.reader(io.StringIO(file.get_data().decode("utf-8-sig")))
    assert (len(heads), row[:5]) == (
        2 + len(Column),
        [str(ids[2]), "thing number c", row[2], "tool pain", "new"],
    )
    with site.app_context():
        db.session.get_one(Person, site_cast.eve.id).locale = "ru"
        db.session.commit()
    file = eve.get("/backlog/export?format=shown&status=all&col=kind&col=status")
    assert (
        file.get_data().decode("utf-8-sig").splitlines()[1].endswith("thing number c,инструмент мешает,новая")
    )
