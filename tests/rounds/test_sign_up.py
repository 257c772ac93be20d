"""Signing up to a round, on both databases and on its page."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.errors import Invalid, NotFound
from gemba.people.models import Person
from gemba.programmes.models import NextTime, Programme
from gemba.programmes.rules import Opening, Who
from gemba.rounds import service
from gemba.rounds.errors import HasVisit
from gemba.rounds.models import Round, RoundInvitee, RoundPair, RoundSignUp
from gemba.rounds.rules import Outcome, RunState
from gemba.rounds.service import RoundClosed, looking, proposing, publishing
from gemba.rounds.service.wishing import Wish
from gemba.visits.models import Visit
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.rounds.test_pages import DAYS
from tests.rounds.test_round import add_people, mails, make_round, work

MORNINGS = [{"weekday": day, "start": "09:00", "end": "12:00"} for day in ("mon", "tue", "wed")]
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


def test_a_wish_taken_back_or_changed_takes_its_proposed_pair_along(
    app: Flask, cast: Cast, clock: StandingClock
) -> None:
    """A proposal made while sign-up is open: nobody gets an hour for a wish that is gone."""
    people = add_people(cast, 5, clock)
    chosen = make_round(cast, clock)
    for person in people[:4]:
        service.sign_up(person, chosen, now=clock())
    round_id, adam, ids = chosen.id, cast.adam.id, [each.id for each in people]
    proposing.queue(proposing.start(cast.adam, chosen, now=clock()), now=clock())
    work(app, clock)
    chosen, by = service.get_round(round_id), db.session.get_one(Person, adam)
    first, second, third, fourth, fifth = (db.session.get_one(Person, one) for one in ids)
    service.withdraw(first, chosen, now=clock())
    service.sign_up(second, chosen, wish=Wish(weekly=MORNINGS), now=clock())
    proposing.pin(by, chosen, third.id, pinned=True, now=clock())
    service.sign_up(third, chosen, note="Any hour", now=clock())
    service.sign_up(fifth, chosen, now=clock())
    assert set(db.session.scalars(select(RoundPair.person_id))) == {third.id, fourth.id}
    seen = {each["person"]: each["code"] for each in looking.left_out(chosen, proposing.newest_plan(chosen))}
    assert seen == {second.id: "not-proposed", fifth.id: "not-proposed"}
    # A search that is stopped before it finds anything hides nothing of the plan before.
    proposing.start(by, chosen, now=clock())
    proposing.stop(by, chosen, now=clock())
    found = looking.proposal(chosen)
    assert found.run is not None
    assert found.plan is not None
    assert (found.run.state, found.plan.figures["people"]) == (RunState.STOPPED, 4)
    publishing.start(by, chosen, only=[fourth.id], now=clock())
    db.session.delete(db.session.get_one(RoundSignUp, (round_id, fourth.id)))
    work(app, clock)
    assert db.session.scalars(select(Visit)).all() == []
    chosen, by = service.get_round(round_id), db.session.get_one(Person, adam)
    publishing.start(by, chosen, only=[ids[2]], now=clock())
    with pytest.raises(HasVisit):
        service.withdraw(db.session.get_one(Person, ids[2]), chosen, now=clock())
    work(app, clock)
    chosen, by = service.get_round(round_id), db.session.get_one(Person, adam)
    with pytest.raises(HasVisit):
        service.sign_up(db.session.get_one(Person, ids[2]), chosen, now=clock())
    proposing.queue(proposing.start(by, chosen, now=clock()), now=clock())
    db.session.delete(db.session.get_one(RoundSignUp, (round_id, ids[1])))
    work(app, clock)
    assert set(db.session.scalars(select(RoundPair.person_id))) == {ids[2], ids[4]}


def test_who_waits_for_the_next_round_is_asked_as_it_opens(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    """Whoever said so, and whoever the last round left out; nobody twice."""
    vera, adam = browser.as_(site_cast.vera.id), browser.as_(site_cast.adam.id)
    slug = site_cast.programme.slug
    path, page = f"/rounds/next-time/{slug}", f"/visits/book?programme={slug}"
    with site.app_context():
        db.session.get_one(Programme, site_cast.programme.id).opening = Opening.ROUNDS
        past = _round(site_cast, clock)
        past.published_at, past.closes_at = clock(), clock()
        db.session.add(
            RoundSignUp(
                round_id=past.id, person_id=site_cast.eve.id, outcome=Outcome.LEFT_OUT, created_at=clock()
            )
        )
        db.session.commit()
        number = past.id
    clock.forward(hours=1)
    assert "Ask me next time" in vera.get(page).text
    assert vera.post(path).location.endswith(page)
    assert "You get a mail as soon as the next round opens." in vera.get(page).text
    assert vera.post(path, data={"on": "no", "round": str(number)}).location == f"/rounds/{number}"
    assert "Ask me next time" in vera.get(f"/rounds/{number}").text
    vera.post(path)
    vera.post(path)
    assert vera.post("/rounds/next-time/none").status_code == 404
    assert vera.get(path).status_code == 405
    assert "/sign-in" in site.test_client().post(path).location
    with site.app_context():
        db.session.get_one(Programme, site_cast.programme.id).who = Who.LISTED
        db.session.commit()
    assert vera.post(path).status_code == 403
    with site.app_context():
        programme = db.session.get_one(Programme, site_cast.programme.id)
        programme.who = Who.EVERYONE
        db.session.commit()
    made = adam.post("/rounds/new", data={"programme": slug, "name": "Winter", **DAYS})
    assert "2 people who waited for it are asked already." in adam.get(made.location).text
    with site.app_context():
        asked = set(db.session.scalars(select(RoundInvitee.person_id)))
        assert asked == {site_cast.vera.id, site_cast.eve.id}
        assert {who for who, _locale in mails("round_invitation")} == {
            site_cast.vera.email,
            site_cast.eve.email,
        }
        assert db.session.scalars(select(NextTime)).all() == []
        programme = db.session.get_one(Programme, site_cast.programme.id)
        programme.opening = Opening.ALL_YEAR
        db.session.commit()
    assert vera.post(path).status_code == 404


def test_a_round_gets_other_days(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    adam, vera = browser.as_(site_cast.adam.id), browser.as_(site_cast.vera.id)
    with site.app_context():
        chosen = make_round(site_cast, clock)
        service.sign_up(db.session.get_one(Person, site_cast.vera.id), chosen, now=clock())
        number, ends = chosen.id, chosen.closes_at
        day = datetime(2026, 12, 1, 9, tzinfo=UTC)
        by = db.session.get_one(Person, site_cast.adam.id)
        proposing.change(by, chosen, site_cast.vera.id, site_cast.ada.id, day, now=clock())
        db.session.commit()
    path = f"/rounds/{number}/edit"
    form = adam.get(path).text
    assert 'value="2026-11-27"' in form
    assert "Friday 27 November, 23:59" in vera.get(f"/rounds/{number}").text
    same = {"name": "Winter visits", "name_ru": "Зима", **DAYS}
    clock.forward(days=5)
    assert "Sign-up is closed" in vera.get(f"/rounds/{number}").text
    assert adam.post(path, data=same).status_code == 303  # days that stay may be past
    with site.app_context():
        chosen = service.get_round(number)
        assert (chosen.name, chosen.closes_at) == ("Winter visits", ends)
        assert len(looking.all_pairs(chosen)) == 1
    wrong = adam.post(path, data={**same, "closes_on": "2026-12-30"})
    assert wrong.status_code == 422
    assert 'value="2026-12-30"' in wrong.text
    later = {**same, "closes_on": "2026-12-03", "first_day": "2026-12-07", "last_day": "2026-12-11"}
    saved = adam.post(path, data=later)
    assert "1 proposed pair lay outside the new days" in adam.get(saved.location).text
    assert "Open until Thursday 3 December, 23:59" in vera.get(f"/rounds/{number}").text
    assert vera.get(path).status_code == 403
    assert adam.get("/rounds/999/edit").status_code == 404
    with site.app_context():
        chosen = service.get_round(number)
        assert looking.all_pairs(chosen) == []
        chosen.published_at = clock()
        db.session.commit()
    assert adam.post(path, data=later).status_code == 409
