"""Which mails people get: chosen on the profile, or turned off by a link that only acts on a POST."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.outbox.mime import Address, compose
from gemba.people.mail_links import mail_token, whose_mail
from gemba.people.models import AuditEntry, MailDeclined, Person
from gemba.people.rules import MailKind
from gemba.people.service import mail_choices
from tests.cast import Cast
from tests.conftest import MONDAY, Browser, StandingClock

SECRET = "test-" * 10
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def link(cast: Cast, kind: MailKind = MailKind.OUTCOME) -> str:
    """The address in Vera's mails."""
    return f"/mail/{mail_token(SECRET, cast.vera.id, kind)}"


def declined(site: Flask) -> list[tuple[int, str]]:
    """Who declined what."""
    with site.app_context():
        rows = db.session.execute(select(MailDeclined.person_id, MailDeclined.kind)).tuples().all()
        return sorted(rows)


def test_everything_is_wanted_until_somebody_says_otherwise(
    app: Flask, cast: Cast, clock: StandingClock
) -> None:
    people = [cast.vera.id, cast.alice.id]
    assert mail_choices.wants(people, MailKind.OUTCOME) == set(people)
    mail_choices.choose_one(cast.vera, MailKind.OUTCOME, False, now=clock(), by=cast.vera)
    mail_choices.choose_one(cast.vera, MailKind.OUTCOME, False, now=clock(), by=cast.vera)
    db.session.commit()
    assert mail_choices.wants(people, MailKind.OUTCOME) == {cast.alice.id}
    assert mail_choices.wants(people, MailKind.REMINDER_DAY) == set(people)
    assert mail_choices.wants([], MailKind.OUTCOME) == set()
    mail_choices.choose(cast.vera, set(MailKind), now=clock(), by=None)
    db.session.commit()
    assert db.session.scalars(select(MailDeclined)).all() == []
    said = [(row.action, row.person_id) for row in db.session.scalars(select(AuditEntry))]
    assert said == [("mail.declined", cast.vera.id), ("mail.wanted", None)]


def test_the_profile_shows_and_keeps_the_choice(site: Flask, site_cast: Cast, browser: Browser) -> None:
    vera = browser.as_(site_cast.vera.id)
    page = vera.get("/profile").text
    assert len(re.findall(r'name="kinds"[^>]*checked|checked[^>]*name="kinds"', page)) == len(MailKind)
    assert "always come" in page
    answer = vera.post("/profile/mail", data={"kinds": ["reminder-hour"]})
    assert (answer.status_code, answer.location) == (303, "/profile#mail")
    others = sorted(set(MailKind) - {MailKind.REMINDER_HOUR})
    assert declined(site) == [(site_cast.vera.id, kind) for kind in others]
    page = vera.get("/profile").text
    assert len(re.findall(r'name="kinds"[^>]*checked|checked[^>]*name="kinds"', page)) == 1
    vera.post("/profile/mail", data={"kinds": [kind.value for kind in MailKind]})
    assert declined(site) == []
    vera.post("/profile/mail")
    assert len(declined(site)) == len(MailKind), "no box is a choice too"


def test_a_kind_nobody_knows_is_refused(site: Flask, site_cast: Cast, browser: Browser) -> None:
    answer = browser.as_(site_cast.vera.id).post("/profile/mail", data={"kinds": ["invite"]})
    assert answer.status_code == 422
    assert declined(site) == []


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_changes_nothing(site: Flask, site_cast: Cast, browser: Browser, method: str) -> None:
    answer = browser.anonymous().open(link(site_cast), method=method)
    assert answer.status_code == 200
    assert declined(site) == []
    if method == "GET":
        assert "Turn these mails off?" in answer.text
        assert site_cast.vera.email not in answer.text
        assert "v•••@gemba.example" in answer.text


def test_one_click_needs_no_page_and_no_redirect(site: Flask, site_cast: Cast, browser: Browser) -> None:
    site.config["WTF_CSRF_ENABLED"] = True
    for _twice in range(2):
        answer = browser.anonymous().post(link(site_cast), data=ONE_CLICK)
        assert answer.status_code == 200
        assert "These mails are off" in answer.text
        assert declined(site) == [(site_cast.vera.id, "outcome")]


def test_the_page_turns_them_off_and_on_again(site: Flask, site_cast: Cast, browser: Browser) -> None:
    client, address = browser.anonymous(), link(site_cast, MailKind.REMINDER_DAY)
    answer = client.post(address, data={"wanted": "no"})
    assert (answer.status_code, answer.location) == (303, address)
    assert declined(site) == [(site_cast.vera.id, "reminder-day")]
    assert "Turn them on again" in client.get(address).text
    client.post(address, data={"wanted": "yes"})
    assert declined(site) == []


@pytest.mark.parametrize("data", [{}, {"wanted": "perhaps"}, {"List-Unsubscribe": "Later"}])
def test_a_post_that_says_nothing_does_nothing(
    site: Flask, site_cast: Cast, browser: Browser, data: dict[str, str]
) -> None:
    assert browser.anonymous().post(link(site_cast), data=data).status_code == 400
    assert declined(site) == []


def test_a_forged_link_does_nothing_and_says_so_kindly(
    site: Flask, site_cast: Cast, browser: Browser
) -> None:
    good = mail_token(SECRET, site_cast.vera.id, MailKind.OUTCOME)
    other = mail_token(SECRET, site_cast.eve.id, MailKind.OUTCOME)
    forged = [
        good[:-1] + ("A" if good[-1] != "A" else "B"),
        good[:-1],
        good + "A",
        good.replace("outcome", "reminder-day"),
        f"{site_cast.vera.id}-outcome-{other.rpartition('outcome-')[2]}",
        good.replace("outcome", "sign-in"),
        mail_token("another-secret" * 4, site_cast.vera.id, MailKind.OUTCOME),
        mail_token(SECRET, 999_999, MailKind.OUTCOME),
        "x",
    ]
    for token in forged:
        for answer in (
            browser.anonymous().get(f"/mail/{token}"),
            browser.anonymous().post(f"/mail/{token}", data=ONE_CLICK),
        ):
            assert answer.status_code == 404, token
            assert "This link does not work" in answer.text
    assert declined(site) == []


def test_who_is_gone_has_no_link(site: Flask, site_cast: Cast, browser: Browser) -> None:
    with site.app_context():
        db.session.get_one(Person, site_cast.vera.id).active = False
        db.session.commit()
    assert browser.anonymous().get(link(site_cast)).status_code == 404


def test_links_tell_people_and_kinds_apart() -> None:
    tokens = {mail_token(SECRET, person, kind): (person, kind) for person in (1, 2, 12) for kind in MailKind}
    assert len(tokens) == 3 * len(MailKind)
    for token, whose in tokens.items():
        assert whose_mail(token, SECRET) == whose
        assert whose_mail(token, SECRET + "x") is None


def test_the_headers_stand_whole_in_their_lines() -> None:
    address = "https://gemba.a-rather-long-name.company.example/support/mail/" + "x" * 60
    raw = compose(
        sender=Address("gemba@company.example", "Рядом"),
        to=Address("vera@company.example"),
        subject="Soon",
        text="Soon",
        message_id="<1@company.example>",
        date=MONDAY,
        unsubscribe=address,
    )
    assert f"\r\nList-Unsubscribe: <{address}>\r\n".encode() in raw
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw
    for bad in ("https://a.example/\r\nBcc: x", "javascript:alert(1)", "https://a.example/>"):
        with pytest.raises(ValueError, match="unsubscribe"):
            compose(
                sender=Address("gemba@company.example"),
                to=Address("vera@company.example"),
                subject="",
                text="",
                message_id="<1@company.example>",
                date=MONDAY,
                unsubscribe=bad,
            )
