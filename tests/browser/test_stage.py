"""The browser's stage stands: pages are served, people are signed in, complaints are heard."""

import pytest

from tests.browser.conftest import PHONE, Desk

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scripts", [True, False])
def test_pages_are_served_with_and_without_scripts(desk: Desk, scripts: bool) -> None:
    page = desk.open(None, "/healthz", width=PHONE, scripts=scripts)
    assert page.inner_text("body").strip() == "ok"


def test_person_is_recognised(desk: Desk) -> None:
    cookie = desk.site.cookie(desk.cast.vera.id)
    assert cookie["url"] == desk.site.url
    assert cookie["value"]
