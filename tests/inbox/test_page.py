"""The page of what came in."""

from dataclasses import replace

import pytest
from flask import Flask

from gemba.db import db
from gemba.inbox import words
from gemba.inbox.models import ReceivedMail
from gemba.inbox.rules import Outcome
from gemba.inbox.service import handle_message
from gemba.visits.models import Visit
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.inbox import mails
from tests.inbox.conftest import address_of, book, with_replies


@pytest.fixture
def visit(site: Flask, site_cast: Cast, clock: StandingClock) -> Visit:
    """The visit that mails are about."""
    with site.app_context():
        with_replies(site)
        made = book(site_cast, clock())
        db.session.refresh(made)
        db.session.expunge_all()
    clock.forward(hours=2)
    return made


def bring(site: Flask, raw: bytes, clock: StandingClock) -> int:
    """Brings a mail; its row's id."""
    with site.app_context():
        row = handle_message(raw, via="imap", now=clock())
        db.session.commit()
        return row.id


def result(site: Flask, mail_id: int) -> str:
    with site.app_context():
        return db.session.get_one(ReceivedMail, mail_id).result


def test_an_empty_page_says_what_will_be_here(site_cast: Cast, browser: Browser) -> None:
    page = browser.as_(site_cast.adam.id).get("/outbox/received").text
    assert "Nothing has come in yet" in page
    assert "no mailbox is set" in page


def test_a_held_answer_is_shown_and_let_count(
    site: Flask, site_cast: Cast, visit: Visit, browser: Browser, clock: StandingClock
) -> None:
    ask = mails.Ask(uid=visit.uid, answer="tentative", name="<script>alert(1)</script>")
    mail_id = bring(site, mails.exchange(ask), clock)
    adam = browser.as_(site_cast.adam.id)
    page = adam.get("/outbox/received").text
    assert "1 answer waits for your decision." in page
    assert "Nothing proves that the sender is who they say." in page
    assert "Tentative: Side by side" in page
    assert "Says that they may be there." in page
    assert f'href="/people/{site_cast.vera.id}"' in page
    assert f'href="/visits/{visit.id}"' in page
    assert "<script>alert(1)" not in page
    assert "BEGIN:VCALENDAR" not in page
    answer = adam.post(f"/outbox/received/{mail_id}/count")
    assert (answer.status_code, answer.location) == (303, "/outbox/received")
    assert "The answer counts." in adam.get("/outbox/received").text
    assert result(site, mail_id) == Outcome.COUNTED
    assert adam.post(f"/outbox/received/{mail_id}/count").status_code == 409
    assert adam.post(f"/outbox/received/{mail_id + 1}/count").status_code == 404


def test_a_held_proposal_says_its_hour(
    site: Flask, site_cast: Cast, visit: Visit, browser: Browser, clock: StandingClock
) -> None:
    ask = mails.Ask(uid=visit.uid, start="20261126T140000", end="20261126T150000")
    bring(site, mails.exchange_counter(ask), clock)
    page = browser.as_(site_cast.adam.id).get("/outbox/received").text
    assert "Proposes Thursday 26 November, 14:00" in page


def test_a_held_answer_is_put_aside(
    site: Flask, site_cast: Cast, visit: Visit, browser: Browser, clock: StandingClock
) -> None:
    mail_id = bring(site, mails.exchange(mails.Ask(uid=visit.uid)), clock)
    adam = browser.as_(site_cast.adam.id)
    assert adam.post(f"/outbox/received/{mail_id}/dismiss").status_code == 303
    assert "Let it count" not in adam.get("/outbox/received").text
    assert result(site, mail_id) == Outcome.DISMISSED


def test_many_mails_are_on_several_pages(
    site: Flask, site_cast: Cast, visit: Visit, browser: Browser, clock: StandingClock
) -> None:
    for number in range(51):
        raw = mails.plain(mails.Ask(message_id=f"<{number}@x>"), "hello", "text/plain")
        bring(site, raw.replace(b"Subject: ", f"Subject: no. {number} ".encode()), clock)
    adam = browser.as_(site_cast.adam.id)
    first = adam.get("/outbox/received").text
    assert "no. 50 " in first
    assert "no. 0 " not in first
    cursor = first.split("/outbox/received?cursor=")[1].split('"')[0]
    assert "no. 0 " in adam.get(f"/outbox/received?cursor={cursor}").text
    assert adam.get("/outbox/received?cursor=x").status_code == 200


def test_the_person_whose_mail_comes_back_is_shown_as_such(
    site: Flask, site_cast: Cast, visit: Visit, browser: Browser, clock: StandingClock
) -> None:
    adam = browser.as_(site_cast.adam.id)
    path = f"/people/{site_cast.vera.id}"
    assert "comes back" not in adam.get(path).text
    with site.app_context():
        to = address_of(visit, site_cast.vera)
    bring(site, mails.bounce(to=to), clock)
    page = adam.get(path).text
    assert "Mail to vera@gemba.example comes back since 23 November 2026." in page
    assert "no such mailbox" in page
    assert "came back" in adam.get("/outbox/received").text


def test_every_outcome_has_words(site: Flask) -> None:
    with site.test_request_context():
        said = [words.sentence_of(outcome) for outcome in Outcome]
    assert all(" " in sentence for sentence in said)
    assert len(set(said)) == len(said)
    assert words.sentence_of("something-new") == "something-new"


def test_answers_that_are_of_another_visit_have_no_link(
    site: Flask, site_cast: Cast, visit: Visit, browser: Browser, clock: StandingClock
) -> None:
    bring(site, mails.gmail(replace(mails.Ask(), uid="other@x")), clock)
    page = browser.as_(site_cast.adam.id).get("/outbox/received").text
    assert "It is about no visit of ours." in page
    assert f'href="/visits/{visit.id}"' not in page


def test_leads_see_on_the_visit_that_mail_comes_back_and_visitors_do_not(
    site: Flask, site_cast: Cast, visit: Visit, browser: Browser, clock: StandingClock
) -> None:
    with site.app_context():
        to = address_of(visit, site_cast.vera)
    words_there = "Mail to Vera Visitor comes back since 23 November 2026."
    path = f"/visits/{visit.id}"
    assert words_there not in browser.as_(site_cast.lev.id).get(path).text
    bring(site, mails.bounce(to=to), clock)
    for who in (site_cast.lev, site_cast.adam):
        assert words_there in browser.as_(who.id).get(path).text
    for who in (site_cast.vera, site_cast.alice):
        assert words_there not in browser.as_(who.id).get(path).text
