"""The team calendar by keyboard alone: week, day, a visit, and back."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from gemba.db import db
from tests.browser.conftest import Desk
from tests.insights.stage import make_visit

pytestmark = pytest.mark.browser
PRESSES = 60


def _tab_to(page: Page, selector: str) -> None:
    """Presses Tab until the focus stands on such an element, as somebody without a mouse does."""
    for _ in range(PRESSES):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab never came to {selector}")


def test_week_day_and_visit_without_a_mouse(desk: Desk) -> None:
    with desk.app.app_context():
        visit = make_visit(desk.cast, desk.clock() + timedelta(hours=2))
        path = f"/visits/{visit.id}"
        db.session.commit()
    page = desk.open(desk.cast.lev.id, "/team")
    _tab_to(page, "th a[href*='day=']")
    day = page.evaluate("document.activeElement.href")
    page.keyboard.press("Enter")
    expect(page).to_have_url(day)
    _tab_to(page, f"a[href$='{path}']")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"{path}$"))
    page.go_back()
    _tab_to(page, ".week-nav nav a:last-child")
    page.keyboard.press("Enter")
    expect(page.locator("#team-when")).not_to_have_text("")
    assert page.url != day


def test_a_wide_calendar_scrolls_by_the_arrow_keys(desk: Desk) -> None:
    page = desk.open(desk.cast.lev.id, "/team", width=900)
    _tab_to(page, ".table-wrap")
    region = page.locator(".table-wrap")
    name = region.get_attribute("aria-labelledby")
    assert name
    assert page.locator(f"#{name}").inner_text()
    hidden = region.evaluate("wrap => wrap.scrollWidth - wrap.clientWidth")
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(500)
    assert (region.evaluate("wrap => wrap.scrollLeft") > 0) is (hidden > 0)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
