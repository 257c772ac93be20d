"""The board: cards are dragged, and moved by keyboard alone; a decline asks for its reason first."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PHONE, Desk
from tests.browser.test_triage import fill

pytestmark = pytest.mark.browser


def _cards(page: Page, status: str) -> Locator:
    return page.locator(f'[data-status="{status}"] .board-card')


def test_cards_are_dragged_to_another_column(desk: Desk) -> None:
    fill(desk, 3)
    page = desk.open(desk.cast.olga.id, "/backlog/board")
    card = _cards(page, "new").first
    name = card.locator("a").inner_text()
    card.drag_to(page.locator('[data-status="planned"]'))
    expect(_cards(page, "planned")).to_contain_text([name])
    expect(_cards(page, "new")).to_have_count(2)
    expect(page.get_by_text("The status is set.")).to_be_visible()


def test_the_board_is_walked_and_worked_by_keyboard_alone(desk: Desk) -> None:
    fill(desk, 3)
    page = desk.open(desk.cast.olga.id, "/backlog/board")
    links = _cards(page, "new").locator("a")
    links.first.focus()
    page.keyboard.press("ArrowDown")
    expect(links.nth(1)).to_be_focused()
    name = links.nth(1).inner_text()
    page.keyboard.press("m")
    expect(page.get_by_role("dialog", name="Move the insight")).to_contain_text(name)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".board-card button").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    page.locator("#move-to").select_option("doing")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(_cards(page, "doing").locator("a")).to_have_text(name)
    expect(_cards(page, "doing").locator("a")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(links.first).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(_cards(page, "doing").locator("a")).to_be_focused()


def test_a_card_dropped_on_declined_asks_why(desk: Desk) -> None:
    fill(desk, 1)
    page = desk.open(desk.cast.olga.id, "/backlog/board")
    _cards(page, "new").drag_to(page.locator('[data-status="declined"]'))
    expect(page.get_by_label("Reason")).to_be_focused()
    page.keyboard.type("By design")
    page.get_by_role("button", name="Move", exact=True).last.click()
    expect(_cards(page, "declined")).to_have_count(1)


@pytest.mark.parametrize("width", [PHONE, 1440])
def test_it_fits_and_reads_without_scripts(desk: Desk, width: int) -> None:
    fill(desk, 2)
    page = desk.open(desk.cast.vera.id, "/backlog/board", width=width, scripts=False)
    _cards(page, "new").first.locator("a").click()
    expect(page).to_have_url(re.compile(r"/insights/\d+$"))
    page.go_back()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
