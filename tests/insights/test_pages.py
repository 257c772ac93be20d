"""Pages of notes, backlog and insights: who may, what they show, what is refused."""

import csv
import io
import json
import uuid
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from gemba.db import db
from gemba.insights import service
from gemba.insights.models import Insight, Observation
from gemba.insights.rules.export import FileFormat
from gemba.people.models import Person
from gemba.visits.models import Visit
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.insights.stage import make_visit, note


class Scene:
    """A visit that goes on for twenty minutes, with one note of Vera's."""

    def __init__(self, visit: int, note: int, insight: int) -> None:
        self.visit, self.note, self.insight = visit, note, insight
        self.notes = f"/visits/{visit}/notes"
        self.page = f"/insights/{insight}"


@pytest.fixture
def scene(site: Flask, site_cast: Cast, clock: StandingClock) -> Scene:
    with site.app_context():
        visit = make_visit(site_cast, clock() - timedelta(minutes=20), visitor=site_cast.vera)
        made = note(
            visit,
            site_cast.vera,
            "Search needs the full number",
            clock(),
            severity=3,
        )
        db.session.commit()
        return Scene(visit.id, made.id, made.insight_id or 0)


def count(site: Flask, model: type) -> int:
    with site.app_context():
        return db.session.scalar(select(func.count()).select_from(model)) or 0


def form(line: str, **more: str) -> dict[str, str]:
    return {"line": line, "kind": "tool-pain", "severity": "", "client_id": str(uuid.uuid4()), **more}


FRAGMENT = {"X-Fragment": "note"}


def test_the_live_page_shows_notes_and_where_we_are(browser: Browser, site_cast: Cast, scene: Scene) -> None:
    answer = browser.as_(site_cast.vera.id).get(scene.notes)
    assert answer.status_code == 200
    for words in ("Search needs the full number", "20 minutes in, 40 to go", "20 min", "Alice Agent"):
        assert words in answer.text


def test_a_note_by_a_plain_form(browser: Browser, site_cast: Cast, scene: Scene, site: Flask) -> None:
    client, data = (
        browser.as_(site_cast.vera.id),
        form('copies the number >crm !3 "each time" #orders @checkout'),
    )
    for _twice in range(2):
        assert client.post(scene.notes, data=data).status_code == 303
    page = client.get(scene.notes).text
    for words in ("copies the number", "“each time”", "crm", "!3", "#orders"):
        assert words in page
    assert count(site, Observation) == 2
    with site.app_context():
        made = db.session.scalar(select(Observation).where(Observation.client_id == data["client_id"]))
        assert made is not None
        assert (made.severity, made.product_id, made.text) == (3, site_cast.checkout.id, "copies the number")


def test_a_note_by_fetch_answers_with_the_note(browser: Browser, site_cast: Cast, scene: Scene) -> None:
    client, data = browser.as_(site_cast.vera.id), form("she waits <b>8 s</b>")
    first = client.post(scene.notes, data=data, headers=FRAGMENT)
    assert (first.status_code, first.text.lstrip()[:3]) == (201, "<li")
    assert "she waits &lt;b&gt;8 s&lt;/b&gt;" in first.text
    assert client.post(scene.notes, data=data, headers=FRAGMENT).status_code == 200


def test_a_refusal_keeps_the_words_and_says_why(
    browser: Browser, site_cast: Cast, scene: Scene, clock: StandingClock
) -> None:
    client = browser.as_(site_cast.vera.id)
    answer = client.post(scene.notes, data=form("x" * 3001))
    assert answer.status_code == 422
    assert "x" * 3001 in answer.text
    for data in (form(""), form("ok", client_id="no"), form("ok", kind="no")):
        assert client.post(scene.notes, data=data).status_code == 422
        assert client.post(scene.notes, data=data, headers=FRAGMENT).headers["X-Refusal"] == "1"
    clock.forward(days=20)
    client = browser.as_(site_cast.vera.id)
    late = client.post(scene.notes, data=form("late"), headers=FRAGMENT)
    assert (late.status_code, late.text) == (409, "Notes close fourteen days after the visit.")
    assert "Notes close fourteen days" in client.get(scene.notes).text


def test_only_those_in_the_visit_see_its_notes(browser: Browser, site_cast: Cast, scene: Scene) -> None:
    for person in (site_cast.vera, site_cast.alice, site_cast.lev):
        assert browser.as_(person.id).get(scene.notes).status_code == 200
    for person in (site_cast.eve, site_cast.anton, site_cast.olga, site_cast.adam, site_cast.lena):
        client = browser.as_(person.id)
        assert client.get(scene.notes).status_code == 404
        assert client.post(scene.notes, data=form("mine")).status_code == 404
    assert browser.anonymous().get(scene.notes).status_code == 303
    assert browser.as_(site_cast.vera.id).get("/visits/999/notes").status_code == 404


def test_editing_a_note(browser: Browser, site_cast: Cast, scene: Scene) -> None:
    client, url = browser.as_(site_cast.vera.id), f"{scene.notes}/{scene.note}"
    assert "Search needs the full number" in client.get(url).text
    data = {
        "text": "Needs all digits",
        "kind": "process-pain",
        "severity": "0",
        "tool": "CRM",
        "frequency": "often",
    }
    assert client.post(url, data=data).status_code == 303
    page = client.get(scene.notes).text
    assert "Needs all digits" in page
    assert "process pain" in page
    for bad in (
        {"text": " "},
        {"text": "x" * 2001},
        {"kind": "?"},
        {"frequency": "?"},
        {"product_id": "99"},
        {"severity": "5"},
    ):
        assert client.post(url, data={**data, **bad}).status_code == 422


def test_taking_back_and_bringing_back(browser: Browser, site_cast: Cast, scene: Scene) -> None:
    client = browser.as_(site_cast.vera.id)
    page = client.post(f"{scene.notes}/{scene.note}/remove", follow_redirects=True).text
    assert "The note is taken back." in page
    assert "Search needs" not in page
    assert "Search needs" in client.post(f"{scene.notes}/{scene.note}/restore", follow_redirects=True).text


def test_notes_of_others_are_not_mine_to_change(browser: Browser, site_cast: Cast, scene: Scene) -> None:
    for person in (site_cast.alice, site_cast.lev, site_cast.adam, site_cast.eve):
        client = browser.as_(person.id)
        assert client.get(f"{scene.notes}/{scene.note}").status_code == 404
        for act in ("remove", "restore", "evidence"):
            data = {"into": str(scene.insight)}
            assert client.post(f"{scene.notes}/{scene.note}/{act}", data=data).status_code == 404


def test_evidence_is_added_with_one_click(
    browser: Browser, site_cast: Cast, scene: Scene, site: Flask, clock: StandingClock
) -> None:
    with site.app_context():
        vera = site_cast.vera
        visit = make_visit(site_cast, clock(), agent=site_cast.anton, visitor=vera)
        db.session.commit()
        other = visit.id
    client = browser.as_(site_cast.vera.id)
    answer = client.post(
        f"/visits/{other}/notes", data=form("searching without the full number fails"), headers=FRAGMENT
    )
    assert "1 visit saw this before: Search needs the full number." in answer.text
    made = count(site, Observation)
    done = client.post(
        f"/visits/{other}/notes/{made}/evidence", data={"into": scene.insight}, headers=FRAGMENT
    )
    assert done.status_code == 200
    assert "saw this before" not in done.text
    assert count(site, Insight) == 1
    assert "seen in 2 of 2 visits" in client.get("/backlog").text


def test_the_backlog_and_its_filters(browser: Browser, site_cast: Cast, scene: Scene) -> None:
    client = browser.as_(site_cast.eve.id)
    page = client.get("/backlog").text
    for words in ("Search needs the full number", "seen in 1 of 1 visit", "1 agent", "1 line", "tool pain"):
        assert words in page
    assert "Alice" not in page
    assert "Search needs" in client.get("/backlog?q=searching&kind=tool-pain&status=all&order=votes").text
    assert "Nothing matches" in client.get("/backlog?q=zebra").text
    assert "Nothing with this status" in client.get("/backlog?status=done").text
    assert client.get("/backlog?status=nonsense&kind=%3Cb%3E&order=x&product=x").status_code == 200
    assert client.get("/backlog?cursor=x").status_code == 422
    assert browser.anonymous().get("/backlog").status_code == 303


def test_an_empty_backlog_says_what_will_be_there(browser: Browser, site_cast: Cast) -> None:
    assert "The backlog is empty" in browser.as_(site_cast.vera.id).get("/backlog").text


@pytest.mark.parametrize("file_format", [one.value for one in FileFormat])
def test_the_export_holds_what_is_shown(
    browser: Browser, site_cast: Cast, scene: Scene, file_format: str
) -> None:
    client = browser.as_(site_cast.eve.id)
    answer = client.get(f"/backlog/export?format={file_format}&q=search")
    assert answer.status_code == 200
    assert "attachment; filename=" in answer.headers["Content-Disposition"]
    assert "Search needs the full number" in answer.text
    assert f"http://localhost/insights/{scene.insight}" in answer.text
    assert "Alice" not in answer.text
    assert "Search" not in client.get(f"/backlog/export?format={file_format}&q=zebra").text.replace(
        "Search the", ""
    )


def test_exports_are_files_others_read(browser: Browser, site_cast: Cast, scene: Scene) -> None:
    client = browser.as_(site_cast.eve.id)
    rows = list(csv.DictReader(io.StringIO(client.get("/backlog/export").data.decode("utf-8-sig"))))
    assert [(row["id"], row["lines"]) for row in rows] == [(f"gemba-{scene.insight}", "Checkout line")]
    assert json.loads(client.get("/backlog/export?format=json").data)["insights"][0]["visits"] == 1
    assert client.get("/backlog/export?format=exe").status_code == 422
    assert browser.anonymous().get("/backlog/export").status_code == 303


def test_the_page_of_an_insight(browser: Browser, site_cast: Cast, scene: Scene) -> None:
    page = browser.as_(site_cast.eve.id).get(scene.page).text
    for words in (
        "Search needs the full number",
        "Who it hurts",
        "agents",
        "Checkout line",
        "23 November 2026",
        "Score ",
    ):
        assert words in page
    for words in ("Alice", "Set status", "Merge"):
        assert words not in page
    assert browser.as_(site_cast.eve.id).get("/insights/999").status_code == 404


def test_me_too(browser: Browser, site_cast: Cast, scene: Scene) -> None:
    client = browser.as_(site_cast.eve.id)
    assert "Me too · 1" in client.post(f"{scene.page}/vote", data={"on": "1"}, follow_redirects=True).text
    assert "Me too · 1" not in client.post(f"{scene.page}/vote", data={"on": "0"}, follow_redirects=True).text
    assert client.post("/insights/999/vote").status_code == 404


def edited(**more: str) -> dict[str, str]:
    return {
        "title": "New title",
        "body": "",
        "kind": "tool-pain",
        "product_id": "",
        "owner_id": "",
        "version": "1",
        **more,
    }


def test_an_owner_edits(browser: Browser, site_cast: Cast, scene: Scene) -> None:
    client = browser.as_(site_cast.olga.id)
    assert "Search needs" in client.get(f"{scene.page}/edit").text
    answer = client.post(
        f"{scene.page}/edit", data=edited(owner_id=str(site_cast.olga.id)), follow_redirects=True
    )
    assert "New title" in answer.text
    assert "Olga Owner" in answer.text
    for bad in ({"title": ""}, {"kind": "x"}, {"owner_id": str(site_cast.eve.id)}, {"product_id": "77"}):
        assert client.post(f"{scene.page}/edit", data=edited(version="2", **bad)).status_code == 422


def test_whoever_comes_second_keeps_the_words_and_sees_the_others(
    browser: Browser, site_cast: Cast, scene: Scene
) -> None:
    olga, adam = browser.as_(site_cast.olga.id), browser.as_(site_cast.adam.id)
    olga.post(f"{scene.page}/edit", data=edited(title="Olga was first"))
    late = adam.post(f"{scene.page}/edit", data=edited(title="Adam was second"))
    assert late.status_code == 409
    for words in ("Olga was first", "Adam was second", 'value="2"'):
        assert words in late.text
    assert adam.post(f"{scene.page}/edit", data=edited(title="Adam again", version="2")).status_code == 303


def test_the_status_is_set_with_a_reason(browser: Browser, site_cast: Cast, scene: Scene) -> None:
    client = browser.as_(site_cast.olga.id)
    url, data = f"{scene.page}/status", {"status": "declined", "reason": "", "version": "1"}
    refused = client.post(url, data=data)
    assert refused.status_code == 422
    assert "Say why" in refused.text
    page = client.post(url, data={**data, "reason": "It is by design"}, follow_redirects=True).text
    assert "new → declined" in page
    assert "It is by design" in page
    assert client.post(url, data={**data, "status": "done"}).status_code == 409
    assert client.post(url, data={"status": "x"}).status_code == 422


def test_the_board_shows_statuses_side_by_side_and_comes_back_to_the_card(
    browser: Browser, site_cast: Cast, scene: Scene
) -> None:
    olga = browser.as_(site_cast.olga.id)
    number = scene.page.rpartition("/")[2]
    page = olga.get("/backlog/board").text
    column = page.partition('data-status="new"')[2].partition("</section>")[0]
    assert f'id="insight-{number}"' in column
    assert 'id="move"' in page
    data = {"status": "planned", "reason": "", "version": "1", "back": "/backlog/board?q=x"}
    answer = olga.post(f"{scene.page}/status", data=data)
    assert (answer.status_code, answer.location) == (303, f"/backlog/board?q=x#insight-{number}")
    elsewhere = olga.post(f"{scene.page}/status", data={"status": "planned", "back": "//other.example"})
    assert elsewhere.location == scene.page
    column = olga.get("/backlog/board").text.partition('data-status="planned"')[2].partition("</section>")[0]
    assert f'id="insight-{number}"' in column
    assert "Nothing here." in olga.get("/backlog/board?kind=works-well").text
    assert 'id="move"' not in browser.as_(site_cast.vera.id).get("/backlog/board").text


def test_merging_and_taking_out_again(
    browser: Browser, site_cast: Cast, scene: Scene, site: Flask, clock: StandingClock
) -> None:
    with site.app_context():
        other = note(
            db.session.get_one(Visit, scene.visit),
            site_cast.vera,
            "The full number is needed to search",
            clock(),
        ).insight_id
        db.session.commit()
    client = browser.as_(site_cast.olga.id)
    page = client.get(scene.page).text
    assert "Perhaps the same" in page
    assert "shared words" in page
    merged = client.post(f"{scene.page}/merge", data={"into": other}, follow_redirects=True).text
    assert "Merged into this one" in merged
    assert "part of another insight" in client.get(scene.page).text
    assert client.post(f"{scene.page}/merge", data={"into": other}).status_code == 409
    assert client.post(f"/insights/{other}/merge", data={"into": scene.insight}).status_code == 409
    assert client.post(f"/insights/{other}/merge", data={"into": "999"}).status_code == 422
    assert client.post(f"/insights/{other}/merge", data={"into": "x"}).status_code == 422
    assert "It stands for itself again." in client.post(f"{scene.page}/unmerge", follow_redirects=True).text
    assert client.post(f"{scene.page}/unmerge").status_code == 409


def test_splitting(
    browser: Browser, site_cast: Cast, scene: Scene, site: Flask, clock: StandingClock
) -> None:
    with site.app_context():
        visit = db.session.get_one(Visit, scene.visit)
        second = note(
            visit,
            site_cast.alice,
            "paging is slow",
            clock(),
            insight=scene.insight,
        )
        db.session.commit()
        second_id = second.id
    client = browser.as_(site_cast.olga.id)
    assert "Split some evidence out" in client.get(scene.page).text
    assert client.post(f"{scene.page}/split", data={}).status_code == 409
    page = client.post(
        f"{scene.page}/split", data={"notes": [second_id], "title": "Paging"}, follow_redirects=True
    ).text
    assert "<h1>Paging</h1>" in page
    assert "paging is slow" in page


@pytest.mark.parametrize("act", ["edit", "status", "merge", "unmerge", "split"])
def test_editing_is_for_owners_and_admins(browser: Browser, site_cast: Cast, scene: Scene, act: str) -> None:
    for person in (site_cast.vera, site_cast.alice, site_cast.lev):
        assert browser.as_(person.id).post(f"{scene.page}/{act}", data={}).status_code == 403
    assert (
        browser.as_(site_cast.olga.id)
        .post(f"/insights/999/{act}", data={"into": "1", "status": "new", "notes": "1"})
        .status_code
        == 404
    )
    assert browser.anonymous().post(f"{scene.page}/{act}").status_code == 303


@pytest.mark.parametrize("path", ["/backlog", "/backlog?q=search", "{notes}", "{page}"])
def test_a_page_costs_a_constant_number_of_statements(
    browser: Browser,
    site_cast: Cast,
    scene: Scene,
    site: Flask,
    clock: StandingClock,
    statements: list[str],
    path: str,
) -> None:
    path = path.format(notes=scene.notes, page=scene.page)
    client = browser.as_(site_cast.vera.id)

    def cost() -> int:
        statements.clear()
        assert client.get(path).status_code == 200
        return len(statements)

    def more(number: int) -> None:
        with site.app_context():
            people = [
                db.session.get_one(Person, one.id)
                for one in (site_cast.alice, site_cast.anton, site_cast.ada)
            ]
            vera = db.session.get_one(Person, site_cast.vera.id)
            for n in range(number):
                visit = make_visit(
                    site_cast, clock() - timedelta(days=n % 10), agent=people[n % 3], visitor=vera
                )
                words = (
                    f"Search of orders needs the full number {n}"
                    if number == 4 and n < 3
                    else f"{n}th thing nobody thought of"
                )
                made = note(visit, vera, words, clock())
                note(visit, vera, "again the search", clock(), insight=scene.insight)
                note(
                    db.session.get_one(Visit, scene.visit), vera, f"full number of order {n} needed", clock()
                )
                service.vote(made.insight_id or 0, vera, now=clock())
            db.session.commit()

    more(4)
    few = cost()
    more(15)
    assert cost() == few <= 30


def test_the_merge_button_is_not_offered_to_readers(browser: Browser, site_cast: Cast, scene: Scene) -> None:
    assert "/merge" not in browser.as_(site_cast.vera.id).get(scene.page).text
