"""When an export has nothing left to send, its end is written down, once, and told to who wants to hear."""

from datetime import datetime

from sqlalchemy import func, select

from gemba.config import current_settings
from gemba.db import db
from gemba.trackers.models import Export, ExportItem
from gemba.trackers.rules.kinds import ItemState
from gemba.webhooks import service as webhooks
from gemba.webhooks.rules import Event


def finish(tracker_id: int, now: datetime) -> None:
    """Ends the exports of a tracker whose items are all settled."""
    pending = select(ExportItem.id).where(
        ExportItem.export_id == Export.id, ExportItem.state == ItemState.PENDING
    )
    ended = db.session.scalars(
        select(Export)
        .where(
            Export.tracker_id == tracker_id,
            Export.dry.is_(False),
            Export.finished_at.is_(None),
            ~pending.exists(),
        )
        .with_for_update()
    ).all()
    for export in ended:
        export.finished_at = now
        counts = dict(
            db.session.execute(
                select(ExportItem.state, func.count())
                .where(ExportItem.export_id == export.id)
                .group_by(ExportItem.state)
            )
            .tuples()
            .all()
        )
        data = {
            "id": export.id,
            "tracker": tracker_id,
            "done": counts.get(ItemState.DONE, 0),
            "failed": counts.get(ItemState.FAILED, 0),
            "url": f"{current_settings().base_url}/exports/{export.id}",
        }
        webhooks.tell(Event.EXPORT_FINISHED, str(export.id), data, now=now)
    db.session.flush()
