"""Nobody who sees no hour is left alone: what would open some, from filters to one's own limits."""

from datetime import UTC, datetime, timedelta

from flask import Flask

from gemba.db import db
from gemba.people.models import Person
from gemba.programmes.models import Programme
from gemba.schedule import service as schedule
from gemba.schedule.models import Availability
from gemba.schedule.rules import Span
from gemba.visits import service
from gemba.visits.facts import ANY, Ask
from gemba.visits.ways_out import Relaxed, ways_out
from tests.cast import Cast
from tests.conftest import MONDAY, Browser

NINE = [[540, 600]]


def only(agent: Person, day: int = 3) -> None:
    """One start a week for this agent, none for the others."""
    for row in db.session.query(Availability):
        row.weekly = {str(day): NINE} if row.person_id == agent.id else {}
        schedule.touch([row.person_id])
    db.session.flush()


def test_each_filter_alone_is_counted(cast: Cast) -> None:
    only(cast.anton)
    found = ways_out(cast.programme, (cast.vera.id,), Ask(agent_id=cast.alice.id, language="ru"), now=MONDAY)
    assert found.relaxed == (Relaxed(("agent",), 4),)
    found = ways_out(
        cast.programme, (cast.vera.id,), Ask(agent_id=cast.alice.id, product_id=cast.checkout.id), now=MONDAY
    )
    assert found.relaxed == (Relaxed(("agent",), 4),)


def test_two_filters_together_where_neither_alone_helps(cast: Cast) -> None:
    only(cast.ada)
    ask = Ask(product_id=cast.checkout.id, language="ru")
    found = ways_out(cast.programme, (cast.vera.id,), ask, now=MONDAY)
    assert found.relaxed == (Relaxed(("product", "language"), 4),)
    assert found.own == ()


def test_nothing_was_asked_and_nobody_is_open(cast: Cast) -> None:
    for row in db.session.query(Availability):
        row.weekly = {}
        schedule.touch([row.person_id])
    found = ways_out(cast.programme, (cast.vera.id,), ANY, now=MONDAY)
    assert (found.relaxed, found.own, found.sooner, found.next) == ((), (), 0, None)
    assert found.earliest == MONDAY + timedelta(hours=4)
    assert found.until == MONDAY + timedelta(days=28)


def test_too_late_and_too_far_ahead(cast: Cast) -> None:
    only(cast.alice, day=0)
    row = db.session.get_one(Availability, cast.alice.id)
    row.weekly = {"0": [[600, 660]]}  # ten o'clock in Berlin is an hour from now
    cast.programme.horizon_days = 7
    db.session.flush()
    found = ways_out(cast.programme, (cast.vera.id,), ANY, now=MONDAY)
    assert found.sooner == 1
    assert found.next == datetime(2026, 11, 30, 9, tzinfo=UTC)
    assert found.opens == datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_own_limits_and_visits_are_named(cast: Cast) -> None:
    cast.programme.visitor_per_month = 1
    cast.programme.horizon_days = 7
    only(cast.alice)
    anton = db.session.get_one(Availability, cast.anton.id)
    anton.weekly = {"2": [[540, 600]]}
    schedule.touch([cast.anton.id])
    db.session.flush()
    start = datetime(2026, 11, 25, 6, tzinfo=UTC)
    service.book(programme=cast.programme, visitor=cast.vera, start=start, now=MONDAY)
    offer = service.open_slots(
        cast.programme,
        cast.vera,
        window=Span(MONDAY, MONDAY + timedelta(days=7)),
        now=MONDAY,
    )
    assert offer.starts == []
    found = ways_out(cast.programme, (cast.vera.id,), ANY, now=MONDAY)
    assert [reason.code for reason in found.own] == ["visitor-limit-per-month"]
    assert found.own[0].params == {"count": 1, "limit": 1}


def test_nobody_is_offered_themselves(cast: Cast) -> None:
    only(cast.alice)
    found = ways_out(cast.programme, (cast.alice.id,), ANY, now=MONDAY)
    assert (found.own, found.sooner) == ((), 0)


def test_the_page_has_no_dead_end(site: Flask, site_cast: Cast, browser: Browser) -> None:
    with site.app_context():
        only(site_cast.anton)
        db.session.commit()
    vera = browser.as_(site_cast.vera.id)
    page = vera.get(f"/visits/book?agent={site_cast.alice.id}&language=ru").text
    assert "With any agent: 4 hours" in page
    assert 'href="/visits/book?language=ru"' in page
    assert "Booking is open from Monday 23 November, 13:00 until Monday 21 December, 09:00." in page
    assert vera.get("/visits/book?language=ru").status_code == 200


def test_the_page_names_ones_own_limit(site: Flask, site_cast: Cast, browser: Browser) -> None:
    with site.app_context():
        only(site_cast.alice)
        programme = db.session.get_one(Programme, site_cast.programme.id)
        programme.visitor_per_month, programme.horizon_days = 1, 7
        vera = db.session.get_one(Person, site_cast.vera.id)
        row = db.session.get_one(Availability, site_cast.alice.id)
        row.weekly = {"1": NINE, "3": NINE}
        start = datetime(2026, 11, 24, 8, tzinfo=UTC)
        service.book(programme=programme, visitor=vera, start=start, now=MONDAY)
        db.session.commit()
    page = browser.as_(site_cast.vera.id).get("/visits/book").text
    assert "Your limit for that month is reached: 1 of 1 visits." in page
    assert 'href="/visits"' in page


def test_moving_where_nothing_else_is_free(site: Flask, site_cast: Cast, browser: Browser) -> None:
    with site.app_context():
        only(site_cast.alice)
        programme = db.session.get_one(Programme, site_cast.programme.id)
        programme.horizon_days = 7
        vera = db.session.get_one(Person, site_cast.vera.id)
        start = datetime(2026, 11, 26, 8, tzinfo=UTC)
        visit = service.book(programme=programme, visitor=vera, start=start, now=MONDAY)
        row = db.session.get_one(Availability, site_cast.alice.id)
        row.weekly = {}
        schedule.touch([row.person_id])
        db.session.commit()
        address = f"/visits/{visit.id}/move"
    page = browser.as_(site_cast.vera.id).get(address).text
    assert "No other hour is free with Alice Agent" in page
    assert "Booking is open from" in page
