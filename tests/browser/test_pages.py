"""Every page that can be looked at, in Chromium: valid HTML with one h1, accessible by axe's rules, nothing
wider than the window; on a phone in the dark and on a wide screen in the light, in both languages."""

from datetime import UTC, datetime, timedelta

import html5lib
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from gemba.db import db
from gemba.inbox.service import handle_message
from gemba.insights import service as insights
from gemba.insights.rules.kinds import CommentKind, Kind
from gemba.insights.service import statuses, talk
from gemba.insights.service.vote_links import vote_path
from gemba.invites.rules import Answer
from gemba.people.models import Person
from gemba.programmes.models import Programme
from gemba.programmes.training import service as training
from gemba.programmes.training.rules import StepKind, StepText
from gemba.rounds.models import Round
from gemba.visits import service as visits
from gemba.visits.facts import Ask
from gemba.visits.links import link_token
from gemba.visits.models import Visit
from tests.browser.conftest import PHONE, WIDE, Desk
from tests.inbox import mails

RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    },
    # What passes is not told in full: that takes as long as finding it.
    "resultTypes": ["violations"],
}
PAGES = {
    "vera": (
        "/",
        "/visits",
        "/visits/book",
        "/visits/book?start=2026-11-27T09:00:00Z",
        "/visits/book?agent={ada}&language=ru",
        "/visits/1",
        "/visits/1/notes",
        "/visits/2",
        "/visits/2/move?start=2026-11-27T12:00:00Z",
        "/visits/2/cancel",
        "/visits/2/words",
        "/visits/2/hand-on",
        "/backlog",
        "/backlog/board",
        "/backlog?q=number",
        "/backlog/top",
        "/backlog/matrix",
        "/backlog/asks",
        "/contributions",
        "/insights/1",
        "/rounds/1",
        "/visits/book?programme=till",
        "/programmes/till/training",
        "/profile",
        "/nowhere",
    ),
    "alice": (
        "/",
        "/visits/2",
        "/visits/2/words",
        "/availability",
        "/availability/{alice}/hours?day=2026-11-27",
        "/availability/{alice}/hours?view=week",
        "/visits/1",
    ),
    "adam": (
        "/",
        "/team",
        "/team?day=2026-11-27",
        "/availability/{alice}/hours",
        "/people",
        "/people/new",
        "/people/1",
        "/lines",
        "/lines/1/quiet-hours",
        "/programmes",
        "/programmes/new",
        "/programmes/shadow",
        "/programmes/till/training/steps",
        "/programmes/till/training/steps/new?kind=question",
        "/programmes/till/training/steps/3",
        "/training",
        "/outbox",
        "/outbox/received",
        "/insights/1/edit",
        "/backlog/top",
        "/backlog/triage",
        "/backlog/board",
        "/backlog/asks",
        "/programmes/shadow/weights",
        "/programmes/shadow/statuses",
        "/backlog?status=all&order=newest",
    ),
    None: (
        "/",
        "/sign-in",
        "/sign-in/code",
        "/sign-in/link/none",
        "/me-too/none",
        "{vote}",
        "/answer/none",
        "/answer/{link}",
        "/answer/{link}?say=declined",
        "/answer/{link}/move?start=2026-11-27T12:00:00Z",
        "/answer/{link}/cancel",
        "/answer/{left}",
        "/api/docs",
    ),
}

STEPS = (
    (StepKind.READ, StepText("The desk", text="What is where.", link="https://wiki.example/desk")),
    (StepKind.READ, StepText("The rules")),
    (StepKind.QUESTION, StepText("Who sends?", answers="*The mentor\nI do")),
    (StepKind.SIGN_OFF, StepText("A call with the mentor")),
)


def _fill(desk: Desk) -> None:
    """A visit that is going on with a note, one to come, an open round."""
    clock, cast = desk.clock, desk.cast
    with desk.app.app_context():
        vera = db.session.get_one(Person, cast.vera.id)
        programme = db.session.get_one(Programme, cast.programme.id)
        programme.guide = "What makes her leave the main window?\nWhat does she know by heart?"
        now_on, later = datetime(2026, 11, 26, 9, tzinfo=UTC), datetime(2026, 11, 27, 10, tzinfo=UTC)
        for start in (now_on, later):
            visits.book(
                programme=programme, visitor=vera, start=start, ask=Ask(agent_id=cast.alice.id), now=clock()
            )
        clock.at = now_on + timedelta(minutes=20)
        fields = insights.NoteFields(
            text="Copies the order number by hand", kind=Kind.TOOL_PAIN, verbatim="Every day", severity=3
        )
        insights.record(1, vera, "6f1c0f52-4d4b-4f8e-9d86-0f6c3a1f2b11", fields, now=clock())
        adam = db.session.get_one(Person, cast.adam.id)
        statuses.add(programme.id, adam, "In beta", "В бете", "doing", now=clock())
        talk.say(1, adam, "One search for all", CommentKind.ASK, now=clock())
        said = visits.Said(Answer.TENTATIVE, "The train may be late", "web")
        visits.take_answer(2, vera.id, said, now=clock())
        start = later + timedelta(hours=3)
        visits.take_proposal(
            2, vera.id, start, start + timedelta(hours=1), "After lunch?", 0, None, now=clock()
        )
        uid = db.session.get_one(Visit, 2).uid
        for raw in (mails.exchange(mails.Ask(uid=uid)), mails.bounce()):
            handle_message(raw, via="imap", now=clock())
        till = Programme(slug="till", name="Free till", format="hands-on", created_at=clock())
        db.session.add(till)
        for kind, text in STEPS:
            training.add_step(adam, "till", kind, text, None, now=clock())
        training.take_step(vera, "till", 1, now=clock())
        closes = clock() + timedelta(days=9)
        db.session.add(Round(programme_id=programme.id, name="Autumn", opens_at=clock(), closes_at=closes))
        db.session.commit()


def _check(page: Page, source: str, where: str) -> None:
    html5lib.HTMLParser(strict=True).parse(source)
    assert page.locator("h1").count() == 1, where
    heading = page.locator("h1").inner_text().strip()
    assert page.title().startswith(heading), (where, heading, page.title())
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{where} is too wide"
    found = Axe().run(page, options=RULES).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]][:3]) for each in found] == [], where


@pytest.mark.browser
@pytest.mark.parametrize(("width", "dark", "language"), [(PHONE, True, "ru"), (WIDE, False, "en")])
@pytest.mark.parametrize("who", list(PAGES))
def test_pages_have_manners(desk: Desk, who: str | None, width: int, dark: bool, language: str) -> None:
    _fill(desk)
    person_id = int(getattr(desk.cast, who).id) if who else None
    if who:
        with desk.app.app_context():
            db.session.get_one(Person, person_id).locale = language
            db.session.commit()
    with desk.app.app_context():
        people = {"link": desk.cast.alice.id, "left": desk.cast.eve.id}
        for each in people.values():
            db.session.get_one(Person, each).locale = language
        links = {name: link_token(2, each) for name, each in people.items()}
        links["vote"] = vote_path(1, desk.cast.alice.id, desk.clock())
        db.session.commit()
    page = desk.open(person_id, PAGES[who][0], width=width, dark=dark, locale=language)
    for path in PAGES[who]:
        answer = page.goto(path.format(alice=desk.cast.alice.id, ada=desk.cast.ada.id, **links))
        assert answer is not None
        assert page.locator("html").get_attribute("lang") == language
        _check(page, answer.text(), f"{who} {path}")
