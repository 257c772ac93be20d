"""The board: cards are dragged, and moved by keyboard alone; a decline asks for its reason first.

Rows of the list in the order by hand are dragged too.
"""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from gemba.db import db
from gemba.insights.service import statuses
from gemba.programmes.models import Programme
from tests.browser.conftest import PHONE, Desk
from tests.browser.test_triage import fill
from tests.insights.stage import make_visit, note

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


def test_own_statuses_stand_in_their_column_and_take_cards(desk: Desk) -> None:
    fill(desk, 2)
    with desk.app.app_context():
        programme, adam = desk.cast.programme.id, desk.cast.adam
        own = statuses.add(programme, adam, "In beta", "", "doing", now=desk.clock()).id
        other = Programme(slug="till", name="Free till", format="hands-on", created_at=desk.clock())
        db.session.add(other)
        db.session.flush()
        foreign = statuses.add(other.id, adam, "At the till", "", "doing", now=desk.clock()).id
        db.session.commit()
    page = desk.open(desk.cast.olga.id, "/backlog/board")
    _cards(page, "new").first.drag_to(page.locator(f'[data-status="own-{own}"]'))
    expect(_cards(page, f"own-{own}")).to_have_count(1)
    expect(_cards(page, "new")).to_have_count(1)
    page.wait_for_load_state()
    _cards(page, "new").first.drag_to(page.locator(f'[data-status="own-{foreign}"]'))
    expect(_cards(page, f"own-{foreign}")).to_have_count(0)
    _cards(page, "new").first.locator("a").focus()
    page.keyboard.press("ArrowRight")
    expect(_cards(page, f"own-{own}").locator("a")).to_be_focused()
    page.keyboard.press("m")
    expect(page.locator("#move-to")).to_have_value(f"own-{own}")
    assert page.locator(f'#move-to option[value="own-{foreign}"]').is_disabled()
    page.locator("#move-to").select_option("doing")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(_cards(page, f"own-{own}")).to_have_count(0)
    expect(_cards(page, "doing")).to_have_count(1)


def test_weights_reorder_while_they_are_moved(desk: Desk) -> None:
    """The list says at once what the server says of the same weights."""
    with desk.app.app_context():
        first = make_visit(desk.cast, desk.clock() - timedelta(days=2), status="held")
        second = make_visit(
            desk.cast, desk.clock() - timedelta(hours=1), agent=desk.cast.anton, status="held"
        )
        note(first, desk.cast.vera, "worst thing", desk.clock(), severity=4)
        mild = note(first, desk.cast.vera, "mild thing", desk.clock(), severity=1).insight_id
        note(second, desk.cast.vera, "mild again", desk.clock(), insight=mild, severity=2)
        db.session.commit()
    page = desk.open(desk.cast.olga.id, "/programmes/shadow/weights")
    rows, severity = page.locator("[data-weighed] > li"), page.get_by_label("How bad it is")
    expect(rows.first).to_contain_text("worst thing")
    severity.focus()
    page.keyboard.press("Home")
    expect(rows.first).to_contain_text("mild thing")
    expect(severity).to_be_focused()
    expect(page.locator('output[data-for="severity"]')).to_have_text("0")
    shown = [text.replace("\n", "") for text in rows.all_inner_texts()]
    page.get_by_role("button", name="Try them").click()
    page.wait_for_url("**severity=0**")
    assert "csrf" not in page.url
    page.wait_for_load_state()
    expect(rows).to_have_text(shown)
    page.get_by_role("button", name="Keep the weights").click()
    expect(page.get_by_text("Kept. All insights are scored anew.")).to_be_visible()
    expect(rows).to_have_text(shown)


@pytest.mark.parametrize("width", [PHONE, 1440])
def test_it_fits_and_reads_without_scripts(desk: Desk, width: int) -> None:
    fill(desk, 2)
    page = desk.open(desk.cast.vera.id, "/backlog/board", width=width, scripts=False)
    _cards(page, "new").first.locator("a").click()
    expect(page).to_have_url(re.compile(r"/insights/\d+$"))
    page.go_back()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def _titles(page: Page) -> list[str]:
    return page.locator("a.insight-title").all_inner_texts()


def _button(page: Page, title: str, words: str) -> Locator:
    return page.locator("tr", has_text=title).locator("button", has_text=words)


def _drop(page: Page, title: str, before: str) -> None:
    """Drags a row by its handle to just above another one, and waits for the page that follows."""
    handle = page.locator("tr", has_text=title).locator(".drag-handle")
    start = handle.bounding_box()
    target = page.locator("tr", has_text=before).bounding_box()
    assert start
    assert target
    page.mouse.move(start["x"] + 20, start["y"] + 20)
    page.mouse.down()
    page.mouse.move(start["x"] + 20, target["y"] + target["height"] / 2)
    page.mouse.move(start["x"] + 20, target["y"] + 4)
    expect(page.locator("tr", has_text=before)).to_have_class(re.compile("is-drop-before"))
    with page.expect_navigation():
        page.mouse.up()


def test_the_rank_by_hand_is_dragged_and_the_buttons_stay(desk: Desk) -> None:
    fill(desk, 3)
    page = desk.open(desk.cast.olga.id, "/backlog?order=hand&kind=tool-pain")
    page.set_viewport_size({"width": 1280, "height": 1600})
    first, second, third = _titles(page)
    _button(page, third, "Rank it first").click()
    expect(_button(page, third, "Up")).to_be_visible()
    assert _titles(page)[0] == third
    _drop(page, second, third)
    expect(_button(page, second, "Up")).to_be_visible()
    assert _titles(page) == [second, third, first]
    assert "kind=tool-pain" in page.url
    page.locator("tr", has_text=first).locator(".drag-handle").hover()
    page.mouse.down()
    page.keyboard.press("Escape")
    page.mouse.up()
    assert _titles(page) == [second, third, first]
    _button(page, second, "Down").press("Enter")
    expect(page.locator("a.insight-title").first).to_have_text(third)
