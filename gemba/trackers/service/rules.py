"""Export by rule: open insights whose score reaches a tracker's mark go there by themselves, once."""

from datetime import datetime

from sqlalchemy import select

from gemba.config import current_settings
from gemba.db import db
from gemba.errors import Refused
from gemba.insights import service as insights
from gemba.insights.rules.filters import InsightFilter
from gemba.insights.rules.kinds import OPEN_STATUSES
from gemba.people.models import Person
from gemba.trackers.models import Claim, Connection
from gemba.trackers.service import connections, exports

MOST = 200


def address_of(insight_id: int) -> str:
    """An insight's address outside."""
    return f"{current_settings().base_url}/insights/{insight_id}"


def apply(now: datetime) -> int:
    """Begins the exports that rules ask for; says how many insights."""
    query = select(Connection).where(Connection.rule_score.is_not(None), Connection.trouble == "")
    count = 0
    for row in db.session.scalars(query).all():
        owner = db.session.get_one(Person, row.created_by_id)
        if not owner.active or not connections.may_export(owner):
            continue
        ids = _reaching(row, owner, now)
        if not ids:
            continue
        try:
            exports.start(row.id, owner, ids, url_of=address_of, now=now)
        except Refused:
            continue  # its page says what is missing
        count += len(ids)
    return count


def _reaching(row: Connection, owner: Person, now: datetime) -> list[int]:
    known = set(db.session.scalars(select(Claim.insight_id).where(Claim.tracker_id == row.id)))
    found: list[int] = []
    cursor = None
    while len(found) < MOST:
        page = insights.list_insights(
            InsightFilter(statuses=OPEN_STATUSES), owner, cursor=cursor, limit=200, now=now
        )
        for item in page.items:
            # By score, highest first: from here on none reaches the mark.
            if item.score is None or item.score.score < (row.rule_score or 0):
                return found[:MOST]
            if item.insight.id not in known:
                found.append(item.insight.id)
        cursor = page.next
        if cursor is None:
            break
    return found[:MOST]
