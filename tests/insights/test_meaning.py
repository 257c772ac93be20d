"""Alike in meaning: an encoder of a few concepts stands behind the interface, the real one where there is."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from flask import Flask
from numpy.typing import NDArray
from sqlalchemy import delete, event, select, update

from gemba.db import db
from gemba.insights import encoders, service
from gemba.insights.models import Insight, InsightChange
from gemba.insights.models_backlog import InsightVector
from gemba.insights.service import making, meaning, striking
from gemba.outbox import ticks
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.insights.stage import make_visit, note

CONCEPTS = ("refund money возврат деньги", "slow hangs висит", "filter отбор", "phone телефон")
SLOW_REFUND, SLOW_MONEY, FILTER, PHONE = TITLES = (
    "Refund is slow",
    "Money hangs for ages",
    "The filter of orders resets",
    "Нельзя найти по телефон",
)


class Concepts:
    """Counts the words of each concept; a text without any is like itself alone."""

    name = "concepts"

    def __init__(self) -> None:
        self.seen: list[str] = []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.seen += texts
        rows = np.zeros((len(texts), len(CONCEPTS) + 1), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            said = text.casefold().split()
            row[:-1] = [sum(word in concept.split() for word in said) for concept in CONCEPTS]
            row[-1] = not row.any()
        lengths: NDArray[np.float32] = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
        return rows / lengths


@pytest.fixture
def coder(monkeypatch: pytest.MonkeyPatch) -> Concepts:
    coder = Concepts()
    monkeypatch.setattr(encoders, "encoder", lambda: coder)
    return coder


def fill(cast: Cast, now: datetime) -> list[int]:
    made = [making.make(cast.olga, {"title": one, "kind": "tool-pain"}, now=now).id for one in TITLES]
    db.session.commit()
    return made


def tick(now: datetime) -> bool:
    """What the worker does; says whether there was anything to do."""
    ending = meaning.plan(now)
    if ending:
        ending(now)
        db.session.commit()
    return ending is not None


def kept() -> set[int]:
    return set(db.session.scalars(select(InsightVector.insight_id)))


def near(cast: Cast, insight_id: int, now: datetime) -> list[int]:
    return [one.item.insight.id for one in service.similar(insight_id, cast.eve, now=now)]


@contextmanager
def sent() -> Iterator[list[str]]:
    """The SQL statements sent meanwhile."""
    found: list[str] = []

    def hear(_c: Any, _cur: Any, statement: str, *_rest: Any) -> None:
        found.append(statement)

    event.listen(db.engine, "before_cursor_execute", hear)
    try:
        yield found
    finally:
        event.remove(db.engine, "before_cursor_execute", hear)


def test_nothing_changes_without_the_extra_or_without_vectors(
    cast: Cast, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(cast, clock())

    def found() -> tuple[list[int], list[str]]:
        db.session.rollback()
        assert cast.eve.email
        with sent() as statements:
            rows = service.similar_to("the refund of orders is slow", cast.eve, now=clock())
        return [one.item.insight.id for one in rows], statements

    with monkeypatch.context() as words_alone:
        words_alone.setattr(meaning, "nearest", lambda *_given, **_but: [])
        ids, statements = found()
    assert ids
    monkeypatch.setattr(encoders, "encoder", lambda: None)
    assert not tick(clock())
    assert found() == (ids, statements)
    monkeypatch.setattr(encoders, "encoder", Concepts)
    unfilled, more = found()
    assert unfilled == ids
    assert [one for one in more if "insight_vector" not in one] == statements
    assert len(more) == len(statements) + 1


def test_what_only_means_the_same_is_found_once_the_worker_was_there(
    cast: Cast, clock: StandingClock, coder: Concepts
) -> None:
    refund, money, filtered, phone = fill(cast, clock())
    assert near(cast, refund, clock()) == []
    assert tick(clock())
    assert kept() == {refund, money, filtered, phone}
    assert len(db.session.get_one(InsightVector, refund).vector) == len(CONCEPTS) + 1
    found = service.similar(refund, cast.eve, now=clock())
    assert [(one.item.insight.id, one.shared) for one in found] == [(money, ())]
    both = service.similar_to("refund of orders resets", cast.eve, now=clock())
    assert [one.item.insight.id for one in both] == [filtered, refund, money]
    assert [bool(one.shared) for one in both] == [True, True, False]
    assert service.similar_to("of the", cast.eve, now=clock()) == []
    assert service.similar_to("refund", cast.eve, limit=1, now=clock())[0].item.insight.id == refund
    clock.forward(minutes=6)
    tick(clock())
    assert not tick(clock() + timedelta(minutes=6))
    late = making.make(cast.olga, {"title": "Деньги висит", "kind": "tool-pain"}, now=clock()).id
    db.session.commit()
    coder.seen.clear()
    assert tick(clock())
    assert coder.seen == ["Деньги висит"]
    assert near(cast, refund, clock()) == [money, late]
    service.patch(money, cast.olga, {"status": "declined"}, reason="no", now=clock())
    service.patch(late, cast.olga, {"title": "Filter!"}, now=clock())
    db.session.commit()
    assert near(cast, refund, clock()) == []
    clock.forward(hours=2)
    tick(clock())
    assert near(cast, filtered, clock()) == []
    service.patch(late, cast.olga, {"title": "отбор"}, now=clock())
    db.session.commit()
    clock.forward(minutes=2)
    tick(clock())
    assert near(cast, filtered, clock()) == [late]


def test_hidden_merged_struck_and_foreign_ones_have_no_vector(
    cast: Cast, clock: StandingClock, coder: Concepts
) -> None:
    refund, money, _filtered, phone = fill(cast, clock())
    visit = make_visit(cast, clock() - timedelta(hours=1), status="held")
    said = note(visit, cast.vera, "Refund hangs", clock())
    said_id = said.insight_id or 0
    assert said.insight is not None
    said.insight.review_visit_id = visit.id
    db.session.commit()
    tick(clock())
    assert kept() == {refund, money, _filtered, phone}
    assert near(cast, refund, clock()) == [money]
    said.insight.review_visit_id = None
    service.merge(phone, cast.olga, money, now=clock())
    db.session.commit()
    assert near(cast, phone, clock()) == []
    clock.forward(minutes=2)
    tick(clock())
    assert kept() == {refund, money, _filtered, said_id}
    assert near(cast, refund, clock()) == [money, said_id]
    striking.rewrite(said, striking.Words("", "", ""), now=clock())
    assert said_id not in kept()
    assert near(cast, refund, clock()) == [money]
    db.session.get_one(Insight, refund).review_visit_id = visit.id
    db.session.flush()
    assert near(cast, money, clock()) == []
    db.session.rollback()
    db.session.execute(update(InsightVector).values(model="another"))
    assert near(cast, refund, clock()) == []


def test_words_struck_out_while_their_vector_is_made_are_not_in_it(
    cast: Cast, clock: StandingClock, coder: Concepts
) -> None:
    visit = make_visit(cast, clock() - timedelta(hours=1), status="held")
    said = note(visit, cast.vera, "Refund hangs", clock())
    assert said.insight is not None
    said.insight.review_visit_id = None
    db.session.commit()
    ending = meaning.plan(clock())
    striking.rewrite(said, striking.Words("Filter", "", ""), now=clock())
    db.session.commit()
    assert ending is not None
    ending(clock())
    assert kept() == set()
    tick(clock())
    vector = db.session.scalars(select(InsightVector)).one()
    assert vector.digest == meaning.digest_of("Filter")
    erased = making.make(cast.olga, {"title": "Gone soon", "kind": "tool-pain"}, now=clock()).id
    db.session.commit()
    tick(clock())
    assert erased in kept()
    db.session.execute(delete(InsightChange))
    db.session.execute(delete(Insight).where(Insight.id == erased))
    assert erased not in kept()


def test_pages_say_why(site: Flask, site_cast: Cast, clock: StandingClock, coder: Concepts) -> None:
    browser = Browser(site, clock)
    with site.app_context():
        refund, *_rest = fill(site_cast, clock())
        tick(clock())
    olga = browser.as_(site_cast.olga.id)
    for path in (f"/insights/{refund}", "/backlog/new/near?title=slow"):
        page = olga.get(path).get_data(as_text=True)
        assert SLOW_MONEY in page
        assert "alike in meaning" in page
    with site.app_context():
        db.session.get_one(Insight, refund).untouched = True
        db.session.commit()
    page = olga.get("/backlog/triage").get_data(as_text=True)
    assert "Words or meaning are alike; you decide." in page
    assert "alike in meaning" in page


def test_the_worker_asks_only_with_the_extra() -> None:
    assert ("vectors" in ticks.names()) == encoders.available()


@pytest.mark.skipif(not encoders.available(), reason="gemba[semantic] is not installed")
def test_the_real_encoder_knows_both_languages(cast: Cast, clock: StandingClock) -> None:
    titles = (
        "Customers cannot cancel a delivery themselves",
        "Поиск не находит клиента по телефону",
        "Notifications arrive twice",
    )
    ids = [making.make(cast.olga, {"title": one, "kind": "tool-pain"}, now=clock()).id for one in titles]
    db.session.commit()
    tick(clock())
    for asked, wanted in (
        ("No self-service for calling off a shipment", ids[0]),
        ("Клиент не может сам отменить доставку", ids[0]),
        ("Looking somebody up by telephone number gives nothing", ids[1]),
    ):
        found = service.similar_to(asked, cast.eve, now=clock())
        assert found[0].item.insight.id == wanted
        assert found[0].shared == ()
