"""Forty insights through a proxy that lies into a real Redmine: forty issues, and the status comes back."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from gemba.db import db
from gemba.insights.models import Insight
from gemba.people.models import Person
from gemba.trackers.adapters import wire
from gemba.trackers.errand import every_minute
from gemba.trackers.errors import FieldsMissing
from gemba.trackers.rules.drafts import MARKER
from gemba.trackers.rules.kinds import Action, TicketState
from gemba.trackers.rules.mapping import unfilled
from gemba.trackers.service import connections, exports
from tests.cast import make_cast
from tests.conftest import StandingClock, running, settings_for
from tests.redmine.proxy import Proxy, faulty_proxy
from tests.trackers.stage import begin, claims, drain, drive, insights

COUNT = 40
PORT = int(os.environ.get("GEMBA_TEST_REDMINE", "0"))
KEY = os.environ.get("GEMBA_TEST_REDMINE_KEY", "")


class Redmine:
    """The real one, asked directly."""

    def ask(self, method: str, path: str, document: Any = None) -> Any:
        """The JSON of an answer, None for none."""
        line = HTTPConnection("127.0.0.1", PORT, timeout=30)
        body = None if document is None else json.dumps(document)
        line.request(method, path, body, {"X-Redmine-API-Key": KEY, "Content-Type": "application/json"})
        answer = line.getresponse()
        content = answer.read()
        assert answer.status < 300, (answer.status, content)
        return json.loads(content) if content.strip() else None

    def issues(self, project: str) -> list[dict[str, Any]]:
        """All issues of a project."""
        return list(self.ask("GET", f"/issues.json?project_id={project}&status_id=*&limit=100")["issues"])


@pytest.fixture
def redmine() -> Redmine:
    """The one `make test-redmine` started."""
    return Redmine()


@pytest.fixture
def project(redmine: Redmine) -> str:
    """A project of this test's own."""
    name = f"web-{os.urandom(4).hex()}"
    trackers = [each["id"] for each in redmine.ask("GET", "/trackers.json")["trackers"]]
    redmine.ask(
        "POST", "/projects.json", {"project": {"name": name, "identifier": name, "tracker_ids": trackers}}
    )
    return name


@pytest.fixture
def app(sqlite_url: str, tmp_path: Path, clock: StandingClock) -> Iterator[Flask]:
    """The app, which may reach this machine."""
    with running(settings_for(sqlite_url, tmp_path, fetch_allowed=("127.0.0.0/8",)), clock) as made:
        yield made


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """The liar in between."""
    with faulty_proxy(PORT) as made:
        yield made


def test_forty_insights_are_forty_issues_whatever_happens_between(
    app: Flask,
    redmine: Redmine,
    project: str,
    proxy: Proxy,
    clock: StandingClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire, "SECONDS", 3.0)
    cast = make_cast(clock())
    ids = insights(cast, COUNT, clock())
    adam, olga = (db.session.get_one(Person, one.id) for one in (cast.adam, cast.olga))
    values = {"kind": "redmine", "base_url": proxy.url, "project": project, "credentials": {"token": KEY}}
    row = connections.add(adam, values, now=clock())
    db.session.commit()
    row = connections.keep_look(row.id, adam, connections.look(connections.adapter_of(row)), now=clock())
    db.session.commit()
    (severity,) = [each for each in connections.fields_of(row) if each.name == "Severity"]
    assert severity.required
    assert [name for _value, name in severity.options] == ["low", "mid", "high"]
    assert unfilled(connections.plan_of(row), connections.fields_of(row)) == ["Severity"]
    with pytest.raises(FieldsMissing, match="Severity"):
        exports.start(row.id, olga, ids, url_of=str, now=clock())
    db.session.rollback()
    mapping = {"fields": {severity.id: {"from": "severity", "value": "mid", "keep": "once"}}}
    connections.change(row.id, adam, {"mapping": mapping}, now=clock())

    begin(cast, row.id, ids, clock())
    drive(app, clock, lambda: all(claim.state == TicketState.DONE for claim in claims()))
    issues = redmine.issues(project)
    markers = Counter(MARKER.findall(issue["description"])[0] for issue in issues)
    assert len(issues) == COUNT, proxy.faults
    assert set(markers.values()) == {1}
    assert set(proxy.faults) == {"", "lose", "502-after", "502-before", "drop", "hang"}

    again = begin(cast, row.id, ids, clock())
    drain(app, clock)
    assert {item.action for item in exports.items(again.id)} == {Action.UNCHANGED}
    assert len(redmine.issues(project)) == COUNT

    statuses = {
        each["name"]: each["id"] for each in redmine.ask("GET", "/issue_statuses.json")["issue_statuses"]
    }
    closed = claims()[0]
    redmine.ask("PUT", f"/issues/{closed.ref}.json", {"issue": {"status_id": statuses["Closed"]}})
    # Redmine's clock is the machine's; ours is the test's, and may be behind it.
    clock.forward(minutes=6)
    every_minute(clock())
    drain(app, clock)
    assert db.session.get_one(Insight, closed.insight_id).status == "done"
    assert claims()[0].status == "Closed"


def test_words_arrive_as_they_were(app: Flask, redmine: Redmine, project: str, clock: StandingClock) -> None:
    from gemba.trackers.adapters import connect
    from gemba.trackers.rules.bodies import body_of, title_of
    from gemba.trackers.rules.drafts import Draft
    from gemba.trackers.rules.kinds import Category, TrackerKind
    from tests.trackers.rows import row

    adapter = connect(
        TrackerKind.REDMINE,
        f"http://127.0.0.1:{PORT}",
        project,
        "Bug",
        {"token": KEY},
        allowed=("127.0.0.0/8",),
    )
    marker = "gemba-00000000-12"
    severity = next(each for each in adapter.fields() if each.name == "Severity")
    words = str(body_of(TrackerKind.REDMINE, row(), marker))
    made = adapter.create(Draft(marker, title_of(row()), words, fields={severity.id: "high"}))
    assert adapter.get(made.ref).body.split() == words.split()
    found = adapter.found(marker, clock())
    assert found is not None
    assert found.ref == made.ref
    adapter.attach(made.ref, "screen.png", b"\x89PNG\r\n")
    shown = redmine.ask("GET", f"/issues/{made.ref}.json?include=attachments")["issue"]
    assert [each["filename"] for each in shown["attachments"]] == ["screen.png"]
    adapter.move(made.ref, Category.DONE)
    assert adapter.get(made.ref).category is Category.DONE
    assert [each.ref for each in adapter.search("order number")] == [made.ref]
