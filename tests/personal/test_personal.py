"""What people take along, and what is left of somebody who was erased."""

import io
import json
import zipfile
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.errors import Invalid
from gemba.insights.models import Insight, Observation
from gemba.outbox.service import queue_mail
from gemba.people import service as people
from gemba.people.models import Person
from gemba.personal import erasing, taking
from gemba.visits.models import Visit
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.insights.stage import make_visit, note


@pytest.fixture
def visit(app: Flask, cast: Cast, clock: StandingClock) -> Visit:
    made = make_visit(cast, clock(), status="held")
    clock.forward(hours=2)
    return made


def vera(cast: Cast) -> Person:
    return db.session.get_one(Person, cast.vera.id)


def everything() -> str:
    """The whole database as text."""
    rows = [
        [str(value) for value in row]
        for table in db.metadata.sorted_tables
        for row in db.session.execute(select(table))
    ]
    return json.dumps(rows, ensure_ascii=False)


def test_the_archive_holds_what_is_theirs_and_no_secret(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    note(visit, cast.vera, "The list is slow", clock())
    note(visit, cast.lev, "Somebody else's words", clock())
    token = people.make_token(vera(cast), "script", "read", clock())
    people.begin_sign_in(cast.vera.id, method="test", browser="Firefox", now=clock())
    secret = {"secret": {"code": "918273", "path": "/x"}}
    queue_mail(
        to=cast.vera.email, locale="en", template="sign_in", context=secret, dedup_key="k", now=clock()
    )
    with zipfile.ZipFile(io.BytesIO(taking.archive_of(vera(cast)))) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    assert json.loads(files["person.json"])[0]["email"] == "vera@gemba.example"
    assert [row["text"] for row in json.loads(files["observation.json"])] == ["The list is slow"]
    assert [row["id"] for row in json.loads(files["my_visits.json"])] == [visit.id]
    assert json.loads(files["api_token.json"])[0]["name"] == "script"
    whole = "".join(files.values())
    assert "918273" not in whole
    assert "_hash" not in whole
    assert token not in whole
    assert "Somebody else" not in whole
    with zipfile.ZipFile(io.BytesIO(taking.archive_of(db.session.get_one(Person, cast.alice.id)))) as other:
        about = json.loads(other.read("notes_about_me.json"))
    assert {row["text"] for row in about} == {"The list is slow", "Somebody else's words"}


def test_nothing_names_an_erased_person(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    shown = note(visit, cast.vera, "The list is slow", clock())
    visit.programme.review_hours = 48
    fresh = note(visit, cast.vera, "Nobody has read this yet", clock())
    visit.note = "Vera would like to see refunds"
    people.begin_sign_in(cast.vera.id, method="test", browser="Firefox", now=clock())
    queue_mail(
        to=cast.vera.email, locale="en", template="sign_in", context={"a": 1}, dedup_key="k", now=clock()
    )
    db.session.flush()
    erasing.erase(vera(cast), " Vera@Gemba.example ", now=clock())
    db.session.flush()
    left = everything()
    for word in ("Vera", "vera@", "Nobody has read", "Firefox"):
        assert word not in left
    gone = vera(cast)
    assert (gone.name, gone.active, gone.erased_at) == ("Former colleague", False, clock())
    assert gone.roles == frozenset()
    assert db.session.get_one(Observation, shown.id).text == "The list is slow"
    assert db.session.get_one(Observation, fresh.id).text == ""
    assert len(db.session.scalars(select(Insight)).all()) == 1
    assert [one.id for one in db.session.get_one(Visit, visit.id).visitors] == [gone.id]


def test_it_must_be_meant_and_nobody_waits_in_vain(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    for typed in ("", "vera", "eve@gemba.example"):
        with pytest.raises(Invalid):
            erasing.erase(vera(cast), typed, now=clock())
    make_visit(cast, clock() + timedelta(days=1))
    with pytest.raises(erasing.VisitsToCome):
        erasing.erase(vera(cast), cast.vera.email, now=clock())
    with pytest.raises(Invalid):
        erasing.erase(db.session.get_one(Person, cast.adam.id), cast.adam.email, now=clock())
    assert vera(cast).erased_at is None


def test_the_pages(site: Flask, site_cast: Cast, browser: Browser) -> None:
    client = browser.as_(site_cast.eve.id)
    assert 'href="/profile/data"' in client.get("/profile").text
    assert "eve@gemba.example" in client.get("/profile/data").text
    archive = client.get("/profile/data.zip")
    assert archive.content_type == "application/zip"
    assert archive.headers["Content-Disposition"].startswith("attachment; ")
    assert zipfile.ZipFile(io.BytesIO(archive.data)).testzip() is None
    refused = client.post("/profile/erase", data={"typed": "me"})
    assert (refused.status_code, "Type your e-mail address exactly" in refused.text) == (422, True)
    assert client.get("/profile/erase").status_code == 405
    done = client.post("/profile/erase", data={"typed": "eve@gemba.example"})
    assert (done.status_code, done.location) == (303, "/sign-in")
    assert "You are erased" in client.get("/sign-in").text
    assert client.get("/profile").status_code == 303
    assert browser.anonymous().get("/profile/data").status_code == 303
    assert browser.anonymous().post("/profile/erase").status_code == 303
