"""The briefing: what one should know before a visit, and what is missing."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gemba.db import db
from gemba.insights import service
from gemba.insights.models import Insight, Observation
from gemba.insights.service import briefing
from gemba.insights.service.counts import counts_of
from gemba.people.models import Person
from gemba.programmes.models import Consent, Programme
from gemba.visits.errors import VisitNotFound
from gemba.visits.models import Visit
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.insights.stage import make_visit, note


@pytest.fixture
def visit(app: Flask, cast: Cast, clock: StandingClock) -> Visit:
    """A visit in spring, when something was seen that was repaired in summer, and one now."""
    db.session.get_one(Programme, cast.programme.id).smallest_group = 2
    start = clock()
    clock.at = start - timedelta(days=120)
    first = make_visit(cast, clock(), status="held")
    clock.forward(minutes=10)
    slow = note(first, cast.vera, "The list is slow", clock(), tool="crm", kind="tool-pain")
    note(first, cast.vera, "Lost twice", clock(), tool="crm")
    elsewhere = make_visit(cast, clock(), agent=cast.ada, status="held")
    note(elsewhere, cast.vera, "Another line's pain", clock(), tool="maps")
    clock.forward(days=30)
    olga = db.session.get_one(Person, cast.olga.id)
    service.patch(slow.insight_id or 0, olga, {"status": "done"}, reason="Cached", now=clock())
    clock.at = start
    return make_visit(cast, start)


def test_it_says_what_changed_what_is_known_and_what_to_look_for(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    vera = db.session.get_one(Person, cast.vera.id)
    found = briefing.get_briefing(vera, visit.id, now=clock())
    assert (found.is_first, found.lacks_consent) == (False, False)
    assert [(one.insight.title, one.reason) for one in found.changes] == [("The list is slow", "Cached")]
    assert [(one.name, one.visits, [i.title for i in one.insights]) for one in found.tools] == [
        ("crm", 1, ["Lost twice"])
    ]
    assert [one.title for one in found.still_there] == ["The list is slow", "Lost twice"]


def test_a_small_line_is_not_spoken_of_by_itself(visit: Visit, cast: Cast, clock: StandingClock) -> None:
    visit.programme.smallest_group = 3
    found = briefing.get_briefing(db.session.get_one(Person, cast.vera.id), visit.id, now=clock())
    assert found.line is None
    assert {one.name for one in found.tools} == {"crm", "maps"}


def test_it_is_for_those_in_the_visit_and_shows_nothing_unreviewed(
    visit: Visit, cast: Cast, clock: StandingClock
) -> None:
    for one in (cast.eve, cast.adam, cast.olga):
        with pytest.raises(VisitNotFound):
            briefing.get_briefing(db.session.get_one(Person, one.id), visit.id, now=clock())
    for seen in db.session.query(Observation).all():
        seen.standing = "private"
    found = briefing.get_briefing(db.session.get_one(Person, cast.lev.id), visit.id, now=clock())
    assert (found.is_first, found.tools, found.still_there) == (True, [], [])


def test_the_page_says_what_is_missing_and_notes_what_is_still_there(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    with site.app_context():
        db.session.delete(db.session.get_one(Consent, (site_cast.programme.id, site_cast.vera.id)))
        start = clock()
        clock.at = start - timedelta(days=60)
        old = make_visit(site_cast, clock(), visitor=site_cast.eve, status="held")
        seen = note(old, site_cast.eve, "The list is slow", clock())
        insight = seen.insight_id
        clock.at = start
        visit = make_visit(site_cast, start).id
        db.session.commit()
    clock.forward(minutes=5)
    vera, alice = browser.as_(site_cast.vera.id), browser.as_(site_cast.alice.id)
    page = vera.get(f"/visits/{visit}/briefing").text
    assert 'name="agreed"' in page
    assert 'name="agreed"' not in alice.get(f"/visits/{visit}/briefing").text
    assert vera.post(f"/visits/{visit}/still-there/{insight}").status_code == 409
    nothing = vera.post(f"/visits/{visit}/consent", data={"next": f"/visits/{visit}/briefing"})
    assert nothing.location == f"/visits/{visit}/briefing"
    assert 'name="agreed"' in vera.get(nothing.location).text
    vera.post(f"/visits/{visit}/consent", data={"agreed": "1", "next": "https://evil.example"})
    assert 'name="agreed"' not in vera.get(f"/visits/{visit}/briefing").text
    for _time in range(2):
        done = vera.post(f"/visits/{visit}/still-there/{insight}")
        assert done.status_code == 303
    with site.app_context():
        notes = db.session.query(Observation).filter_by(visit_id=visit).all()
        assert [(one.text, one.insight_id) for one in notes] == [("Still there: The list is slow", insight)]
    assert 'value="yes" aria-pressed="true"' in vera.get(f"/visits/{visit}/briefing").text
    russian = alice.get(f"/visits/{visit}/briefing", headers={"Accept-Language": "ru"})
    assert russian.status_code == 200


def test_gone_is_kept_and_counted_by_visit_and_takes_a_yes_back(
    site: Flask, site_cast: Cast, browser: Browser, clock: StandingClock
) -> None:
    with site.app_context():
        start = clock()
        clock.at = start - timedelta(days=60)
        old = make_visit(site_cast, clock(), visitor=site_cast.eve, status="held")
        insight = note(old, site_cast.eve, "The list is slow", clock()).insight_id
        clock.at = start
        visit, other = make_visit(site_cast, start).id, make_visit(site_cast, start, agent=site_cast.ada).id
        db.session.commit()
    clock.forward(minutes=5)
    vera, alice = browser.as_(site_cast.vera.id), browser.as_(site_cast.alice.id)

    def say(client: FlaskClient, answer: str, of: int = visit) -> None:
        form = {"answer": answer, "next": f"/visits/{of}/notes"}
        assert client.post(f"/visits/{of}/still-there/{insight}", data=form).location == form["next"]

    def stands() -> int:
        with site.app_context():
            return counts_of([insight or 0])[insight or 0].observations

    def told() -> tuple[int, int, int]:
        with site.app_context():
            found = service.answers_to(insight or 0)
            return found.yes, found.gone, found.not_seen

    page = f"/insights/{insight}"
    assert "looked for it again" not in vera.get(page).text
    say(vera, "yes")
    assert (told(), stands()) == ((1, 0, 0), 2)
    say(vera, "gone")
    assert (told(), stands()) == ((0, 1, 0), 1)
    say(vera, "yes")
    say(vera, "yes")
    assert (told(), stands()) == ((1, 0, 0), 2)
    say(vera, "gone")
    # The agent of the same visit says the same: it is one visit.
    say(alice, "gone")
    say(vera, "not-seen", other)
    assert (told(), stands()) == ((0, 1, 1), 1)
    assert "One visit looked for it again" in vera.get(page).text
    assert "gone in 1" in vera.get(page).text
    # A yes about what is said to be done opens it again; a later "gone" closes nothing by itself.
    with site.app_context():
        olga = db.session.get_one(Person, site_cast.olga.id)
        service.patch(insight or 0, olga, {"status": "done"}, now=clock())
        db.session.commit()
    for answer, status in (("gone", "done"), ("yes", "new"), ("gone", "new")):
        say(vera, answer)
        with site.app_context():
            assert db.session.get_one(Insight, insight).status == status
    # What was merged in is asked about with the insight that speaks for it.
    with site.app_context():
        olga = db.session.get_one(Person, site_cast.olga.id)
        survivor = note(db.session.get_one(Visit, other), site_cast.vera, "A slow list", clock()).insight_id
        for one in db.session.query(Observation).all():
            one.standing = "published"
        for found in db.session.query(Insight).all():
            found.review_visit_id = None
        service.merge(insight or 0, olga, survivor or 0, now=clock())
        assert service.answers_to(survivor or 0).gone == 1
        db.session.commit()
    assert vera.post(f"/visits/{visit}/still-there/999").status_code == 404
    eve = browser.as_(site_cast.eve.id)
    assert eve.post(f"/visits/{visit}/still-there/{insight}", data={"answer": "gone"}).status_code == 404
