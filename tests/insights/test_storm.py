"""Two hundred random merges, unmerges, splits and votes from eight processes: nothing lost, all undone."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from gemba.clock import system_clock
from gemba.db import db
from gemba.insights import service
from gemba.insights.models import Insight, InsightVote, Observation
from gemba.insights.service import numbers
from gemba.people.models import Person
from tests.cast import make_cast
from tests.conftest import running, settings_for
from tests.insights.many import complaints, fill
from tests.insights.stage import make_visit
from tests.insights.storm import shown
from tests.storming import storm

pytestmark = pytest.mark.load
PROCESSES, ACTS, INSIGHTS = 8, 25, 12


def _populate(url: str, folder: Path) -> None:
    with running(settings_for(url, folder), system_clock):
        now = system_clock()
        cast = make_cast(now)
        visits = [make_visit(cast, now - timedelta(days=n), status="held").id for n in range(1, 6)]
        texts = list(complaints(INSIGHTS))
        ids = fill(cast, visits, texts, now)
        extra = fill(cast, visits, texts * 2, now)
        db.session.query(Observation).filter(Observation.insight_id.in_(extra)).update(
            {Observation.insight_id: Observation.insight_id % INSIGHTS + ids[0]}, synchronize_session=False
        )
        db.session.query(Insight).filter(Insight.id.in_(extra)).delete(synchronize_session=False)
        numbers.keep_all(now)
        db.session.commit()


def test_a_storm_over_the_backlog(database_url: str, tmp_path: Path) -> None:
    _populate(database_url, tmp_path)
    done = storm("tests.insights.storm", database_url, tmp_path, processes=PROCESSES, acts=ACTS)
    assert all(done[act] for act in ("merge", "unmerge", "split", "vote", "there_and_back"))
    with running(settings_for(database_url, tmp_path), system_clock):
        assert db.session.query(Observation).count() == 3 * INSIGHTS
        _families_are_flat()
        _kept_is_counted()
        _all_can_be_taken_apart()


def _families_are_flat() -> None:
    rows = {row.id: row for row in db.session.scalars(select(Insight))}
    for row in rows.values():
        if row.merged_into_id is None:
            assert row.merged_via_id is None
            continue
        assert rows[row.merged_into_id].merged_into_id is None
        seen, at = set(), row
        while at.merged_via_id is not None:
            assert at.id not in seen
            seen.add(at.id)
            at = rows[at.merged_via_id]
        assert at.id == row.merged_into_id


def _kept_is_counted() -> None:
    before = shown()
    numbers.keep_all(max(at for at in db.session.scalars(select(Insight.scored_at)) if at))
    after = shown()
    assert {key: row[:7] for key, row in after.items()} == {key: row[:7] for key, row in before.items()}


def _all_can_be_taken_apart() -> None:
    """Each insight has its own notes and voters again, as their rows say, which no merge ever moved."""
    olga = db.session.query(Person).filter_by(name="Olga Owner").one()
    while merged := db.session.scalar(select(Insight.id).where(Insight.merged_into_id.is_not(None)).limit(1)):
        service.unmerge(merged, olga, now=system_clock())
    notes = Counter(db.session.scalars(select(Observation.insight_id)))
    votes = Counter(db.session.scalars(select(InsightVote.insight_id)))
    for insight in db.session.scalars(select(Insight).execution_options(populate_existing=True)):
        assert (insight.observations, insight.votes) == (notes[insight.id], votes[insight.id])
