"""A tracker that lies, in every language: one ticket for each insight, whatever it says."""

import json
from collections import Counter
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.outbox.models import OutboxItem
from gemba.people.models import Person
from gemba.trackers.models import Connection
from gemba.trackers.rules.drafts import MARKER, Draft, native_id
from gemba.trackers.rules.kinds import TicketState, TrackerKind
from gemba.trackers.rules.pace import Allowance
from gemba.trackers.service import connections, exports, health, tickets
from gemba.trackers.talk import Outcome, Task, What
from tests.cast import Cast
from tests.conftest import StandingClock
from tests.trackers.fake import Fake, fake_tracker
from tests.trackers.stage import begin, claims, connect, drain, drive, insights

LIES = ["create-500", "", "reset", "500", "hang", "create-502", "garbage", "429", "reset-before", ""]


def _settled(cast: Cast, clock: StandingClock) -> bool:
    """Whether every ticket is made; who is asked looked in the tracker and says: make it."""
    olga = db.session.get_one(Person, cast.olga.id)
    for claim in claims():
        if claim.state == TicketState.ASK:
            tickets.send_again(claim.id, olga, now=clock())
    db.session.commit()
    return all(claim.state == TicketState.DONE for claim in claims())


def _markers(fake: Fake) -> Counter[str]:
    return Counter(MARKER.findall(json.dumps([made.body, made.native]))[0] for made in fake.tickets)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", list(TrackerKind))
def test_one_ticket_each_whatever_it_says(
    lite: Flask, lite_cast: Cast, clock: StandingClock, kind: TrackerKind
) -> None:
    ids = insights(lite_cast, len(LIES), clock())
    with fake_tracker(kind, find_delay=2, finds_everything=True, drops_labels=True) as fake:
        tracker = connect(lite_cast, fake, clock())
        fake.lies = list(LIES)
        begin(lite_cast, tracker.id, ids, clock())
        drive(lite, clock, lambda: _settled(lite_cast, clock))
        assert fake.lies == []
        assert len(fake.tickets) == len(ids)
        assert set(_markers(fake).values()) == {1}
        assert {claim.insight_id for claim in claims()} == set(ids)
        assert len({claim.ref for claim in claims()}) == len(ids)


@pytest.mark.parametrize("lie", ["429", "403-slow"])
def test_waiting_is_respected(lite: Flask, lite_cast: Cast, clock: StandingClock, lie: str) -> None:
    ids = insights(lite_cast, 3, clock())
    with fake_tracker(TrackerKind.GITHUB, retry_after=600) as fake:
        tracker = connect(lite_cast, fake, clock())
        fake.lies = [lie] * 3
        export = begin(lite_cast, tracker.id, ids, clock())
        drain(lite, clock)
        told = len(fake.asked)
        row = db.session.get_one(Connection, tracker.id)
        assert row.wait_until is not None
        assert (row.wait_until - clock()).total_seconds() >= 600
        olga = db.session.get_one(Person, lite_cast.olga.id)
        assert exports.progress(export.id, olga).status == "waiting"
        clock.forward(seconds=595)
        drain(lite, clock)
        assert len(fake.asked) == told, "nothing is sent before the time it asked for"
        fake.lies = []
        drive(lite, clock, lambda: all(claim.state == TicketState.DONE for claim in claims()))
        assert len(fake.tickets) == len(ids)
        assert exports.progress(export.id, olga).status == "done"


def test_a_wait_that_was_asked_for_outlives_what_else_fails(
    lite: Flask, lite_cast: Cast, clock: StandingClock
) -> None:
    with fake_tracker(TrackerKind.GITHUB) as fake:
        row = connect(lite_cast, fake, clock())
        task = Task(1, 1, Draft("gemba-00000000-1"), clock())
        health.note(row, Outcome(task, What.BUSY, wait=600), clock())
        for _failure in range(9):
            health.note(row, Outcome(task, What.UNCERTAIN), clock())
        health.note(row, Outcome(task, What.FOUND), clock())
        assert row.wait_until == clock() + timedelta(seconds=600)
        clock.forward(seconds=600)
        health.note(row, Outcome(task, What.FOUND), clock())
        assert row.wait_until is None


@pytest.mark.parametrize("kind", list(TrackerKind))
def test_a_dead_token_pauses_and_tells_its_owner(
    lite: Flask, lite_cast: Cast, clock: StandingClock, kind: TrackerKind
) -> None:
    ids = insights(lite_cast, 2, clock())
    with fake_tracker(kind) as fake:
        tracker = connect(lite_cast, fake, clock())
        export = begin(lite_cast, tracker.id, ids, clock())
        fake.token_is_dead = True
        drain(lite, clock)
        assert db.session.get_one(Connection, tracker.id).trouble == connections.TOKEN
        mails = db.session.scalars(select(OutboxItem.recipient).where(OutboxItem.kind == "mail")).all()
        assert mails == ["adam@gemba.example"]
        told = len(fake.asked)
        clock.forward(minutes=30)
        drain(lite, clock)
        assert len(fake.asked) == told
        fake.token_is_dead = False
        adam, olga = (db.session.get_one(Person, one.id) for one in (lite_cast.adam, lite_cast.olga))
        connections.change(tracker.id, adam, {"credentials": {"token": "new"}}, now=clock())
        drive(lite, clock, lambda: exports.progress(export.id, olga).finished)
        assert len(fake.tickets) == 2


def test_a_tracker_that_is_away_is_left_alone_for_longer_and_longer(
    lite: Flask, lite_cast: Cast, clock: StandingClock
) -> None:
    ids = insights(lite_cast, 6, clock())
    with fake_tracker(TrackerKind.GITLAB) as fake:
        tracker = connect(lite_cast, fake, clock())
        begin(lite_cast, tracker.id, ids, clock())
        fake.is_down = True
        drain(lite, clock)
        row = db.session.get_one(Connection, tracker.id)
        assert row.wait_why == "away"
        assert row.wait_until is not None
        first = row.wait_until - clock()
        clock.at = row.wait_until
        drain(lite, clock)
        clock.forward(minutes=1)
        drain(lite, clock)
        again = db.session.get_one(Connection, tracker.id).wait_until
        assert again is not None
        assert again - clock() > first
        fake.is_down = False
        drive(lite, clock, lambda: all(claim.state == TicketState.DONE for claim in claims()))
        assert len(fake.tickets) == 6
        assert db.session.get_one(Connection, tracker.id).wait_until is None


def test_a_person_is_asked_where_a_search_may_lag(lite: Flask, lite_cast: Cast, clock: StandingClock) -> None:
    (insight,) = insights(lite_cast, 1, clock())
    with fake_tracker(TrackerKind.JIRA) as fake:
        tracker = connect(lite_cast, fake, clock())
        fake.lies = ["reset-before"]
        begin(lite_cast, tracker.id, [insight], clock())
        began = clock()
        drive(lite, clock, lambda: claims()[0].state == TicketState.ASK)
        assert (clock() - began).total_seconds() >= 600, "it was looked for as long as Jira may lag"
        assert fake.tickets == [], "and was not made again unseen"
        olga = db.session.get_one(Person, lite_cast.olga.id)
        tickets.send_again(claims()[0].id, olga, now=clock())
        drive(lite, clock, lambda: claims()[0].state == TicketState.DONE)
        assert len(fake.tickets) == 1


def test_a_ticket_found_late_is_taken_not_made(lite: Flask, lite_cast: Cast, clock: StandingClock) -> None:
    (insight,) = insights(lite_cast, 1, clock())
    with fake_tracker(TrackerKind.JIRA, find_delay=4) as fake:
        tracker = connect(lite_cast, fake, clock())
        fake.lies = ["reset"]
        begin(lite_cast, tracker.id, [insight], clock())
        drive(lite, clock, lambda: claims()[0].state == TicketState.DONE)
        assert [made.id for made in fake.tickets] == [1]
        assert claims()[0].key == "WEB-1"


def test_a_uuid_of_ours_is_of_version_four() -> None:
    assert native_id("gemba-00000000-1")[14] == "4"
    assert native_id("gemba-00000000-1")[19] in "89ab"
    assert native_id("gemba-00000000-1") != native_id("gemba-00000000-2")


def test_no_more_is_sent_in_a_minute_than_a_tracker_takes() -> None:
    allowance = Allowance(per_minute=25, burst=4, at=100.0)
    sent = [(tenth / 10, allowance.take(10, 100 + tenth / 10)) for tenth in range(3000)]
    for start in range(240):
        assert sum(count for at, count in sent if start <= at < start + 60) <= 25 + 4
    assert sum(count for _at, count in sent) >= 25 * 5 - 1
    assert Allowance(per_minute=0, burst=4, at=0).take(1000, 0) == 1000
