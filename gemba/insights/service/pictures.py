"""Pictures of notes: taken in, shown to those who may read the note, forgotten with it."""

from collections.abc import Collection

from sqlalchemy import delete

from gemba.db import db
from gemba.insights.models import Picture


def forget(note_ids: Collection[int]) -> None:
    """Deletes the pictures of these notes."""
    db.session.execute(delete(Picture).where(Picture.observation_id.in_(note_ids)))
