"""Draws the pictures of the README anew: `make screenshots`. Starts the demo company by itself."""

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from gemba.config import ROOT
from tests.browser.conftest import ARGUMENTS, chromium_path
from tests.browser.serving import gemba_run

FOLDER = ROOT / "docs" / "tour"
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 780}

# (file, who of the cast, language, dark, phone, path or what to press on the way)
TOUR = (
    ("home", "vera-lindholm", "en", False, False, "/"),
    ("book", "vera-lindholm", "en", False, False, "/visits/book"),
    ("book-phone", "nikita-vorontsov", "ru", False, True, "/visits/book"),
    ("notes", "vera-lindholm", "en", False, False, "notes"),
    ("availability", "anna-kessler", "en", False, False, "/availability"),
    ("backlog-dark", "olga-weiss", "en", True, False, "/backlog"),
    ("insight", "olga-weiss", "en", False, False, "first insight"),
    ("mail", "vera-lindholm", "en", False, False, "mail"),
)


def _go(page: Page, url: str, way: str) -> None:
    if way.startswith("/"):
        page.goto(url + way)
    if way == "/visits/book":
        page.locator("ol.days a.day").nth(2).click()
        page.locator("div.hours a.hour:visible").nth(4).click()
        page.wait_for_load_state()
        page.evaluate("scrollTo(0, 0)")
    if way == "notes":
        page.goto(url)
        page.locator('a[href$="/notes"]').first.click()
        for line in (
            "Search finds orders only by the full number >crm !3",
            'The refund rule changed on Monday "we learnt it from a customer" !2',
        ):
            page.locator("textarea[name=line]").fill(line)
            page.keyboard.press("Enter")
            page.wait_for_timeout(800)
    if way == "first insight":
        page.goto(f"{url}/backlog?q=order+search")
        page.locator("a.insight-title").first.click()
    if way == "mail":
        page.goto(f"{url}/demo/mail?to=vera.lindholm@northlane.example")
        page.locator("ul.mail-list a").first.click()


def _picture(chromium: Browser, url: str, shot: tuple[str, str, str, bool, bool, str]) -> None:
    name, person, language, dark, phone, way = shot
    context = chromium.new_context(
        viewport=PHONE if phone else WIDE,  # type: ignore[arg-type]
        color_scheme="dark" if dark else "light",
        locale=language,
        device_scale_factor=2 if phone else 1,
    )
    page = context.new_page()
    page.goto(f"{url}/demo")
    page.locator(f'button[value="{person}"]').click()
    page.wait_for_load_state()
    _go(page, url, way)
    page.wait_for_timeout(500)
    page.screenshot(path=FOLDER / f"{name}.png")
    context.close()


def main() -> None:
    """Draws all pictures into docs/tour/."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        gemba_run(Path(folder)) as url,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        for shot in TOUR:
            _picture(chromium, url, shot)
        chromium.close()


if __name__ == "__main__":
    main()
