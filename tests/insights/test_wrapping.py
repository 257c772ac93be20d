"""The wrap-up, thanks and the sheet of a visit."""

from datetime import date, timedelta
from itertools import pairwise, product

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.errors import Invalid
from gemba.insights.errors import NotesCancelled, WrapTooEarly
from gemba.insights.models import VisitFeedback, WrapPick
from gemba.insights.rules.kinds import Frequency
from gemba.insights.rules.severity import Persistence, severity_of
from gemba.insights.service import thanks, wrapping
from gemba.insights.service.wrapping import Worst, WrapFields
from gemba.people.models import Person
from gemba.programmes.models import Programme
from gemba.visits.errors import VisitNotFound
from gemba.visits.models import Visit
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.insights.stage import make_visit, note


def test_severity_rises_with_each_answer_and_uses_the_whole_scale() -> None:
    found = {(f, i, p): severity_of(f, i, p) for f, i, p in product(Frequency, range(4), Persistence)}
    assert set(found.values()) == {0, 1, 2, 3, 4}
    assert found[Frequency.ONCE, 0, Persistence.PASSES] == 0
    assert found[Frequency.ALWAYS, 3, Persistence.STAYS] == 4
    for lower, higher in pairwise(Frequency):
        assert all(found[lower, i, p] <= found[higher, i, p] for i in range(4) for p in Persistence)
    for impact in range(3):
        assert all(found[f, impact, p] <= found[f, impact + 1, p] for f in Frequency for p in Persistence)


@pytest.fixture
def visit(app: Flask, cast: Cast, clock: StandingClock) -> Visit:
    made = make_visit(cast, clock())
    clock.forward(minutes=55)
    return made


def person(one: Person) -> Person:
    return db.session.get_one(Person, one.id)


def test_it_opens_ten_minutes_before_the_end_for_those_in_the_visit(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    with pytest.raises(WrapTooEarly):
        wrapping.get_wrap(person(cast.vera), visit.id, now=visit.ends_at - timedelta(minutes=11))
    for one in (cast.vera, cast.alice, cast.lev):
        assert wrapping.get_wrap(person(one), visit.id, now=clock()).visit.id == visit.id
    for one in (cast.eve, cast.adam, cast.olga):
        with pytest.raises(VisitNotFound):
            wrapping.get_wrap(person(one), visit.id, now=clock())
    visit.status = "cancelled"
    with pytest.raises(NotesCancelled):
        wrapping.get_wrap(person(cast.vera), visit.id, now=clock())


def test_the_worst_are_rated_and_the_rest_is_kept(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    vera = person(cast.vera)
    first, second = (note(visit, cast.vera, text, clock(), severity=1) for text in ("Slow", "Lost"))
    worst = [
        Worst(second.id, Frequency.ALWAYS, 3, Persistence.STAYS, idea="One window"),
        Worst(first.id, Frequency.OFTEN),
    ]
    fields = WrapFields(worst, "The macros", "Show the sheet to the team", date(2026, 12, 1))
    wrap = wrapping.save_wrap(vera, visit.id, fields, now=clock())
    assert [(one.rank, one.note.text, one.idea) for one in wrap.picks] == [
        (1, "Lost", "One window"),
        (2, "Slow", ""),
    ]
    assert (second.severity, first.severity) == (4, 1)
    again = wrapping.save_wrap(vera, visit.id, WrapFields(worst[1:]), now=clock())
    assert [one.note.text for one in again.picks] == ["Slow"]
    assert again.mine is not None
    assert (again.mine.promise, again.mine.promised_for) == ("", None)
    assert len(db.session.scalars(select(WrapPick)).all()) == 1


def test_what_does_not_fit_is_refused(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    vera = person(cast.vera)
    own, other = note(visit, cast.vera, "Slow", clock()), note(visit, cast.alice, "Mine", clock())
    cases = [
        (WrapFields([Worst(other.id)]), "worst"),
        (WrapFields([Worst(own.id), Worst(own.id)]), "worst"),
        (WrapFields(promise="Do it"), "promised_for"),
        (WrapFields(promised_for=date(2026, 12, 1)), "promise"),
    ]
    for fields, name in cases:
        with pytest.raises(Invalid) as refused:
            wrapping.save_wrap(vera, visit.id, fields, now=clock())
        assert set(refused.value.errors) == {name}


def test_thanks_go_both_ways_and_answers_to_nobody(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    wrapping.say_thanks(person(cast.vera), visit.id, "yes", "I saw more than in a year", now=clock())
    wrapping.say_thanks(person(cast.alice), visit.id, "partly", "", now=clock())
    wrapping.say_thanks(person(cast.alice), visit.id, "partly", "Come again", now=clock())
    assert len(db.session.scalars(select(VisitFeedback)).all()) == 2
    heard = wrapping.get_wrap(person(cast.vera), visit.id, now=clock()).thanks
    assert [(one.name, words) for one, words in heard] == [("Alice Agent", "Come again")]


def test_the_sheet_holds_everything_but_what_is_private(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    bad, other, hidden = (note(visit, cast.vera, text, clock()) for text in ("Bad", "Other", "Hidden"))
    note(visit, cast.vera, "The macros", clock(), kind="works-well")
    note(visit, cast.vera, "Who decides?", clock(), is_question=True)
    hidden.standing = "private"
    fields = WrapFields([Worst(bad.id)], "", "Call them", date(2026, 12, 1))
    wrapping.save_wrap(person(cast.vera), visit.id, fields, now=clock())
    sheet = wrapping.get_sheet(person(cast.alice), visit.id)
    assert [one.note.text for _person, one in sheet.picks] == ["Bad"]
    assert [one.text for one in sheet.rest] == [other.text]
    assert (sheet.works_well, [one.text for one in sheet.questions]) == (["The macros"], ["Who decides?"])
    assert ([one.promise for _person, one in sheet.promises], sheet.kept_private) == (["Call them"], 1)
    with pytest.raises(VisitNotFound):
        wrapping.get_sheet(person(cast.adam), visit.id)


def test_the_pages(site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock) -> None:
    with site.app_context():
        visit = make_visit(site_cast, clock())
        clock.forward(minutes=55)
        made = note(visit, site_cast.vera, "The list is slow", clock())
        db.session.commit()
        number, note_id = visit.id, made.id
    vera = browser.as_(site_cast.vera.id)
    page = vera.get(f"/visits/{number}/wrap-up")
    assert (page.status_code, "The list is slow" in page.text) == (200, True)
    typed = {
        "worst-0-note": str(note_id),
        "worst-0-frequency": "always",
        "worst-0-impact": "3",
        "worst-0-persistence": "stays",
        "worst-0-idea": "Cache it",
        "promise": "Write the ticket",
        "promised_for": "",
    }
    refused = vera.post(f"/visits/{number}/wrap-up", data=typed)
    assert (refused.status_code, "its words and its day" in refused.text) == (422, True)
    assert "Cache it" in refused.text
    assert "Write the ticket" in refused.text
    done = vera.post(f"/visits/{number}/wrap-up", data={**typed, "promised_for": "2026-12-01"})
    assert (done.status_code, done.location) == (303, f"/visits/{number}/wrap-up")
    assert vera.post(f"/visits/{number}/thanks", data={"words": "Thanks"}).status_code == 422
    assert vera.post(f"/visits/{number}/thanks", data={"worth": "yes", "words": "Thanks"}).status_code == 303
    sheet = browser.as_(site_cast.alice.id).get(f"/visits/{number}/sheet").text
    assert all(words in sheet for words in ("The list is slow", "Cache it", "Write the ticket", "!4"))
    early = browser.as_(site_cast.vera.id).get(f"/visits/{number}/wrap-up")
    assert early.status_code == 200
    assert "Thanks" in browser.as_(site_cast.alice.id).get(f"/visits/{number}/wrap-up").text


def test_feedback_is_shown_in_total_and_only_from_enough_people(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    with site.app_context():
        db.session.get_one(Programme, site_cast.programme.id).smallest_group = 2
        visit = make_visit(site_cast, clock()).id
        again = make_visit(site_cast, clock() + timedelta(days=1), visitor=site_cast.eve).id
        db.session.commit()
        slug = site_cast.programme.slug
    path = f"/programmes/{slug}/feedback"
    clock.forward(hours=1)
    said = {site_cast.vera.id: "yes", site_cast.alice.id: "no", site_cast.lev.id: "partly"}
    for who, worth in said.items():
        data = {"worth": worth, "words": "Words of thanks"}
        assert browser.as_(who).post(f"/visits/{visit}/thanks", data=data).status_code == 303
    olga = browser.as_(site_cast.olga.id)
    with site.app_context():
        found = thanks.totals(slug)
        assert found.visitors.answers is None
        assert found.hosts.answers == {"yes": 0, "partly": 1, "no": 1}
    page = olga.get(path).text
    assert "Shown once 2 people of this side have answered" in page
    for word in ("Words of thanks", "Alice", "Vera", "Lev"):
        assert word not in page.partition("<main")[2]
    clock.forward(days=1)
    browser.as_(site_cast.eve.id).post(f"/visits/{again}/thanks", data={"worth": "yes", "words": ""})
    with site.app_context():
        assert thanks.totals(slug).visitors.answers == {"yes": 2, "partly": 0, "no": 0}
    assert olga.get("/programmes/none/feedback").status_code == 404
