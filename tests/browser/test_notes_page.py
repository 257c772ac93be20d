"""The page of notes: editing and taking back in place, private data, drafts, marks, keyboard, names."""

import re
import uuid
from datetime import date, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import HealthCheck, Phase, given, settings
from playwright.sync_api import Page, expect
from sqlalchemy import insert, select

from gemba.db import db
from gemba.insights.models import NoteDraft, Observation
from gemba.insights.rules.private import Private, find, mask
from gemba.insights.service.wrapping import Worst, WrapFields, save_wrap
from gemba.people.models import Person
from gemba.visits.models import Visit
from tests.browser.conftest import PHONE, Desk
from tests.browser.test_notes import field, path, state, texts, write
from tests.browser.test_pages import RULES
from tests.insights.rules.test_private import PRIVATE, pieces
from tests.insights.stage import make_visit, note
from tests.insights.test_many_notes import more_notes

__all__ = ["path"]
pytestmark = pytest.mark.browser
SHIFTS = """() => {
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts.push(entry.value);
  }).observe({ type: "layout-shift", buffered: true });
}"""


def rows(page: Page):  # type: ignore[no-untyped-def]
    return page.locator("li.note")


def saved(page: Page) -> None:
    expect(state(page)).to_have_text("Saved")
    expect(page.locator("li.note.is-waiting")).to_have_count(0)


def drafts(desk: Desk) -> list[str]:
    with desk.app.app_context():
        return list(db.session.scalars(select(NoteDraft.line)))


def test_the_last_note_is_edited_with_an_arrow(desk: Desk, path: str) -> None:
    page = desk.open(desk.cast.vera.id, path)
    write(page, "slow serch >crm !3")
    saved(page)
    page.keyboard.press("ArrowUp")
    expect(field(page)).to_have_value("slow serch >crm !3")
    expect(state(page)).to_contain_text("You are editing a note")
    page.keyboard.press("Escape")
    expect(field(page)).to_have_value("")
    page.keyboard.type("half a thou")
    rows(page).first.get_by_role("button", name="Edit").click()
    field(page).fill("slow search >crm !4")
    page.keyboard.press("Enter")
    # What was being typed before comes back.
    expect(field(page)).to_have_value("half a thou")
    expect(rows(page)).to_have_count(1)
    expect(rows(page).first).to_contain_text("!4")
    assert texts(desk) == ["slow search"]


def test_an_edit_and_taking_back_wait_for_the_connection(desk: Desk, path: str) -> None:
    page = desk.open(desk.cast.vera.id, path)
    write(page, "first")
    write(page, "second")
    saved(page)
    page.context.set_offline(True)
    page.keyboard.press("ArrowUp")
    field(page).fill("second, better")
    page.keyboard.press("Enter")
    rows(page).nth(1).get_by_role("button", name="Take back").click()
    expect(rows(page).nth(1)).to_contain_text("The note is taken back.")
    write(page, "third")
    rows(page).first.get_by_role("button", name="Take back").click()
    assert texts(desk) == ["first", "second"]
    page.context.set_offline(False)
    expect(state(page)).to_have_text("Saved")
    expect(rows(page).nth(1)).to_contain_text("second, better")
    with desk.app.app_context():
        query = select(Observation.text).where(Observation.removed_at.is_(None))
        assert list(db.session.scalars(query)) == ["second, better"]
    for number in (0, 2):
        rows(page).nth(number).get_by_role("button", name="Bring it back").click()
    saved(page)
    page.reload()
    expect(rows(page)).to_have_count(3)


def test_private_words_do_not_leave_before_they_are_masked(desk: Desk, path: str) -> None:
    page = desk.open(desk.cast.vera.id, path, width=PHONE)
    sent: list[str] = []
    page.on("request", lambda asked: sent.append(asked.post_data or ""))
    page.keyboard.type("she calls +7 916 123-45-67 and 4111 1111 1111 1111")
    page.keyboard.press("Enter")
    warning = page.get_by_role("group", name="This looks like a phone number and a card number.")
    expect(warning).to_be_visible()
    expect(warning.get_by_role("button", name="Mask it and save")).to_be_focused()
    page.wait_for_timeout(1700)
    assert not any("916" in body for body in sent)
    page.keyboard.press("Escape")
    expect(warning).to_be_hidden()
    expect(field(page)).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    saved(page)
    expect(field(page)).to_be_focused()
    write(page, "asks vera@shop.example")
    page.get_by_role("button", name="Save as it is").click()
    saved(page)
    assert texts(desk) == ["she calls [phone] and [card]", "asks vera@shop.example"]
    assert not any("916" in body for body in sent)


def test_browser_and_server_find_the_same(desk: Desk, path: str) -> None:
    page = desk.open(desk.cast.vera.id, path)
    words = {str(sort): sort.mask for sort in Private}
    lines: list[str] = [text for text, _sort, _part in PRIVATE]

    @settings(
        max_examples=300, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(pieces.map("".join))
    def collect(line: str) -> None:
        lines.append(line.replace("\0", "").encode("utf-8", "ignore").decode())

    collect()
    told = page.evaluate(
        """async ([lines, words]) => {
          const { find, mask } = await import("/static/js/notes/private.js");
          const parts = (line) => find(line).map((one) => [line.slice(one.start, one.end), one.sort]);
          return lines.map((line) => [parts(line), mask(line, words)]);
        }""",
        [lines, words],
    )
    for line, (found, masked) in zip(lines, told, strict=True):
        assert found == [[line[one.start : one.end], str(one.sort)] for one in find(line)], line
        assert masked == mask(line, {sort: sort.mask for sort in Private})


def test_another_device_goes_on_with_the_draft(desk: Desk, path: str) -> None:
    page = desk.open(desk.cast.vera.id, path)
    page.keyboard.type("half a thou")
    expect(state(page)).to_have_text("Draft kept")
    phone = desk.open(desk.cast.vera.id, path, width=PHONE)
    expect(field(phone)).to_have_value("half a thou")
    phone.keyboard.type("ght")
    phone.keyboard.press("Enter")
    saved(phone)
    assert (texts(desk), drafts(desk)) == (["half a thought"], [])
    # The first device lost nothing, and what it saves is a note of its own.
    page.keyboard.type("sand")
    page.keyboard.press("Enter")
    saved(page)
    assert sorted(texts(desk)) == ["half a thought", "half a thousand"]
    assert drafts(desk) == []


def test_two_tabs_keep_two_drafts(desk: Desk, path: str) -> None:
    one = desk.open(desk.cast.vera.id, path)
    one.keyboard.type("in the first tab")
    two = one.context.new_page()
    two.goto(path)
    field(two).fill("in the second tab")
    one.reload()
    two.reload()
    expect(field(one)).to_have_value("in the first tab")
    expect(field(two)).to_have_value("in the second tab")


def test_somebody_elses_sign_in_sends_nothing(desk: Desk, path: str) -> None:
    page = desk.open(desk.cast.vera.id, path)
    page.wait_for_load_state("networkidle")
    page.context.add_cookies([desk.site.cookie(desk.cast.alice.id)])  # type: ignore[list-item]
    write(page, "mine, not hers")
    expect(state(page)).to_contain_text("Somebody else signed in here")
    assert texts(desk) == []
    page.context.add_cookies([desk.site.cookie(desk.cast.vera.id)])  # type: ignore[list-item]
    saved(page)
    with desk.app.app_context():
        assert list(db.session.scalars(select(Observation.author_id))) == [desk.cast.vera.id]


def test_it_can_be_installed_and_signing_out_forgets_the_page(desk: Desk, path: str) -> None:
    page = desk.open(desk.cast.vera.id, path)
    browser = page.context.new_cdp_session(page)
    assert browser.send("Page.getAppManifest")["errors"] == []
    # The tests' profile is a private one, in which nothing can be installed: that is all it complains of.
    complaints = {
        one["errorId"] for one in browser.send("Page.getInstallabilityErrors")["installabilityErrors"]
    }
    assert complaints <= {"in-incognito"}
    kept = f"caches.match('{path}').then(Boolean)"
    for _try in range(100):
        if page.evaluate(kept):
            break
        page.wait_for_timeout(50)
    assert page.evaluate(kept)
    page.goto("/visits")
    page.get_by_role("button", name="Sign out").first.click()
    page.wait_for_url("**/sign-in")
    for _try in range(100):
        if not page.evaluate(kept):
            break
        page.wait_for_timeout(50)
    assert not page.evaluate(kept)


def test_marks_have_buttons(desk: Desk, path: str) -> None:
    page = desk.open(desk.cast.vera.id, path)
    page.keyboard.type("slow")
    for name, word in (("tag", "orders"), ("tool", "crm"), ("quote", "each time")):
        page.get_by_role("button", name=name, exact=True).click()
        page.keyboard.type(word)
        page.keyboard.press("End")
    page.get_by_label("How bad is it?").select_option("3")
    field(page).press("Alt+ArrowDown")
    expect(page.get_by_label("What is it?")).to_have_value("process-pain")
    field(page).press("Enter")
    saved(page)
    for words in ("process pain", "crm", "!3", "#orders", "“each time”"):
        expect(rows(page).first).to_contain_text(words)
    expect(page.get_by_label("What is it?")).to_have_value("tool-pain")


def test_it_started_now_works_without_a_connection(desk: Desk, path: str) -> None:
    page = desk.open(desk.cast.vera.id, path)
    page.context.set_offline(True)
    page.get_by_role("button", name="It started now").click()
    write(page, "the first thing")
    expect(rows(page).first).to_contain_text("0 min")
    page.context.set_offline(False)
    saved(page)
    expect(rows(page).first).to_contain_text("0 min")
    with desk.app.app_context():
        assert db.session.scalars(select(Visit.started_at)).one() == desk.clock()


def test_the_agent_notes_beside_the_visitor(desk: Desk, path: str) -> None:
    visitor = desk.open(desk.cast.vera.id, path)
    visitor.clock.install()
    visitor.reload()
    agent = desk.open(desk.cast.alice.id, path, width=720)
    agent.get_by_label("What hurts, and what would help?").fill("A decent admin panel")
    agent.get_by_label("This is what I ask for").check()
    agent.get_by_label("What hurts, and what would help?").press("Enter")
    expect(rows(agent).first).to_contain_text("asked for")
    visitor.clock.run_for(61_000)
    visitor.get_by_role("link", name="Show", exact=True).click()
    expect(rows(visitor).first).to_contain_text("A decent admin panel")
    expect(rows(visitor).first).to_contain_text("Noted by Alice")


def test_two_hundred_notes_by_keyboard_alone(desk: Desk, path: str) -> None:
    with desk.app.app_context():
        visit = db.session.get_one(Visit, int(path.split("/")[2]))
        for number in range(12):
            note(visit, desk.cast.vera, f"thing {number} seen by somebody", desk.clock(), severity=3)
        at = desk.clock() - timedelta(minutes=5)
        same = {"visit_id": visit.id, "author_id": desk.cast.vera.id, "kind": "tool-pain", "at": at}
        many = [
            {**same, "created_at": at, "client_id": str(uuid.uuid4()), "text": f"earlier thing {number}"}
            for number in range(188)
        ]
        db.session.execute(insert(Observation), many)
        db.session.commit()
    page = desk.open(desk.cast.vera.id, path, width=PHONE)
    page.evaluate(SHIFTS)
    top = page.locator(".note-field").bounding_box()
    for number in range(5):
        page.keyboard.type(f'one more {number} >crm !2 "so slow" #late')
        page.keyboard.press("Enter")
        expect(rows(page)).to_have_count(201 + number)
    saved(page)
    page.keyboard.press("ArrowUp")
    page.keyboard.type(" edited")
    page.keyboard.press("Enter")
    page.keyboard.type("she calls +7 916 123-45-67")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    saved(page)
    expect(rows(page)).to_have_count(206)
    expect(field(page)).to_be_focused()
    assert page.evaluate("shifts") == []
    assert page.locator(".note-field").bounding_box() == top
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("dark", [False, True])
def test_screen_readers_hear_every_name(desk: Desk, path: str, dark: bool) -> None:
    page = desk.open(desk.cast.vera.id, path, width=PHONE, dark=dark)
    write(page, 'search fails >crm !3 "each time" #late')
    saved(page)
    page.context.set_offline(True)
    write(page, "on its way")
    expect(state(page)).to_contain_text("No connection")
    rows(page).nth(1).get_by_role("button", name=re.compile("Edit ?: search fails")).click()
    expect(page.get_by_role("button", name="Leave it as it was")).to_be_visible()
    page.keyboard.press("Escape")
    rows(page).nth(1).get_by_role("button", name=re.compile("Take back ?: search fails")).click()
    expect(page.get_by_role("button", name="Bring it back")).to_be_focused()
    write(page, "she calls +7 916 123-45-67")
    expect(page.get_by_role("button", name="Mask it and save")).to_be_focused()
    found = Axe().run(page, options=RULES).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    small = page.evaluate(
        """[...document.querySelectorAll("main button, main select, main a, main textarea")]
          .filter((one) => one.offsetParent && !one.closest("p:not(.evidence-hint)") && one.offsetHeight < 44)
          .map((one) => one.outerHTML)"""
    )
    assert small == []


def test_known_names_are_offered_and_steal_nothing(desk: Desk, path: str) -> None:
    with desk.app.app_context():
        old = make_visit(desk.cast, desk.clock() - timedelta(days=9), visitor=desk.cast.eve, status="held")
        for tool, tags in (("order desk", ("late",)), ("order desk", ()), ("outlook", ("later",))):
            note(old, desk.cast.eve, f"Seen in {tool}", desk.clock(), tool=tool, tags=tags)
        db.session.commit()
    page = desk.open(desk.cast.vera.id, path, width=PHONE)
    names = page.get_by_role("listbox", name="Names used before").get_by_role("option")
    page.keyboard.type("slow >o")
    expect(names).to_have_text([">order desk", ">outlook"])
    assert Axe().run(page, options=RULES).response["violations"] == []
    # Nothing is chosen: Enter saves what was typed.
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(1)
    expect(names).to_have_count(0)
    page.keyboard.type("slower >o")
    page.keyboard.press("ArrowDown")
    expect(names.first).to_have_attribute("aria-selected", "true")
    expect(field(page)).to_have_attribute("aria-activedescendant", "suggestions-0")
    page.keyboard.press("Enter")
    expect(field(page)).to_have_value("slower >order_desk ")
    page.keyboard.type("#lat")
    expect(names).to_have_text(["#late", "#later"])
    page.keyboard.press("Escape")
    expect(names).to_have_count(0)
    page.keyboard.type("e")
    names.last.tap()
    expect(field(page)).to_have_value("slower >order_desk #later ")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(2)
    saved(page)
    expect(rows(page).first).to_contain_text("order desk")
    assert texts(desk)[-2:] == ["slow", "slower"]


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_sheet_is_one_page_of_paper(desk: Desk, path: str, language: str) -> None:
    words = "Поиск заказа требует полного номера, поэтому она ведёт список. " * 8
    with desk.app.app_context():
        db.session.get_one(Person, desk.cast.vera.id).locale = language
        visit = db.session.get_one(Visit, int(path.split("/")[2]))
        many = (("tool-pain", False), ("works-well", False), ("tool-pain", True), ("process-pain", False))
        made = [
            note(visit, desk.cast.vera, f"{number} {words}", desk.clock(), kind=kind, is_question=asks)
            for number in range(10)
            for kind, asks in many
        ]
        worst = [
            Worst(one.id, idea=words[:300]) for one in made if one.kind == "tool-pain" and not one.is_question
        ][:3]
        visit.ends_at = desk.clock() + timedelta(minutes=5)
        fields = WrapFields(worst, words[:400], "One promise that is kept", date(2026, 12, 1))
        vera = db.session.get_one(Person, desk.cast.vera.id)
        save_wrap(vera, visit.id, fields, now=desk.clock())
        db.session.commit()
    page = desk.open(desk.cast.vera.id, path.replace("notes", "sheet"))
    paper = page.pdf(format="A4", print_background=True)
    assert len(re.findall(rb"/Type\s*/Page[^s]", paper)) == 1
    page.emulate_media(media="print")
    expect(page.locator(".rail")).to_be_hidden()


def test_the_field_stays_in_sight_among_two_hundred_notes(desk: Desk, path: str) -> None:
    with desk.app.app_context():
        visit = db.session.get_one(Visit, int(path.split("/")[2]))
        more_notes(visit, db.session.get_one(Person, desk.cast.vera.id), 200, desk.clock)
        db.session.commit()
    page = desk.open(desk.cast.vera.id, path, width=PHONE)
    rows(page).nth(150).scroll_into_view_if_needed()
    expect(field(page)).to_be_in_viewport(ratio=1)
    field(page).fill("seen from far below")
    page.keyboard.press("Enter")
    saved(page)
    expect(field(page)).to_be_focused()
    # What is reached by keyboard from below is not hidden behind the field.
    rows(page).nth(120).get_by_role("button", name="Take back").focus()
    page.keyboard.press("Shift+Tab")
    page.wait_for_function(
        """() => {
          const field = document.querySelector(".note-field").getBoundingClientRect();
          const { top, bottom } = document.activeElement.getBoundingClientRect();
          return top >= field.bottom && bottom <= innerHeight;
        }"""
    )
