"""What keeps notes alive for an hour: drafts, the real start, edits, words after a lost sign-in."""

import re
import uuid
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, func, select

from gemba.db import db
from gemba.insights import service
from gemba.insights.errors import NotesClosed, NotStartable
from gemba.insights.models import Insight, NoteDraft, Observation
from gemba.insights.rules.kinds import Kind
from gemba.insights.service import DraftFields, NoteFields
from gemba.insights.service.drafts import DRAFTS_MAX
from gemba.people.models import SignIn
from gemba.visits.errors import VisitNotFound
from gemba.visits.models import Visit
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.insights.stage import make_visit, note
from tests.insights.test_pages import FRAGMENT, Scene, form, scene

__all__ = ["scene"]


def count(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


# ---- a note as its page has it


def test_a_note_sent_again_with_other_words_is_edited(cast: Cast, clock: StandingClock) -> None:
    visit, client_id = make_visit(cast, clock()), str(uuid.uuid4())
    first = NoteFields("slow serch", Kind.TOOL_PAIN, workaround="")
    made, is_new = service.put(visit.id, cast.vera, client_id, first, now=clock())
    assert is_new
    service.edit_note(
        cast.vera, made.id, NoteFields("slow serch", workaround="a sheet", frequency="often"), now=clock()
    )
    for _twice in range(2):
        again, is_new = service.put(
            visit.id, cast.vera, client_id, NoteFields("slow search"), edited=True, now=clock()
        )
        assert (again.id, is_new, again.text) == (made.id, False, "slow search")
    assert (made.workaround, made.frequency) == ("a sheet", "often")
    assert service.put(visit.id, cast.vera, client_id, first, now=clock())[0].text == "slow search"
    assert db.session.get_one(Insight, made.insight_id).title == "slow search"


def test_taking_back_and_bringing_back_may_come_twice(cast: Cast, clock: StandingClock) -> None:
    visit, client_id, fields = make_visit(cast, clock()), str(uuid.uuid4()), NoteFields("slow search")
    service.put(visit.id, cast.vera, client_id, fields, now=clock())
    for _twice in range(2):
        gone, _new = service.put(visit.id, cast.vera, client_id, fields, removed=True, now=clock())
        assert gone.removed_at == clock()
    assert count(Insight) == 0
    # The first sending was late: the note stays taken back.
    assert service.put(visit.id, cast.vera, client_id, fields, now=clock())[0].removed_at is not None
    for _twice in range(2):
        back, _new = service.put(visit.id, cast.vera, client_id, fields, edited=True, now=clock())
        assert back.removed_at is None
    assert (count(Observation), count(Insight)) == (1, 1)


def test_a_note_taken_back_before_it_came_is_never_seen(cast: Cast, clock: StandingClock) -> None:
    visit, client_id = make_visit(cast, clock()), str(uuid.uuid4())
    service.put(visit.id, cast.vera, client_id, NoteFields("typo"), removed=True, now=clock())
    service.put(visit.id, cast.vera, client_id, NoteFields("typo"), now=clock())
    assert service.observations_of(visit) == []


# ---- drafts


def draft(cast: Cast, visit: Visit, clock: StandingClock, line: str, **more: str) -> str:
    client_id = str(uuid.uuid4())
    service.keep_draft(visit, cast.vera, client_id, DraftFields(line, clock()), now=clock(), **more)
    return client_id


def test_a_draft_goes_when_its_note_is_there(cast: Cast, clock: StandingClock) -> None:
    visit = make_visit(cast, clock())
    client_id = draft(cast, visit, clock, "half a thou")
    assert [one.line for one in service.drafts_of(visit, cast.vera)] == ["half a thou"]
    assert service.drafts_of(visit, cast.alice) == []
    service.record(visit.id, cast.vera, client_id, NoteFields("half a thought"), now=clock())
    assert count(NoteDraft) == 0
    service.keep_draft(visit, cast.vera, client_id, DraftFields("late words", clock()), now=clock())
    assert count(NoteDraft) == 0


def test_a_draft_taken_over_replaces_the_old_one(cast: Cast, clock: StandingClock) -> None:
    visit = make_visit(cast, clock())
    first = draft(cast, visit, clock, "half")
    draft(cast, visit, clock, "half a thought", instead_of=first)
    assert [one.line for one in service.drafts_of(visit, cast.vera)] == ["half a thought"]


def test_empty_and_private_words_are_not_kept(cast: Cast, clock: StandingClock) -> None:
    visit = make_visit(cast, clock())
    first = draft(cast, visit, clock, "she calls")
    for line in ("  ", "she calls +7 916 123-45-67"):
        service.keep_draft(visit, cast.vera, first, DraftFields(line, clock()), now=clock())
        assert count(NoteDraft) == 0


def test_only_so_many_drafts_are_kept(cast: Cast, clock: StandingClock) -> None:
    visit = make_visit(cast, clock())
    for number in range(DRAFTS_MAX + 3):
        clock.forward(seconds=1)
        draft(cast, visit, clock, f"thought {number}")
    kept = [one.line for one in service.drafts_of(visit, cast.vera)]
    assert kept[0] == f"thought {DRAFTS_MAX + 2}"
    assert len(kept) == DRAFTS_MAX


# ---- the real start


def test_minutes_count_from_the_real_start(cast: Cast, clock: StandingClock) -> None:
    visit = make_visit(cast, clock())
    clock.forward(minutes=7)
    service.start_now(visit.id, cast.alice, None, planned=False, now=clock())
    assert service.minute_of(visit, clock() + timedelta(minutes=5)) == 5
    assert service.minute_of(visit, clock() - timedelta(minutes=1)) is None
    assert service.minute_of(visit, visit.ends_at + timedelta(minutes=6)) == 59
    service.start_now(visit.id, cast.vera, None, planned=True, now=clock())
    assert service.minute_of(visit, clock()) == 7


def test_a_press_without_a_connection_counts_from_then(cast: Cast, clock: StandingClock) -> None:
    visit = make_visit(cast, clock())
    clock.forward(minutes=9)
    service.start_now(visit.id, cast.lev, clock() - timedelta(minutes=4), planned=False, now=clock())
    assert service.minute_of(visit, clock()) == 4
    service.start_now(visit.id, cast.lev, clock() + timedelta(hours=4), planned=False, now=clock())
    assert service.minute_of(visit, clock()) == 0


def test_a_visit_that_moved_forgets_when_it_started(cast: Cast, clock: StandingClock) -> None:
    visit = make_visit(cast, clock())
    service.start_now(visit.id, cast.vera, None, planned=False, now=clock())
    visit.starts_at, visit.ends_at = visit.starts_at + timedelta(days=1), visit.ends_at + timedelta(days=1)
    assert service.start_of(visit) == visit.starts_at


def test_a_start_has_its_time_and_its_people(cast: Cast, clock: StandingClock) -> None:
    visit = make_visit(cast, clock())
    for person in (cast.eve, cast.anton, cast.olga, cast.adam):
        with pytest.raises(VisitNotFound):
            service.start_now(visit.id, person, None, planned=False, now=clock())
    with pytest.raises(NotStartable):
        service.start_now(visit.id, cast.vera, None, planned=False, now=visit.ends_at)
    with pytest.raises(NotesClosed):
        service.start_now(visit.id, cast.vera, None, planned=False, now=visit.ends_at + timedelta(days=15))


# ---- pages


def test_private_words_are_asked_about(browser: Browser, site_cast: Cast, scene: Scene, site: Flask) -> None:
    client = browser.as_(site_cast.vera.id)
    data = form("she calls +7 916 123-45-67 each time")
    asked = client.post(scene.notes, data=data)
    assert asked.status_code == 422
    for words in (
        "This looks like a phone number.",
        "she calls +7 916 123-45-67 each time",
        "Mask it and save",
    ):
        assert words in asked.text
    by_fetch = client.post(scene.notes, data=data, headers=FRAGMENT)
    assert (by_fetch.status_code, by_fetch.headers["X-Refusal"]) == (422, "private")
    assert client.post(scene.notes, data={**data, "private": "mask"}).status_code == 303
    assert "she calls [phone] each time" in client.get(scene.notes).text
    other = form("card 4111 1111 1111 1111")
    assert client.post(scene.notes, data={**other, "private": "as-is"}).status_code == 303
    assert "4111 1111 1111 1111" in client.get(scene.notes).text


def test_editing_asks_about_private_words_too(browser: Browser, site_cast: Cast, scene: Scene) -> None:
    client, url = browser.as_(site_cast.vera.id), f"{scene.notes}/{scene.note}"
    data = {"text": "Needs all digits", "kind": "tool-pain", "workaround": "asks vera@shop.example"}
    asked = client.post(url, data=data)
    assert asked.status_code == 422
    assert "This looks like an e-mail address." in asked.text
    assert client.post(url, data={**data, "private": "mask"}).status_code == 303
    assert "asks [e-mail]" in client.get(scene.notes).text


def test_a_page_of_somebody_else_saves_nothing(browser: Browser, site_cast: Cast, scene: Scene) -> None:
    client, data = browser.as_(site_cast.alice.id), form("mine", person=str(site_cast.vera.id))
    plain = client.post(scene.notes, data=data)
    assert plain.status_code == 422
    assert "mine" in plain.text
    assert f'name="person" type="hidden" value="{site_cast.alice.id}"' in plain.text
    by_fetch = client.post(scene.notes, data=data, headers=FRAGMENT)
    assert (by_fetch.status_code, by_fetch.headers["X-Refusal"]) == (409, "person")
    assert ">mine<" not in client.get(scene.notes).text


def test_a_draft_waits_in_the_field(browser: Browser, site_cast: Cast, scene: Scene) -> None:
    client, url = browser.as_(site_cast.vera.id), f"{scene.notes}/draft"
    person = str(site_cast.vera.id)
    one, two = form("half a thou", person=person), form("another thou", person=person, kind="works-well")
    for data in (one, two):
        assert client.post(url, data=data).status_code == 204
    page = client.get(f"{scene.notes}?draft={two['client_id']}").text
    assert re.search(r"<textarea[^>]*>\s*another thou", page)
    assert '<option selected value="works-well">' in page
    assert f"?draft={one['client_id']}" in page
    saved = form("another thought", person=person, draft=two["client_id"])
    assert client.post(scene.notes, data=saved).status_code == 303
    page = client.get(scene.notes).text
    assert re.search(r"<textarea[^>]*>\s*half a thou", page)
    assert "You began these" not in page
    for bad in ({"client_id": "x"}, {"kind": "x"}, {"draft": "x"}):
        assert client.post(url, data={**one, **bad}).status_code == 422
    assert client.post(url, data={**one, "person": "0"}).status_code == 409


def test_drafts_start_and_pulse_are_for_those_in_the_visit(
    browser: Browser, site_cast: Cast, scene: Scene, clock: StandingClock
) -> None:
    for person in (site_cast.eve, site_cast.anton, site_cast.olga, site_cast.adam, site_cast.lena):
        client = browser.as_(person.id)
        assert client.post(f"{scene.notes}/draft", data=form("x", person=str(person.id))).status_code == 404
        assert client.post(f"{scene.notes}/start").status_code == 404
        assert client.get(f"{scene.notes}/pulse").status_code == 404
    nobody = browser.anonymous()
    assert nobody.get(f"{scene.notes}/pulse").status_code == 303
    assert nobody.post(f"{scene.notes}/draft").status_code == 303
    client = browser.as_(site_cast.alice.id)
    told = client.get(f"{scene.notes}/pulse").get_json()
    assert (told["person"], told["others"]) == (site_cast.alice.id, 1)
    assert told["token"]
    assert client.get(f"{scene.notes}/draft").status_code == 405
    assert client.get(f"{scene.notes}/start").status_code == 405
    clock.forward(days=20)
    client = browser.as_(site_cast.alice.id)
    data = form("x", person=str(site_cast.alice.id))
    assert client.post(f"{scene.notes}/draft", data=data).status_code == 409


def test_started_now_on_the_page(browser: Browser, site_cast: Cast, scene: Scene) -> None:
    client = browser.as_(site_cast.alice.id)
    assert "It started now" in client.get(scene.notes).text
    page = client.post(f"{scene.notes}/start", follow_redirects=True).text
    for words in ("Minutes count from now.", "0 minutes in, 40 to go", "Count from the planned hour"):
        assert words in page
    page = client.post(f"{scene.notes}/start", data={"planned": "1"}, follow_redirects=True).text
    assert "20 minutes in, 40 to go" in page
    assert client.post(f"{scene.notes}/start", headers=FRAGMENT).status_code == 204


def test_agent_and_lead_have_words_and_asks_of_their_own(
    browser: Browser, site_cast: Cast, scene: Scene
) -> None:
    for person in (site_cast.alice, site_cast.lev):
        client = browser.as_(person.id)
        page = client.get(scene.notes).text
        assert "This is what I ask for" in page
        assert "Worth saying" in page
        client.post(scene.notes, data=form("A decent admin panel", is_ask="1"))
        assert "asked for" in client.get(scene.notes).text
    assert "This is what I ask for" not in browser.as_(site_cast.vera.id).get(scene.notes).text


def test_a_note_can_be_edited_by_its_line(browser: Browser, site_cast: Cast, scene: Scene) -> None:
    client, data = browser.as_(site_cast.vera.id), form('slow >order_desk !3 "each time" #late @courier')
    first = client.post(scene.notes, data=data, headers=FRAGMENT).text
    assert 'data-line="slow &gt;order_desk !3 &#34;each time&#34; #late @Courier_app"' in first
    again = {**data, "line": "slower >order_desk !4", "edited": "1"}
    answer = client.post(scene.notes, data=again, headers=FRAGMENT)
    assert answer.status_code == 200
    assert "slower" in answer.text
    gone = client.post(scene.notes, data={**data, "removed": "1"}, headers=FRAGMENT)
    assert (gone.status_code, gone.text) == (200, "")
    assert "slower" not in client.get(scene.notes).text


# ---- words after a lost sign-in, without scripts


@pytest.fixture
def guarded(site: Flask, browser: Browser, site_cast: Cast) -> FlaskClient:
    """Vera's browser, with CSRF protection on."""
    site.config["WTF_CSRF_ENABLED"] = True
    return browser.as_(site_cast.vera.id)


def token_in(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found[1]


def test_words_outlive_the_sign_in(
    guarded: FlaskClient, browser: Browser, site_cast: Cast, scene: Scene, site: Flask
) -> None:
    token = token_in(guarded.get(scene.notes).text)
    with site.app_context():
        db.session.execute(delete(SignIn))
        db.session.commit()
    data = form("written after <it> ended", csrf_token=token)
    ended = guarded.post(scene.notes, data=data)
    assert ended.status_code == 401
    for words in ("Your sign-in ended", "written after &lt;it&gt; ended", data["client_id"]):
        assert words in ended.text
    with browser.as_(site_cast.vera.id).session_transaction() as fresh, guarded.session_transaction() as old:
        old.clear()
        old["sign_in"] = fresh["sign_in"]
    stale = guarded.post(scene.notes, data={**data, "csrf_token": token_in(ended.text)})
    assert stale.status_code == 400
    assert "written after &lt;it&gt; ended" in stale.text
    again = guarded.post(scene.notes, data={**data, "csrf_token": token_in(stale.text)})
    assert again.status_code == 303
    assert "written after &lt;it&gt; ended" in guarded.get(scene.notes).text


def test_only_words_are_shown_again(guarded: FlaskClient, scene: Scene) -> None:
    for data in ({"line": " "}, {}):
        assert "What you wrote" not in guarded.post(scene.notes, data=data).text
    assert "What you wrote" not in guarded.post(f"{scene.notes}/{scene.note}/remove", data={"line": "x"}).text


def test_the_service_worker_is_served_for_the_whole_site(browser: Browser) -> None:
    answer = browser.anonymous().get("/service-worker.js")
    assert answer.status_code == 200
    assert answer.mimetype == "text/javascript"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "worker-src 'self'" in answer.headers["Content-Security-Policy"]


def test_a_real_start_shows_in_every_list(cast: Cast, clock: StandingClock) -> None:
    visit = make_visit(cast, clock())
    clock.forward(minutes=10)
    service.start_now(visit.id, cast.vera, None, planned=False, now=clock())
    clock.forward(minutes=3)
    assert service.minute_of(visit, note(visit, cast.vera, "slow", clock()).at) == 3
