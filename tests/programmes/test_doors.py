"""Who may take part in a programme, and by which way visits come about: one answer wherever one asks."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from gemba.db import db
from gemba.errors import Forbidden, Invalid
from gemba.programmes import doors, service
from gemba.programmes.doors import ByRoundsOnly, NotForYou
from gemba.programmes.rules import slug_from
from gemba.rounds import service as rounds
from gemba.rounds.models import Round, RoundSignUp
from gemba.rounds.service import cadence, inputs, inviting, looking
from gemba.visits import service as visits
from gemba.visits.facts import ANY
from gemba.visits.service.offering import plan_offers
from tests.cast import Cast
from tests.conftest import Browser, StandingClock

HOUR = datetime(2026, 11, 26, 9, tzinfo=UTC)


def _round(cast: Cast, clock: StandingClock) -> Round:
    made = Round(
        programme_id=cast.programme.id,
        name="Autumn",
        opens_at=clock(),
        closes_at=clock() + timedelta(days=7),
    )
    db.session.add(made)
    db.session.flush()
    return made


def test_departments_and_lists_let_in_whom_they_name(app: Flask, cast: Cast, clock: StandingClock) -> None:
    programme, now = cast.programme, clock()
    assert doors.is_for(programme, cast.eve)
    assert doors.reach(programme) == 2
    service.update(cast.adam, "shadow", {"who": "departments", "departments": ["Product"]}, now=now)
    assert [doors.is_for(programme, each) for each in (cast.vera, cast.eve)] == [True, False]
    assert doors.not_admitted(programme, [cast.vera.id, cast.eve.id]) == {cast.eve.id}
    service.update(cast.adam, "shadow", {"who": "listed"}, now=now)
    assert not doors.is_for(programme, cast.vera)
    added = doors.add_people(
        cast.adam, programme, ["EVE@gemba.example", "eve@gemba.example", "x@y.example"], now=now
    )
    assert (added.new, added.before, added.unknown) == (1, 0, ("x@y.example",))
    assert [each.name for each in doors.listed(programme, limit=9)] == [cast.eve.name]
    assert doors.is_for(programme, cast.eve)
    assert (doors.reach(programme), doors.count_listed(programme)) == (1, 1)
    doors.remove_person(cast.adam, programme, cast.eve.id, now=now)
    assert not doors.is_for(programme, cast.eve)
    for act in (
        lambda: doors.add_people(cast.lev, programme, ["eve@gemba.example"], now=now),
        lambda: doors.remove_person(cast.lev, programme, cast.eve.id, now=now),
    ):
        with pytest.raises(Forbidden):
            act()
    with pytest.raises(Invalid):
        doors.add_people(cast.adam, programme, [], now=now)


def test_whom_it_is_not_for_is_stopped_everywhere(app: Flask, cast: Cast, clock: StandingClock) -> None:
    programme, now, eve = cast.programme, clock(), cast.eve
    chosen = _round(cast, clock)
    rounds.sign_up(eve, chosen, note="", now=now)
    visits.wait(programme, eve, ANY, now=now)
    visit = visits.book(programme=programme, visitor=cast.vera, start=HOUR, now=now)
    assert plan_offers(programme.id, now=now)
    service.update(cast.adam, "shadow", {"who": "departments", "departments": ["Product"]}, now=now)
    for act in (
        lambda: visits.book(programme=programme, visitor=eve, start=HOUR + timedelta(hours=1), now=now),
        lambda: visits.wait(programme, eve, ANY, now=now),
        lambda: rounds.sign_up(eve, chosen, note="", now=now),
        lambda: cadence.book_again(programme, eve, cast.alice.id, HOUR, now=now),
    ):
        with pytest.raises(NotForYou):
            act()
    with pytest.raises(Invalid):
        visits.hand_on(visit, cast.vera, leaving=cast.vera, email=eve.email, now=now)
    assert plan_offers(programme.id, now=now) == []
    asked = inviting.invite(cast.adam, chosen, addresses=[eve.email, cast.vera.email], now=now)
    assert (asked.new, asked.outside, asked.unknown) == (1, 1, ())
    assert inputs.ready(chosen) == []
    assert [each["code"] for each in looking.left_out(chosen, None)] == ["not-among"]
    assert {row.person.id for row in cadence.everyone(programme, now=now)} == {cast.vera.id}
    assert db.session.get(RoundSignUp, (chosen.id, eve.id)) is not None


def test_by_rounds_only_and_all_year(app: Flask, cast: Cast, clock: StandingClock) -> None:
    programme, now = cast.programme, clock()
    service.update(cast.adam, "shadow", {"opening": "rounds"}, now=now)
    with pytest.raises(ByRoundsOnly):
        visits.book(programme=programme, visitor=cast.vera, start=HOUR, now=now)
    with pytest.raises(ByRoundsOnly):
        visits.wait(programme, cast.vera, ANY, now=now)
    assert doors.next_round(programme, now) is None
    later, sooner = _round(cast, clock), _round(cast, clock)
    sooner.closes_at = now + timedelta(days=1)
    later.name = "Later"
    db.session.flush()
    coming = doors.next_round(programme, now)
    assert coming is not None
    assert coming.round_id == sooner.id
    rounds.sign_up(cast.vera, later, note="", now=now)
    service.update(cast.adam, "shadow", {"opening": "all-year"}, now=now)
    plan = rounds.Plan("Autumn", "", now.date(), now.date() + timedelta(3), now.date() + timedelta(9))
    with pytest.raises(Invalid) as refused:
        rounds.make(cast.adam, programme, plan, now=now)
    assert list(refused.value.errors) == ["programme"]
    assert visits.book(programme=programme, visitor=cast.vera, start=HOUR, now=now).id


def test_the_pages_say_it_in_words(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    adam, eve, vera = (browser.as_(one.id) for one in (site_cast.adam, site_cast.eve, site_cast.vera))
    assert "eve@gemba.example" not in adam.get("/programmes/shadow/people").text
    answer = adam.post("/programmes/shadow/people", data={"addresses": "eve@gemba.example, no@one.example"})
    assert (answer.status_code, answer.location) == (303, "/programmes/shadow/people")
    page = adam.get("/programmes/shadow/people").text
    assert "1 person is on the list now." in page
    assert "no@one.example" in page
    assert site_cast.eve.name in page
    assert adam.post("/programmes/shadow/people", data={"addresses": ""}).status_code == 422
    with site.app_context():
        service.update(
            db.session.get_one(type(site_cast.adam), site_cast.adam.id),
            "shadow",
            {"who": "listed"},
            now=clock(),
        )
        db.session.commit()
    assert "Not open to you" not in eve.get("/visits/book").text
    refused = vera.get("/visits/book?programme=shadow")
    assert refused.status_code == 200
    assert "Not open to you" in refused.text
    assert site_cast.eve.name not in refused.text
    assert vera.post("/visits/book", data={"start": "2026-11-26T09:00:00Z"}).status_code == 403
    adam.post(f"/programmes/shadow/people/{site_cast.eve.id}/remove")
    assert "Not open to you" in eve.get("/visits/book").text
    with site.app_context():
        programme = service.get_programme("shadow")
        programme.who, programme.opening = "everyone", "rounds"
        number = _round(site_cast, clock).id
        db.session.commit()
    page = vera.get("/visits/book").text
    assert "Visits come from rounds" in page
    assert f'href="/rounds/{number}"' in page
    assert vera.post("/visits/book", data={"start": "2026-11-26T09:00:00Z"}).status_code == 409


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("How to WOW", "how-to-wow"),
        ("Свободная касса", "svobodnaya-kassa"),
        ("…", "programme"),
        ("new", "new-1"),
    ],
)
def test_a_name_gives_an_address(name: str, slug: str) -> None:
    assert slug_from(name) == slug
