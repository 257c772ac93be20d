"""What was said to be done and was seen again is open once more, with the new note as its evidence."""

from datetime import datetime

from gemba.db import db
from gemba.insights.models import Insight
from gemba.insights.rules.kinds import Status
from gemba.insights.service import telling
from gemba.insights.service.edit import remember
from gemba.insights.service.sight import readable_insight
from gemba.people.models import Person


def seen_again(insight_id: int, by: Person, *, now: datetime) -> Insight:
    """Opens the insight that speaks for this one if it is done; everyone behind it hears.

    The new evidence is recorded by the caller. Raises InsightNotFound.
    """
    insight = readable_insight(insight_id, by)
    insight = readable_insight(insight.root_id, by, lock=True)
    if insight.status != Status.DONE:
        return insight
    remember(insight, by, "status", insight.status, Status.NEW, "", now)
    remember(insight, by, "reopened", "", "1", "", now)
    insight.status, insight.own_status_id, insight.untouched = Status.NEW, None, False
    insight.version += 1
    insight.updated_at = now
    db.session.flush()
    telling.became(insight, by, telling.REOPENED, now=now)
    return insight
