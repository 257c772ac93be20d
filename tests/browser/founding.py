"""A company from an empty database, as its admin begins: the first account by the command, people by a file,
everything else in the pages, in English or in Russian."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from babel.support import Translations
from playwright.sync_api import Page, expect

from gemba.cli import cli
from gemba.config import ROOT
from gemba.db import db
from gemba.people import service as people
from gemba.schedule import service as schedule
from tests.browser.conftest import Desk
from tests.people.stage import mails

ADMIN = "adam@gemba.example"
HOURS = "09:00-13:00, 14:00-18:00"
DAYS = ("mon", "tue", "wed", "thu", "fri")
Say = Callable[[str], str]


def say_in(locale: str) -> Say:
    """The product's own words in a language."""
    if locale == "en":
        return str
    catalogue = Translations.load(str(ROOT / "gemba" / "translations"), [locale], domain="messages")
    return catalogue.gettext


def command(desk: Desk, *words: str) -> None:
    """`gemba` with these words."""
    done = desk.app.test_cli_runner().invoke(cli, list(words))
    assert done.exit_code == 0, done.output


def id_of(desk: Desk, name: str) -> int:
    """The number of the person at this address."""
    with desk.app.app_context():
        found = people.find_person(f"{name}@gemba.example")
        assert found is not None
        return found.id


def sign_in_as_admin(desk: Desk, locale: str) -> Page:
    """The first account, made by the command; it signs in by the mail it gets."""
    say = say_in(locale)
    command(
        desk, "person", "add", ADMIN, "--name", "Adam Admin", "--role", "admin",
        "--timezone", "Europe/Berlin", "--locale", locale,
    )  # fmt: skip
    page = desk.open(None, "/sign-in", locale={"en": "en-GB", "ru": "ru-RU"}[locale])
    page.get_by_label(say("E-mail")).fill(ADMIN)
    page.get_by_role("button", name=say("Send me a code")).click()
    page.wait_for_url("**/sign-in/code")
    [(_to, code, _path)] = mails(desk.app)
    page.get_by_label(say("Code"), exact=True).fill(code)
    page.get_by_role("button", name=say("Sign in")).click()
    page.wait_for_url(re.compile(r"^(?!.*/sign-in)"))
    return page


def bring_in(desk: Desk, page: Page, say: Say, rows: Sequence[str], folder: Path) -> None:
    """A line by the page, its people by a file, then Lev as its lead; Alice types her hours, the others'
    come as theirs would."""
    page.goto("/lines")
    page.locator("[name=line-new-name]").fill("Checkout line")
    page.get_by_role("button", name=say("Add the line")).click()
    expect(page.locator(".flash.is-success")).to_be_visible()
    file = folder / "people.csv"
    file.write_text("\n".join(["email,name,roles,timezone,locale,department,line", *rows]))
    command(desk, "people", "import", str(file))
    page.goto("/lines")
    page.locator("summary", has_text="Checkout line").click()
    page.locator("[name=line-1-lead_id]").select_option(label="Lev Lead")
    page.get_by_role("button", name=say("Save"), exact=True).first.click()
    expect(page.locator("summary", has_text="Lev Lead")).to_be_visible()
    alice = desk.open(id_of(desk, "alice"), "/availability", scripts=False)
    for day in DAYS:
        alice.locator(f"[name={day}]").fill(HOURS)
    alice.get_by_role("button", name="Save", exact=True).last.click()
    expect(alice.locator(".flash.is-success")).to_be_visible()


def open_hours(desk: Desk, names: Sequence[str]) -> None:
    """The usual week of those who host visits."""
    spans = (("09:00", "13:00"), ("14:00", "18:00"))
    weekly = [{"weekday": day, "start": start, "end": end} for day in DAYS for start, end in spans]
    with desk.app.app_context():
        for name in names:
            person = people.find_person(f"{name}@gemba.example")
            assert person is not None
            document = {"timezone": person.timezone, "weekly": weekly}
            schedule.set_availability(person, person.id, document, now=desk.clock())
        db.session.commit()


def start_programme(page: Page, say: Say, kind: str, name: str, name_ru: str) -> None:
    """Five short steps, with what they suggest."""
    page.goto("/programmes/new/steps")
    page.locator(f"[name=format][value={kind}]").check()
    page.locator("[name=name]").fill(name)
    page.locator("[name=name_ru]").fill(name_ru)
    go_on = partial(page.get_by_role("button", name=say("Save and go on")).click)
    for step in ("people", "hours", "texts", "look"):
        go_on()
        page.wait_for_url(f"**/{step}")
    page.get_by_role("button", name=say("Start the programme")).click()
    page.wait_for_url(re.compile(r"/programmes/[a-z-]+$"))
