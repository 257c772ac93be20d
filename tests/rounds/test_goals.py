"""How far a programme is from its goals: by department and line, never by agent, small groups never alone."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from gemba.db import db
from gemba.errors import NotFound
from gemba.rounds.models import DepartmentHead
from gemba.rounds.service.goals import TOGETHER, Share, progress
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.rounds.test_cadence import _held
from tests.rounds.test_round import add_people


def test_shares_and_lines_and_who_sees_them(app: Flask, cast: Cast, clock: StandingClock) -> None:
    guests, programme = add_people(cast, 3, clock), cast.programme
    programme.smallest_group, programme.goal_months = 2, 6
    _held(cast, guests[0], cast.alice, datetime(2026, 10, 31, 23, tzinfo=UTC))
    _held(cast, guests[0], cast.alice, datetime(2026, 11, 1, 0, tzinfo=UTC))
    _held(cast, guests[1], cast.anton, datetime(2026, 5, 1, 9, tzinfo=UTC))  # too long ago
    _held(cast, cast.vera, cast.ada, datetime(2026, 9, 2, 9, tzinfo=UTC))
    db.session.flush()
    found = progress(cast.adam, programme, now=clock())
    assert found.whole == Share(TOGETHER, 5, 2)
    assert found.whole.percent == 40
    # Product and those of no department are one each: too few alone, enough together.
    assert found.departments == [Share("Guests", 3, 1), Share(TOGETHER, 2, 1)]
    # The Courier line has one agent.
    assert [(each.name, list(each.visits)) for each in found.lines] == [("Checkout line", [0, 0, 0, 0, 1, 1])]
    assert [each.month for each in found.months] == [6, 7, 8, 9, 10, 11]
    seen = progress(cast.lev, programme, now=clock())
    assert (seen.departments, [each.name for each in seen.lines]) == ([], ["Checkout line"])
    assert progress(cast.lena, programme, now=clock()).lines == []
    db.session.add(DepartmentHead(department="Guests", person_id=cast.olga.id))
    db.session.flush()
    headed = progress(cast.olga, programme, now=clock())
    assert (headed.departments, headed.lines) == ([Share("Guests", 3, 1)], [])
    for stranger in (cast.vera, cast.alice, cast.eve):
        with pytest.raises(NotFound):
            progress(stranger, programme, now=clock())
    programme.smallest_group = 6
    few = progress(cast.adam, programme, now=clock())
    assert (few.whole, few.departments, few.lines) == (None, [], [])
    programme.smallest_group, programme.who, programme.departments = 2, "departments", ["Guests"]
    assert progress(cast.adam, programme, now=clock()).whole == Share(TOGETHER, 3, 1)


def test_the_page_says_what_is_missing(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    with site.app_context():
        programme = db.session.merge(site_cast.programme)
        programme.goal_share, programme.goal_visits, programme.smallest_group = 100, 1, 1
        _held(site_cast, site_cast.vera, site_cast.alice, clock() - timedelta(days=3))
        db.session.commit()
    page = browser.as_(site_cast.adam.id).get("/rounds/goals").text
    assert "The goal is 100 %: 1 more person would do." in page
    assert "The goal is 1 visit in a month." in page
    assert site_cast.alice.name not in page
    assert browser.as_(site_cast.lev.id).get("/rounds/goals?programme=shadow").status_code == 200
    assert browser.as_(site_cast.eve.id).get("/rounds/goals").status_code == 404
    assert browser.as_(site_cast.adam.id).get("/rounds/goals?programme=none").status_code == 404
    with site.app_context():
        db.session.merge(site_cast.programme).goal_share = 50
        db.session.commit()
    assert "The goal of 50 % is reached." in browser.as_(site_cast.adam.id).get("/rounds/goals").text
