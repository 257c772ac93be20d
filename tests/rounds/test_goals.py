"""How far a programme is from its goals: by department and line, never by agent, small groups never alone."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.errors import NotFound
from gemba.outbox.models import OutboxItem
from gemba.people.models import Person
from gemba.programmes.models import Programme
from gemba.rounds.models import DepartmentHead, Round, RoundSignUp
from gemba.rounds.rules import Outcome
from gemba.rounds.service import mails
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


def test_a_head_finds_goals_and_who_is_due_in_their_department_alone(
    site: Flask, site_cast: Cast, browser: Browser
) -> None:
    vera = browser.as_(site_cast.vera.id)
    assert vera.get("/rounds/cadence/shadow").status_code == 404
    assert "/rounds/cadence/shadow" not in vera.get("/").text
    with site.app_context():
        eve = db.session.get_one(Person, site_cast.eve.id)
        eve.department = "Sales"
        db.session.add(DepartmentHead(department="Product", person_id=site_cast.vera.id))
        db.session.commit()
    home = vera.get("/").text
    assert 'href="/rounds/cadence/shadow"' in home
    assert 'href="/rounds/goals"' in home
    assert vera.get("/rounds/goals").status_code == 200
    page = vera.get("/rounds/cadence/shadow?show=never").text
    assert ("Vera Visitor" in page, "Eve Elsewhere" in page, "Sales" in page) == (True, False, False)
    assert "Who heads a department" not in page
    assert f"/people/{site_cast.vera.id}" not in page.split("<main")[1]
    assert vera.post("/rounds/cadence/shadow", data={"department": "Product"}).status_code == 403
    whole = browser.as_(site_cast.adam.id).get("/rounds/cadence/shadow?show=never").text
    assert "Eve Elsewhere" in whole
    with site.app_context():
        db.session.get_one(Programme, site_cast.programme.id).active = False
        db.session.commit()
    assert vera.get("/rounds/cadence/shadow").status_code == 404


def test_nobody_is_asked_to_a_round_that_is_not_for_them_nor_sent_to_hours_that_are_not(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    eve, vera = browser.as_(site_cast.eve.id), browser.as_(site_cast.vera.id)
    with site.app_context():
        programme = db.session.get_one(Programme, site_cast.programme.id)
        programme.who, programme.departments, programme.opening = "departments", ["Product"], "rounds"
        opens, closes = clock(), clock() + timedelta(days=7)
        made = Round(programme_id=programme.id, name="Autumn", opens_at=opens, closes_at=closes)
        db.session.add(made)
        db.session.commit()
        path = f"/rounds/{made.id}"
    assert ("Sign up</h2>" in vera.get(path).text, "Sign up</h2>" in eve.get(path).text) == (True, False)
    assert "for some colleagues only" in eve.get(path).text
    assert "Round “Autumn” is open" in vera.get("/").text
    assert "Round “Autumn” is open" not in eve.get("/").text
    for person in (vera, eve):
        answer = person.get("/rounds/coming-back/shadow")
        assert (answer.status_code, answer.location) == (302, "/visits/book?programme=shadow")
    assert "/rounds/" in vera.get("/visits/book?programme=shadow").text


def test_who_is_left_out_of_rounds_only_is_sent_to_no_closed_door(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    vera = browser.as_(site_cast.vera.id)
    with site.app_context():
        made = Round(
            programme_id=site_cast.programme.id,
            name="Autumn",
            opens_at=clock() - timedelta(days=9),
            closes_at=clock() - timedelta(days=1),
            published_at=clock(),
        )
        db.session.add(made)
        db.session.flush()
        sign = RoundSignUp(round_id=made.id, person_id=site_cast.vera.id, created_at=clock())
        sign.outcome, sign.reason = Outcome.LEFT_OUT, {"code": "all-taken", "facts": {}, "turn": 1}
        db.session.add(sign)
        db.session.commit()
        path = f"/rounds/{made.id}"
    told = []
    for opening in ("both", "rounds"):
        with site.app_context():
            db.session.get_one(Programme, site_cast.programme.id).opening = opening
            chosen = db.session.scalars(select(Round)).one()
            mails.left_out(chosen, chosen.sign_ups[0], {}, now=clock())
            clock.forward(minutes=1)
            db.session.commit()
        page = vera.get(path).text
        told.append(("Book an hour or wait for one" in page, "you go first in the next one" in page))
    assert told == [(True, False), (False, True)]
    with site.app_context():
        rows = db.session.scalars(select(OutboxItem).order_by(OutboxItem.id))
        assert [row.payload["context"]["by_hand"] for row in rows] == [True, False]
