"""A hands-on round in Chromium, from an empty database: a company founded, a programme started, training
written and done, a mentor's word, pairs, visits with three, mails read in both languages, a debrief."""

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from gemba.db import db
from gemba.outbox.models import OutboxItem
from gemba.people.models import Person
from gemba.programmes import service as programmes
from gemba.programmes.training import service as training
from gemba.rounds import service
from gemba.visits.models import Visit
from tests.browser.conftest import PHONE, Desk
from tests.browser.founding import bring_in, id_of, open_hours, sign_in_as_admin, start_programme
from tests.browser.test_round import mail_texts, make_round, work

GUESTS = 6
HOSTS = ["anton", "ada", "max"]


def _company() -> list[str]:
    """Guests of two zones and languages; three agents, of whom Ada guides visits too; Max, a mentor."""
    zones, locales = ("Europe/Berlin", "Europe/Moscow"), ("en", "ru")
    return [
        *(
            f"guest{n}@gemba.example,Guest {n},visitor,{zones[n % 2]},{locales[n % 2]},Guests,"
            for n in range(GUESTS)
        ),
        "alice@gemba.example,Alice Agent,agent,Europe/Berlin,en,,Checkout line",
        "anton@gemba.example,Anton Agent,agent,Europe/Moscow,ru,,Checkout line",
        "ada@gemba.example,Ada Other,agent mentor,Europe/Berlin,en,,Checkout line",
        "max@gemba.example,Max Mentor,mentor,Europe/Berlin,en,Support,",
        "lev@gemba.example,Lev Lead,lead,Europe/Berlin,ru,Support,Checkout line",
    ]


def _write_the_training(page: Page) -> None:
    page.goto("/programmes/free-till/training/steps")
    steps: tuple[tuple[str, str, str, dict[str, str]], ...] = (
        ("Add something to read", "The rules", "Правила", {"#text": "Ask before you send."}),
        (
            "Add a question",
            "Who sends it?",
            "Кто отправляет?",
            {"#answers": "*I ask first\nI send", "#answers_ru": "*Спрошу\nОтправлю"},
        ),
        ("Add a sign-off", "Three answers together", "Три ответа вместе", {}),
    )
    for number, (kind, title, title_ru, more) in enumerate(steps, 1):
        page.get_by_role("link", name=kind).click()
        page.get_by_label("Title in English").fill(title)
        page.get_by_label("Title in Russian").fill(title_ru)
        for field, words in more.items():
            page.locator(field).fill(words)
        page.get_by_role("button", name="Add the step").click()
        expect(page.locator("ol.list > li")).to_have_count(number)


def _train(page: Page, words: tuple[str, str, str, str]) -> None:
    """The trainee's own steps; the wrong answer first. Words: done, answer, the wrong one, the right one."""
    done, answer, wrong, right = words
    page.get_by_role("button", name=done, exact=True).first.click()
    for choice in (wrong, right):
        page.get_by_label(choice, exact=True).check()
        page.get_by_role("button", name=answer, exact=True).click()
        if choice == wrong:
            expect(page.locator("p.error")).to_be_visible()
    expect(page.locator("p.muted.mt-4")).to_be_visible()


def _others_are_trained(desk: Desk, guests: list[int], max_: int) -> None:
    with desk.app.app_context():
        mentor, programme = db.session.get_one(Person, max_), programmes.get_programme("free-till")
        for guest in guests:
            person = db.session.get_one(Person, guest)
            *own, sign_off = [state.step for state in training.training_of(programme, person).steps]
            for step in own:
                training.take_step(person, "free-till", step.id, [0], now=desk.clock())
            training.sign_off(mentor, sign_off.id, guest, now=desk.clock())
        db.session.commit()


@pytest.mark.browser
def test_a_hands_on_round(bare_desk: Desk, tmp_path: Path) -> None:
    desk = bare_desk
    adam = sign_in_as_admin(desk, "en")
    bring_in(desk, adam, str, _company(), tmp_path)
    open_hours(desk, HOSTS)
    start_programme(adam, str, "hands-on", "Free till", "Свободная касса")
    guests, max_ = [id_of(desk, f"guest{n}") for n in range(GUESTS)], id_of(desk, "max")
    _write_the_training(adam)
    phone = desk.open(guests[1], "/programmes/free-till/training", width=PHONE, locale="ru-RU")
    _train(phone, ("Готово", "Ответить", "Отправлю", "Спрошу"))
    mentor = desk.open(max_, "/training")
    mentor.get_by_role("button", name="Sign off Guest 1: Three answers together").click()
    expect(mentor.locator("ul.list")).to_contain_text("trained")
    _others_are_trained(desk, [guest for guest in guests if guest != guests[1]], max_)
    adam.goto("/rounds")
    path = make_round(adam, GUESTS)
    phone.goto(path)
    phone.get_by_role("button", name="Участвовать").click()
    expect(phone.locator(".flash.is-success")).to_be_visible()
    with desk.app.app_context():
        chosen = service.get_round(int(path.rpartition("/")[2]))
        for guest in guests:
            if guest != guests[1]:
                service.sign_up(db.session.get_one(Person, guest), chosen, now=desk.clock())
        db.session.commit()
    desk.clock.at += timedelta(days=5)
    adam = desk.open(id_of(desk, "adam"), f"{path}/manage")
    adam.get_by_role("button", name="Propose pairs").click()
    expect(adam.locator(".lede")).to_contain_text("Waiting for a worker")
    work(desk)
    expect(adam.locator("dl.stats")).to_contain_text("6 of 6")
    adam.locator("summary", has_text="Publish all").click()
    adam.locator(".confirm-card button").click()
    expect(adam.locator(".flash.is-success")).to_contain_text("6 visits are being booked")
    work(desk)
    expect(adam.locator(".lede")).to_contain_text("Published")
    visit_id, guest = _each_visit_has_a_mentor(desk, max_)
    _mails_name_the_mentor(desk)
    _debrief(desk, visit_id, guest, max_)


def _each_visit_has_a_mentor(desk: Desk, max_: int) -> tuple[int, int]:
    """Nobody guides two visits at once; gives one of Max's, and its visitor."""
    ada = id_of(desk, "ada")
    with desk.app.app_context():
        visits = db.session.scalars(select(Visit).order_by(Visit.starts_at)).all()
        assert len(visits) == GUESTS
        guides = [(visit.mentor_id, visit.starts_at) for visit in visits]
        assert len(set(guides)) == GUESTS
        assert {mentor for mentor, _start in guides} <= {max_, ada}
        mine = next(visit for visit in visits if visit.mentor_id == max_)
        desk.clock.at = mine.ends_at + timedelta(minutes=1)
        return mine.id, mine.visitors[0].id


def _mails_name_the_mentor(desk: Desk) -> None:
    with desk.app.test_request_context():
        rows = db.session.scalars(select(OutboxItem).where(OutboxItem.kind == "invite")).all()
        texts = mail_texts([row.payload for row in rows if row.payload["template"] == "visit_booked"])
    assert any("and you are the mentor" in text for text in texts["en"])
    assert any("sits beside you" in text for text in texts["en"])
    assert any("рядом сидит наставник" in text for text in texts["ru"])


def _debrief(desk: Desk, visit_id: int, guest: int, max_: int) -> None:
    page = desk.open(guest, f"/visits/{visit_id}/debrief")
    page.locator("textarea").first.fill("One order, four windows")
    page.locator("button[type=submit].button").last.click()
    expect(page.locator(".flash.is-success")).to_be_visible()
    mentor = desk.open(max_, f"/visits/{visit_id}")
    mentor.get_by_role("link", name="Write the debrief").click()
    expect(mentor.locator("dl.facts")).to_contain_text("One order, four windows")
