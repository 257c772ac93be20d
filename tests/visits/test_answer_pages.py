"""Pages to answer on: behind the links of mails, without a sign-in, and on the page of a visit."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gemba.app import create_app
from gemba.db import db
from gemba.invites.rules import Answer
from gemba.people.models import Person
from gemba.visits import links, replies, service
from gemba.visits.facts import Ask
from gemba.visits.models import Visit, VisitOutcome
from gemba.visits.rules import Status
from gemba.web.limits import limiter
from tests.cast import Cast
from tests.conftest import Browser, StandingClock, settings_for

TEN = datetime(2026, 11, 26, 9, tzinfo=UTC)
Propose = Callable[..., int]
NOON = "2026-11-26T11:00:00Z"


@pytest.fixture
def visit_id(site: Flask, site_cast: Cast, clock: StandingClock) -> int:
    with site.app_context():
        visit = service.book(
            programme=db.session.merge(site_cast.programme),
            visitor=db.session.merge(site_cast.vera),
            start=TEN,
            ask=Ask(agent_id=site_cast.alice.id),
            now=clock(),
        )
        db.session.commit()
        return visit.id


@pytest.fixture
def propose(site: Flask, visit_id: int, clock: StandingClock) -> Propose:
    """Proposes another hour for somebody, and says its number."""

    def act(person: Person, start: datetime = TEN + timedelta(hours=2)) -> int:
        clock.forward(seconds=1)
        with site.app_context():
            end = start + timedelta(hours=1)
            service.take_proposal(visit_id, person.id, start, end, "Later?", 0, clock(), now=clock())
            db.session.commit()
            return service.proposals_of(visit_id)[-1].id

    return act


def link(site: Flask, visit_id: int, person: Person) -> str:
    with site.app_context():
        return links.answer_path(visit_id, person.id)


def state(site: Flask, visit_id: int) -> tuple[str, datetime, dict[int, str]]:
    """Status, start, and who answered what."""
    with site.app_context():
        visit = db.session.get_one(Visit, visit_id)
        rows = replies.rows_of([visit_id])[visit_id]
        return visit.status, visit.starts_at, {who: row.answer for who, row in rows.items()}


def main(page: str) -> str:
    return page.split("<main")[1].split("</main>")[0]


def test_a_link_shows_the_visit_in_its_persons_zone_and_language(
    site: Flask, site_cast: Cast, browser: Browser, visit_id: int
) -> None:
    with site.app_context():
        vera = db.session.get_one(Person, site_cast.vera.id)
        vera.timezone, vera.locale = "Asia/Kolkata", "ru"
        db.session.commit()
    answer = browser.anonymous().get(link(site, visit_id, site_cast.vera))
    assert answer.status_code == 200
    assert '<html lang="ru"' in answer.text
    assert "14:30–15:30" in answer.text
    assert "Asia/Kolkata (UTC+5:30)" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert "@gemba.example" not in answer.text


def test_looking_changes_nothing_and_sending_does(
    site: Flask, site_cast: Cast, browser: Browser, visit_id: int
) -> None:
    guest, path = browser.anonymous(), link(site, visit_id, site_cast.vera)
    for say in ("accepted", "tentative", "declined", "nonsense"):
        assert guest.get(f"{path}?say={say}").status_code == 200
        assert guest.head(f"{path}?say={say}").status_code == 200
    assert state(site, visit_id) == ("booked", TEN, {})
    done = guest.post(path, data={"answer": "ACCEPTED", "comment": "See you"})
    assert (done.status_code, done.location) == (303, path)
    assert state(site, visit_id)[2] == {site_cast.vera.id: "ACCEPTED"}
    page = guest.get(path).text
    assert "You said that you will be there." in page
    assert "See you" in page


def test_the_answer_of_the_mail_is_chosen_but_not_given(
    site: Flask, site_cast: Cast, browser: Browser, visit_id: int
) -> None:
    page = browser.anonymous().get(f"{link(site, visit_id, site_cast.vera)}?say=declined").text
    (first,) = re.findall(r'class="button" name="answer" value="(\S+)"', page)
    assert first == "DECLINED"
    assert "You chose “I cannot come” in the mail: press it here to say so." in page


def test_answers_act_only_with_the_pages_own_token(
    site: Flask, site_cast: Cast, browser: Browser, visit_id: int
) -> None:
    site.config["WTF_CSRF_ENABLED"] = True
    guest, path = browser.anonymous(), link(site, visit_id, site_cast.vera)
    assert guest.post(path, data={"answer": "ACCEPTED"}).status_code == 400
    assert state(site, visit_id)[2] == {}
    token = re.findall(r'name="csrf_token" value="([^"]+)"', main(guest.get(path).text))[0]
    assert guest.post(path, data={"answer": "ACCEPTED", "csrf_token": token}).status_code == 303


@pytest.mark.parametrize(
    "data",
    [{}, {"answer": "MAYBE"}, {"answer": "NEEDS-ACTION"}, {"answer": "ACCEPTED", "comment": "x" * 501}],
)
def test_what_is_no_answer_is_refused_with_the_words_kept(
    site: Flask, site_cast: Cast, browser: Browser, visit_id: int, data: dict[str, str]
) -> None:
    for client, path in (
        (browser.anonymous(), link(site, visit_id, site_cast.vera)),
        (browser.as_(site_cast.vera.id), f"/visits/{visit_id}/answer"),
    ):
        answer = client.post(path, data=data)
        assert answer.status_code == 422
        assert data.get("comment", "") in answer.text
    assert state(site, visit_id)[2] == {}


def test_forged_foreign_and_old_links_lead_nowhere(
    site: Flask, site_cast: Cast, browser: Browser, visit_id: int, clock: StandingClock
) -> None:
    guest, path = browser.anonymous(), link(site, visit_id, site_cast.vera)
    token = path.rpartition("/")[2]
    other = link(site, visit_id + 1, site_cast.vera).rpartition("/")[2]
    mixed = token[:10] + other[10:]
    flipped = token[:-1] + ("A" if token[-1] != "A" else "B")
    shown = set()
    for bad in (mixed, flipped, other, token.lower(), token[:-1], token + "A", "x" * 32, "ж" * 32, "-" * 500):
        for action in ("", "/move", "/cancel"):
            answer = guest.get(f"/answer/{bad}{action}")
            assert answer.status_code == 404, bad
            shown.add(main(answer.text))
        assert guest.post(f"/answer/{bad}", data={"answer": "DECLINED"}).status_code == 404
        assert guest.post(f"/answer/{bad}/outcome", data={"took_place": "yes"}).status_code == 404
    assert len(shown) == 1, "nothing is given away"
    assert "This link leads nowhere" in shown.pop()
    clock.at = TEN + timedelta(days=30)
    assert guest.get(path).status_code == 200
    clock.at = TEN + timedelta(days=30, hours=2)
    assert guest.get(path).status_code == 404
    assert state(site, visit_id)[2] == {}


def test_one_token_has_one_spelling(
    site: Flask, site_cast: Cast, visit_id: int, clock: StandingClock
) -> None:
    with site.app_context():
        token = links.link_token(visit_id, site_cast.vera.id)
        assert len(token) == 32
        assert links.whose_link(token, now=clock()) is not None
        for spelling in (token + "=", token[:-1] + "=", token.replace(token[5], "+"), f" {token[1:]}"):
            assert links.whose_link(spelling, now=clock()) is None


def test_a_person_who_is_gone_has_no_links(
    site: Flask, site_cast: Cast, browser: Browser, visit_id: int
) -> None:
    with site.app_context():
        db.session.get_one(Person, site_cast.vera.id).active = False
        db.session.commit()
    assert browser.anonymous().get(link(site, visit_id, site_cast.vera)).status_code == 404


def test_who_left_reads_that_they_no_longer_take_part(
    site: Flask, site_cast: Cast, browser: Browser, visit_id: int, clock: StandingClock
) -> None:
    with site.app_context():
        vera, visit = db.session.get_one(Person, site_cast.vera.id), db.session.get_one(Visit, visit_id)
        service.hand_on(visit, vera, leaving=vera, email=site_cast.eve.email, now=clock())
        db.session.commit()
    guest, path = browser.anonymous(), link(site, visit_id, site_cast.vera)
    for answer in (guest.get(path), guest.post(path, data={"answer": "ACCEPTED"}), guest.get(f"{path}/move")):
        assert answer.status_code == 410
        assert "You no longer take part" in answer.text
        assert "meet.jit.si" not in answer.text
    assert state(site, visit_id)[2] == {}
    assert guest.get(link(site, visit_id, site_cast.eve)).status_code == 200
    assert guest.get(link(site, visit_id, site_cast.olga)).status_code == 410


def test_the_link_acts_for_its_person_whoever_is_signed_in(
    site: Flask, site_cast: Cast, browser: Browser, visit_id: int
) -> None:
    olga, path = browser.as_(site_cast.olga.id), link(site, visit_id, site_cast.vera)
    page = olga.get(path).text
    assert "You are signed in as Olga Owner; what you choose here counts for Vera Visitor." in page
    assert "Sign out" not in page
    olga.post(path, data={"answer": "TENTATIVE"})
    assert state(site, visit_id)[2] == {site_cast.vera.id: "TENTATIVE"}
    assert "You are signed in as" not in browser.as_(site_cast.vera.id).get(path).text


def test_a_link_opens_nothing_else(site: Flask, site_cast: Cast, browser: Browser, visit_id: int) -> None:
    guest = browser.anonymous()
    guest.get(link(site, visit_id, site_cast.vera))
    guest.post(link(site, visit_id, site_cast.vera), data={"answer": "ACCEPTED"})
    for path in ("/visits", f"/visits/{visit_id}", "/profile", "/backlog"):
        assert guest.get(path).status_code == 303


def test_another_hour_is_chosen_behind_the_link(
    site: Flask, site_cast: Cast, browser: Browser, visit_id: int
) -> None:
    guest, path = browser.anonymous(), f"{link(site, visit_id, site_cast.vera)}/move"
    page = guest.get(f"{path}?agent={site_cast.ada.id}&product=1&language=ru").text
    assert "with Alice Agent" in page
    chosen = guest.get(f"{path}?start={NOON}").text
    assert "Move to 12:00" in chosen
    assert f'value="{NOON}"' in chosen
    moved = guest.post(path, data={"start": NOON, "agent": str(site_cast.ada.id)})
    assert moved.status_code == 303
    with site.app_context():
        visit = db.session.get_one(Visit, visit_id)
        assert (visit.starts_at, visit.agent_id) == (TEN + timedelta(hours=2), site_cast.alice.id)


def test_hours_that_cannot_be_had_are_explained_behind_the_link(
    site: Flask, site_cast: Cast, browser: Browser, visit_id: int, clock: StandingClock
) -> None:
    guest, path = browser.anonymous(), f"{link(site, visit_id, site_cast.vera)}/move"
    assert guest.post(path, data={"start": "soon"}).status_code == 422
    refused = guest.post(path, data={"start": "2026-11-26T22:00:00Z"})
    assert refused.status_code == 422
    assert "This hour is not offered." in refused.text
    clock.at = TEN - timedelta(minutes=10)
    late = guest.post(path, data={"start": NOON}, follow_redirects=True)
    assert "It is too late to move this visit." in late.text
    assert state(site, visit_id)[1] == TEN


def test_the_visit_is_cancelled_behind_the_link(
    site: Flask, site_cast: Cast, browser: Browser, visit_id: int
) -> None:
    guest, path = browser.anonymous(), link(site, visit_id, site_cast.vera)
    assert "Cancel the visit" in guest.get(f"{path}/cancel").text
    assert guest.post(f"{path}/cancel", data={"reason": "x" * 501}).status_code == 422
    done = guest.post(f"{path}/cancel", data={"reason": "I am ill"}, follow_redirects=True)
    assert "Cancelled. The hour is free again" in done.text
    assert "I am ill" in done.text
    assert guest.post(f"{path}/cancel").status_code == 303
    over = guest.post(path, data={"answer": "ACCEPTED"}, follow_redirects=True).text
    assert "there is nothing to answer any more" in over
    assert 'name="answer"' not in over


def test_the_outcome_is_told_behind_the_link(
    site: Flask, site_cast: Cast, browser: Browser, visit_id: int, clock: StandingClock
) -> None:
    guest, path = browser.anonymous(), link(site, visit_id, site_cast.vera)
    early = guest.post(f"{path}/outcome", data={"took_place": "yes"}, follow_redirects=True)
    assert "asked once it has begun" in early.text
    clock.at = TEN + timedelta(hours=1, minutes=5)
    assert "Did the visit take place?" in guest.get(path).text
    assert guest.post(f"{path}/outcome", data={"took_place": "perhaps"}).status_code == 422
    guest.post(f"{path}/outcome", data={"took_place": "yes"})
    with site.app_context():
        said = db.session.get_one(VisitOutcome, (visit_id, site_cast.vera.id))
        assert said.took_place == "yes"
        assert db.session.get_one(Visit, visit_id).status == Status.HELD
    assert 'aria-pressed="true"' in guest.get(path).text


@pytest.mark.parametrize("way", ["link", "page"])
def test_a_proposal_is_accepted_or_declined(
    site: Flask,
    site_cast: Cast,
    browser: Browser,
    visit_id: int,
    propose: Propose,
    way: str,
) -> None:
    first = propose(site_cast.vera)
    here = link(site, visit_id, site_cast.alice) if way == "link" else f"/visits/{visit_id}"
    alice = browser.anonymous() if way == "link" else browser.as_(site_cast.alice.id)
    page = alice.get(here).text
    assert "Another hour is proposed: Thursday 26 November, 12:00" in page
    assert "Later?" in page
    assert alice.get(f"{here}/proposals/{first}/accept").status_code == 405
    assert alice.post(f"{here}/proposals/{first + 99}/accept").status_code == 404
    assert "stays where it is" in alice.post(f"{here}/proposals/{first}/decline", follow_redirects=True).text
    again = alice.post(f"{here}/proposals/{first}/accept", follow_redirects=True).text
    assert "This proposal was answered already" in again
    late = propose(site_cast.vera, TEN + timedelta(hours=13))
    refused = alice.post(f"{here}/proposals/{late}/accept")
    assert refused.status_code == 422
    assert "do not cover this whole visit" in refused.text or "not free for a visit then" in refused.text
    assert "Nothing was booked. Choose another hour below." in refused.text
    assert state(site, visit_id)[1] == TEN


@pytest.mark.parametrize("way", ["link", "page"])
def test_a_yes_moves_the_visit(
    site: Flask,
    site_cast: Cast,
    browser: Browser,
    visit_id: int,
    propose: Propose,
    way: str,
) -> None:
    number = propose(site_cast.vera)
    here = link(site, visit_id, site_cast.alice) if way == "link" else f"/visits/{visit_id}"
    alice = browser.anonymous() if way == "link" else browser.as_(site_cast.alice.id)
    done = alice.post(f"{here}/proposals/{number}/accept", follow_redirects=True).text
    assert "Moved. Everyone gets an updated invite." in done
    assert state(site, visit_id)[1] == TEN + timedelta(hours=2)
    assert "Another hour is proposed" not in done


def test_nobody_answers_their_own_proposal(
    site: Flask,
    site_cast: Cast,
    browser: Browser,
    visit_id: int,
    propose: Propose,
) -> None:
    number = propose(site_cast.vera)
    vera, here = browser.as_(site_cast.vera.id), f"/visits/{visit_id}/proposals/{number}"
    assert "By you. The visit stays where it is" in vera.get(f"/visits/{visit_id}").text
    assert vera.post(f"{here}/accept").status_code == 403
    assert browser.as_(site_cast.eve.id).post(f"{here}/accept").status_code == 404
    assert browser.anonymous().post(f"{here}/accept").location.startswith("/sign-in")
    assert state(site, visit_id)[1] == TEN


def test_the_page_of_a_visit_shows_and_takes_answers(
    site: Flask, site_cast: Cast, browser: Browser, visit_id: int
) -> None:
    vera, alice = browser.as_(site_cast.vera.id), browser.as_(site_cast.alice.id)
    page = vera.get(f"/visits/{visit_id}").text
    assert "You have not answered yet." in page
    for way in ("move", "cancel", "words", "hand-on"):
        assert f'href="/visits/{visit_id}/{way}"' in page
    vera.post(f"/visits/{visit_id}/answer", data={"answer": "TENTATIVE", "comment": "If the train comes"})
    page = alice.get(f"/visits/{visit_id}").text
    assert "If the train comes" in page
    assert 'class="tag">maybe</span>' in page
    assert vera.get(f"/visits/{visit_id}/answer").status_code == 405
    assert (
        browser.as_(site_cast.adam.id)
        .post(f"/visits/{visit_id}/answer", data={"answer": "ACCEPTED"})
        .status_code
        == 422
    )
    assert browser.as_(site_cast.eve.id).post(f"/visits/{visit_id}/answer").status_code == 404
    assert browser.anonymous().post(f"/visits/{visit_id}/answer").location.startswith("/sign-in")
    assert state(site, visit_id)[2] == {site_cast.vera.id: "TENTATIVE"}


def test_an_agent_who_declines_reads_what_followed(
    site: Flask, site_cast: Cast, browser: Browser, visit_id: int
) -> None:
    alice = browser.as_(site_cast.alice.id)
    assert (
        "the visit is cancelled, and the visitor is offered other hours"
        in alice.get(f"/visits/{visit_id}").text
    )
    data = {"answer": "DECLINED", "comment": "Dentist"}
    page = alice.post(f"/visits/{visit_id}/answer", data=data, follow_redirects=True).text
    assert "Cancelled. The hour is free again and everyone hears of it." in page
    assert state(site, visit_id)[0] == Status.CANCELLED
    assert "Dentist" in browser.as_(site_cast.vera.id).get(f"/visits/{visit_id}").text


def test_words_are_edited_by_who_may(site: Flask, site_cast: Cast, browser: Browser, visit_id: int) -> None:
    path = f"/visits/{visit_id}/words"
    vera, alice = browser.as_(site_cast.vera.id), browser.as_(site_cast.alice.id)
    assert "Link of the video call" not in vera.get(path).text
    assert "Link of the video call" in alice.get(path).text
    assert (
        vera.post(path, data={"note": "Refunds", "meeting_url": "https://evil.example/"}).status_code == 303
    )
    page = vera.get(f"/visits/{visit_id}").text
    assert "Refunds" in page
    assert "evil.example" not in page
    bad = alice.post(path, data={"note": "Refunds, kept", "meeting_url": "http://meet.example/a"})
    assert bad.status_code == 422
    assert "Give an address that begins with https://." in bad.text
    assert "Refunds, kept" in bad.text
    assert alice.post(path, data={"note": "x" * 501, "meeting_url": "https://m.example/"}).status_code == 422
    assert alice.post(path, data={"note": "", "meeting_url": "https://m.example/r"}).status_code == 303
    assert "https://m.example/r" in vera.get(f"/visits/{visit_id}").text
    assert browser.as_(site_cast.eve.id).get(path).status_code == 404
    assert browser.anonymous().get(path).location.startswith("/sign-in")


def test_a_seat_is_handed_on(site: Flask, site_cast: Cast, browser: Browser, visit_id: int) -> None:
    path = f"/visits/{visit_id}/hand-on"
    vera = browser.as_(site_cast.vera.id)
    assert "Somebody else comes" in vera.get(f"/visits/{visit_id}").text
    assert vera.get(path).status_code == 200
    assert vera.post(path, data={"email": ""}).status_code == 422
    unknown = vera.post(path, data={"email": "nobody@gemba.example"})
    assert unknown.status_code == 422
    assert "No visitor has this address." in unknown.text
    assert "nobody@gemba.example" in unknown.text
    assert browser.as_(site_cast.alice.id).get(path).status_code == 403
    assert browser.as_(site_cast.eve.id).get(path).status_code == 404
    assert browser.anonymous().get(path).location.startswith("/sign-in")
    done = vera.post(path, data={"email": site_cast.eve.email})
    assert (done.status_code, done.location) == (303, "/visits")
    assert vera.get(f"/visits/{visit_id}").status_code == 404
    lev = browser.as_(site_cast.lev.id)
    assert "Instead of Eve Elsewhere:" in lev.get(path).text
    assert lev.post(path, data={"email": site_cast.vera.email}).location == f"/visits/{visit_id}"


def test_who_cannot_come_is_told_why(site: Flask, site_cast: Cast, browser: Browser, visit_id: int) -> None:
    eve = browser.as_(site_cast.eve.id)
    eve.post("/visits/book", data={"start": "2026-11-26T09:00:00Z", "agent": site_cast.ada.id})
    answer = browser.as_(site_cast.vera.id).post(
        f"/visits/{visit_id}/hand-on", data={"email": site_cast.eve.email}
    )
    assert answer.status_code == 422
    assert "The visitor is already taken then." in answer.text


def test_a_wish_is_written_while_booking(site: Flask, site_cast: Cast, browser: Browser) -> None:
    vera = browser.as_(site_cast.vera.id)
    data = {"start": "2026-11-27T09:00:00Z", "agent": "", "note": "How refunds are done"}
    page = vera.get("/visits/book?start=2026-11-27T09:00:00Z").text
    assert "What I would like to see" in page
    too_long = vera.post("/visits/book?start=2026-11-27T09:00:00Z", data={**data, "note": "y" * 501})
    assert too_long.status_code == 422
    assert "y" * 501 in too_long.text
    assert "Choose an hour from the list." not in too_long.text
    done = vera.post("/visits/book", data=data)
    assert done.status_code == 303
    assert "How refunds are done" in vera.get(done.location).text


def test_links_are_asked_only_so_often(sqlite_url: str, tmp_path: Path, clock: StandingClock) -> None:
    app = create_app(settings_for(sqlite_url, tmp_path, testing=False), clock)
    try:
        limiter.reset()
        client, path = app.test_client(), "/answer/" + "x" * 32
        codes = [client.get(path).status_code for _ in range(61)]
        assert codes == [404] * 60 + [429]
        assert client.get("/answer/" + "y" * 32).status_code == 404, "each link is counted by itself"
    finally:
        limiter.reset()
        limiter.enabled = False
        with app.app_context():
            db.engine.dispose()


def test_the_teams_calendar_names_who_may_not_come(
    site: Flask, site_cast: Cast, browser: Browser, visit_id: int
) -> None:
    lev = browser.as_(site_cast.lev.id)
    assert "maybe" not in main(lev.get("/team?day=2026-11-26").text)
    browser.as_(site_cast.vera.id).post(f"/visits/{visit_id}/answer", data={"answer": "TENTATIVE"})
    for address in ("/team?day=2026-11-26", "/team?week=2026-11-26"):
        assert "<small>Vera: maybe</small>" in lev.get(address).text


def says(client: FlaskClient, path: str) -> Answer | None:
    """What a page says that one has answered."""
    found = re.findall(r'name="answer" value="(\S+)" aria-pressed="true"', client.get(path).text)
    return Answer(found[0]) if found else None


def test_both_ways_write_the_same_state(
    site: Flask, site_cast: Cast, browser: Browser, visit_id: int, clock: StandingClock
) -> None:
    path, vera = link(site, visit_id, site_cast.vera), browser.as_(site_cast.vera.id)
    browser.anonymous().post(path, data={"answer": "TENTATIVE"})
    assert says(vera, f"/visits/{visit_id}") is Answer.TENTATIVE
    clock.forward(minutes=1)
    with site.app_context():
        said = service.Said(Answer.ACCEPTED, "", "mail", 0, clock())
        service.take_answer(visit_id, site_cast.vera.id, said, now=clock())
        db.session.commit()
    assert says(browser.anonymous(), path) is Answer.ACCEPTED
