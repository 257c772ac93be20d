"""Hours painted with a mouse, a finger and a keyboard, in a real Chromium; and typed without scripts."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from gemba.db import db
from gemba.schedule import service
from gemba.schedule.models import Availability
from tests.browser.conftest import PHONE, Desk

pytestmark = pytest.mark.browser


def cell(page: Page, name: str) -> Locator:
    """A half hour of the painted week, such as Saturday 10:00."""
    return page.get_by_role("gridcell", name=name, exact=True)


def drag(page: Page, start: str, end: str) -> None:
    """Presses the mouse on one half hour and lets it go on another."""
    cell(page, start).scroll_into_view_if_needed()
    cell(page, start).hover()
    page.mouse.down()
    cell(page, end).hover()
    page.mouse.up()


def saved(desk: Desk) -> dict[str, Any]:
    """What is saved of Alice's hours."""
    with desk.app.app_context():
        return service.availability_document(db.session.get_one(Availability, desk.cast.alice.id))


def hours_of(desk: Desk, weekday: str) -> list[tuple[str, str]]:
    """Saved ranges of a weekday."""
    return [(each["start"], each["end"]) for each in saved(desk)["weekly"] if each["weekday"] == weekday]


def save(page: Page) -> None:
    """Presses Save and waits for the page that says so."""
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.locator(".flash")).to_contain_text("Saved.")


def test_hours_are_painted_with_the_mouse(desk: Desk) -> None:
    page = desk.open(desk.cast.alice.id, "/availability")
    drag(page, "Saturday 10:00", "Saturday 11:30")
    expect(cell(page, "Saturday 11:30")).to_have_attribute("aria-selected", "true")
    expect(page.locator("[data-said]")).to_have_text("Saturday 10:00 to 12:00 open")
    drag(page, "Monday 09:00", "Tuesday 12:30")
    expect(page.locator("[data-said]")).to_have_text("Monday–Tuesday 09:00 to 13:00 closed")
    # 160 hours, four Saturdays of two more, eight half days of four fewer.
    expect(page.locator("[data-opens]")).to_have_text("This opens 136 hours in the next 4 weeks.")
    expect(page.locator("[data-state]")).to_have_text("Not saved yet")
    save(page)
    assert hours_of(desk, "sat") == [("10:00", "12:00")]
    assert hours_of(desk, "mon") == hours_of(desk, "tue") == [("14:00", "18:00")]
    assert hours_of(desk, "wed") == [("09:00", "13:00"), ("14:00", "18:00")]


def test_hours_are_painted_with_the_keyboard(desk: Desk) -> None:
    page = desk.open(desk.cast.alice.id, "/availability")
    cells = page.get_by_role("gridcell")
    assert cells.evaluate_all("all => all.filter(one => one.tabIndex === 0).length") == 1
    cell(page, "Monday 09:00").focus()
    for key in ["End", "ArrowDown", "ArrowDown"]:
        page.keyboard.press(key)
    expect(cell(page, "Sunday 10:00")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("[data-said]")).to_have_text("Sunday 10:00 to 10:30 open")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowDown")
    expect(page.locator("[data-said]")).to_have_text("Sunday 10:00 to 12:00 open")
    page.keyboard.press("Shift+ArrowUp")
    expect(page.locator("[data-said]")).to_have_text("Sunday 10:00 to 11:30 open")
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    expect(page.locator("[data-said]")).to_have_text("Monday 11:00 to 11:30 closed")
    save(page)
    assert hours_of(desk, "sun") == [("10:00", "11:30")]
    assert hours_of(desk, "mon") == [("09:00", "11:00"), ("11:30", "13:00"), ("14:00", "18:00")]


def test_hours_are_painted_with_a_finger(desk: Desk) -> None:
    page = desk.open(desk.cast.alice.id, "/availability", width=PHONE)
    cell(page, "Saturday 10:00").tap()
    expect(cell(page, "Saturday 10:00")).to_have_attribute("aria-selected", "true")
    hold_and_drag(page, "Sunday 09:30", "Sunday 10:30")
    expect(page.locator("[data-said]")).to_have_text("Sunday 09:30 to 11:00 open")
    save(page)
    assert hours_of(desk, "sat") == [("10:00", "10:30")]
    assert hours_of(desk, "sun") == [("09:30", "11:00")]


def test_finger_that_moves_at_once_scrolls_and_paints_nothing(desk: Desk) -> None:
    page = desk.open(desk.cast.alice.id, "/availability", width=PHONE)
    hold_and_drag(page, "Sunday 09:30", "Sunday 10:30", hold=0)
    expect(cell(page, "Sunday 09:30")).to_have_attribute("aria-selected", "false")
    expect(page.locator("[data-state]")).to_be_hidden()


def hold_and_drag(page: Page, start: str, end: str, hold: int = 350) -> None:
    """A finger put on one half hour, kept there for `hold` ms, and moved to another."""
    cell(page, start).scroll_into_view_if_needed()
    places = [cell(page, name).bounding_box() for name in (start, end)]
    points = [{"x": box["x"] + 20, "y": box["y"] + 20} for box in places if box is not None]
    screen = page.context.new_cdp_session(page)
    screen.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [points[0]]})
    page.wait_for_timeout(hold)
    screen.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [points[1]]})
    screen.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


class Finger:
    """A finger on a phone that counts how often it is put down; typing is one more each time."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0

    def tap(self, target: Locator) -> None:
        """A short touch. Scrolling there is no tap."""
        target.scroll_into_view_if_needed()
        target.tap()
        self.count += 1

    def paint(self, start: str, end: str, until: str) -> None:
        """Holds on one half hour and drags to the lower edge, until the week has moved on to `until`."""
        hold_and_creep(self.page, start, end, until)
        self.count += 1

    def type(self, target: Locator, text: str) -> None:
        """Taps a field and types."""
        self.tap(target)
        target.press_sequentially(text)
        self.count += len(text)


def test_week_day_off_and_cap_take_few_taps_on_a_phone(desk: Desk) -> None:
    with desk.app.app_context():
        db.session.delete(db.session.get_one(Availability, desk.cast.alice.id))
        db.session.commit()
    page = desk.open(desk.cast.alice.id, "/availability", width=PHONE)
    finger = Finger(page)
    finger.paint("Monday 09:00", "Monday 11:00", until="Monday 15:30")
    finger.tap(page.get_by_role("button", name="to the working days"))
    finger.tap(page.get_by_role("button", name="Thursday 26 November", exact=True))
    finger.type(page.get_by_label("A week", exact=True), "2")
    finger.tap(page.get_by_role("button", name="Save", exact=True).last)
    expect(page.locator(".flash")).to_contain_text("Saved.")
    assert [hours_of(desk, day)[0][0] for day in ("mon", "tue", "wed", "thu", "fri")] == ["09:00"] * 5
    assert hours_of(desk, "mon")[0][1] >= "16:00"
    assert saved(desk)["overrides"] == [{"date": "2026-11-26", "intervals": []}]
    assert saved(desk)["limits"]["per_week"] == 2
    # With two seconds for each, and ten to read, well under a minute.
    assert finger.count <= 8


def hold_and_creep(page: Page, start: str, end: str, until: str) -> None:
    """Holds on one half hour, drags down over another to the edge, and lets go when `until` is open."""
    cell(page, start).scroll_into_view_if_needed()
    boxes = [cell(page, name).bounding_box() for name in (start, end)]
    card = page.locator(".save-card").bounding_box()
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert card is not None
    x = boxes[0]["x"] + 20
    screen = page.context.new_cdp_session(page)

    def touch(kind: str, *y: float) -> None:
        points = [{"x": x, "y": each} for each in y]
        screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", boxes[0]["y"] + 20)
    page.wait_for_timeout(350)
    touch("touchMove", boxes[1]["y"] + 20)
    touch("touchMove", card["y"] - 20)
    expect(cell(page, until)).to_have_attribute("aria-selected", "true")
    touch("touchEnd")


def test_removed_time_off_comes_back_with_one_tap(desk: Desk) -> None:
    with desk.app.app_context():
        db.session.get_one(Availability, desk.cast.alice.id).time_off = [["2027-01-04", "2027-01-08"]]
        db.session.commit()
    page = desk.open(desk.cast.alice.id, "/availability", width=PHONE)
    page.get_by_role("button", name="Remove").tap()
    expect(page.locator("[data-row]")).to_have_count(0)
    page.get_by_role("button", name="Undo").tap()
    expect(page.locator("[data-row]")).to_have_count(1)
    save(page)
    assert saved(desk)["time_off"] == [{"first": "2027-01-04", "last": "2027-01-08"}]
    page.get_by_role("button", name="Remove").tap()
    save(page)
    assert saved(desk)["time_off"] == []


def test_rare_things_are_folded_and_saved(desk: Desk) -> None:
    page = desk.open(desk.cast.alice.id, "/availability", width=PHONE)
    expect(page.get_by_label("Before a visit")).to_be_hidden()
    page.get_by_text("Breaks, public holidays, time zone").tap()
    page.get_by_label("No two observed hours in a row").check()
    page.get_by_label("Public holidays of").select_option(label="Germany")
    page.get_by_label("Part of the country").select_option(label="Bayern")
    page.get_by_text("From a date on I am in another zone").tap()
    page.get_by_label("From this date on").fill("2027-02-01")
    page.get_by_label("Time zone there").fill("Asia/Tbilisi")
    assert page.locator("#zones option").count() > 300
    page.get_by_role("button", name="Add and save").last.tap()
    expect(page.locator(".flash")).to_contain_text("Saved.")
    assert saved(desk)["holidays"] == "DE-BY"
    assert saved(desk)["rest_between"] is True
    assert saved(desk)["zone_changes"] == [{"date": "2027-02-01", "timezone": "Asia/Tbilisi"}]
    page.get_by_text("Several days off in a row").tap()
    page.get_by_label("First day").fill("2026-12-24")
    page.get_by_label("Last day").fill("2027-01-03")
    page.get_by_role("button", name="Add and save").first.tap()
    expect(page.locator(".flash")).to_contain_text("Saved.")
    assert saved(desk)["time_off"] == [{"first": "2026-12-24", "last": "2027-01-03"}]


def test_quiet_hours_are_painted(desk: Desk) -> None:
    address = f"/lines/{desk.cast.line.id}/quiet-hours"
    page = desk.open(desk.cast.lev.id, address)
    expect(page.locator(".opens")).to_have_text("No hour is quiet.")
    drag(page, "Monday 09:00", "Tuesday 10:30")
    expect(page.locator("[data-said]")).to_have_text("Monday–Tuesday 09:00 to 11:00 quiet")
    expect(page.locator("[data-state]")).to_have_text("Not saved yet")
    save(page)
    expect(page.locator(".opens")).to_have_text("Quiet for 4 h a week.")


def test_day_is_copied_and_a_date_is_taken_off(desk: Desk) -> None:
    page = desk.open(desk.cast.alice.id, "/availability", width=PHONE)
    drag(page, "Monday 09:00", "Monday 12:30")
    page.get_by_role("button", name="to the working days").click()
    day_off = page.get_by_role("button", name="Thursday 24 December", exact=True)
    day_off.click()
    expect(day_off).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-said]")).to_have_text("Thursday 24 December is a day off.")
    page.get_by_label("A week", exact=True).fill("3")
    save(page)
    assert [hours_of(desk, day) for day in ("mon", "fri")] == [[("14:00", "18:00")]] * 2
    assert saved(desk)["overrides"] == [{"date": "2026-12-24", "intervals": []}]
    assert saved(desk)["limits"]["per_week"] == 3
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("[data-row]")).to_have_count(0)
    save(page)
    assert saved(desk)["overrides"] == []


def test_typed_hours_are_painted_and_odd_minutes_survive(desk: Desk) -> None:
    page = desk.open(desk.cast.alice.id, "/availability")
    page.get_by_text("Type the hours").click()
    page.get_by_label("Saturday", exact=True).fill("9:10-10:45")
    page.get_by_label("Saturday", exact=True).press("Tab")
    expect(cell(page, "Saturday 09:30")).to_have_attribute("aria-selected", "true")
    expect(cell(page, "Saturday 09:00")).to_have_attribute("aria-selected", "false")
    drag(page, "Saturday 15:00", "Saturday 15:30")
    expect(page.get_by_label("Saturday", exact=True)).to_have_value("09:10–10:45, 15:00–16:00")


def test_night_is_shown_when_asked_for(desk: Desk) -> None:
    page = desk.open(desk.cast.alice.id, "/availability")
    expect(cell(page, "Monday 05:30")).to_be_hidden()
    page.get_by_role("button", name="Show the night").click()
    expect(cell(page, "Monday 05:30")).to_be_visible()


def test_everything_works_without_scripts(desk: Desk) -> None:
    page = desk.open(desk.cast.alice.id, "/availability", width=PHONE, scripts=False)
    expect(page.locator("[data-week-painted]")).to_be_hidden()
    page.get_by_label("Saturday", exact=True).fill("9-11")
    page.get_by_label("Saturday", exact=True).press("Enter")
    expect(page.locator(".flash")).to_contain_text("Saved. This opens 168 hours")
    page.get_by_role("button", name="Thursday 24 December", exact=True).click()
    expect(page.locator(".flash")).to_contain_text("24 December 2026 is a day off.")
    page.get_by_role("button", name="Undo").click()
    assert saved(desk)["overrides"] == []
    page.get_by_text("Several days off in a row").click()
    page.get_by_label("First day").fill("2027-01-04")
    page.get_by_label("Last day").fill("2027-01-08")
    page.get_by_role("button", name="Add and save").first.click()
    expect(page.locator(".flash")).to_contain_text("Saved.")
    page.get_by_role("button", name="Remove").click()
    expect(page.locator(".flash")).to_contain_text("The time off is removed.")
    page.get_by_role("button", name="Undo").click()
    assert saved(desk)["time_off"] == [{"first": "2027-01-04", "last": "2027-01-08"}]
    page.get_by_role("button", name="Not now").click()
    expect(page.locator("[data-opens]")).to_have_text("Nothing is open while no visits are taken.")
    page.get_by_role("button", name="Take visits again").click()
    expect(page.locator("[data-opens]")).to_have_text("This opens 168 hours in the next 4 weeks.")
