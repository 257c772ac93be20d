"""Which agents take a programme's visits: one answer wherever an hour is looked for."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gemba.db import db
from gemba.errors import Invalid
from gemba.programmes import hosts, service
from gemba.programmes.rules import BadProgramme, parse_programme
from gemba.rounds import service as rounds
from gemba.rounds.service import inputs, inviting, wishing
from gemba.rounds.service.wishing import Wish
from gemba.schedule.rules import Span
from gemba.visits import service as visits
from gemba.visits.errors import NotOffered
from gemba.visits.facts import ANY, Ask, agents_for, within
from gemba.visits.offered import offered
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.rounds.test_round import make_round

HOUR = datetime(2026, 11, 26, 9, tzinfo=UTC)


def limit(cast: Cast, clock: StandingClock, **fields: object) -> None:
    """Says whom the programme is visited with."""
    service.update(cast.adam, "shadow", fields, now=clock())
    db.session.commit()


def open_to_eve(cast: Cast, clock: StandingClock, ask: Ask = ANY) -> set[int]:
    """Whom Eve can visit at HOUR."""
    window = Span(HOUR, HOUR + timedelta(minutes=1))
    found = visits.open_slots(cast.programme, cast.eve, ask=ask, window=window, now=clock())
    return set(found.agents_at(HOUR))


def test_lines_and_languages_say_who_is_visited(app: Flask, cast: Cast, clock: StandingClock) -> None:
    alice, anton, ada = cast.alice.id, cast.anton.id, cast.ada.id
    assert open_to_eve(cast, clock) == {alice, anton, ada}
    for fields, there in (
        ({"lines": [cast.line.id]}, {alice, anton}),
        ({"lines": [cast.line.id, cast.other_line.id], "languages": ["en"]}, {alice, anton, ada}),
        ({"languages": ["ru"]}, {anton}),
        ({"lines": [cast.other_line.id]}, set()),
        ({"languages": []}, {ada}),
    ):
        limit(cast, clock, **fields)
        assert open_to_eve(cast, clock) == there == set(agents_for(within(cast.programme, ANY)))
        assert hosts.count(cast.programme) == len(there)
        assert hosts.outside(cast.programme, [alice, anton, ada]) == {alice, anton, ada} - there
    assert open_to_eve(cast, clock, Ask(agent_id=alice)) == set()
    # Another programme with the same rules of booking has maps of its own.
    other = service.create(cast.adam, {"slug": "all", "name": "All"}, now=clock())
    window = Span(HOUR, HOUR + timedelta(minutes=1))
    assert len(visits.open_slots(other, cast.eve, window=window, now=clock()).agents_at(HOUR)) == 3


def test_nobody_books_another_agent_and_everyone_hears_why(
    app: Flask, cast: Cast, clock: StandingClock
) -> None:
    mine = visits.book(
        programme=cast.programme, visitor=cast.vera, start=HOUR, ask=Ask(cast.alice.id), now=clock()
    )
    limit(cast, clock, languages=["ru"])
    with pytest.raises(NotOffered) as refused:
        visits.book(programme=cast.programme, visitor=cast.eve, start=HOUR, ask=Ask(cast.ada.id), now=clock())
    assert [str(reason.code) for reason in refused.value.reasons] == ["other-agents"]
    (reason,) = visits.why_not(cast.programme, None, cast.ada.id, start=HOUR, now=clock())
    assert "other lines or languages" in reason.detail
    assert visits.why_not(cast.programme, None, cast.anton.id, start=HOUR, now=clock()) == []
    (day,) = offered(cast.ada, cast.ada.id, cast.programme, [HOUR.date()], now=clock()).days
    assert ([str(each.code) for each in day.all_day], day.free) == (["other-agents"], 0)
    # What is booked stays with its agent, and may move to another hour of theirs.
    later = HOUR + timedelta(hours=1)
    moved = visits.move(mine, cast.vera, start=later, agent_id=None, now=clock())
    assert (moved.agent_id, moved.starts_at) == (cast.alice.id, later)


def test_a_language_of_the_programme_counts_and_no_other(
    app: Flask, cast: Cast, clock: StandingClock
) -> None:
    cast.vera.locale = "ru"
    limit(cast, clock, languages=["en"])
    booked = visits.book(programme=cast.programme, visitor=cast.vera, start=HOUR, now=clock())
    assert booked.because_facts["speaks"] is False
    chosen = make_round(cast, clock)
    agents = {each.id: each for each in inputs.agents_of(chosen, inputs.frame_of(chosen, clock()))}
    assert agents[cast.anton.id].languages == {"en"}
    for wish, field in ((Wish(language="ru"), "language"), (Wish(line_id=cast.other_line.id), "line")):
        cast.programme.lines = [cast.line.id]
        with pytest.raises(Invalid) as refused:
            rounds.sign_up(cast.eve, chosen, wish=wish, now=clock())
        assert refused.value.errors.keys() == {field}
    assert {each.id for each in inputs.agents_of(chosen, inputs.frame_of(chosen, clock()))} == {
        cast.alice.id,
        cast.anton.id,
    }
    assert not wishing.is_agent_of(chosen, cast.ada)
    assert inviting.ask_agents(cast.adam, chosen, now=clock()) == 2


@pytest.mark.parametrize(
    "bad", [{"languages": ["de"]}, {"languages": "en"}, {"lines": ["1"]}, {"lines": [True]}, {"lines": 1}]
)
def test_what_is_no_language_or_line_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(BadProgramme) as refused:
        parse_programme(bad, whole=False)
    assert refused.value.errors.keys() == bad.keys()


def test_the_form_and_the_wizard_offer_lines_and_languages(
    site: Flask, site_cast: Cast, browser: Browser
) -> None:
    adam: FlaskClient = browser.as_(site_cast.adam.id)
    adam.post("/programmes/new/steps", data={"format": "shadow", "name": "Checkout only"})
    page = adam.get("/programmes/new/checkout-only/people").text
    assert "Checkout line" in page
    data = {"who": "everyone", "opening": "both", "seats": "1", "goal_months": "6"}
    wrong = adam.post("/programmes/new/checkout-only/people", data={**data, "lines": "99"})
    assert wrong.status_code == 422
    data |= {"lines": str(site_cast.line.id), "languages": "en"}
    assert adam.post("/programmes/new/checkout-only/people", data=data).status_code == 303
    look = adam.get("/programmes/new/checkout-only/look").text
    assert "2 agents now" in look
    with site.app_context():
        made = service.get_programme("checkout-only")
        assert (made.lines, made.languages) == ([site_cast.line.id], ["en"])
    adam.post("/programmes/new/checkout-only/start")
    page = browser.as_(site_cast.eve.id).get("/visits/book?programme=checkout-only").text
    assert "Visits are held in this language: English." in page
    copied = adam.post("/programmes/checkout-only/copy").location
    assert "2 agents now" in adam.get(copied.replace("/format", "/look")).text
    stale = {**data, "lines": str(site_cast.other_line.id), "seen": "0" * 16}
    meanwhile = adam.post(copied.replace("/format", "/people"), data=stale)
    assert meanwhile.status_code == 409
    assert "<dd>Checkout line</dd>" in meanwhile.text
