"""What the tests of trackers need beside the cast: insights with evidence, a connection, and the worker."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from gemba.db import db
from gemba.outbox.models import OutboxItem
from gemba.outbox.worker import Worker
from gemba.people.models import Person
from gemba.trackers.models import Claim, Connection, Export
from gemba.trackers.rules.kinds import TRAITS, TrackerKind
from gemba.trackers.service import connections, exports, rules
from tests.cast import Cast
from tests.conftest import StandingClock
from tests.crowd import add_insights, add_visits
from tests.trackers.fake import Fake

CREDENTIALS = {"token": "secret-token", "email": "robot@gemba.example", "org": "1", "org_kind": ""}
PROJECTS = {"WEB": "WEB", "QUEUE": "QUEUE"}


def insights(cast: Cast, count: int, now: datetime) -> list[int]:
    """So many insights with evidence."""
    visits = add_visits(cast, [cast.alice.id, cast.anton.id], 4, now)
    ids = add_insights(cast, visits[1::2], count, now)
    db.session.commit()
    return ids


def connect(cast: Cast, fake: Fake, now: datetime, **more: Any) -> Connection:
    """A checked connection to a fake tracker."""
    traits = TRAITS[fake.kind]
    values = {
        "kind": fake.kind.value,
        "name": "Tracker",
        "base_url": fake.url,
        "project": traits.project,
        "credentials": {each.name: CREDENTIALS[each.name] for each in traits.credentials},
        **more,
    }
    admin = db.session.get_one(Person, cast.adam.id)
    row = connections.add(admin, values, now=now)
    db.session.commit()
    found = connections.look(connections.adapter_of(row))
    connections.keep_look(row.id, admin, found, now=now)
    db.session.commit()
    return row


def begin(cast: Cast, tracker_id: int, ids: list[int], now: datetime, **more: Any) -> Export:
    """An export that Olga begins, committed."""
    olga = db.session.get_one(Person, cast.olga.id)
    export = exports.start(tracker_id, olga, ids, url_of=rules.address_of, now=now, **more)
    db.session.commit()
    return export


def drain(app: Flask, clock: StandingClock) -> None:
    """Lets the worker do what is due now."""
    db.session.commit()
    Worker(app, clock=clock).drain()
    db.session.expire_all()


def drive(
    app: Flask, clock: StandingClock, done: Callable[[], bool], most: timedelta = timedelta(hours=3)
) -> None:
    """Lets the worker go on, moving the clock to whatever is due next, until `done`."""
    end = clock.at + most
    while True:
        drain(app, clock)
        if done():
            return
        kinds = ("tracker-run", "tracker-look")
        query = select(func.min(OutboxItem.run_at)).where(
            OutboxItem.state == "ready", OutboxItem.kind.in_(kinds)
        )
        due = db.session.scalar(query)
        db.session.commit()
        states = [(claim.state, claim.tries, claim.error) for claim in claims() if claim.state != "done"]
        assert due is not None, f"nothing is left to wait for: {states}"
        assert due < end, "that took too long"
        clock.at = max(due, clock.at + timedelta(seconds=1))


def claims() -> list[Claim]:
    """All tickets as they are now."""
    return list(
        db.session.scalars(select(Claim).order_by(Claim.id).execution_options(populate_existing=True))
    )


def traits_lag(kind: TrackerKind) -> int:
    """Seconds in which a tracker's search may lag."""
    return TRAITS[kind].lag
