"""Words that were struck out of notes: they leave what waits, and tickets that hold them are known.

What a tracker has is changed by the next export of the insight, which writes title and description anew.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import and_, select, update

from gemba.db import db
from gemba.insights.service import striking
from gemba.trackers.models import Claim, ExportItem
from gemba.trackers.rules.kinds import TicketState


@striking.elsewhere
def take_out(insight_ids: Collection[int], gone: Collection[str], now: datetime) -> None:
    """Takes the words out of prepared exports, and marks the tickets that were made with them."""
    if not gone:
        return
    query = select(ExportItem).where(ExportItem.insight_id.in_(insight_ids))
    for item in db.session.scalars(query).all():
        if item.payload:
            item.payload = striking.without(item.payload, gone)
    # What is leased may be on its way with the old words.
    untouched = and_(Claim.state == TicketState.QUEUED, Claim.lease_until.is_(None))
    db.session.execute(
        update(Claim)
        .where(Claim.insight_id.in_(insight_ids), Claim.linked.is_(False), ~untouched)
        .values(struck_at=now)
        .execution_options(synchronize_session="fetch")
    )
