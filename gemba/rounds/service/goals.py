"""How far a programme is from its goals: who came of those it is for, and visits of each line by month.

By department and by line, never by agent, in alphabetical order and not in that of their figures. Groups
smaller than the programme's smallest group stand together, or not at all where even that is too few.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import case, exists, func, select

from gemba.db import db
from gemba.errors import NotFound
from gemba.people.models import Line, Person, PersonRole
from gemba.people.rules import Role
from gemba.programmes import doors
from gemba.programmes.models import Programme
from gemba.rounds.cadence_rules import add_months
from gemba.rounds.service.cadence import headed_by
from gemba.visits.models import Visit, VisitVisitor
from gemba.visits.rules import Status

MONTHS = 6
"""So many months stand beside each other, this one last."""
TOGETHER = ""
"""The name of the groups that are too small to stand alone."""


@dataclass(frozen=True)
class Share:
    """How many of a group's people came lately; the group's name is TOGETHER for several small ones."""

    name: str
    people: int
    came: int

    @property
    def percent(self) -> int:
        """The same in whole percent, rounded down: a goal is reached or it is not."""
        return 100 * self.came // self.people if self.people else 0


@dataclass(frozen=True)
class LineMonths:
    """Visits of a line in the last months, this one last: those held, and in this month those booked too."""

    name: str
    visits: Sequence[int]

    @property
    def now(self) -> int:
        """Visits of this month."""
        return self.visits[-1]


@dataclass(frozen=True)
class Progress:
    """What somebody may see of a programme's goals; `whole` is None where all people are too few."""

    whole: Share | None
    departments: Sequence[Share]
    lines: Sequence[LineMonths]
    months: Sequence[datetime]


def progress(viewer: Person, programme: Programme, *, now: datetime) -> Progress:
    """How far a programme is, for admins; heads of departments and lines see their own beside the whole.

    Four statements, whoever there is. Raises NotFound for everybody else.
    """
    departments, lines = _in_sight(viewer)
    shares = _shares(programme, now=now)
    people = sum(each.people for each in shares)
    whole = Share(TOGETHER, people, sum(each.came for each in shares))
    months = _months(now)
    return Progress(
        whole=whole if people >= programme.smallest_group else None,
        departments=_big_enough(shares, programme.smallest_group, departments),
        lines=_lines(programme, months, lines),
        months=months,
    )


def _in_sight(viewer: Person) -> tuple[set[str] | None, set[int] | None]:
    """The departments and lines somebody heads; None is all. Raises NotFound where there are none."""
    if viewer.has(Role.ADMIN):
        return None, None
    departments = headed_by(viewer)
    lines = set(db.session.scalars(select(Line.id).where(Line.lead_id == viewer.id)))
    if not departments and not lines:
        raise NotFound
    return departments, lines


def _shares(programme: Programme, *, now: datetime) -> list[Share]:
    """Who came within the programme's months, by department; who has none stands under TOGETHER."""
    since = add_months(now, -programme.goal_months)
    came = exists().where(
        VisitVisitor.person_id == Person.id,
        VisitVisitor.visit_id == Visit.id,
        Visit.programme_id == programme.id,
        Visit.status == Status.HELD,
        Visit.starts_at >= since,
    )
    query = (
        select(Person.department, func.count(), func.sum(case((came, 1), else_=0)))
        .join(PersonRole, (PersonRole.person_id == Person.id) & (PersonRole.role == Role.VISITOR))
        .where(Person.active, doors.admitted(programme))
        .group_by(Person.department)
        .order_by(Person.department)
    )
    return [Share(name, people, came) for name, people, came in db.session.execute(query)]


def _big_enough(shares: Iterable[Share], smallest: int, mine: set[str] | None) -> list[Share]:
    """Departments by name, the small ones together at the end; of whoever heads some, only theirs."""
    shown, few = [], Counter({"people": 0, "came": 0})
    for each in shares:
        if each.name and each.people >= smallest:
            shown.append(each)
        else:
            few.update(people=each.people, came=each.came)
    if mine is not None:
        return [each for each in shown if each.name in mine]
    rest = Share(TOGETHER, few["people"], few["came"])
    return [*shown, rest] if rest.people >= smallest else shown


def _months(now: datetime) -> list[datetime]:
    first = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return [add_months(first, -back) for back in reversed(range(MONTHS))]


def _lines(programme: Programme, months: Sequence[datetime], mine: set[int] | None) -> list[LineMonths]:
    """Lines by name with their visits of each month; a line smaller than the smallest group is left out."""
    sizes = (
        select(Line.id, Line.name, func.count(PersonRole.person_id))
        .join(Person, (Person.line_id == Line.id) & Person.active)
        .join(PersonRole, (PersonRole.person_id == Person.id) & (PersonRole.role == Role.AGENT))
        .group_by(Line.id, Line.name)
        .order_by(func.lower(Line.name), Line.id)
    )
    shown = {
        number: name
        for number, name, agents in db.session.execute(sizes)
        if agents >= programme.smallest_group
        and (mine is None or number in mine)
        and (not programme.lines or number in programme.lines)
    }
    counted: dict[int, Counter[tuple[int, int]]] = defaultdict(Counter)
    visits = (
        select(Person.line_id, Visit.starts_at)
        .join(Person, Person.id == Visit.agent_id)
        .where(
            Visit.programme_id == programme.id,
            Visit.status.in_((Status.HELD, Status.BOOKED)),
            Visit.starts_at >= months[0],
            Visit.starts_at < add_months(months[-1], 1),
            Person.line_id.in_(list(shown)),
        )
    )
    for line, at in db.session.execute(visits).tuples():
        counted[line or 0][(at.year, at.month)] += 1
    return [
        LineMonths(name, [counted[number][(each.year, each.month)] for each in months])
        for number, name in shown.items()
    ]
