"""Pages in a real Chromium.

    @pytest.mark.browser
    def test_hours_are_painted(desk: Desk) -> None:
        page = desk.open(desk.cast.alice.id, "/availability", width=360)
        page.get_by_role("button", name="Save").click()

`live_site` serves the app with the cast (its clock stands still on MONDAY, CSRF protection and all) from a
thread, on a free port of 127.0.0.1. `desk` opens pages of it: `desk.open(person_id, path, width=, dark=,
scripts=, locale=, **context)` signs the person in (None: nobody) and returns Playwright's page; the test
fails at its end when a page threw an error, broke the content policy or asked an outside host for something.
`desk.app`, `desk.cast` and `desk.clock` reach behind the page.

Chromium is GEMBA_CHROMIUM, else the system's, else Playwright's own. Without one the tests are skipped;
with CI=true they fail.
"""

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from werkzeug.serving import make_server

from gemba.app import create_app
from gemba.db import db
from tests.cast import Cast, let_go, make_cast
from tests.conftest import IN_CI, Browser, StandingClock, settings_for

PHONE, WIDE = 360, 1440
HEIGHTS = {PHONE: 740}
PATIENCE = 30_000
"""Milliseconds that a page or an expectation may take: a busy machine is no failure."""
expect.set_options(timeout=PATIENCE)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium_path() -> str | None:
    """The system's Chromium or Chrome, best without windows; None leaves the choice to Playwright."""
    places = (
        os.environ.get("GEMBA_CHROMIUM"),
        "/usr/bin/chromium-headless-shell",
        "/usr/bin/chromium",
        "/usr/bin/google-chrome",
    )
    return next((place for place in places if place and shutil.which(place)), None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """One Chromium for all tests of a process."""
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        except PlaywrightError as error:
            if IN_CI:
                raise
            pytest.skip(f"no Chromium here: {error.message.splitlines()[0]}")
        yield chromium
        chromium.close()


class LiveSite:
    """The app behind a port of this machine, and what is behind the app."""

    def __init__(self, app: Flask, cast: Cast, clock: StandingClock) -> None:
        self.app, self.cast, self.clock = app, cast, clock
        self.port = 0
        self.up()
        self.url = f"http://127.0.0.1:{self.port}"

    def up(self) -> None:
        """Listens, always on the same port."""
        self.server = make_server("127.0.0.1", self.port, self.app, threaded=True)
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def down(self) -> None:
        """Nobody listens at the port any more."""
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def cookie(self, person_id: int) -> dict[str, Any]:
        """The cookie of a browser in which this person is signed in, as Playwright takes it."""
        client = Browser(self.app, self.clock).as_(person_id)
        cookie = client.get_cookie(self.app.config["SESSION_COOKIE_NAME"])
        assert cookie is not None
        return {"name": cookie.key, "value": cookie.value, "url": self.url}


@pytest.fixture
def live_site(sqlite_url: str, tmp_path: Path, clock: StandingClock) -> Iterator[LiveSite]:
    """The app with the cast on SQLite, served until the test ends."""
    app = create_app(settings_for(sqlite_url, tmp_path), clock)
    with app.app_context():
        cast = let_go(make_cast(clock()))
    site = LiveSite(app, cast, clock)
    yield site
    site.down()
    with app.app_context():
        db.engine.dispose()


class Desk:
    """Where pages are opened, each in a browser profile of its own."""

    def __init__(self, chromium: Chromium, site: LiveSite) -> None:
        self.chromium, self.site = chromium, site
        self.app, self.cast, self.clock = site.app, site.cast, site.clock
        self.contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def open(
        self,
        person_id: int | None,
        path: str,
        *,
        width: int = WIDE,
        dark: bool = False,
        scripts: bool = True,
        locale: str = "en-GB",
        **context: Any,
    ) -> Page:
        """A page at `path`, seen by this person; a width up to 500 is a phone with a finger."""
        opened = self.chromium.new_context(
            base_url=self.site.url,
            viewport={"width": width, "height": HEIGHTS.get(width, 900)},
            has_touch=width <= 500,
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
            locale=locale,
            **context,
        )
        opened.set_default_timeout(PATIENCE)
        self.contexts.append(opened)
        if person_id is not None:
            opened.add_cookies([self.site.cookie(person_id)])  # type: ignore[list-item]
        page = opened.new_page()
        self._listen(page)
        page.goto(path)
        return page

    def _listen(self, page: Page) -> None:
        host = urlsplit(self.site.url).netloc
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on(
            "console",
            lambda said: (
                self.complaints.append(f"console: {said.text}")
                if "Content Security Policy" in said.text or "Content-Security-Policy" in said.text
                else None
            ),
        )
        page.on(
            "request",
            lambda asked: (
                self.complaints.append(f"outside: {asked.url}")
                if asked.url.startswith("http") and urlsplit(asked.url).netloc != host
                else None
            ),
        )

    def close(self) -> None:
        """Closes every page."""
        for context in self.contexts:
            context.close()


@pytest.fixture
def desk(chromium: Chromium, live_site: LiveSite) -> Iterator[Desk]:
    """Pages of `live_site`."""
    desk = Desk(chromium, live_site)
    yield desk
    desk.close()
    assert desk.complaints == []


@pytest.fixture
def bare_desk(chromium: Chromium, sqlite_url: str, tmp_path: Path, clock: StandingClock) -> Iterator[Desk]:
    """Pages of an app in whose database nobody is yet: there is no cast."""
    app = create_app(settings_for(sqlite_url, tmp_path), clock)
    site = LiveSite(app, cast("Cast", None), clock)
    desk = Desk(chromium, site)
    yield desk
    desk.close()
    site.down()
    with app.app_context():
        db.engine.dispose()
    assert desk.complaints == []


@pytest.fixture
def page(desk: Desk) -> Page:
    """A page in which nobody is signed in, at the start page."""
    return desk.open(None, "/")
