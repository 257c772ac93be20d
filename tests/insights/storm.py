"""One process of the storm over the backlog: merges, unmerges, splits and votes at random.

python -m tests.insights.storm URL FOLDER SEED COUNT
"""

import json
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

from sqlalchemy import select

from gemba.clock import system_clock
from gemba.db import db
from gemba.errors import GembaError
from gemba.insights import service
from gemba.insights.models import Insight, Observation
from gemba.insights.service import numbers
from gemba.people.models import Person, PersonRole
from gemba.people.rules import Role
from tests.conftest import running, settings_for


class Storm:
    """Who acts in this process, with a seed of its own."""

    def __init__(self, seed: int) -> None:
        self.random, self.now = Random(seed), system_clock()
        self.people = list(db.session.scalars(select(Person.id).order_by(Person.id)))
        owner = db.session.scalars(select(PersonRole.person_id).where(PersonRole.role == Role.OWNER)).one()
        self.owner = db.session.get_one(Person, owner)
        db.session.rollback()

    def some(self) -> int:
        """Some insight."""
        return self.random.choice(list(db.session.scalars(select(Insight.id).order_by(Insight.id))))

    def merge(self) -> None:
        """Two of them, however they stand."""
        service.merge(self.some(), self.owner, self.some(), now=self.now)

    def unmerge(self) -> None:
        """One of those that were merged."""
        merged = select(Insight.id).where(Insight.merged_into_id.is_not(None)).order_by(Insight.id)
        service.unmerge(self.random.choice([*db.session.scalars(merged), 0]), self.owner, now=self.now)

    def split(self) -> None:
        """Some evidence of one."""
        insight = self.some()
        notes = list(db.session.scalars(select(Observation.id).where(Observation.insight_id == insight)))
        service.split(insight, self.owner, notes[:1], now=self.now)

    def vote(self) -> None:
        """Anybody, for or against."""
        person = db.session.get_one(Person, self.random.choice(self.people))
        service.vote(self.some(), person, on=self.random.random() < 0.7, now=self.now)

    def there_and_back(self) -> None:
        """A merge taken back at once leaves every number as it was."""
        one, other = self.some(), self.some()
        numbers.one_at_a_time()
        before = shown()
        service.merge(one, self.owner, other, now=self.now)
        service.unmerge(one, self.owner, now=self.now)
        assert shown() == before


def shown() -> dict[int, tuple[object, ...]]:
    """What is kept of every insight, and its family."""
    names = (*numbers.NAMES, "votes", "score", "merged_into_id", "merged_via_id")
    db.session.flush()
    rows = db.session.execute(select(Insight.id, *(getattr(Insight, name) for name in names)))
    return {row.id: tuple(row)[1:] for row in rows}


def main() -> None:
    """Acts, and prints how often what succeeded."""
    url, folder, seed, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    done: Counter[str] = Counter()
    with running(settings_for(url, folder), system_clock):
        storm = Storm(seed)
        acts = [storm.merge, storm.unmerge, storm.split, storm.vote, storm.there_and_back]
        for _number in range(count):
            act = storm.random.choices(acts, weights=(4, 2, 2, 4, 2))[0]
            time.sleep(storm.random.random() * 0.2)  # SQLite's waiters are not in a line
            try:
                db.session.rollback()
                db.session.refresh(storm.owner)
                act()
                db.session.commit()
                done[act.__name__] += 1
            except GembaError:
                db.session.rollback()
                done["refused"] += 1
    sys.stdout.write(json.dumps(done))


if __name__ == "__main__":
    main()
