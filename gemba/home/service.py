"""What one person should see first, in a constant number of statements."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.orm import contains_eager

from gemba.db import db
from gemba.insights.models import Insight, Observation
from gemba.insights.rules.kinds import Triage
from gemba.insights.service import asks, reviewing
from gemba.insights.service.sight import COUNTED, readable
from gemba.insights.service.triage import count as waiting_for_triage
from gemba.outbox.models import OutboxItem
from gemba.outbox.rules import State
from gemba.people.models import Person
from gemba.people.rules import Role
from gemba.programmes import doors
from gemba.programmes.models import Programme
from gemba.rounds.models import Round, RoundSignUp
from gemba.rounds.service import cadence
from gemba.schedule.models import Availability
from gemba.visits import service as visits
from gemba.visits.models import Visit, VisitOutcome, VisitVisitor
from gemba.visits.rules import OUTCOME_ASKED_AFTER, Status

ASK_FOR = timedelta(days=30)
AT_ONCE = 20
"""So many open rounds are looked through for one that is open to somebody."""
MONTH = timedelta(days=365.25 / 12)


@dataclass(frozen=True)
class Due:
    """When a visitor should come back: days since the last visit of so many in between."""

    last: datetime | None
    due: datetime | None
    passed_days: int
    whole_days: int
    slug: str


@dataclass(frozen=True)
class Waiting:
    """What waits for this person."""

    open: list[Visit]
    invites: list[Visit]
    proposals: list[Visit]
    outcomes: list[Visit]
    reviews: list[tuple[Visit, datetime]]
    triage: int
    dead_mail: int
    no_hours: bool
    zone: bool


@dataclass(frozen=True)
class Came:
    """One insight that this person's notes support."""

    insight: Insight
    notes: int


@dataclass(frozen=True)
class Heads:
    """The departments somebody heads, and the programme that asks people back first, "" where none does."""

    departments: list[str]
    slug: str


@dataclass(frozen=True)
class Home:
    """Everything the home page shows. `asks` of a lead: how many stand, how many of these are open."""

    next_visit: Visit | None
    due: Due | None
    waiting: Waiting
    came: list[Came]
    round: Round | None
    signed_up: bool
    asks: tuple[int, int] | None
    heads: Heads | None


def home(person: Person, *, now: datetime) -> Home:
    """What this person should see first."""
    coming = visits.list_visits(person, since=now, statuses=[Status.BOOKED], mine=True, limit=1)
    current = _open_round(person, now)
    return Home(
        next_visit=coming[0] if coming else None,
        due=_due(person, now) if person.has(Role.VISITOR) else None,
        waiting=_waiting(person, now),
        came=_came(person),
        round=current,
        asks=asks.mine(person) if person.has(Role.LEAD) else None,
        heads=_heads(person),
        signed_up=current is not None and db.session.get(RoundSignUp, (current.id, person.id)) is not None,
    )


def _open_round(person: Person, now: datetime) -> Round | None:
    """The first to close of the rounds that are open to somebody."""
    rounds = db.session.scalars(
        select(Round)
        .join(Round.programme)
        .where(Round.opens_at <= now, Round.closes_at > now, Programme.active)
        .order_by(Round.closes_at, Round.id)
        .options(contains_eager(Round.programme))
        .limit(AT_ONCE)
    ).all()
    open_to = {each.id for each in doors.for_person([each.programme for each in rounds], person)}
    return next((each for each in rounds if each.programme_id in open_to), None)


def _heads(person: Person) -> Heads | None:
    departments = cadence.headed_by(person)
    if not departments:
        return None
    back = select(Programme.slug).where(Programme.active, Programme.return_after_months > 0)
    return Heads(sorted(departments), db.session.scalar(back.order_by(Programme.id).limit(1)) or "")


def _due(person: Person, now: datetime) -> Due | None:
    last = db.session.scalar(
        select(func.max(Visit.starts_at))
        .join(VisitVisitor, VisitVisitor.visit_id == Visit.id)
        .where(VisitVisitor.person_id == person.id, Visit.status == Status.HELD)
    )
    row = db.session.execute(
        select(Programme.return_after_months, Programme.slug)
        .where(Programme.active)
        .order_by(Programme.id)
        .limit(1)
    ).one_or_none()
    if row is None or not row[0]:
        return None
    months, slug = row
    whole = (MONTH * months).days
    if last is None:
        return Due(None, None, 0, whole, slug)
    return Due(last, last + MONTH * months, (now - last).days, whole, slug)


def _waiting(person: Person, now: datetime) -> Waiting:
    triage = dead = 0
    no_hours = False
    reviews: list[tuple[Visit, datetime]] = []
    if person.has(Role.OWNER, Role.ADMIN):
        triage = waiting_for_triage(Triage.INBOX)
    if person.has(Role.ADMIN):
        dead = _count(OutboxItem, OutboxItem.state == State.DEAD)
    if person.has(Role.AGENT, Role.MENTOR):
        no_hours = db.session.get(Availability, person.id) is None
    if person.has(Role.AGENT):
        reviews = reviewing.to_review(person, now)
    return Waiting(
        open=_open(person, now),
        invites=visits.unanswered_invites(person, now=now),
        proposals=visits.open_proposals(person, now=now),
        outcomes=_unanswered(person, now),
        reviews=reviews,
        triage=triage,
        dead_mail=dead,
        no_hours=no_hours,
        zone=not person.timezone_confirmed,
    )


def _count(model: type[Insight] | type[OutboxItem], *conditions: object) -> int:
    return db.session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0  # type: ignore[arg-type]


def _open(person: Person, now: datetime) -> list[Visit]:
    """Requests this person may answer or waits for, and hours held for them."""
    statuses = [Status.REQUESTED, Status.OFFERED]
    found = visits.list_visits(person, since=now, statuses=statuses, limit=10)
    return [visit for visit in found if visit.status == Status.REQUESTED or person in visit.visitors]


def _unanswered(person: Person, now: datetime) -> list[Visit]:
    answered = exists().where(VisitOutcome.visit_id == Visit.id, VisitOutcome.person_id == person.id)
    query = visits.visits_of(person).where(
        Visit.status == Status.BOOKED,
        Visit.starts_at < now - OUTCOME_ASKED_AFTER,
        Visit.ends_at < now,
        Visit.starts_at > now - ASK_FOR,
        ~answered,
    )
    return list(db.session.scalars(query.order_by(Visit.starts_at.desc()).limit(3)))


def _came(person: Person) -> list[Came]:
    notes = func.count(Observation.id)
    rows = db.session.execute(
        select(Insight, notes)
        .join(Observation, Observation.insight_id == Insight.id)
        .where(Observation.author_id == person.id, COUNTED, readable(person))
        .group_by(Insight.id)
        .order_by(Insight.updated_at.desc(), Insight.id.desc())
        .limit(5)
    )
    return [Came(insight, count) for insight, count in rows]
