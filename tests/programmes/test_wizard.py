"""Five steps to a new programme: kept one by one, safe in two tabs, public only once it is started."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gemba.db import db
from gemba.people.models import Person
from gemba.programmes import copying, doors, service
from gemba.programmes.models import Programme
from gemba.programmes.training import service as training
from gemba.programmes.training.rules import StepKind, StepText
from gemba.programmes.training.service import Upload
from tests.cast import Cast
from tests.conftest import Browser, StandingClock

FIRST = {"format": "shadow", "name": "How to WOW", "name_ru": "Как сделать WOW"}
PEOPLE = {
    "who": "listed",
    "opening": "both",
    "seats": "2",
    "goal_share": "80",
    "goal_months": "6",
    "goal_visits": "",
}
ADDRESS = "/programmes/new/how-to-wow"


@pytest.fixture
def adam(browser: Browser, site_cast: Cast) -> FlaskClient:
    """Adam's browser."""
    return browser.as_(site_cast.adam.id)


def seen(page: str) -> str:
    """What a step's page said when it was made."""
    found = re.search(r'name="seen" value="(\w+)"', page)
    assert found
    return found[1]


def document(site: Flask, slug: str = "how-to-wow") -> dict[str, Any]:
    """What is kept of a programme."""
    with site.app_context():
        return service.programme_document(service.get_programme(slug))


def test_five_steps_from_nothing_to_a_programme_that_runs(
    site: Flask, adam: FlaskClient, browser: Browser, site_cast: Cast
) -> None:
    eve = browser.as_(site_cast.eve.id)
    assert adam.get("/programmes/new/steps").status_code == 200
    bad = adam.post("/programmes/new/steps", data={**FIRST, "name": ""})
    assert bad.status_code == 422
    assert "Как сделать WOW" in bad.text
    answer = adam.post("/programmes/new/steps", data=FIRST)
    assert (answer.status_code, answer.location) == (303, f"{ADDRESS}/people")
    # Back, and sent again: the same draft.
    assert adam.post("/programmes/new/steps", data=FIRST).location == f"{ADDRESS}/people"
    made = document(site)
    assert (made["duration_minutes"], made["visitor_per_week"], made["active"]) == (60, 1, False)
    assert "How to WOW" not in eve.get("/visits/book").text
    assert eve.get("/visits/book?programme=how-to-wow").status_code == 404
    data = {**PEOPLE, "addresses": "eve@gemba.example"}
    assert adam.post(f"{ADDRESS}/people", data=data).location == f"{ADDRESS}/hours"
    page = adam.get(f"{ADDRESS}/hours").text
    hours = dict(re.findall(r'name="(\w+)" type="text" value="(\d*)"', page))
    assert hours["min_notice_minutes"] == "240"
    assert adam.post(f"{ADDRESS}/hours", data={**hours, "duration_minutes": "61"}).status_code == 422
    left = adam.post(f"{ADDRESS}/hours", data={**hours, "approval": "y", "go": "leave"})
    assert left.location == "/programmes"
    assert f'href="{ADDRESS}/look"' in adam.get("/programmes").text
    texts = {"purpose": "See how it is", "guide": "One prompt"}
    assert adam.post(f"{ADDRESS}/texts", data=texts).location == f"{ADDRESS}/look"
    look = adam.get(f"{ADDRESS}/look").text
    assert "One prompt" in look
    assert "1 person on a list" in look
    for _press in range(2):
        assert adam.post(f"{ADDRESS}/start").location == "/programmes/how-to-wow"
    made = document(site)
    assert (made["active"], made["approval"], made["goal_share"], made["seats"]) == (True, True, 80, 2)
    assert "How to WOW" in eve.get("/visits/book?programme=how-to-wow").text
    assert adam.get(f"{ADDRESS}/look").location == "/programmes/how-to-wow"
    assert adam.post(f"{ADDRESS}/throw-away").status_code == 404
    assert adam.get(f"{ADDRESS}/nonsense").status_code == 404


def test_two_tabs_do_not_undo_each_other(site: Flask, adam: FlaskClient) -> None:
    adam.post("/programmes/new/steps", data=FIRST)
    old = seen(adam.get(f"{ADDRESS}/texts").text)
    assert adam.post(f"{ADDRESS}/texts", data={"purpose": "The first tab", "seen": old}).status_code == 303
    page = adam.post(f"{ADDRESS}/texts", data={"purpose": "The second tab", "seen": old})
    assert page.status_code == 409
    assert "Another page saved this step" in page.text
    assert "The first tab" in page.text
    assert "The second tab" in page.text
    assert document(site)["purpose"] == "The first tab"
    # Other steps are no business of this one, and saving again after looking is meant so.
    assert adam.post(f"{ADDRESS}/people", data=PEOPLE).status_code == 303
    again = {"purpose": "The second tab", "seen": seen(page.text)}
    assert adam.post(f"{ADDRESS}/texts", data=again).status_code == 303
    assert document(site)["purpose"] == "The second tab"


def test_another_format_brings_its_usual_values_and_keeps_what_was_typed(
    site: Flask, adam: FlaskClient
) -> None:
    adam.post("/programmes/new/steps", data=FIRST)
    texts = adam.get(f"{ADDRESS}/texts").text
    shipped = re.search(r'<textarea[^>]*name="guide"[^>]*>\s*([^<]+)<', texts)
    assert shipped
    adam.post(f"{ADDRESS}/texts", data={"guide": shipped[1].strip(), "rules": "Only ours"})
    assert (document(site)["guide"], document(site)["rules"]) == ("", "Only ours")
    with site.app_context():
        service.get_programme("how-to-wow").horizon_days = 90
        db.session.commit()
    adam.post(f"{ADDRESS}/format", data={**FIRST, "format": "hands-on"})
    made = document(site)
    assert (made["duration_minutes"], made["horizon_days"]) == (240, 90)
    assert adam.post(f"{ADDRESS}/throw-away").location == "/programmes"
    assert adam.get(f"{ADDRESS}/look").status_code == 404


def test_a_copy_has_all_of_it(app: Flask, cast: Cast, clock: StandingClock) -> None:
    now, adam = clock(), cast.adam
    service.update(
        adam,
        "shadow",
        {
            "format": "hands-on",
            "who": "listed",
            "goal_share": 70,
            "goal_visits": 3,
            "opening": "rounds",
            "departments": ["Product"],
            "guide": "A prompt",
            "consent_ru": "Я никого не сужу",
            "seats": 3,
        },
        now=now,
    )
    doors.add_people(adam, cast.programme, ["vera@gemba.example"], now=now)
    training.add_step(adam, "shadow", StepKind.READ, StepText("Read", title_ru="Прочитать"), None, now=now)
    step = training.add_step(
        adam, "shadow", StepKind.FILE, StepText("Rules"), Upload("r.pdf", b"%PDF-1.4 x"), now=now
    )
    training.add_step(adam, "shadow", StepKind.SIGN_OFF, StepText("Signed"), None, now=now)
    training.take_step(cast.vera, "shadow", step.id, now=now)
    made = copying.copy(adam, "shadow", now=now)
    again = copying.copy(adam, "shadow", now=now)
    db.session.commit()
    before, after = map(service.programme_document, (cast.programme, made))
    own = {"slug", "name", "name_ru", "active"}
    assert {name for name in before if before[name] != after[name]} == own
    assert (made.draft, made.active, made.name, made.name_ru) == (True, False, "Side by side 2", "Рядом 2")
    assert (made.slug, again.slug) == ("side-by-side", "side-by-side-2")
    assert doors.is_for(made, cast.vera)
    _programme, steps = training.steps_of(adam, made.slug)
    assert [(each.title, each.title_ru, each.kind) for each in steps] == [
        ("Read", "Прочитать", "read"),
        ("Rules", "", "file"),
        ("Signed", "", "sign-off"),
    ]
    assert training.file_of(adam, made.slug, steps[1].id) == ("r.pdf", b"%PDF-1.4 x")
    assert training.training_of(made, cast.vera).done == 0
    service.throw_away(adam, made.slug, now=now)
    assert db.session.get(Person, cast.vera.id) is not None
    assert {each.slug for each in db.session.query(Programme)} == {"shadow", "side-by-side-2"}


def test_the_button_makes_a_copy(adam: FlaskClient) -> None:
    assert "/programmes/shadow/copy" in adam.get("/programmes/shadow").text
    assert adam.post("/programmes/shadow/copy").location == "/programmes/new/side-by-side/format"
    assert "Side by side 2" in adam.get("/programmes/new/side-by-side/format").text
    assert adam.post("/programmes/nothing/copy").status_code == 404
