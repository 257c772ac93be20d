"""How far notes have come: fresh until the visit's agent has looked at them or the time is over.

Then they are published.

Words that nobody but those in the visit may read yet make an insight that nobody else sees
(`Insight.review_visit_id`).
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update

from gemba.db import db
from gemba.insights.models import Insight, Observation, VisitReview
from gemba.insights.rules.kinds import Standing
from gemba.insights.service import index
from gemba.insights.service.counts import ROOT
from gemba.insights.service.events import created
from gemba.people.models import Person
from gemba.programmes import service as programmes
from gemba.visits.models import Visit

AT_ONCE = 500
"""So many notes are published in one transaction; the rest at the next tick."""


def lacks_consent(visit: Visit, person: Person) -> bool:
    """Whether this visitor has not yet confirmed what the programme asks of its visitors."""
    is_visitor = person.id in {visitor.id for visitor in visit.visitors}
    return is_visitor and not programmes.has_confirmed(visit.programme_id, person.id)


def confirm_consent(viewer: Person, visit: Visit, now: datetime) -> None:
    """Notes that a visitor of this visit confirms what its programme asks. Nothing happens for others."""
    if lacks_consent(visit, viewer):
        programmes.confirm(visit.programme, viewer, now=now)


def await_review(note: Observation, visit: Visit, now: datetime) -> None:
    """New or changed words wait for the agent, unless the programme publishes at once.

    What the agent keeps private stays so, whatever its author makes of it.
    """
    hours = visit.programme.review_hours
    if not hours or note.standing == Standing.PRIVATE:
        return
    note.standing, note.verdict, note.reviewed_at = Standing.FRESH, "", None
    note.review_until = max(visit.ends_at, now) + timedelta(hours=hours)
    if note.insight_id is not None:
        db.session.execute(
            update(Insight)
            .where(Insight.id == note.insight_id, Insight.untouched)
            .values(review_visit_id=visit.id)
        )


def publish(notes: Sequence[Observation], now: datetime) -> None:
    """Lets everyone read these notes and the insights they made."""
    insight_ids = set()
    for note in notes:
        if note.standing == Standing.FRESH:
            note.standing, note.review_until = Standing.PUBLISHED, None
            insight_ids.add(note.insight_id)
    _reveal({id_ for id_ in insight_ids if id_ is not None}, now)


def _reveal(insight_ids: Collection[int], now: datetime) -> None:
    """Insights stay hidden only while all they hold is of visits under review."""
    if not insight_ids:
        return
    db.session.flush()
    hidden = db.session.scalars(
        select(Insight.id).where(Insight.id.in_(insight_ids), Insight.review_visit_id.is_not(None))
    ).all()
    created(hidden, now)
    db.session.execute(
        update(Insight)
        .where(Insight.id.in_(insight_ids))
        .values(review_visit_id=None)
        .execution_options(synchronize_session="fetch")
    )
    for root in db.session.scalars(
        select(ROOT).where(Insight.id.in_(insight_ids)).distinct().order_by(ROOT)
    ).all():
        index.reindex(root)


def publish_due(now: datetime) -> int:
    """Publishes the notes whose time for review is over; says how many."""
    due = db.session.scalars(
        select(Observation)
        .where(Observation.review_until <= now)
        .order_by(Observation.id)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    publish(due, now)
    return len(due)


def review_row(visit_id: int) -> VisitReview:
    """The row that says how far a review has come, made where there is none."""
    row = db.session.get(VisitReview, visit_id)
    if row is None:
        row = VisitReview(visit_id=visit_id)
        db.session.add(row)
        db.session.flush()
    return row
