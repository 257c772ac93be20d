"""Groups too small to be spoken of by themselves: no line with few agents is named beside evidence."""

from collections.abc import Iterable

from sqlalchemy import func, select

from gemba.db import db
from gemba.insights.models import Observation
from gemba.people.models import Person, PersonRole
from gemba.people.rules import Role
from gemba.visits.models import Visit

_KEPT = "agents_of_lines"


def line_of(note: Observation) -> str:
    """The name of the line in whose visit this was seen; "" where it is too small or the agent has none.

    How small is too small, the visit's programme says (`smallest_group`).
    """
    line = note.visit.agent.line
    if line is None or _agents().get(line.id, 0) < note.visit.programme.smallest_group:
        return ""
    return line.name


def is_big_enough(visits: Iterable[Visit]) -> bool:
    """Whether the agents of these visits may be counted aloud: their lines together have enough of them.

    How many are enough, the strictest of the visits' programmes says.
    """
    visits = list(visits)
    lines = {visit.agent.line_id for visit in visits}
    people = sum(_agents().get(line_id, 0) for line_id in lines if line_id is not None)
    return people >= max((visit.programme.smallest_group for visit in visits), default=0)


def _agents() -> dict[int, int]:
    """Active agents by line, counted once for each request or job."""
    kept: dict[int, int] | None = db.session().info.get(_KEPT)
    if kept is None:
        rows = db.session.execute(
            select(Person.line_id, func.count(Person.id))
            .join(PersonRole, PersonRole.person_id == Person.id)
            .where(Person.active, Person.line_id.is_not(None), PersonRole.role == Role.AGENT)
            .group_by(Person.line_id)
        )
        kept = db.session().info[_KEPT] = {line_id: count for line_id, count in rows if line_id is not None}
    return kept
