"""Who is to be reminded of a visit, or asked how it went: worked out from how things stand.

Nothing is queued when a visit is booked. A look costs the same number of statements for one visit and for a
thousand; what was queued already is known by its key.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Row, select

from gemba.db import db
from gemba.invites.rules import Answer
from gemba.outbox.models import OutboxItem
from gemba.people.models import Person
from gemba.people.service.mail_choices import wants
from gemba.visits.models import Visit, VisitAnswer, VisitOutcome, VisitVisitor
from gemba.visits.rules import HAPPENING, Status
from gemba.visits.service.path import hosted
from gemba.visits.service.reading import with_people
from gemba.visits.timing import NUDGE_AFTER, Occasion, anchors, is_known, is_open, key, key_start

LONGEST = timedelta(days=1)
"""No visit lasts longer: visits are found by their start."""

Known = Row[int, datetime, datetime, datetime, int, int | None, int | None]
"""A visit's id, start, end, last change, agent, lead and mentor."""


@dataclass(frozen=True)
class Due:
    """A mail that may leave: for whom, about which visit, and on which occasion. `anchor` as in timing."""

    occasion: Occasion
    visit_id: int
    person_id: int
    anchor: datetime

    @property
    def key(self) -> str:
        """The dedup key."""
        return key(self.occasion, self.anchor, self.visit_id, self.person_id)


def due_mails(now: datetime, *, limit: int) -> list[Due]:
    """What may leave now and is not in the outbox yet, the earliest visits first."""
    found: list[Due] = []
    for occasion in Occasion:
        found += _due(occasion, now)
    return sorted(found, key=lambda due: (due.anchor, due.visit_id, due.person_id))[:limit]


def _due(occasion: Occasion, now: datetime) -> list[Due]:
    possible = _before(occasion, now) if occasion.is_reminder else _after(occasion, now)
    queued = set(_queued(occasion, now))
    left = [due for due in possible if due.key not in queued]
    willing = _reachable(wants({due.person_id for due in left}, occasion.kind)) if left else set()
    return [due for due in left if due.person_id in willing]


def _reachable(people: Collection[int]) -> set[int]:
    """Those to whom mail did not come back: what is sent there helps nobody and spoils the sender's name."""
    return set(
        db.session.scalars(select(Person.id).where(Person.id.in_(people), Person.bounced_at.is_(None)))
    )


def _before(occasion: Occasion, now: datetime) -> list[Due]:
    after, upto = anchors(occasion, now)
    conditions = (Visit.status == Status.BOOKED, Visit.starts_at > after, Visit.starts_at <= upto)
    rows = [row for row in _visits(*conditions) if is_known(occasion, row.starts_at, row.changed_at)]
    staying_away = _pairs(VisitAnswer, *conditions, VisitAnswer.answer == Answer.DECLINED)
    return [
        Due(occasion, row.id, person, row.starts_at)
        for row, people in _with_people(rows, conditions)
        for person in (*people, *([row.lead_id] if row.lead_id else []))
        if (row.id, person) not in staying_away
    ]


def _after(occasion: Occasion, now: datetime) -> list[Due]:
    after, upto = anchors(occasion, now)
    conditions = (
        Visit.status.in_(HAPPENING),
        Visit.starts_at > after - LONGEST,
        Visit.ends_at > after,
        Visit.ends_at <= upto,
    )
    answered = _pairs(VisitOutcome, *conditions)
    found = [
        Due(occasion, row.id, person, row.ends_at)
        for row, people in _with_people(_visits(*conditions), conditions)
        for person in people
        if (row.id, person) not in answered
    ]
    return found if occasion is Occasion.QUESTION else _asked_long_ago(found, now)


def _asked_long_ago(found: Iterable[Due], now: datetime) -> list[Due]:
    """Only who was asked is nudged, and not before they had their time."""
    asked = _queued(Occasion.QUESTION, now, Occasion.NUDGE)
    return [
        due
        for due in found
        if (at := asked.get(key(Occasion.QUESTION, due.anchor, due.visit_id, due.person_id))) is not None
        and at + NUDGE_AFTER <= now
    ]


def _visits(*conditions: ColumnElement[bool]) -> Sequence[Known]:
    return db.session.execute(
        select(
            Visit.id,
            Visit.starts_at,
            Visit.ends_at,
            Visit.changed_at,
            Visit.agent_id,
            Visit.lead_id,
            Visit.mentor_id,
        ).where(*conditions)
    ).all()


def _with_people(
    rows: Iterable[Known], conditions: Collection[ColumnElement[bool]]
) -> list[tuple[Known, list[int]]]:
    """Each visit with its agent, its mentor if it has one, and its visitors."""
    visitors: defaultdict[int, list[int]] = defaultdict(list)
    for visit_id, person_id in _pairs(VisitVisitor, *conditions):
        visitors[visit_id].append(person_id)
    return [
        (row, [row.agent_id, *([row.mentor_id] if row.mentor_id else []), *sorted(visitors[row.id])])
        for row in rows
    ]


def _pairs(
    model: type[VisitVisitor | VisitOutcome | VisitAnswer], *conditions: ColumnElement[bool]
) -> set[tuple[int, int]]:
    """Visits and people of which a table speaks."""
    query = select(model.visit_id, model.person_id).join(Visit, Visit.id == model.visit_id)
    return set(db.session.execute(query.where(*conditions)).tuples())


def _queued(occasion: Occasion, now: datetime, span_of: Occasion | None = None) -> Mapping[str, datetime]:
    """The keys of what was queued for the anchors that count now, and when."""
    after, upto = anchors(span_of or occasion, now)
    first, last = key_start(occasion, after), key_start(occasion, upto + timedelta(seconds=1))
    rows = db.session.execute(
        select(OutboxItem.dedup_key, OutboxItem.created_at).where(
            OutboxItem.dedup_key >= first, OutboxItem.dedup_key <= last
        )
    )
    return dict(rows.tuples().all())


def visits_and_people(due: Collection[Due]) -> tuple[dict[int, Visit], dict[int, Person]]:
    """What the mails are about, and to whom they go."""
    visits = db.session.scalars(
        with_people(select(Visit)).where(Visit.id.in_({each.visit_id for each in due}))
    )
    people = db.session.scalars(select(Person).where(Person.id.in_({each.person_id for each in due})))
    return {visit.id: visit for visit in visits}, {person.id: person for person in people}


def is_still_due(due: Due, sequence: int, *, now: datetime) -> bool:
    """Looks once more before a mail leaves: same visit, same hour, still taking part, willing, in time.

    A visit that changed since has told people so itself.
    """
    visit, person = db.session.get(Visit, due.visit_id), db.session.get(Person, due.person_id)
    if visit is None or person is None or not person.active or person.bounced_at is not None:
        return False
    holds = _is_awaited(visit, due, sequence) if due.occasion.is_reminder else _is_unanswered(visit, due)
    in_time = is_open(due.occasion, due.anchor, now)
    return holds and in_time and bool(wants([person.id], due.occasion.kind))


def _is_awaited(visit: Visit, due: Due, sequence: int) -> bool:
    same = (visit.status, visit.starts_at, visit.sequence) == (Status.BOOKED, due.anchor, sequence)
    answer = db.session.get(VisitAnswer, (visit.id, due.person_id))
    comes = answer is None or answer.answer != Answer.DECLINED
    return same and comes and due.person_id in {*_sides(visit), visit.lead_id}


def _is_unanswered(visit: Visit, due: Due) -> bool:
    happened = visit.status in HAPPENING and visit.ends_at == due.anchor
    answer = db.session.get(VisitOutcome, (visit.id, due.person_id))
    return happened and answer is None and due.person_id in _sides(visit)


def _sides(visit: Visit) -> set[int]:
    return {visit.agent_id, *hosted(visit)}
