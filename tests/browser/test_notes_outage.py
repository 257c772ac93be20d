"""An hour of notes through everything that can go wrong: none is lost, none is twice, each has its time.

The hour is short: the page's clock and the server's stand still and are moved together, twenty seconds
between two notes (Playwright's clock fires the page's timers as it passes). What goes wrong is real: nobody
listens at the port, the browser is offline, the row of the sign-in is gone, the tab is closed.
"""

from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import delete, select

from gemba.db import db
from gemba.insights.models import Observation
from gemba.people.models import SignIn
from tests.browser.conftest import Desk
from tests.browser.test_notes import field, state
from tests.insights.stage import make_visit

pytestmark = pytest.mark.browser

BETWEEN = 20
"""Seconds between two notes."""


class Writer:
    """Somebody who notes what they see, whatever happens, and remembers when they began each note."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        with desk.app.app_context():
            visit = make_visit(desk.cast, desk.clock() - timedelta(minutes=1))
            db.session.commit()
            self.path = f"/visits/{visit.id}/notes"
        self.page = desk.open(desk.cast.vera.id, "/healthz")
        self.page.clock.install(time=desk.clock())
        self.page.goto(self.path)
        desk.clock.forward(minutes=1)
        self.page.clock.pause_at(desk.clock())
        self.began: list[datetime] = []

    def pass_by(self, seconds: int) -> None:
        """Time passes, for the page and for the server."""
        self.desk.clock.forward(seconds=seconds)
        self.page.clock.run_for(seconds * 1000)

    def begin(self) -> None:
        """Types the next note's words, but does not save them."""
        self.pass_by(BETWEEN)
        self.began.append(self.desk.clock())
        field(self.page).press("n")
        self.page.keyboard.insert_text(f"ote {len(self.began)}")

    def write(self, count: int) -> None:
        """Types and saves so many notes."""
        for _number in range(count):
            self.begin()
            field(self.page).press("Enter")

    def saved(self) -> None:
        """Lets time pass until everything is on the server."""
        for _try in range(60):
            if state(self.page).text_content() == "Saved":
                break
            self.pass_by(5)
            self.page.wait_for_timeout(100)
        expect(state(self.page)).to_have_text("Saved")
        expect(self.page.locator("li.note.is-waiting")).to_have_count(0)

    def kept(self) -> list[tuple[str, datetime]]:
        """What the server has, in the order it was seen."""
        with self.desk.app.app_context():
            query = select(Observation.text, Observation.at).order_by(Observation.at, Observation.id)
            return [(text, at) for text, at in db.session.execute(query)]

    def sign_in_again(self) -> None:
        """As in another tab."""
        self.page.context.add_cookies([self.desk.site.cookie(self.desk.cast.vera.id)])  # type: ignore[list-item]


@pytest.fixture
def writer(desk: Desk) -> Writer:
    return Writer(desk)


def kept_offline(page: Page) -> bool:
    """Whether the browser has this page for when there is no connection."""
    found = page.evaluate("caches.match(location.pathname).then((found) => Boolean(found))")
    return bool(found)


def wait_until_kept(page: Page) -> None:
    """Waits for that, in the page's real time: its clock may stand still."""
    for _try in range(100):
        if kept_offline(page):
            return
        page.wait_for_timeout(50)
    raise AssertionError("the page is not kept")


def test_sixty_notes_through_everything(writer: Writer) -> None:
    page, desk = writer.page, writer.desk
    wait_until_kept(page)
    writer.write(8)
    writer.saved()

    page.context.set_offline(True)
    writer.write(6)
    expect(state(page)).to_contain_text("No connection")
    page.context.set_offline(False)
    writer.saved()

    desk.site.down()
    # Three minutes: nine notes, and every retry in them finds nobody.
    writer.write(9)
    expect(page.locator("li.note.is-waiting")).to_have_count(9)
    assert len(writer.kept()) == 14
    desk.site.up()
    writer.saved()

    with desk.app.app_context():
        db.session.execute(delete(SignIn))
        db.session.commit()
    writer.write(7)
    expect(state(page)).to_contain_text("Your sign-in ended")
    assert len(writer.kept()) == 23
    writer.sign_in_again()
    writer.saved()
    wait_until_kept(page)

    page.context.set_offline(True)
    writer.write(10)
    writer.begin()
    other = page.context.new_page()
    page.close()
    # The browser is still offline: the page comes from the device, with what was not sent.
    other.goto(writer.path)
    writer.page = page = other
    expect(page.locator("li.note.is-waiting")).to_have_count(10)
    expect(field(page)).to_have_value("note 41")
    page.context.set_offline(False)
    field(page).press("Enter")
    writer.write(19)
    writer.saved()

    kept = writer.kept()
    assert [text for text, _at in kept] == [f"note {number}" for number in range(1, 61)]
    late = [at - began for (_text, at), began in zip(kept, writer.began, strict=True)]
    assert max(late) < timedelta(seconds=2)
    assert min(late) > timedelta(seconds=-2)
    expect(page.locator("li.note")).to_have_count(60)


@pytest.mark.parametrize("ended", [False, True])
def test_after_ninety_five_minutes_a_note_is_saved(writer: Writer, ended: bool) -> None:
    page, desk = writer.page, writer.desk
    for _minute in range(95):
        desk.clock.forward(minutes=1)
    page.clock.fast_forward("01:35:00")
    if ended:
        with desk.app.app_context():
            db.session.execute(delete(SignIn))
            db.session.commit()
    writer.write(1)
    if ended:
        expect(state(page)).to_contain_text("Your sign-in ended")
        expect(page.get_by_role("link", name="Sign in in another tab")).to_be_visible()
        assert writer.kept() == []
        writer.sign_in_again()
    writer.saved()
    assert [text for text, _at in writer.kept()] == ["note 1"]
