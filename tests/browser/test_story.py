"""The main job, end to end, as its users do it: `gemba run` on an empty folder, a real Chromium, the demo's
visitor. Book an hour, read the mails, take three notes, download the backlog; in English and in Russian,
with and without JavaScript.
"""

import csv
import io
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from tests.browser.serving import gemba_run


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a fresh `gemba run`."""
    with gemba_run(tmp_path_factory.mktemp("story")) as url:
        yield url


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_main_job(served: str, chromium: Chromium, language: str, scripts: bool) -> None:
    context = chromium.new_context(
        locale="en-GB", java_script_enabled=scripts, viewport={"width": 1440, "height": 900}
    )
    page = context.new_page()
    asked = _outside_requests(page, served)
    page.goto(f"{served}/demo")
    page.locator('button[value="vera-lindholm"]').click()
    page.wait_for_url(re.compile(r"^(?!.*/demo)"))
    if page.locator("html").get_attribute("lang") != language:
        page.locator(f'button[name="locale"][value="{language}"]').first.click()
    expect(page.locator("html")).to_have_attribute("lang", language)
    start = _book(page, served)
    _read_the_mails(page, served, start)
    texts = _take_notes(page, served, f"{language}-{scripts}", by_enter=scripts)
    _download(page, served, texts)
    _cancel(page, start)
    assert asked == []
    context.close()


def _outside_requests(page: Page, served: str) -> list[str]:
    outside: list[str] = []
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((served, "data:", "about:", "blob:"))
            else outside.append(request.url)
        ),
    )
    return outside


def _book(page: Page, served: str) -> str:
    """Three screens: the hours, the chosen hour, the visit. Returns the visit's address."""
    page.goto(f"{served}/visits/book")
    page.locator("ol.days a.day").nth(1).click()
    page.locator("div.hours a.hour:visible").first.click()
    page.locator("#your-visit button[type=submit]").click()
    page.wait_for_url(re.compile(r"/visits/\d+$"))
    expect(page.locator(".flash.is-success")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Europe/Berlin")
    return page.url


def _read_the_mails(page: Page, served: str, visit: str) -> None:
    """The visitor's invite arrives and leads back to the visit, whose page knows that all three went out."""
    path = visit.removeprefix(served)
    deadline = time.monotonic() + 60
    while not _letter_arrived(page, served, path):
        assert time.monotonic() < deadline, f"no mail leads to {path}"
        time.sleep(0.5)
    expect(page.locator("main")).to_contain_text("REQUEST")
    expect(page.frame_locator("iframe").locator("body")).to_contain_text("Europe/Berlin")
    page.goto(visit)
    while len(set(states := page.locator("#invites + ul .tag").all_inner_texts())) != 1:
        assert time.monotonic() < deadline, states
        time.sleep(0.5)
        page.goto(visit)
    assert len(states) == 3


def _letter_arrived(page: Page, served: str, path: str) -> bool:
    """Whether one of the newest letters to the visitor leads to `path`; if so, it is open."""
    page.goto(f"{served}/demo/mail?to=vera.lindholm@northlane.example")
    letters = page.locator("ul.mail-list a").evaluate_all("links => links.slice(0, 6).map(link => link.href)")
    for letter in letters:
        page.goto(letter)
        frame = page.frame_locator("iframe")
        expect(frame.locator("body")).to_contain_text("Gemba")
        if frame.locator(f'a[href$="{path}"]').count():
            return True
    return False


def _take_notes(page: Page, served: str, seed: str, *, by_enter: bool) -> list[str]:
    """Three notes in the visit that is going on; they are there after a reload."""
    page.goto(served)
    page.locator('a[href$="/notes"]').first.click()
    page.wait_for_url(re.compile(r"/notes$"), wait_until="commit")
    texts = [
        f"Заказ {seed} ищут по полному номеру",
        f"She copies {seed} into a sheet",
        f'=HYPERLINK("{seed}")',
    ]
    for text in texts:
        page.locator("textarea[name=line]").fill(text)
        if by_enter:
            page.keyboard.press("Enter")
        else:
            page.locator("form[data-notes] button[data-save]").click()
        expect(page.locator("ol.notes")).to_contain_text(text.split("(")[0].removeprefix("="))
    expect(page.locator("li.note.is-waiting")).to_have_count(0)
    page.reload()
    for text in texts:
        expect(page.locator("ol.notes")).to_contain_text(text.split("(")[0].removeprefix("="))
    return texts


def _download(page: Page, served: str, texts: list[str]) -> None:
    """The backlog holds the three notes; its spreadsheet is safe to open."""
    with page.expect_download() as caught:
        page.goto(f"{served}/backlog")
        page.locator("select[name=format]").select_option("csv")
        page.locator('form[action$="/backlog/export"] button').click()
    body = Path(caught.value.path()).read_bytes().decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(body)))
    cells = [cell for row in rows for cell in row]
    for text in texts[:2]:
        assert any(text in cell for cell in cells)
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
    assert any("HYPERLINK" in cell for cell in cells)


def _cancel(page: Page, visit: str) -> None:
    page.goto(f"{visit}/cancel")
    page.locator("form button.is-danger").click()
    expect(page.locator(".flash.is-success")).to_be_visible()
    assert page.url == visit
