"""Word back: who hears what became of an insight, once, and who does not."""

from datetime import timedelta

from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.insights import service
from gemba.insights.rules.kinds import Standing
from gemba.insights.service import talk
from gemba.insights.service.telling import behind
from gemba.outbox.models import OutboxItem
from gemba.people.models import Person
from gemba.people.rules import MailKind
from gemba.people.service import mail_choices
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.insights.stage import make_visit, note


def told(word: str = "") -> list[tuple[str, str, str]]:
    """To whom, in which language, with which reason."""
    mails = db.session.scalars(select(OutboxItem).where(OutboxItem.state == "ready").order_by(OutboxItem.id))
    return sorted(
        (mail.recipient.split("@")[0], mail.payload["locale"], mail.payload["context"]["reason"])
        for mail in mails
        if mail.payload.get("template") == "insight_news" and word in ("", mail.payload["context"]["word"])
    )


def seen(cast: Cast, clock: StandingClock) -> int:
    """An insight that Vera noted with Anton, and to which Eve said "me too"."""
    visit = make_visit(cast, clock() - timedelta(hours=1), agent=cast.anton, status="held")
    made = note(visit, cast.vera, "slow search", clock()).insight_id or 0
    service.vote(made, cast.eve, now=clock())
    return made


def test_everyone_behind_it_hears_once_with_the_reason(cast: Cast, clock: StandingClock) -> None:
    insight = seen(cast, clock)
    for _twice in range(2):
        service.patch(insight, cast.olga, {"status": "declined"}, reason="too dear", now=clock())
    people = [("anton", "ru", "too dear"), ("eve", "en", "too dear"), ("lev", "en", "too dear")]
    assert told() == [*people, ("vera", "en", "too dear")]
    clock.forward(minutes=1)
    service.patch(insight, cast.olga, {"status": "planned"}, now=clock())
    assert told("declined") == []  # what did not leave yet would be wrong now
    assert [who for who, *_rest in told("planned")] == ["anton", "eve", "lev", "vera"]


def test_who_did_it_or_does_not_want_it_hears_nothing(cast: Cast, clock: StandingClock) -> None:
    insight = seen(cast, clock)
    service.vote(insight, cast.olga, now=clock())
    mail_choices.choose_one(cast.eve, MailKind.INSIGHT, False, now=clock(), by=cast.eve)
    cast.lev.active = False
    service.patch(insight, cast.olga, {"status": "doing", "title": "Slow search"}, now=clock())
    assert [who for who, *_rest in told()] == ["anton", "vera"]
    service.patch(insight, cast.olga, {"body": "words only"}, now=clock())
    service.patch(insight, cast.olga, {"status": "new"}, now=clock())
    assert [who for who, *_rest in told()] == ["anton", "vera"]


def test_only_evidence_that_counts_names_people(cast: Cast, clock: StandingClock) -> None:
    insight = seen(cast, clock)
    other = make_visit(cast, clock() - timedelta(days=1), agent=cast.ada, visitor=cast.adam, status="held")
    hidden = note(other, cast.adam, "the same", clock(), insight=insight)
    assert {cast.ada.id, cast.adam.id, cast.lena.id} <= behind(insight)
    hidden.standing = Standing.PRIVATE
    db.session.flush()
    assert behind(insight).isdisjoint({cast.ada.id, cast.adam.id, cast.lena.id})


def test_the_page_of_contributions(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    with site.app_context():
        insight = seen(site_cast, clock)
        service.patch(insight, site_cast.olga, {"status": "declined"}, reason="too dear", now=clock())
        db.session.commit()
    for person in (site_cast.vera, site_cast.anton):
        page = browser.as_(person.id).get("/contributions").text
        for words in ("slow search", "too dear", "1 note"):
            assert words in page or person is site_cast.anton
    assert "slow search" not in browser.as_(site_cast.adam.id).get("/contributions").text
    assert browser.anonymous().get("/contributions").status_code == 303


def test_a_reason_goes_with_its_status(cast: Cast, clock: StandingClock) -> None:
    insight = seen(cast, clock)
    service.patch(insight, cast.olga, {"status": "declined"}, reason="too dear", now=clock())
    assert service.reasons([insight]) == {insight: "too dear"}
    clock.forward(minutes=1)
    service.patch(insight, cast.olga, {"status": "planned"}, now=clock())
    assert service.reasons([insight]) == {}


def test_words_and_votes_are_contributions_too(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    with site.app_context():
        one, other = seen(site_cast, clock), seen(site_cast, clock)
        eve = db.session.get_one(Person, site_cast.eve.id)
        gone = talk.say(one, eve, "only this once", now=clock())
        talk.say(other, eve, "said", now=clock())
        talk.say(other, eve, "said again", now=clock())
        talk.take_back(gone.id, eve, now=clock())
        service.merge(other, site_cast.olga, one, now=clock())
        (row,) = service.contributions(eve)
        assert (row.insight.id, row.notes, row.comments, row.voted, row.made) == (one, 0, 2, True, False)
        db.session.commit()
    page = browser.as_(site_cast.eve.id).get("/contributions").text
    assert "you wrote to it · you said “me too” · " in page
    assert "you wrote to it" not in browser.as_(site_cast.vera.id).get("/contributions").text
