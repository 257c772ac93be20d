"""Signing in, the profile and the admin's pages in a real Chromium, with and without JavaScript."""

import pytest

from gemba.db import db
from gemba.people.models import Person
from tests.browser.conftest import PHONE, Desk
from tests.people.stage import mails

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("way", ["code", "link"])
def test_somebody_signs_in_and_confirms_the_zone(desk: Desk, scripts: bool, way: str) -> None:
    with desk.app.app_context():
        vera = db.session.get_one(Person, desk.cast.vera.id)
        vera.timezone, vera.timezone_confirmed = "UTC", False
        db.session.commit()
    page = desk.open(None, "/sign-in?next=/profile", width=PHONE, scripts=scripts, timezone_id="Asia/Tokyo")
    page.get_by_label("E-mail").fill("vera@gemba.example")
    page.get_by_role("button", name="Send me a code").click()
    page.wait_for_url("**/sign-in/code")
    [(_to, code, path)] = mails(desk.app)
    if way == "code":
        page.get_by_label("Code", exact=True).fill(code)
    else:
        page.goto(desk.site.url + path)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/profile?next=/profile")
    zone = page.get_by_label("Time zone")
    assert zone.input_value() == ("Asia/Tokyo" if scripts else "")
    zone.select_option("Asia/Tokyo")
    page.get_by_role("button", name="That is right, go on").click()
    page.wait_for_url("**/profile")
    assert page.get_by_text("Saved.").is_visible()
