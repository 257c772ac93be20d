"""Pictures of notes and files of insights (files.py): kept, shown to those who may read what they are of.

A file is written before its row is committed and deleted by a later sweep: no row ever lacks its file.
"""

import os
import re
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, func, select
from sqlalchemy.orm import joinedload

from gemba.config import current_settings
from gemba.db import db
from gemba.errors import Invalid
from gemba.insights.errors import PictureNotFound, TooManyPictures
from gemba.insights.models import Insight, Observation, Picture
from gemba.insights.rules.documents import SUFFIXES
from gemba.insights.rules.images import BadPicture, Clean, clean
from gemba.insights.rules.kinds import Standing
from gemba.insights.service.sight import readable
from gemba.people.models import Person
from gemba.visits import service as visits
from gemba.visits.models import Visit

NOTE_MOST = 5
VISIT_MOST = 60
ORPHAN_AFTER = timedelta(hours=1)
REMOVED_AFTER = timedelta(hours=24)
"""So long can a file of an insight that was removed be brought back."""
NAME = re.compile(rf"[0-9a-f]{{2}}/[0-9a-f]{{32}}\.(?:{'|'.join(SUFFIXES.values())})")


def folder() -> Path:
    """Where the files are."""
    return current_settings().uploads


def add(note: Observation, author: Person, data: bytes, *, now: datetime) -> Picture:
    """Adds a picture to the author's own note. Raises Invalid for the field `picture`, TooManyPictures."""
    if _count(Picture.observation_id == note.id) >= NOTE_MOST:
        raise TooManyPictures
    in_visit = Picture.observation_id.in_(
        select(Observation.id).where(
            Observation.visit_id == note.visit_id, Observation.author_id == author.id
        )
    )
    if _count(in_visit) >= VISIT_MOST:
        raise TooManyPictures
    try:
        made = clean(data)
    except BadPicture as bad:
        raise Invalid({"picture": [str(bad)]}) from bad
    return keep(made, author, now, observation_id=note.id)


def keep(
    made: Clean,
    author: Person,
    now: datetime,
    *,
    observation_id: int | None = None,
    insight_id: int | None = None,
    name: str = "",
) -> Picture:
    """Writes the file and its row, of a note or of an insight."""
    random = secrets.token_hex(16)
    file = f"{random[:2]}/{random}.{SUFFIXES[made.media]}"
    _write(folder() / file, made.data)
    picture = Picture(
        observation_id=observation_id,
        insight_id=insight_id,
        author_id=author.id,
        file=file,
        name=name,
        media=made.media,
        width=made.width,
        height=made.height,
        size=len(made.data),
        created_at=now,
    )
    db.session.add(picture)
    db.session.flush()
    return picture


def _count(condition: object) -> int:
    query = select(func.count()).select_from(Picture).where(condition)  # type: ignore[arg-type]
    return db.session.scalar(query) or 0


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def get(viewer: Person, picture_id: int) -> tuple[Picture, bytes]:
    """A picture or file and its bytes, for whoever may read what it is of. Raises PictureNotFound."""
    picture = db.session.scalar(
        select(Picture)
        .where(Picture.id == picture_id)
        .options(joinedload(Picture.observation).joinedload(Observation.visit).selectinload(Visit.visitors))
    )
    if picture is None or not _may_see_it(viewer, picture):
        raise PictureNotFound
    try:
        return picture, (folder() / picture.file).read_bytes()
    except OSError as error:
        raise PictureNotFound from error


def _may_see_it(viewer: Person, picture: Picture) -> bool:
    if picture.observation is not None:
        return _may_see(viewer, picture.observation)
    query = select(Insight.id).where(Insight.id == picture.insight_id, readable(viewer))
    return picture.removed_at is None and db.session.scalar(query) is not None


def _may_see(viewer: Person, note: Observation) -> bool:
    """Those who sat in the visit see every note that stands; others what is published."""
    if note.removed_at is not None:
        return note.author_id == viewer.id
    if visits.is_participant(note.visit, viewer):
        return True
    if note.standing != Standing.PUBLISHED or note.insight_id is None:
        return False
    query = select(Insight.id).where(Insight.id == note.insight_id, readable(viewer))
    return db.session.scalar(query) is not None


def remove(author: Person, picture_id: int) -> Picture:
    """Deletes the author's own picture of a note. Raises PictureNotFound."""
    picture = db.session.get(Picture, picture_id)
    if picture is None or picture.observation_id is None or picture.author_id != author.id:
        raise PictureNotFound
    db.session.delete(picture)
    db.session.flush()
    return picture


def forget(note_ids: Collection[int]) -> None:
    """Deletes the pictures of these notes; their files follow with the next sweep."""
    db.session.execute(delete(Picture).where(Picture.observation_id.in_(note_ids)))


def sweep(now: datetime) -> None:
    """Deletes files that no row names, once they are an hour old: nobody is just adding them.

    Rows of insights' files that were removed long enough ago go first.
    """
    db.session.execute(delete(Picture).where(Picture.removed_at < now - REMOVED_AFTER))
    root = folder()
    if not root.is_dir():
        return
    known = set(db.session.scalars(select(Picture.file)))
    for path in root.glob("*/*"):
        name = path.relative_to(root).as_posix()
        if name not in known and path.stat().st_mtime < (now - ORPHAN_AFTER).timestamp():
            path.unlink(missing_ok=True)
