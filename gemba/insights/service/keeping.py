"""Retention: after the months its programme names, a note loses its words and pictures and goes on counting.

The insight keeps its title and description, which are its own; its files go after the same months. That
something was noted, how bad it was and
where stays, so that every figure is the same before and after.
"""

from datetime import datetime, timedelta

from sqlalchemy import Select, delete, select

from gemba.db import db
from gemba.insights.models import Insight, NoteDraft, Observation, VisitFeedback, VisitWrap, WrapPick
from gemba.insights.service import files, index, pictures
from gemba.insights.service.counts import ROOT
from gemba.programmes.models import Programme
from gemba.visits.models import Visit, VisitDebrief

MONTH = timedelta(days=365.25 / 12)
AT_ONCE = 300


def drop_old(now: datetime) -> int:
    """Drops words and pictures that were kept long enough; says of how many notes. The rest comes later."""
    dropped = 0
    for programme in db.session.scalars(select(Programme).where(Programme.keep_months > 0)).all():
        before = now - MONTH * programme.keep_months
        dropped += _drop(programme.id, before, now, AT_ONCE - dropped)
        files.forget(programme.id, before)
    return dropped


def _drop(programme_id: int, before: datetime, now: datetime, most: int) -> int:
    old = select(Visit.id).where(Visit.programme_id == programme_id, Visit.ends_at < before)
    notes = db.session.scalars(
        select(Observation)
        .where(Observation.visit_id.in_(old), Observation.dropped_at.is_(None))
        .order_by(Observation.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()
    for note in notes:
        note.text = note.verbatim = note.workaround = note.tags = ""
        note.dropped_at = now
    _forget_beside(old)
    pictures.forget([note.id for note in notes])
    db.session.flush()
    ids = {note.insight_id for note in notes if note.insight_id is not None}
    for root in db.session.scalars(select(ROOT).where(Insight.id.in_(ids)).distinct()).all():
        index.reindex(root)
    return len(notes)


def _forget_beside(old: Select[int]) -> None:
    """Wrap-ups, debriefs, words of thanks and drafts of the same visits."""
    for table in (WrapPick, VisitWrap, VisitFeedback, VisitDebrief, NoteDraft):
        db.session.execute(
            delete(table).where(table.visit_id.in_(old)).execution_options(synchronize_session=False)
        )
