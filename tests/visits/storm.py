"""One process of the storm: books, joins, moves, swaps and cancels at random, and says what became of it.

python -m tests.visits.storm URL FOLDER SEED COUNT
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from gemba.clock import system_clock
from gemba.db import db
from gemba.errors import GembaError
from gemba.people.models import Person, PersonRole
from gemba.people.rules import Role
from gemba.programmes.models import Programme
from gemba.visits import service
from gemba.visits.facts import ANY, Ask
from gemba.visits.models import Visit
from gemba.visits.rules import Status
from tests.conftest import running, settings_for

DAYS = 5
"""Everybody wants an hour of the same few days."""


class Storm:
    """Who acts in this process, with a seed of its own."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.now = system_clock()
        self.agents = self._holding(Role.AGENT)
        self.visitors = self._holding(Role.VISITOR)

    def _holding(self, role: Role) -> list[int]:
        query = db.session.query(PersonRole.person_id).filter(PersonRole.role == role)
        return [person for (person,) in query.order_by(PersonRole.person_id)]

    def start(self) -> datetime:
        """Some half hour of the days everybody wants."""
        day = (self.now + timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)
        return day + timedelta(days=self.random.randrange(DAYS), minutes=30 * self.random.randrange(12, 36))

    def visit(self) -> Visit:
        """Some booked visit; LookupError where there is none."""
        query = db.session.query(Visit).filter(Visit.status == Status.BOOKED).order_by(Visit.id)
        return self.random.choice(query.all())

    def book(self) -> str:
        """A new hour, with someone or anyone."""
        ask = ANY if self.random.random() < 0.5 else Ask(agent_id=self.random.choice(self.agents))
        return self._book(self.start(), ask)

    def join(self) -> str:
        """A seat in an hour that somebody has."""
        visit = self.visit()
        return self._book(visit.starts_at, Ask(agent_id=visit.agent_id))

    def _book(self, start: datetime, ask: Ask) -> str:
        programme = db.session.query(Programme).one()
        visitor = db.session.get_one(Person, self.random.choice(self.visitors))
        visit = service.book(programme=programme, visitor=visitor, start=start, ask=ask, now=self.now)
        return "joined" if len(visit.visitors) > 1 else "booked"

    def move(self) -> str:
        """Another hour, perhaps another agent."""
        visit, agent = self.visit(), self.random.choice([None, *self.agents])
        service.move(visit, self.admin, start=self.start(), agent_id=agent, now=self.now)
        return "moved"

    def swap(self) -> str:
        """Another agent for the same hour."""
        agent = self.random.choice([None, *self.agents])
        service.swap(self.visit(), self.admin, agent_id=agent, now=self.now)
        return "swapped"

    def cancel(self) -> str:
        """The whole visit, or one's own seat."""
        visit = self.visit()
        by = self.random.choice([self.admin, *visit.visitors])
        service.cancel(visit, by, reason="", now=self.now)
        return "cancelled" if visit.status == Status.CANCELLED else "left"

    @property
    def admin(self) -> Person:
        """Who may do everything."""
        return db.session.get_one(Person, self._holding(Role.ADMIN)[0])

    def one(self) -> str:
        """One act in a transaction of its own; what it came to, or why it was refused."""
        time.sleep(self.random.random() * 0.1)  # people stop for breath; SQLite's waiters are not in a line
        acts: list[Callable[[], str]] = [self.book] * 8 + [self.join] * 3 + [self.move] * 4
        acts += [self.swap] * 3 + [self.cancel] * 3
        try:
            outcome = self.random.choice(acts)()
            db.session.commit()
        except GembaError as refusal:
            db.session.rollback()
            return f"refused: {refusal.code}"
        except LookupError:
            db.session.rollback()
            return "nothing there"
        return outcome


def main() -> None:
    """Runs the storm of one process."""
    url, folder, seed, count = sys.argv[1:]
    with running(settings_for(url, Path(folder)), system_clock):
        storm = Storm(int(seed))
        db.session.rollback()
        outcomes = Counter(storm.one() for _ in range(int(count)))
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main()
