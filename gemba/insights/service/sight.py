"""Who may read an insight, and which notes count: the one place that decides, for pages, calls and mails.

Everyone signed in reads the backlog. Only those who sit in a visit see what its agent has not reviewed yet.
"""

from functools import lru_cache

from sqlalchemy import BindParameter, ColumnElement, Integer, and_, bindparam, or_, select, union_all
from sqlalchemy.orm import aliased

from gemba.db import db
from gemba.insights.errors import InsightNotFound
from gemba.insights.models import Insight, Observation
from gemba.insights.rules.kinds import Standing
from gemba.people.models import Person
from gemba.visits.models import Visit, VisitVisitor

_UNDER = aliased(Insight)

PUBLIC: ColumnElement[bool] = Insight.review_visit_id.is_(None)
"""SQL, on Insight: everybody may read it."""

COUNTED: ColumnElement[bool] = and_(
    Observation.removed_at.is_(None),
    or_(
        Observation.standing == Standing.PUBLISHED,
        and_(
            Observation.standing == Standing.FRESH,
            select(_UNDER.id)
            .where(_UNDER.id == Observation.insight_id, _UNDER.review_visit_id.is_not(None))
            .correlate(Observation)
            .exists(),
        ),
    ),
)
"""SQL, on Observation: it stands and is evidence for all who may read its insight."""


def _readable_by(viewer_id: int | BindParameter[int]) -> ColumnElement[bool]:
    sat_in = union_all(
        select(VisitVisitor.visit_id).where(VisitVisitor.person_id == viewer_id),
        select(Visit.id).where(Visit.agent_id == viewer_id),
        select(Visit.id).where(Visit.lead_id == viewer_id),
        select(Visit.id).where(Visit.mentor_id == viewer_id),
    )
    return or_(PUBLIC, Insight.review_visit_id.in_(sat_in))


READABLE: ColumnElement[bool] = _readable_by(bindparam("viewer_id", type_=Integer))
"""SQL, on Insight: readable() for whoever is given as `viewer_id` when a statement is executed."""


def readable(viewer: Person) -> ColumnElement[bool]:
    """SQL, on Insight: this person may read it."""
    return _readable(viewer.id)


_readable = lru_cache(maxsize=512)(_readable_by)


def readable_insight(insight_id: int, viewer: Person, *, lock: bool = False) -> Insight:
    """The insight as it is now, for somebody who may read it. Raises InsightNotFound."""
    query = select(Insight).where(Insight.id == insight_id, readable(viewer))
    if lock:
        query = query.with_for_update(of=Insight).execution_options(populate_existing=True)
    insight = db.session.scalar(query)
    if insight is None:
        raise InsightNotFound
    return insight
