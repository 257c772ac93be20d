"""Figures for whoever watches over Gemba."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from gemba.db import db
from gemba.outbox import service as outbox
from gemba.outbox.claims import database_now
from gemba.visits.models import Visit
from gemba.visits.rules import Status


@dataclass(frozen=True)
class Figures:
    """How outbox and visits stand. `oldest` and `silent` are seconds: the longest that a due message
    waits (0 where none does) and since a worker was seen (None where none ever was)."""

    outbox: Mapping[str, int]
    oldest: float
    silent: float | None
    visits: Mapping[str, int]


def figures(now: datetime) -> Figures | None:
    """The figures, None where the database does not answer."""
    try:
        waiting = outbox.waiting(database_now() or now)
        counted = dict(
            db.session.execute(select(Visit.status, func.count()).group_by(Visit.status)).tuples().all()
        )
    except SQLAlchemyError:
        db.session.rollback()
        return None
    return Figures(
        outbox={state.value: count for state, count in waiting.counts.items()},
        oldest=waiting.oldest.total_seconds() if waiting.oldest else 0.0,
        silent=waiting.silent.total_seconds() if waiting.silent else None,
        visits={status.value: counted.get(status.value, 0) for status in Status},
    )
