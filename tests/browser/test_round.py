"""A round of sixty people in Chromium, from an empty database: a company founded, a programme started in
Russian, people asked, signed up to on a phone, worked out, published, read of in both languages."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from gemba.db import db
from gemba.outbox.mail import render
from gemba.outbox.models import OutboxItem
from gemba.outbox.rules import thaw
from gemba.outbox.worker import Worker
from gemba.people.models import Person
from gemba.rounds import service
from gemba.rounds.models import RoundPair, RoundSignUp
from gemba.visits.models import Visit
from tests.browser.conftest import PHONE, Desk
from tests.browser.founding import (
    Say,
    bring_in,
    id_of,
    open_hours,
    say_in,
    sign_in_as_admin,
    start_programme,
)

PEOPLE = 60
AGENTS = [f"agent{number}" for number in range(14)]
Payload = dict[str, Any]


def _company() -> list[str]:
    """Sixty people of one department, Lev's line of fifteen agents; zones and languages take turns."""
    zones, locales = ("Europe/Berlin", "Europe/Moscow"), ("en", "ru")
    rows = [
        f"guest{n}@gemba.example,Guest {n},visitor,{zones[n % 2]},{locales[n % 2]},Guests,"
        for n in range(PEOPLE)
    ]
    names = ["alice", *AGENTS]
    rows += [
        f"{name}@gemba.example,{name.title()} Agent,agent,{zones[n % 2]},{locales[n % 2]},,Checkout line"
        for n, name in enumerate(names)
    ]
    return [*rows, "lev@gemba.example,Lev Lead,lead,Europe/Berlin,ru,Support,Checkout line"]


def _guest(desk: Desk, number: int) -> int:
    return id_of(desk, f"guest{number}")


def work(desk: Desk) -> None:
    """The worker does all that waits."""
    with desk.app.app_context():
        Worker(desk.app, clock=desk.clock).drain()


def mail_texts(payloads: list[Payload]) -> dict[str, list[str]]:
    """The words of mails as they were sent, by language."""
    found: dict[str, list[str]] = {"en": [], "ru": []}
    for row in payloads:
        context = {**thaw(row["context"]), "to_name": row["name"]}
        found[row["locale"]].append(render(row["template"], row["locale"], context).text)
    return found


def make_round(page: Page, asked: int, say: Say = str) -> str:
    """A round of the department of guests, who are asked; its path."""
    page.get_by_role("link", name=say("New round")).click()
    page.get_by_label(say("Name in English")).fill("Winter")
    page.get_by_label(say("Name in Russian")).fill("Зима")
    page.get_by_label(say("Last day of sign-up")).fill("2026-11-27")
    page.get_by_label(say("First day of visits")).fill("2026-11-30")
    page.get_by_label(say("Last day of visits")).fill("2026-12-11")
    page.get_by_role("button", name=say("Make the round")).click()
    page.get_by_label(say("A whole department")).select_option("Guests")
    page.get_by_role("button", name=say("Send invitations")).click()
    expect(page.locator(".flash.is-success")).to_contain_text(str(asked))
    found = re.search(r"(/rounds/\d+)/manage", page.url)
    assert found is not None
    return found.group(1)


def _sign_up_on_a_phone(desk: Desk, path: str) -> Page:
    """In Russian, with what a phone shows: one tap for the usual wish, then one with painted hours."""
    phone = desk.open(_guest(desk, 1), path, width=PHONE)
    phone.get_by_role("button", name="Участвовать").click()
    expect(phone.locator(".flash.is-success")).to_be_visible()
    phone.locator("form#hours > details > summary").first.click()
    phone.locator("td[role=gridcell]:visible").first.wait_for()
    cell = phone.get_by_role("gridcell", name=re.compile("Понедельник 18:00"))
    cell.tap()
    phone.get_by_role("button", name="Сохранить").first.click()
    expect(phone.locator(".flash.is-success")).to_be_visible()
    return phone


@pytest.mark.browser
def test_a_round_of_sixty(bare_desk: Desk, tmp_path: Path) -> None:
    desk, say = bare_desk, say_in("ru")
    adam = sign_in_as_admin(desk, "ru")
    bring_in(desk, adam, say, _company(), tmp_path)
    open_hours(desk, AGENTS)
    start_programme(adam, say, "shadow", "How to WOW", "Как сделать WOW")
    adam.goto("/rounds")
    path = make_round(adam, PEOPLE, say)
    adam.get_by_role("button", name=say("Ask agents how many visits they take")).click()
    expect(adam.locator(".flash.is-success")).to_contain_text("15")
    number = int(path.rpartition("/")[2])
    phone = _sign_up_on_a_phone(desk, path)
    _the_others_sign_up(desk, number)
    alice = desk.open(id_of(desk, "alice"), f"{path}/capacity")
    alice.get_by_label("Visits you take in this round").fill("2")
    alice.get_by_role("button", name="Save").click()
    expect(alice.locator(".flash.is-success")).to_be_visible()

    desk.clock.at += timedelta(days=5)
    adam = desk.open(id_of(desk, "adam"), f"{path}/manage")
    lede = adam.locator(".lede")
    open_still = say("Nothing is booked yet. Look, pin what must stay, and publish.")
    adam.get_by_role("button", name=say("Propose pairs")).click()
    expect(lede).to_contain_text(say("Waiting for a worker."))
    work(desk)
    expect(lede).to_contain_text(open_still)
    expect(adam.locator("dl.stats")).to_contain_text(re.compile("60[^0-9]+60"))
    adam.get_by_role("button", name=re.compile(f"^{say('Pin')}")).first.click()
    unpin = adam.get_by_role("button", name=re.compile(f"^{say('Unpin')}"))
    expect(unpin).to_have_count(1)
    adam.locator("td a.row-title").nth(3).click()
    adam.get_by_role("button", name=say("Give this hour")).click()
    expect(adam.locator(".flash.is-success")).to_be_visible()
    adam.get_by_role("link", name=say("Back to the proposal")).click()
    adam.get_by_role("button", name=say("Propose the rest again")).click()
    expect(lede).to_contain_text(say("Waiting for a worker."))
    work(desk)
    expect(lede).to_contain_text(open_still)
    expect(unpin).to_have_count(2)
    adam.locator("summary", has_text=say("Publish all")).click()
    adam.locator(".confirm-card button").click()
    expect(adam.locator(".flash.is-success")).to_contain_text("60")
    work(desk)
    expect(lede).to_contain_text(say("Published: %(moment)s.").partition("%")[0])
    _nobody_is_in_two_visits(desk)
    _mails_say_it_in_both_languages(desk)
    phone = desk.open(_guest(desk, 1), path, width=PHONE)
    expect(phone.locator("#result-title")).to_have_text("У вас есть визит")


def _the_others_sign_up(desk: Desk, number: int) -> None:
    ids = [_guest(desk, n) for n in range(PEOPLE)]
    with desk.app.app_context():
        mine = db.session.get_one(RoundSignUp, (number, ids[1]))
        assert mine.weekly["0"][-1][1] == 18 * 60 + 30
        for one in ids:
            if one != ids[1]:
                person = db.session.get_one(Person, one)
                service.sign_up(person, service.get_round(number), now=desk.clock())
        db.session.commit()


def _nobody_is_in_two_visits(desk: Desk) -> None:
    with desk.app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Visit)) == PEOPLE
        assert db.session.scalar(select(func.count(func.distinct(RoundPair.visit_id)))) == PEOPLE
        starts = db.session.execute(select(Visit.agent_id, Visit.starts_at)).all()
        assert len(set(starts)) == PEOPLE


def _mails_say_it_in_both_languages(desk: Desk) -> None:
    """Everyone was asked and told; the words are read as they were sent."""
    with desk.app.test_request_context():
        for template, words in (
            ("round_invitation", {"en": "Say when you are free", "ru": "Скажите, когда вы свободны"}),
            (
                "round_served",
                {"en": "is settled, and you have a visit", "ru": "составлен, и у вас есть визит"},
            ),
        ):
            rows = [
                row.payload
                for row in db.session.scalars(select(OutboxItem).where(OutboxItem.kind == "mail"))
                if row.payload["template"] == template
            ]
            assert len(rows) == PEOPLE
            for locale, texts in mail_texts(rows).items():
                assert all(words[locale] in text for text in texts)
                assert all("/rounds/" in text or "/visits/" in text for text in texts)
        rows = [row.payload for row in db.session.scalars(select(OutboxItem)) if row.kind == "invite"]
        assert len(rows) == 3 * PEOPLE
        for locale, word in {"en": "When:", "ru": "Когда:"}.items():
            texts = mail_texts(rows)[locale]
            assert len(texts) >= PEOPLE // 2
            assert all(word in text and "Guest " in text and "Lev Lead" in text for text in texts)
