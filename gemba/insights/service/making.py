"""Insights written by hand: new ones, and words that turn out to be somebody's already."""

from collections.abc import Mapping
from datetime import datetime

from gemba.db import db
from gemba.errors import Forbidden
from gemba.insights.errors import InsightNotFound, NoSuchTarget
from gemba.insights.models import Insight
from gemba.insights.rules.kinds import Status
from gemba.insights.service import fields, index, talk
from gemba.insights.service.edit import may_edit, remember, vote
from gemba.insights.service.events import created
from gemba.people.models import Person


def make(viewer: Person, given: Mapping[str, object], *, now: datetime) -> Insight:
    """A new insight of these fields.FIELDS, which nothing supports yet. Raises Forbidden, Invalid."""
    if not may_edit(viewer):
        raise Forbidden
    wanted = fields.clean(given)
    fields.check({"title": "", **wanted}, "")
    insight = Insight(
        **{"status": Status.NEW, **wanted}, created_by_id=viewer.id, created_at=now, updated_at=now
    )
    db.session.add(insight)
    db.session.flush()
    remember(insight, viewer, "made", None, None, "", now)
    index.reindex(insight.id)
    created([insight.id], now)
    return insight


def same_as(insight_id: int, viewer: Person, words: str, *, now: datetime) -> Insight:
    """Says "me too" to an insight that is there already, with the words somebody wrote as a comment.

    Evidence comes from visits alone. Returns the insight that speaks for it.
    Raises NoSuchTarget, Forbidden, Invalid.
    """
    if not may_edit(viewer):
        raise Forbidden
    try:
        insight = vote(insight_id, viewer, now=now)
    except InsightNotFound as error:
        raise NoSuchTarget("insight") from error
    talk.say(insight.id, viewer, words, now=now)
    return insight
