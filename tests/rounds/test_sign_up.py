"""Signing up to a round, on both databases and on its page."""

from datetime import timedelta

import pytest
from flask import Flask

from gemba.db import db
from gemba.errors import Invalid, NotFound
from gemba.rounds import service
from gemba.rounds.models import Round, RoundSignUp
from gemba.rounds.service import RoundClosed
from tests.cast import Cast
from tests.conftest import Browser, StandingClock

HOURS = {"mon": "09:00–18:00", "timezone": "Europe/Berlin"}


def _round(cast: Cast, clock: StandingClock) -> Round:
    made = Round(
        programme_id=cast.programme.id,
        name="Autumn",
        name_ru="Осень",
        opens_at=clock(),
        closes_at=clock() + timedelta(days=7),
    )
    db.session.add(made)
    db.session.commit()
    return made


def test_signing_up_twice_changes_the_note(app: Flask, cast: Cast, clock: StandingClock) -> None:
    chosen = _round(cast, clock)
    service.sign_up(cast.vera, chosen, note="Checkout", now=clock())
    service.sign_up(cast.vera, chosen, note="Checkout or Courier\x00", now=clock())
    db.session.commit()
    row = db.session.get_one(RoundSignUp, (chosen.id, cast.vera.id))
    assert row.note == "Checkout or Courier"


def test_withdrawing_twice_is_no_mistake(app: Flask, cast: Cast, clock: StandingClock) -> None:
    chosen = _round(cast, clock)
    service.sign_up(cast.vera, chosen, note="", now=clock())
    service.withdraw(cast.vera, chosen, now=clock())
    service.withdraw(cast.vera, chosen, now=clock())
    assert db.session.get(RoundSignUp, (chosen.id, cast.vera.id)) is None


def test_the_window_is_half_open(app: Flask, cast: Cast, clock: StandingClock) -> None:
    chosen = _round(cast, clock)
    clock.forward(days=7)
    with pytest.raises(RoundClosed):
        service.sign_up(cast.vera, chosen, note="", now=clock())
    with pytest.raises(RoundClosed):
        service.withdraw(cast.vera, chosen, now=clock())


def test_notes_have_an_end_and_rounds_a_number(app: Flask, cast: Cast, clock: StandingClock) -> None:
    with pytest.raises(Invalid):
        service.sign_up(cast.vera, _round(cast, clock), note="x" * 501, now=clock())
    with pytest.raises(NotFound):
        service.get_round(999_999)


def test_the_page_signs_up_keeps_words_and_withdraws(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    with site.app_context():
        number = _round(site_cast, clock).id
    vera = browser.as_(site_cast.vera.id)
    too_long = vera.post(f"/rounds/{number}", data={**HOURS, "note": "Courier " * 80})
    assert too_long.status_code == 422
    assert "Courier Courier" in too_long.text
    vera.post(f"/rounds/{number}", data={**HOURS, "note": "Courier app"})
    page = vera.get(f"/rounds/{number}").text
    assert "You are signed up" in page
    assert "Vera Visitor</span>" not in page.split("<main")[1].split("</main>")[0]
    nothing = vera.post(f"/rounds/{number}", data={"note": "x", "timezone": "Europe/Berlin"})
    assert nothing.status_code == 422
    assert "Mark at least one hour" in nothing.text
    assert "Courier app" in browser.as_(site_cast.adam.id).get(f"/rounds/{number}/manage").text
    vera.post(f"/rounds/{number}/withdraw")
    assert "Sign up" in vera.get(f"/rounds/{number}").text
    assert vera.get("/rounds/99999").status_code == 404
