"""Coming back: who is due, overdue or never came; nudges, digests for heads of departments, rebooking.

All is worked out from held visits; only who heads a department is kept. A nudge is known by its key in the
outbox, and sent within a month of its time or not at all.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select

from gemba.db import db
from gemba.errors import Invalid, NotFound
from gemba.openings import hours_opened
from gemba.outbox import service as outbox
from gemba.people import service as people
from gemba.people.models import Person, PersonRole
from gemba.people.rules import N_, MailKind, Role
from gemba.people.service.mail_choices import wants
from gemba.programmes import doors
from gemba.programmes.models import Programme
from gemba.programmes.training import service as training
from gemba.rounds.cadence_rules import AGAIN_AFTER, Standing, add_months, standing_of, streak
from gemba.rounds.models import DepartmentHead
from gemba.rounds.service import inputs
from gemba.rounds.service.suggesting import spread, usual_starts
from gemba.schedule.rules import AgentFacts
from gemba.visits import facts
from gemba.visits.facts import Ask
from gemba.visits.models import Visit, VisitVisitor
from gemba.visits.rules import Status
from gemba.visits.service.agents import Choice, Wanted
from gemba.visits.service.booking import open_visit
from gemba.visits.service.path import settle
from gemba.visits.service.waiting import leave_line

OFFERED = 3
DIGEST_NAMES = 40
AROUND = timedelta(days=14)


@dataclass(frozen=True)
class Returning:
    """A person, when they last came and when they are due; None where they never came."""

    person: Person
    last: datetime | None
    due: datetime | None
    standing: Standing


@dataclass(frozen=True)
class Department:
    """How a department stands: its people, how many came within the programme's months, how many are overdue
    or never came, and in how many months in a row somebody of it came."""

    name: str
    people: int
    came: int
    overdue: int
    streak: int
    head: str


def headed_by(person: Person) -> set[str]:
    """The departments somebody heads."""
    query = select(DepartmentHead.department).where(DepartmentHead.person_id == person.id)
    return set(db.session.scalars(query))


def in_sight(viewer: Person) -> set[str] | None:
    """Whose people somebody may look after: None is everyone's, for admins; heads have their departments.

    Raises NotFound for everybody else.
    """
    if viewer.has(Role.ADMIN):
        return None
    mine = headed_by(viewer)
    if not mine:
        raise NotFound
    return mine


def everyone(programme: Programme, *, of: Collection[str] | None = None, now: datetime) -> list[Returning]:
    """All active visitors who may take part, with their standing, by name, in two statements; those of some
    departments only, unless `of` is None."""
    query = (
        select(Person)
        .join(PersonRole, (PersonRole.person_id == Person.id) & (PersonRole.role == Role.VISITOR))
        .where(Person.active, doors.admitted(programme))
        .order_by(func.lower(Person.name), Person.id)
    )
    if of is not None:
        query = query.where(Person.department.in_(sorted(of)))
    last, booked = _times(programme, now)
    found = []
    for person in db.session.scalars(query):
        came = last.get(person.id)
        due = add_months(came, programme.return_after_months) if came is not None else None
        standing = standing_of(due, booked=person.id in booked, now=now)
        found.append(Returning(person, came, due, standing))
    return found


def _times(programme: Programme, now: datetime) -> tuple[dict[int, datetime], set[int]]:
    """When each person was last there, and who is going to be."""
    seats = (
        select(VisitVisitor.person_id, Visit.status, func.max(Visit.starts_at))
        .join(Visit, Visit.id == VisitVisitor.visit_id)
        .where(
            Visit.programme_id == programme.id,
            Visit.status.in_((Status.HELD, Status.BOOKED, Status.REQUESTED)),
        )
        .group_by(VisitVisitor.person_id, Visit.status)
    )
    last: dict[int, datetime] = {}
    booked: set[int] = set()
    for person, status, at in db.session.execute(seats):
        if status == Status.HELD:
            last[person] = at
        elif at > now:
            booked.add(person)
    return last, booked


def departments(programme: Programme, rows: Sequence[Returning], *, now: datetime) -> list[Department]:
    """How departments stand, by name; nobody is named but their heads."""
    months: dict[str, set[tuple[int, int]]] = defaultdict(set)
    held = (
        select(Person.department, Visit.starts_at)
        .join(VisitVisitor, VisitVisitor.person_id == Person.id)
        .join(Visit, Visit.id == VisitVisitor.visit_id)
        .where(Visit.programme_id == programme.id, Visit.status == Status.HELD)
    )
    for name, at in db.session.execute(held):
        months[name].add((at.year, at.month))
    heads = dict(
        db.session.execute(
            select(DepartmentHead.department, Person.name).join(Person, Person.id == DepartmentHead.person_id)
        )
        .tuples()
        .all()
    )
    grouped: dict[str, list[Returning]] = defaultdict(list)
    for row in rows:
        if row.person.department:
            grouped[row.person.department].append(row)
    return [
        Department(
            name=name,
            people=len(members),
            came=sum(1 for each in members if each.due is not None and each.due > now),
            overdue=sum(each.standing in (Standing.OVERDUE, Standing.NEVER) for each in members),
            streak=streak(months[name], now.astimezone(UTC).date()),
            head=heads.get(name, ""),
        )
        for name, members in sorted(grouped.items())
    ]


def set_head(viewer: Person, department: str, email: str, *, now: datetime) -> None:
    """Says who hears of a department's overdue people; no address: nobody. Raises Invalid."""
    person = people.find_person(email) if email else None
    if email and (person is None or not person.active):
        raise Invalid({"email": [N_("Nobody here has this address.")]})
    if (
        not department
        or db.session.scalar(select(Person.id).where(Person.department == department).limit(1)) is None
    ):
        raise NotFound
    db.session.execute(delete(DepartmentHead).where(DepartmentHead.department == department))
    if person is not None:
        db.session.add(DepartmentHead(department=department, person_id=person.id))
    detail = {"department": department, "person": person.id if person else None}
    people.audit(viewer, "department.head", "departments", detail, now)
    db.session.flush()


def nudge(now: datetime) -> None:
    """Tells people that it is time to come back, once when they are due and once a month later; then, on the
    first days of a month, heads of departments hear who is overdue."""
    for programme in db.session.scalars(
        select(Programme).where(Programme.active, Programme.return_after_months > 0).order_by(Programme.id)
    ).all():
        overdue = [row for row in everyone(programme, now=now) if row.standing == Standing.OVERDUE]
        _nudge(programme, overdue, now)
        _digest(programme, overdue, now)


def _nudge(programme: Programme, overdue: Sequence[Returning], now: datetime) -> None:
    willing = wants([row.person.id for row in overdue], MailKind.ROUND) if overdue else set()
    rows = []
    for row in overdue:
        late = now - (row.due or now)
        if row.person.id in willing and late < 2 * AGAIN_AFTER:
            step = late // AGAIN_AFTER
            key = f"return:{programme.id}:{row.person.id}:{row.due:%Y-%m-%d}:{step}"
            more = {"last": row.last, "path": f"/rounds/coming-back/{programme.slug}"}
            rows.append(_row("round_return", programme, row.person, key, more, now))
    outbox.queue_all(rows)


def _digest(programme: Programme, overdue: Sequence[Returning], now: datetime) -> None:
    """Once a month; who is overdue for less than a month is nobody's business yet."""
    if now.day > 7:
        return
    late: dict[str, list[str]] = defaultdict(list)
    for row in overdue:
        if row.due is not None and now - row.due >= AGAIN_AFTER:
            late[row.person.department].append(row.person.name)
    heads = db.session.execute(
        select(DepartmentHead.department, Person)
        .join(Person, Person.id == DepartmentHead.person_id)
        .where(Person.active, DepartmentHead.department.in_(list(late)))
        .order_by(DepartmentHead.department)
    ).all()
    willing = wants([head.id for _name, head in heads], MailKind.ROUND) if heads else set()
    outbox.queue_all(
        [
            _row(
                "round_overdue",
                programme,
                head,
                f"overdue:{programme.id}:{name}:{now:%Y-%m}",
                {
                    "department": name,
                    "count": len(late[name]),
                    "names": late[name][:DIGEST_NAMES],
                    "path": f"/rounds/cadence/{programme.slug}",
                },
                now,
            )
            for name, head in heads
            if head.id in willing
        ]
    )


def _row(
    template: str, programme: Programme, person: Person, key: str, more: Mapping[str, object], now: datetime
) -> outbox.Row:
    return outbox.mail_row(
        **outbox.addressed(person),
        template=template,
        context={
            "first_name": person.first_name,
            "programme": programme.name_in(person.locale),
            "months": programme.return_after_months,
            "zone": person.timezone,
            **more,
        },
        dedup_key=key,
        extra={"choice": {"person": person.id, "kind": MailKind.ROUND.value}},
        now=now,
    )


@dataclass(frozen=True)
class Hour:
    """An hour somebody can book with one press."""

    agent: int
    name: str
    start: datetime


@dataclass(frozen=True)
class Return:
    """When somebody was last there and is due, and hours around then: with the same line, with others."""

    last: datetime | None
    due: datetime | None
    same: Sequence[Hour]
    other: Sequence[Hour]


def coming_back(programme: Programme, person: Person, *, now: datetime) -> Return:
    """Hours for the next visit: around the day it is due, from today on where that has passed."""
    last, line = _last_visit(programme, person)
    due = add_months(last, programme.return_after_months) if last and programme.return_after_months else None
    begin = max(now, due - AROUND / 2) if due is not None else now
    zone = ZoneInfo(person.timezone)
    start = begin.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    frame = inputs.frame_between(programme, start, start + AROUND, now)
    taken = facts.times_of([person.id], programme, inputs.span_of(frame)).get(person.id) or facts.Time()
    free = frame.mask & ~inputs.taken_of(programme, person.id, taken, frame)
    hours: dict[bool, dict[int, int]] = {True: {}, False: {}}
    for agent in inputs.offers_between(programme, frame):
        bits = agent.starts & free
        if bits and agent.id != person.id:
            hours[agent.line is not None and agent.line == line][agent.id] = bits
    usual = usual_starts(frame.rules, person.timezone, frame.grid)
    same, other = (
        _hours(spread(hours[mine], usual, frame.grid, zone, OFFERED), frame) for mine in (True, False)
    )
    return Return(last, due, same, other)


def _hours(first: list[tuple[int, int]], frame: inputs.Frame) -> list[Hour]:
    names = dict(
        db.session.execute(
            select(Person.id, Person.name).where(Person.id.in_([agent for _bit, agent in first]))
        )
        .tuples()
        .all()
    )
    return [Hour(agent, names[agent], frame.grid.instant(frame.grid.first + bit)) for bit, agent in first]


def _last_visit(programme: Programme, person: Person) -> tuple[datetime | None, int | None]:
    row = db.session.execute(
        select(Visit.starts_at, Person.line_id)
        .join(VisitVisitor, VisitVisitor.visit_id == Visit.id)
        .join(Person, Person.id == Visit.agent_id)
        .where(
            VisitVisitor.person_id == person.id,
            Visit.programme_id == programme.id,
            Visit.status == Status.HELD,
        )
        .order_by(Visit.starts_at.desc(), Visit.id.desc())
        .limit(1)
    ).one_or_none()
    return (None, None) if row is None else (row[0], row[1])


def book_again(
    programme: Programme, person: Person, agent_id: int, start: datetime, *, now: datetime
) -> Visit:
    """Books such an hour through the one path, also beyond the programme's horizon.

    Raises SlotTaken, NotOffered, NotForYou, ByRoundsOnly or TrainingMissing, NotFound where nothing runs.
    """
    if not programme.active:
        raise NotFound
    doors.book_by_hand(programme, person)
    training.require(programme, person)
    last, _line = _last_visit(programme, person)
    until = add_months(last, programme.return_after_months) + AROUND if last else now
    rules = inputs.round_rules(programme)
    days = max((until - now).days + 1, programme.horizon_days)
    ask = Ask(agent_id=agent_id)
    wanted = Wanted(programme, (person.id,), ask, start, rules=replace(rules, horizon_days=days))
    has_freed = leave_line(programme, person, also=ask, now=now)

    def take(choice: Choice, agent: AgentFacts) -> Visit:
        return open_visit(wanted, choice, agent, person, now=now)

    visit = settle(wanted, take, now=now)
    if has_freed:
        hours_opened(now=now)
    people.audit(person, f"visit.{visit.status}", f"visit:{visit.id}", {"again": True}, now=now)
    return visit
