"""Pages cost the same number of SQL statements in a company of three agents and in one of sixty."""

import pytest
from flask import Flask

from gemba.db import db
from gemba.insights.models import Insight
from gemba.people.models import Person
from gemba.programmes.models import Programme
from gemba.trackers.service import connections, exports
from gemba.visits.links import link_token
from tests.cast import Cast
from tests.conftest import MONDAY, Browser
from tests.crowd import add_agents, add_insights, add_visits

MOST = 25
"""No page needs more, sign-in included."""

PAGES = [
    ("vera", "/"),
    ("alice", "/"),
    ("lev", "/"),
    ("adam", "/"),
    ("vera", "/visits/book"),
    ("vera", "/visits/book?start={start}"),
    ("vera", "/visits/{visit}"),
    ("anton", "/visits/{visit}"),
    ("vera", "/visits/{visit}/move"),
    ("vera", "/visits/{visit}/words"),
    ("lev", "/visits/{visit}/hand-on"),
    ("vera", "/answer/{link}"),
    ("vera", "/answer/{link}/move"),
    ("lev", "/visits/{visit}/swap"),
    ("vera", "/visits/{visit}/notes"),
    ("vera", "/visits/{visit}/briefing"),
    ("vera", "/visits/{visit}/sheet"),
    ("vera", "/profile/data"),
    ("vera", "/visits"),
    ("lev", "/visits"),
    ("adam", "/visits"),
    ("vera", "/backlog"),
    ("olga", "/backlog?q={word}"),
    ("olga", "/backlog/triage"),
    ("olga", "/backlog/new?q={word}"),
    ("olga", "/backlog/board"),
    ("olga", "/backlog/top"),
    ("olga", "/backlog/asks"),
    ("olga", "/backlog/matrix"),
    ("olga", "/programmes/shadow/weights"),
    ("vera", "/contributions"),
    ("olga", "/insights/{insight}"),
    ("vera", "/visits/book?language=ru&product=2"),
    ("lev", "/team"),
    ("adam", "/team?day=2026-11-26"),
    ("lev", "/availability/{agent}/hours"),
    ("alice", "/availability/{agent}/hours?view=week"),
    ("adam", "/people"),
    ("lev", "/profile"),
    ("adam", "/outbox"),
    ("adam", "/programmes"),
    ("adam", "/programmes/shadow/people"),
    ("adam", "/programmes/new/draft/people"),
    ("adam", "/programmes/new/draft/look"),
    ("adam", "/rounds/cadence/shadow"),
    ("lev", "/rounds/goals"),
    ("adam", "/rounds/goals?programme=shadow"),
    ("vera", "/rounds/coming-back/shadow"),
    ("adam", "/trackers"),
    ("adam", "/trackers/{tracker}"),
    ("adam", "/trackers/{tracker}/mapping"),
    ("olga", "/trackers/{tracker}/export"),
    ("olga", "/exports/{export}"),
]


@pytest.mark.parametrize(("who", "path"), PAGES)
def test_the_count_does_not_grow(
    site: Flask, site_cast: Cast, browser: Browser, statements: list[str], who: str, path: str
) -> None:
    with site.app_context():
        agents = [site_cast.alice.id, site_cast.anton.id]
        (visit, *_rest) = add_visits(site_cast, agents, 2, MONDAY)[::-1]
        insight = add_insights(site_cast, [visit], 1, MONDAY)[0]
        word = db.session.get_one(Insight, insight).title.split()[0]
        link = link_token(visit, site_cast.vera.id)
        owner, admin = (db.session.get_one(Person, one.id) for one in (site_cast.olga, site_cast.adam))
        values_of = {"kind": "github", "project": "o/r", "credentials": {"token": "x"}}
        tracker = connections.add(admin, values_of, now=MONDAY).id
        draft = Programme(
            slug="draft", name="Draft", created_at=MONDAY, active=False, draft=True, who="listed"
        )
        db.session.add(draft)
        export = exports.start(tracker, owner, [insight], url_of=str, now=MONDAY).id
        db.session.commit()
    values = {
        "tracker": tracker,
        "export": export,
        "visit": visit,
        "insight": insight,
        "word": word,
        "agent": agents[0],
        "link": link,
    }
    address = path.format(**values, start="2026-11-26T08:00:00Z")
    client = browser.as_(getattr(site_cast, who).id)

    def count() -> int:
        client.get(address)  # what is cached for good is not counted
        statements.clear()
        assert client.get(address).status_code == 200
        return len(statements)

    small = count()
    said = list(statements)
    with site.app_context():
        many = add_agents(site_cast, 60, MONDAY)
        visits = add_visits(site_cast, many, 100, MONDAY, site_cast.eve.id)
        visits += add_visits(site_cast, many, 40, MONDAY.replace(hour=10))
        add_insights(site_cast, visits, 90, MONDAY)
        db.session.commit()
    large = count()
    assert small <= MOST
    assert large <= small, [line for line in statements if line not in said]


def test_the_cast_sees_many(site: Flask, site_cast: Cast, browser: Browser) -> None:
    """The crowd is really there: else the test above would prove nothing."""
    with site.app_context():
        agents = add_agents(site_cast, 60, MONDAY)
        add_insights(site_cast, add_visits(site_cast, agents, 40, MONDAY), 90, MONDAY)
        db.session.commit()
    vera = browser.as_(site_cast.vera.id)
    assert vera.get("/visits").text.count("Agent Number") >= 20
    assert "90" in vera.get("/backlog").text
