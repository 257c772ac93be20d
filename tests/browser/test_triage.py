"""Thirty observations sorted by keyboard alone."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from gemba.db import db
from gemba.insights.models import Insight
from tests.browser.conftest import PHONE, Desk
from tests.insights.many import complaints
from tests.insights.stage import make_visit, note

pytestmark = pytest.mark.browser


def fill(desk: Desk, count: int) -> None:
    with desk.app.app_context():
        visit = make_visit(desk.cast, desk.clock() - timedelta(hours=1), status="held")
        for text in complaints(count):
            note(visit, desk.cast.vera, text, desk.clock(), severity=2)
        db.session.commit()


def left(desk: Desk, **given: object) -> int:
    with desk.app.app_context():
        query = select(func.count(Insight.id)).where(Insight.merged_into_id.is_(None)).filter_by(**given)
        return db.session.scalar(query) or 0


def test_thirty_observations_by_keyboard_alone(desk: Desk) -> None:
    fill(desk, 30)
    page = desk.open(desk.cast.olga.id, "/backlog/triage")
    chosen = page.locator(".triage-list [aria-current]")
    first = chosen.inner_text()
    page.keyboard.press("j")
    expect(chosen).not_to_have_text(first)
    page.wait_for_load_state()
    page.keyboard.press("k")
    expect(chosen).to_contain_text(first.split("\n")[0])
    page.wait_for_load_state()
    title, over = page.locator("#one"), page.get_by_text("Nothing waits here")
    number = 0
    while not over.is_visible():
        words = title.inner_text()
        if number % 3 == 1:
            page.keyboard.press("s")
            page.keyboard.type("not before the release")
            page.keyboard.press("Control+Enter")
        else:
            # What is added to another one of the inbox makes an insight of that as well.
            same = number % 3 == 2 and page.locator("button[data-key^=m]").count()
            page.keyboard.press("m" if same else "e")
        expect(page.locator("#one", has_text=words)).to_have_count(0)
        # Between two pages there is neither: the next one is there, and its scripts listen.
        expect(title.or_(over)).to_be_visible()
        page.wait_for_load_state()
        number += 1
    assert number >= 20
    assert left(desk, untouched=True, triage="") == 0
    assert left(desk, untouched=True, triage="later") >= 6
    assert left(desk, untouched=False) < 30


@pytest.mark.parametrize("width", [PHONE, 1440])
def test_it_fits_and_works_without_scripts(desk: Desk, width: int) -> None:
    fill(desk, 3)
    page = desk.open(desk.cast.olga.id, "/backlog/triage", width=width, scripts=False)
    page.get_by_role("button", name="New insight").click()
    expect(page.get_by_text("Kept as an insight of its own.")).to_be_visible()
    assert left(desk, untouched=True) == 2


def test_what_says_the_same_is_shown_while_an_insight_is_typed(desk: Desk) -> None:
    with desk.app.app_context():
        visit = make_visit(desk.cast, desk.clock() - timedelta(hours=1), status="held")
        note(visit, desk.cast.vera, "Order search needs the full number", desk.clock())
        db.session.commit()
    page = desk.open(desk.cast.olga.id, "/backlog/new")
    page.get_by_label("Title").press_sequentially("searching orders takes full numbers")
    expect(page.get_by_role("status").filter(has_text="1 insight is perhaps the same")).to_have_count(1)
    expect(page.get_by_text("shared words: Order, search, full, number")).to_be_visible()
    page.get_by_label("Description").fill("The sticker has four digits.")
    page.get_by_role("button", name="Same: add my words").click()
    expect(page.get_by_text("The sticker has four digits.", exact=True)).to_be_visible()
    assert left(desk) == 1
