"""Taking notes in a visit: Enter saves, and neither the network nor the sign-in loses a word."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import delete, select

from gemba.db import db
from gemba.insights.models import Observation
from gemba.people.models import SignIn
from tests.browser.conftest import PHONE, Desk
from tests.insights.stage import make_visit, note

pytestmark = pytest.mark.browser


@pytest.fixture
def path(desk: Desk) -> str:
    """The notes of a visit of Vera's that began twenty minutes ago."""
    with desk.app.app_context():
        visit = make_visit(desk.cast, desk.clock() - timedelta(minutes=20))
        db.session.commit()
        return f"/visits/{visit.id}/notes"


def field(page: Page):  # type: ignore[no-untyped-def]
    return page.get_by_label("What do you see?")


def state(page: Page):  # type: ignore[no-untyped-def]
    return page.locator("[data-state]")


def write(page: Page, text: str) -> None:
    field(page).fill(text)
    field(page).press("Enter")


def texts(desk: Desk) -> list[str]:
    """What the server has, in the order it was seen."""
    with desk.app.app_context():
        return list(db.session.scalars(select(Observation.text).order_by(Observation.at, Observation.id)))


@pytest.mark.parametrize("width", [PHONE, 1440])
def test_enter_saves_and_the_next_note_can_be_typed_at_once(desk: Desk, path: str, width: int) -> None:
    page = desk.open(desk.cast.vera.id, path, width=width)
    expect(field(page)).to_be_focused()
    for number in range(5):
        page.keyboard.type(f'note {number} >crm !3 "so slow" #late')
        page.keyboard.press("Enter")
    expect(page.locator("li.note:not(.is-waiting)")).to_have_count(5)
    expect(state(page)).to_have_text("Saved")
    expect(field(page)).to_be_focused()
    assert texts(desk) == [f"note {number}" for number in range(5)]
    newest = page.locator("li.note").first
    expect(newest).to_contain_text("note 4")
    expect(newest).to_contain_text("20 min")
    for words in ("tool pain", "crm", "!3", "#late", "“so slow”"):
        expect(newest).to_contain_text(words)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_shift_and_enter_begins_a_line(desk: Desk, path: str) -> None:
    page = desk.open(desk.cast.vera.id, path)
    field(page).fill("one")
    field(page).press("Shift+Enter")
    page.keyboard.type("two")
    page.keyboard.press("Enter")
    expect(state(page)).to_have_text("Saved")
    assert texts(desk) == ["one\ntwo"]


def test_a_reload_keeps_what_was_being_typed(desk: Desk, path: str) -> None:
    page = desk.open(desk.cast.vera.id, path)
    page.keyboard.type("half a thou")
    page.reload()
    expect(field(page)).to_have_value("half a thou")
    field(page).press("End")
    page.keyboard.type("ght")
    page.keyboard.press("Enter")
    expect(state(page)).to_have_text("Saved")
    assert texts(desk) == ["half a thought"]
    page.reload()
    expect(field(page)).to_have_value("")


def test_what_is_typed_before_the_scripts_have_run_is_a_note_or_a_draft(desk: Desk, path: str) -> None:
    page = desk.open(desk.cast.vera.id, "/")
    draft = {"id": "of-another-tab", "line": "begun in a tab that is closed", "at": "2026-11-23T09:00:00Z"}
    visit = path.split("/")[2]
    page.evaluate(
        "([key, draft]) => localStorage.setItem(key, JSON.stringify(draft))",
        [f"gemba:{visit}:{desk.cast.vera.id}:draft:{draft['id']}", draft],
    )
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/notes/store.js*", hold)
    page.goto(path, wait_until="commit")
    field(page).focus()
    for words in ("too early", "", "and the next", "half a thou"):
        page.keyboard.type(words)
        page.keyboard.press("Enter" if words != "half a thou" else "End")
    expect(field(page)).to_have_value("too early\n\nand the next\nhalf a thou")
    assert texts(desk) == []
    for route in held:
        route.continue_()
    expect(field(page)).to_have_value("half a thou")
    expect(state(page)).to_have_text("Draft kept")
    assert texts(desk) == ["too early", "and the next"]
    page.keyboard.type("ght")
    page.keyboard.press("Enter")
    # The words of before come back once the hands are free.
    expect(field(page)).to_have_value("begun in a tab that is closed")
    page.reload()
    expect(field(page)).to_have_value("begun in a tab that is closed")
    assert texts(desk) == ["too early", "and the next", "half a thought"]


def test_without_a_connection_notes_wait_and_are_sent_once_it_is_back(desk: Desk, path: str) -> None:
    page = desk.open(desk.cast.vera.id, path)
    write(page, "before")
    expect(state(page)).to_have_text("Saved")
    page.context.set_offline(True)
    for number in range(3):
        write(page, f"offline {number}")
    expect(state(page)).to_contain_text("No connection")
    expect(page.locator("li.note.is-waiting")).to_have_count(3)
    page.context.set_offline(False)
    expect(state(page)).to_have_text("Saved")
    expect(page.locator("li.note.is-waiting")).to_have_count(0)
    assert texts(desk) == ["before", "offline 0", "offline 1", "offline 2"]


def test_a_note_whose_answer_was_lost_is_not_doubled(desk: Desk, path: str) -> None:
    page = desk.open(desk.cast.vera.id, path)

    def lose(route):  # type: ignore[no-untyped-def]
        route.fetch()
        route.abort()

    page.route(f"**{path}", lose, times=1)
    write(page, "only once")
    expect(state(page)).to_have_text("Saved")
    expect(page.locator("li.note")).to_have_count(1)
    assert texts(desk) == ["only once"]


def test_notes_survive_closing_the_tab_while_the_server_is_away(desk: Desk, path: str) -> None:
    page = desk.open(desk.cast.vera.id, path)
    page.route(
        f"**{path}", lambda route: route.abort() if route.request.method == "POST" else route.continue_()
    )
    write(page, "kept on the device")
    expect(state(page)).to_contain_text("No connection")
    other = page.context.new_page()
    page.close()
    other.goto(path)
    expect(state(other)).to_have_text("Saved")
    assert texts(desk) == ["kept on the device"]


def test_an_ended_sign_in_keeps_the_notes_until_the_next_one(desk: Desk, path: str) -> None:
    page = desk.open(desk.cast.vera.id, path)
    with desk.app.app_context():
        db.session.execute(delete(SignIn))
        db.session.commit()
    write(page, "after the sign-in ended")
    expect(state(page)).to_contain_text("Your sign-in ended")
    expect(page.get_by_role("link", name="Sign in in another tab")).to_be_visible()
    assert texts(desk) == []
    page.context.add_cookies([desk.site.cookie(desk.cast.vera.id)])  # type: ignore[list-item]
    expect(state(page)).to_have_text("Saved")
    assert texts(desk) == ["after the sign-in ended"]


def test_a_refusal_gives_the_words_back(desk: Desk, path: str) -> None:
    page = desk.open(desk.cast.vera.id, path)
    # An answer on its way would bring the old cookie back.
    page.wait_for_load_state("networkidle")
    desk.clock.forward(days=15)
    page.context.add_cookies([desk.site.cookie(desk.cast.vera.id)])  # type: ignore[list-item]
    write(page, "too late")
    waiting = page.locator("li.note.is-waiting")
    expect(waiting).to_contain_text("Notes close fourteen days after the visit.")
    waiting.get_by_role("button", name="Edit").click()
    expect(field(page)).to_have_value("too late")
    assert texts(desk) == []


def test_evidence_is_one_click(desk: Desk, path: str) -> None:
    with desk.app.app_context():
        other = make_visit(desk.cast, desk.clock() - timedelta(hours=3), agent=desk.cast.anton)
        note(other, desk.cast.vera, "Order search needs the full number", desk.clock())
        db.session.commit()
    page = desk.open(desk.cast.vera.id, path)
    write(page, "searching an order by part of its number fails")
    expect(page.locator("li.note")).to_contain_text("1 visit saw this before")
    page.get_by_role("button", name="Add as evidence").click()
    expect(page.locator(".flash")).to_contain_text("Added as evidence.")
    page.goto("/backlog")
    expect(page.get_by_text("seen in 2 of 2 visits").first).to_be_visible()


def test_without_scripts_the_page_is_a_plain_form(desk: Desk, path: str) -> None:
    page = desk.open(desk.cast.vera.id, path, scripts=False, width=PHONE)
    field(page).fill("no scripts here !2")
    page.get_by_role("button", name="Save note").click()
    expect(page.locator("li.note")).to_contain_text("no scripts here")
    page.get_by_role("link", name="All details").click()
    page.get_by_label("In their words").fill("I know it by heart")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("li.note")).to_contain_text("I know it by heart")
    page.get_by_role("button", name="Take back").click()
    expect(page.locator("li.note")).to_have_count(0)
    page.get_by_role("button", name="Bring it back").click()
    expect(page.locator("li.note")).to_have_count(1)
