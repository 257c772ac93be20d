"""Exporting a thousand insights to a tracker that answers after 20 ms, beside doing the same one by one.

By the clock on the wall: what is measured is waiting, which costs no processor. Each ticket is two requests,
looking and making. The tracker publishes no limit; it counts how many requests it had at once.
"""

import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from gemba.clock import system_clock
from gemba.db import db
from gemba.outbox.worker import Worker
from gemba.people.models import Person
from gemba.trackers import talk
from gemba.trackers.adapters import Tracker
from gemba.trackers.rules.drafts import Draft
from gemba.trackers.rules.kinds import TicketState, TrackerKind
from gemba.trackers.service import connections
from gemba.trackers.talk import Task
from tests.bench.measure import Cost, Row
from tests.cast import make_cast
from tests.conftest import running, settings_for
from tests.trackers.fake import fake_tracker
from tests.trackers.stage import begin, claims, insights

COUNT, ALONE, LATENCY = 1000, 40, 0.02
LOOPBACK = ("127.0.0.0/8",)


def measure(folder: Path) -> Iterator[Row]:
    """Milliseconds per insight: the export, over the same requests one after the other."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=_serve, args=(theirs,), daemon=True)
    server.start()
    url = ours.recv()
    try:
        yield _export(folder, url)
    finally:
        ours.send("stop")
        server.join(10)


def _serve(pipe: Pipe) -> None:
    with fake_tracker(TrackerKind.REDMINE, latency=LATENCY) as fake:
        pipe.send(fake.url)
        pipe.recv()


def _export(folder: Path, url: str) -> Row:
    settings = settings_for(f"sqlite:///{folder / 'exports.db'}", folder, fetch_allowed=LOOPBACK)
    with running(settings, system_clock) as app:
        db.create_all()
        now = system_clock()
        cast = make_cast(now)
        ids = insights(cast, COUNT, now)
        adam = db.session.get_one(Person, cast.adam.id)
        values = {"kind": "redmine", "base_url": url, "project": "web", "credentials": {"token": "x"}}
        row = connections.add(adam, values, now=now)
        adapter = connections.adapter_of(row)
        number = row.id
        db.session.commit()
        alone = _one_by_one(adapter)
        begin(cast, number, ids, now)
        began, spent = time.perf_counter(), time.process_time()
        while True:
            Worker(app).drain()
            db.session.expire_all()
            done = sum(claim.state == TicketState.DONE for claim in claims())
            db.session.commit()
            if done == COUNT:
                break
        wall, cpu = (time.perf_counter() - began) / COUNT, (time.process_time() - spent) / COUNT
    # The table divides processor times; here the wall is what counts.
    found = Cost(wall * 1000, wall * 1000)
    speed = f"{1 / wall:.0f} a second, {alone.wall / found.wall:.1f} x one by one, CPU {cpu * 1000:.1f} ms"
    what = f"export an insight ({speed})"
    return Row(what, "sqlite", found, "one by one, 20 ms an answer", replace(alone, cpu=alone.wall))


def _one_by_one(adapter: Tracker) -> Cost:
    began = time.perf_counter()
    for number in range(ALONE):
        draft = Draft(f"gemba-ffffffff-{number}", "Title", f"Words gemba-ffffffff-{number}")
        task = Task(number, number, draft, datetime(2026, 11, 23, tzinfo=UTC))
        assert talk.look(adapter, task).what is talk.What.EMPTY
        assert talk.make(adapter, task).what is talk.What.MADE
    wall = (time.perf_counter() - began) * 1000 / ALONE
    return Cost(wall, wall)
