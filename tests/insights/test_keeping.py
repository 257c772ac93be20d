"""Retention: words and pictures go in their time, figures stay."""

from datetime import timedelta

from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.insights.models import Insight, InsightTerm, Observation, Picture, VisitWrap
from gemba.insights.service import capture, keeping
from gemba.insights.service.counts import counts_of
from gemba.programmes.models import Programme
from tests.cast import Cast
from tests.conftest import StandingClock
from tests.insights.stage import make_visit, note


def test_words_and_pictures_go_and_figures_stay(app: Flask, cast: Cast, clock: StandingClock) -> None:
    programme = db.session.get_one(Programme, cast.programme.id)
    visit = make_visit(cast, clock())
    clock.forward(minutes=10)
    made = note(
        visit,
        cast.vera,
        "The list is slow\nA lot of private words",
        clock(),
        verbatim="Oh no",
        severity=3,
        tool="crm",
    )
    db.session.add(
        Picture(
            observation_id=made.id,
            author_id=cast.vera.id,
            file="00/x.png",
            media="image/png",
            width=1,
            height=1,
            size=1,
            created_at=clock(),
        )
    )
    db.session.add(VisitWrap(visit_id=visit.id, person_id=cast.vera.id, promise="private", at=clock()))
    db.session.flush()
    assert made.insight_id is not None
    before = counts_of([made.insight_id])
    end = visit.ends_at + keeping.MONTH * 12

    programme.keep_months = 0
    assert keeping.drop_old(end + timedelta(days=9999)) == 0
    programme.keep_months = 12
    assert keeping.drop_old(end - timedelta(minutes=1)) == 0
    assert made.text
    assert keeping.drop_old(end + timedelta(minutes=1)) == 1
    assert keeping.drop_old(end + timedelta(minutes=2)) == 0
    db.session.expire_all()

    assert (made.text, made.verbatim, made.tool, made.severity) == ("", "", "crm", 3)
    assert made.dropped_at == end + timedelta(minutes=1)
    assert db.session.scalars(select(Picture)).all() == []
    assert db.session.scalars(select(VisitWrap)).all() == []
    assert counts_of([made.insight_id]) == before
    assert db.session.get_one(Insight, made.insight_id).title == "The list is slow"
    assert "privat" not in set(db.session.scalars(select(InsightTerm.term)))
    assert [one.id for one in capture.observations_of(visit)] == [made.id]
    assert len(db.session.scalars(select(Observation)).all()) == 1
