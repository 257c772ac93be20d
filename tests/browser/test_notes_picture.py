"""Pictures of notes in Chromium: pasted or chosen, cropped, blacked out, and what is then stored."""

import io
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect
from sqlalchemy import select

from gemba.db import db
from gemba.insights.models import Picture
from gemba.insights.service import pictures
from tests.browser.conftest import PHONE, Desk
from tests.browser.test_notes import field, path, state, texts, write
from tests.browser.test_pages import RULES

__all__ = ["path"]
pytestmark = pytest.mark.browser

WHITE = (255, 255, 255)
PASTE = """async (input) => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [400, 320];
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, 400, 320);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File([blob], "shot.png", { type: "image/png" }));
  input.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}"""


def white(width: int, height: int) -> FilePayload:
    made = io.BytesIO()
    Image.new("RGB", (width, height), WHITE).save(made, "PNG")
    return {"name": "shot.png", "mimeType": "image/png", "buffer": made.getvalue()}


def stored(desk: Desk) -> list[Image.Image]:
    """The pictures as the server keeps them, oldest first."""
    with desk.app.app_context():
        files = db.session.scalars(select(Picture.file).order_by(Picture.id)).all()
        return [Image.open(Path(pictures.folder() / file)).convert("RGB") for file in files]


def no_axe_complaints(page: Page) -> None:
    assert Axe().run(page, options=RULES).response["violations"] == []


def draw(page: Page, left: float, top: float, right: float, bottom: float) -> None:
    """Draws a rectangle over the picture; the corners are shares of its sides."""
    page.locator("[data-canvas]").scroll_into_view_if_needed()
    box = page.locator("[data-canvas]").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * left, box["y"] + box["height"] * top)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * right, box["y"] + box["height"] * bottom, steps=3)
    page.mouse.up()


@pytest.mark.parametrize("width", [PHONE, 1440])
def test_a_picture_pasted_into_the_field_goes_with_its_note(desk: Desk, path: str, width: int) -> None:
    page = desk.open(desk.cast.vera.id, path, width=width)
    page.keyboard.type("The dialog says nothing")
    field(page).evaluate(PASTE)
    dialog = page.get_by_role("dialog", name="Picture for this note")
    expect(dialog.locator("[data-canvas]")).to_be_focused()
    expect(dialog).to_contain_text("400 × 320 pixels")
    no_axe_complaints(page)
    # By keyboard alone: the rectangle begins at a quarter, 100 by 40, and moves by 8.
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Tab")
    expect(dialog.get_by_role("button", name="Black out")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("button", name="Undo")).to_be_enabled()
    dialog.get_by_role("button", name="Add to the note").press("Enter")
    expect(dialog).to_be_hidden()
    expect(field(page)).to_be_focused()
    expect(field(page)).to_have_value("The dialog says nothing")
    expect(page.get_by_role("list", name="Pictures for this note").get_by_role("listitem")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    no_axe_complaints(page)
    page.keyboard.press("Enter")
    expect(page.locator("li.note img")).to_have_count(1)
    expect(state(page)).to_have_text("Saved")
    expect(page.locator("[data-pictures-shelf]")).to_be_hidden()
    assert texts(desk) == ["The dialog says nothing"]
    [kept] = stored(desk)
    assert kept.size == (400, 320)
    # What was blacked out is black in the bytes themselves: no pixel of it is left.
    blacked = kept.crop((108, 80, 208, 128))
    assert blacked.getcolors() == [(100 * 48, (0, 0, 0))]
    assert dict(map(reversed, kept.getcolors() or [])) == {WHITE: 400 * 320 - 4800, (0, 0, 0): 4800}  # type: ignore[arg-type]


def test_a_picture_waits_for_the_connection_and_can_be_left_out(desk: Desk, path: str) -> None:
    page = desk.open(desk.cast.vera.id, path)
    dialog = page.get_by_role("dialog", name="Picture for this note")
    field(page).evaluate(PASTE)
    dialog.get_by_role("button", name="Leave it out").click()
    expect(field(page)).to_be_focused()
    page.locator("[data-pick]").set_input_files(
        {"name": "page.png", "mimeType": "text/html", "buffer": b"<h1>Hello</h1>"}
    )
    expect(dialog).to_contain_text("This is no PNG, JPEG or WebP picture")
    expect(dialog.get_by_role("button", name="Add to the note")).to_be_disabled()
    page.keyboard.press("Escape")
    for _picture in range(2):
        page.locator("[data-pick]").set_input_files(white(200, 100))
        dialog.get_by_role("button", name="Add to the note").click()
    shelf = page.get_by_role("list", name="Pictures for this note")
    shelf.get_by_role("button", name="Leave it out (2)").click()
    expect(shelf.get_by_role("listitem")).to_have_count(1)
    page.context.set_offline(True)
    write(page, "Written without a connection")
    expect(state(page)).to_contain_text("No connection")
    write(page, "And one more without a picture")
    page.context.set_offline(False)
    expect(page.locator("li.note img")).to_have_count(1)
    expect(page.locator("li.note").nth(1).locator("img")).to_have_count(1)
    assert [one.size for one in stored(desk)] == [(200, 100)]


def test_a_chosen_picture_is_cropped_blacked_out_and_taken_back_by_hand(desk: Desk, path: str) -> None:
    page = desk.open(desk.cast.vera.id, path)
    write(page, "A note with a picture")
    expect(state(page)).to_have_text("Saved")
    page.locator("[data-note-pictures]").click()
    page.get_by_label("Picture", exact=True).set_input_files(white(400, 300))
    draw(page, 0.1, 0.1, 0.9, 0.9)
    page.get_by_role("button", name="Black out").click()
    page.get_by_role("button", name="Undo").click()
    draw(page, 0.5, 0.5, -0.05, -0.05)
    page.get_by_role("button", name="Crop to it").click()
    expect(page.locator("[data-said]")).to_contain_text("200 × 150 pixels")
    draw(page, 0.5, 0.5, -0.05, -0.05)
    page.get_by_role("button", name="Black out").click()
    no_axe_complaints(page)
    page.get_by_role("button", name="Add the picture").click()
    expect(page.locator(".picture-list img")).to_have_count(1)
    [kept] = stored(desk)
    assert kept.size == (200, 150)
    assert kept.crop((0, 0, 99, 74)).getcolors() == [(99 * 74, (0, 0, 0))]
    assert kept.crop((0, 76, 200, 150)).getcolors() == [(200 * 74, WHITE)]
    assert kept.crop((101, 0, 200, 150)).getcolors() == [(99 * 150, WHITE)]
