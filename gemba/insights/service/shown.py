"""Files of insights that may leave the house: those of insights that everybody may read.

Their own, and the pictures of their published notes.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, and_, func, select, union_all

from gemba.db import db
from gemba.insights.models import Insight, Observation, Picture
from gemba.insights.rules.kinds import Standing
from gemba.insights.service.pictures import folder
from gemba.insights.service.sight import COUNTED, PUBLIC

PART = 500
_OUT: ColumnElement[bool] = and_(COUNTED, PUBLIC, Observation.standing == Standing.PUBLISHED)
_OWN_OUT: ColumnElement[bool] = and_(PUBLIC, Picture.removed_at.is_(None))


def pictures_of(roots: Sequence[int]) -> dict[int, list[int]]:
    """The ids of the pictures and files of insights and of all merged into them, oldest first, by the insight
    that speaks."""
    found: dict[int, list[int]] = defaultdict(list)
    speaks = func.coalesce(Insight.merged_into_id, Insight.id)
    for start in range(0, len(roots), PART):
        some = speaks.in_(roots[start : start + PART])
        noted = (
            select(speaks.label("root"), Picture.id.label("id"))
            .join(Observation, Observation.insight_id == Insight.id)
            .join(Picture, Picture.observation_id == Observation.id)
            .where(some, _OUT)
        )
        own = (
            select(speaks.label("root"), Picture.id.label("id"))
            .join(Picture, Picture.insight_id == Insight.id)
            .where(some, _OWN_OUT)
        )
        every = union_all(noted, own).subquery()
        for root, picture in db.session.execute(select(every.c.root, every.c.id).order_by(every.c.id)):
            found[root].append(picture)
    return found


def may_leave(picture_ids: Collection[int]) -> set[int]:
    """Those of these pictures and files that may still leave."""
    noted = (
        select(Picture.id)
        .join(Observation, Observation.id == Picture.observation_id)
        .join(Insight, Insight.id == Observation.insight_id)
        .where(Picture.id.in_(picture_ids), _OUT)
    )
    own = (
        select(Picture.id)
        .join(Insight, Insight.id == Picture.insight_id)
        .where(Picture.id.in_(picture_ids), _OWN_OUT)
    )
    return set(db.session.scalars(union_all(noted, own)))


def documents_among(picture_ids: Collection[int]) -> dict[int, str]:
    """The names of those that are no pictures, by id."""
    query = select(Picture.id, Picture.name).where(
        Picture.id.in_(picture_ids), Picture.media.not_like("image/%")
    )
    return dict(db.session.execute(query).tuples().all())


def content_of(file: str) -> bytes | None:
    """The bytes of a file, None where it is gone."""
    try:
        return (folder() / file).read_bytes()
    except OSError:
        return None
