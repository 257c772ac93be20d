"""Files of insights: added and removed by whoever may edit, read by whoever may read the insight.

Rows stay with the insight they were added to; the survivor of a merge shows those of its whole family, so
taking one out again takes its files along. A removed file can be brought back for a day.
"""

import re
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import joinedload

from gemba.db import db
from gemba.errors import Forbidden, Invalid
from gemba.insights.errors import InsightNotFound, PictureNotFound, TooManyFiles
from gemba.insights.models import Insight, Picture
from gemba.insights.rules.documents import name_of, taken
from gemba.insights.rules.images import BadPicture, Clean
from gemba.insights.rules.sentences import scrubbed
from gemba.insights.service import pictures
from gemba.insights.service.counts import family_of
from gemba.insights.service.edit import locked, may_edit, remember
from gemba.insights.service.sight import readable_insight
from gemba.people.models import Person

MOST = 20
"""So many files an insight takes."""
FIELD = "file"


def read(data: bytes, name: str) -> Clean:
    """A file as it will be kept, before anything is written. Raises Invalid for the field `file`."""
    try:
        return taken(data, name)
    except BadPicture as bad:
        raise Invalid({FIELD: [str(bad)]}) from bad


def may_add(insight_id: int, viewer: Person) -> None:
    """Refuses before anything is read. Raises InsightNotFound, Forbidden."""
    readable_insight(insight_id, viewer)
    if not may_edit(viewer):
        raise Forbidden


def add(insight_id: int, viewer: Person, made: Clean, name: str, *, now: datetime) -> Picture:
    """Adds a file to an insight. Raises InsightNotFound, Forbidden, TooManyFiles."""
    insight = locked(insight_id, viewer)
    standing = select(func.count()).where(Picture.insight_id == insight.id, Picture.removed_at.is_(None))
    if (db.session.scalar(standing) or 0) >= MOST:
        raise TooManyFiles
    row = pictures.keep(made, viewer, now, insight_id=insight.id, name=name_of(name, made.media))
    _note(insight, viewer, None, row.name, now)
    return row


def remove(picture_id: int, viewer: Person, *, now: datetime) -> Picture:
    """Removes a file; restore() brings it back. Raises PictureNotFound, Forbidden."""
    row, insight = _of_editor(picture_id, viewer, removed=False)
    row.removed_at = now
    _note(insight, viewer, row.name, None, now)
    return row


def restore(picture_id: int, viewer: Person, *, now: datetime) -> Picture:
    """Brings a removed file back. Raises PictureNotFound, Forbidden, TooManyFiles."""
    row, insight = _of_editor(picture_id, viewer, removed=True)
    row.removed_at = None
    _note(insight, viewer, None, row.name, now)
    return row


def of(insight_id: int) -> list[Picture]:
    """The files of an insight and of all merged into it, oldest first; one statement."""
    return list(
        db.session.scalars(
            select(Picture)
            .where(Picture.insight_id.in_(family_of([insight_id])), Picture.removed_at.is_(None))
            .options(joinedload(Picture.author))
            .order_by(Picture.id)
        )
    )


def listed(insight_id: int, viewer: Person) -> list[Picture]:
    """The same for somebody who may read the insight. Raises InsightNotFound."""
    return of(readable_insight(insight_id, viewer).id)


def one_of(insight_id: int, viewer: Person, picture_id: int) -> Picture:
    """One of them. Raises InsightNotFound, PictureNotFound."""
    for row in listed(insight_id, viewer):
        if row.id == picture_id:
            return row
    raise PictureNotFound


def scrub(insight_ids: Collection[int], gone: Collection[str]) -> None:
    """Takes words that were struck out of the names of files, and the texts that hold them away.

    Nobody can look into pictures and PDFs for words: whoever adds these answers for them.
    """
    rows = db.session.scalars(select(Picture).where(Picture.insight_id.in_(insight_ids))).all()
    for row in rows:
        stem, dot, end = row.name.rpartition(".")
        row.name = (scrubbed(stem, gone).strip() or "file") + dot + end
        if row.media.startswith("text/") and _holds(row.file, gone):
            db.session.delete(row)


def _holds(file: str, gone: Collection[str]) -> bool:
    try:
        text = " ".join((pictures.folder() / file).read_text("utf-8").split()).casefold()
    except OSError:
        return False
    said = (" ".join(words.split()).casefold() for words in gone)
    return any(re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text) for words in said if words)


def forget(programme_id: int, before: datetime) -> None:
    """Drops the files that insights of a programme have had since before then."""
    of_it = select(Insight.id).where(Insight.programme_id == programme_id)
    db.session.execute(
        delete(Picture)
        .where(Picture.insight_id.in_(of_it), Picture.created_at < before)
        .execution_options(synchronize_session=False)
    )


def _of_editor(picture_id: int, viewer: Person, *, removed: bool) -> tuple[Picture, Insight]:
    row = db.session.get(Picture, picture_id)
    if row is None or row.insight_id is None or (row.removed_at is not None) is not removed:
        raise PictureNotFound
    try:
        return row, locked(row.insight_id, viewer)
    except InsightNotFound as error:
        raise PictureNotFound from error


def _note(insight: Insight, viewer: Person, before: str | None, after: str | None, now: datetime) -> None:
    remember(insight, viewer, FIELD, before, after, "", now)
    # Nobody's words changed: who is just editing them need not look again.
    insight.untouched, insight.updated_at = False, now
    db.session.flush()
