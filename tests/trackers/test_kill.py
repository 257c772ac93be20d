"""Workers killed with -9 in the middle of three hundred exports: three hundred tickets, one each."""

import json
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

from sqlalchemy import func, select

from gemba.clock import system_clock
from gemba.db import db
from gemba.trackers.models import Claim
from gemba.trackers.rules.drafts import MARKER
from gemba.trackers.rules.kinds import TicketState, TrackerKind
from tests.cast import make_cast
from tests.conftest import running, settings_for
from tests.trackers.conftest import LOOPBACK
from tests.trackers.fake import Fake, fake_tracker
from tests.trackers.process import start_worker
from tests.trackers.stage import begin, connect, insights

COUNT = 300
KILL_AT = (40, 120, 200)


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    """Returns once `condition()` is true; AssertionError after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "that took too long"
        time.sleep(0.02)


def done() -> int:
    """How many tickets are known to be made."""
    db.session.rollback()
    count = db.session.scalar(select(func.count()).where(Claim.state == TicketState.DONE))
    db.session.rollback()
    return count or 0


def markers(fake: Fake) -> Counter[str]:
    """How often each insight's marker stands in a ticket."""
    return Counter(MARKER.findall(json.dumps(made.body))[0] for made in list(fake.tickets))


def test_killed_three_times(database_url: str, tmp_path: Path) -> None:
    """Asked for three times over, killed three times, and ended by two workers at once."""
    settings = settings_for(database_url, tmp_path, fetch_allowed=LOOPBACK)
    with running(settings, system_clock), fake_tracker(TrackerKind.REDMINE, latency=0.02) as fake:
        cast = make_cast(system_clock())
        ids = insights(cast, COUNT, system_clock())
        tracker = connect(cast, fake, system_clock())
        for _again in range(3):
            begin(cast, tracker.id, ids, system_clock())
        killed = []
        for most in KILL_AT:
            worker = start_worker(database_url, tmp_path)
            wait_until(lambda most=most: len(fake.tickets) >= most, 60)  # type: ignore[misc]
            end(worker)
            killed.append(len(fake.tickets))
        assert killed[-1] < COUNT, "the last one was killed in the middle"
        workers = [start_worker(database_url, tmp_path) for _ in range(2)]
        try:
            wait_until(lambda: done() == COUNT, 120)
        finally:
            for worker in workers:
                end(worker)
        assert len(fake.tickets) == COUNT
        assert set(markers(fake).values()) == {1}
        rows = db.session.execute(select(Claim.insight_id, Claim.ref)).all()
        assert {row.insight_id for row in rows} == set(ids)
        assert len({row.ref for row in rows}) == COUNT


def end(worker: BaseProcess) -> None:
    """kill -9"""
    worker.kill()
    worker.join(10)
