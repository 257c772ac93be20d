"""An hour the agent said no to stays closed with that agent, for everybody, until they open it again."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from gemba.db import db
from gemba.errors import NotFound
from gemba.invites.rules import Answer
from gemba.people.models import Person
from gemba.schedule import declined
from gemba.schedule.models import Availability
from gemba.schedule.rules import Span
from gemba.visits import service
from gemba.visits.errors import NotOffered
from gemba.visits.facts import ANY, Ask
from gemba.visits.models import Visit
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.visits.errands import run_errands

THURSDAY_TEN = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
NO = service.Said(Answer.DECLINED, "a training", "web")


def _book(cast: Cast, clock: StandingClock) -> Visit:
    visit = service.book(
        programme=cast.programme,
        visitor=db.session.get_one(Person, cast.vera.id),
        start=THURSDAY_TEN,
        ask=Ask(agent_id=cast.alice.id),
        now=clock(),
    )
    db.session.commit()
    return visit


@pytest.fixture
def visit(app: Flask, cast: Cast, clock: StandingClock) -> Visit:
    """Alice said no to Vera's hour."""
    visit = _book(cast, clock)
    service.take_answer(visit.id, cast.alice.id, NO, now=clock())
    db.session.commit()
    return visit


def _starts(cast: Cast, clock: StandingClock, who: Person) -> set[datetime]:
    window = Span(THURSDAY_TEN - 2 * HOUR, THURSDAY_TEN + 3 * HOUR)
    ask = Ask(agent_id=cast.alice.id)
    return set(service.open_slots(cast.programme, who, ask=ask, window=window, now=clock()).starts)


def test_nobody_is_offered_it_with_that_agent(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    half = timedelta(minutes=30)
    for who in (cast.vera, cast.eve):
        starts = _starts(cast, clock, who)
        assert starts.isdisjoint({THURSDAY_TEN - half, THURSDAY_TEN, THURSDAY_TEN + half})
        assert THURSDAY_TEN + HOUR in starts
    with pytest.raises(NotOffered) as refused:
        _book(cast, clock)
    assert [reason.code for reason in refused.value.reasons] == ["declined"]
    reasons = service.why_not(cast.programme, None, cast.alice.id, start=THURSDAY_TEN, now=clock())
    assert [reason.detail for reason in reasons] == [
        "The agent said no to this hour. They can open it again."
    ]


def test_others_take_it_and_the_waitlist_is_not_offered_it(
    app: Flask, visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    any_agent = service.open_slots(
        cast.programme, cast.eve, ask=ANY, window=Span(THURSDAY_TEN, THURSDAY_TEN + HOUR), now=clock()
    )
    assert any_agent.agents_at(THURSDAY_TEN) == (cast.anton.id, cast.ada.id)
    db.session.get_one(Availability, cast.alice.id).overrides = {"2026-11-26": [[600, 660]]}
    db.session.get_one(Availability, cast.alice.id).weekly = {}
    service.wait(cast.programme, cast.eve, Ask(agent_id=cast.alice.id), now=clock())
    run_errands(app, clock)
    assert service.places_of(cast.eve)[0].entry.visit_id is None


def test_who_opens_it_again_is_visited(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    for stranger in (cast.vera, cast.lena):
        with pytest.raises(NotFound):
            declined.open_again(stranger, cast.alice.id, THURSDAY_TEN, now=clock())
    with pytest.raises(NotFound):
        declined.open_again(cast.alice, cast.alice.id, THURSDAY_TEN + HOUR, now=clock())
    declined.open_again(cast.alice, cast.alice.id, THURSDAY_TEN, now=clock())
    db.session.commit()
    assert THURSDAY_TEN in _starts(cast, clock, cast.eve)
    assert _book(cast, clock).starts_at == THURSDAY_TEN


def test_saying_no_twice_is_one_no_and_what_is_over_is_forgotten(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    later = Span(THURSDAY_TEN + HOUR, THURSDAY_TEN + 2 * HOUR)
    for _n in range(2):
        declined.keep_no(cast.alice.id, later, now=clock())
    row = db.session.get_one(Availability, cast.alice.id)
    assert len(row.declined) == 2
    clock.at = later.end
    assert declined.declined_hours(row, now=clock()) == []
    declined.keep_no(cast.alice.id, Span(clock() + HOUR, clock() + 2 * HOUR), now=clock())
    assert len(row.declined) == 1


def test_a_visitors_no_closes_nothing(app: Flask, cast: Cast, clock: StandingClock) -> None:
    visit = _book(cast, clock)
    service.take_answer(visit.id, cast.vera.id, NO, now=clock())
    db.session.commit()
    assert THURSDAY_TEN in _starts(cast, clock, cast.eve)


def test_by_page(site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock) -> None:
    with site.app_context():
        visit = _book(site_cast, clock)
        service.take_answer(visit.id, site_cast.alice.id, NO, now=clock())
        db.session.commit()
    alice, lev, lena = (browser.as_(person.id) for person in (site_cast.alice, site_cast.lev, site_cast.lena))
    assert "Hours you said no to" in alice.get("/availability").text
    path = f"/availability/{site_cast.alice.id}/open-again"
    body = {"start": int(THURSDAY_TEN.timestamp())}
    assert lena.post(path, data=body).status_code == 404
    assert site.test_client().post(path, data=body).status_code == 303
    for bad in ("", "soon", "9" * 40, "-1", str(body["start"] + 60)):
        assert alice.post(path, data={"start": bad}).status_code == 404
    assert alice.get(path).status_code == 405
    assert "Alice said no to" in lev.get(f"/availability/{site_cast.alice.id}").text
    assert alice.post(path, data=body).status_code == 303
    assert "Hours you said no to" not in alice.get("/availability").text
    with site.app_context():
        assert THURSDAY_TEN in _starts(site_cast, clock, site_cast.eve)
