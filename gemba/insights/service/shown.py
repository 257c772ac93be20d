"""Pictures that may leave the house: those of published notes of insights that everybody may read."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, and_, func, select

from gemba.db import db
from gemba.insights.models import Insight, Observation, Picture
from gemba.insights.rules.kinds import Standing
from gemba.insights.service.pictures import folder
from gemba.insights.service.sight import COUNTED, PUBLIC

PART = 500
_OUT: ColumnElement[bool] = and_(COUNTED, PUBLIC, Observation.standing == Standing.PUBLISHED)


def pictures_of(roots: Sequence[int]) -> dict[int, list[int]]:
    """The ids of the pictures of insights and of all merged into them, oldest first, by the insight that
    speaks."""
    found: dict[int, list[int]] = defaultdict(list)
    speaks = func.coalesce(Insight.merged_into_id, Insight.id)
    for start in range(0, len(roots), PART):
        rows = db.session.execute(
            select(speaks, Picture.id)
            .join(Observation, Observation.insight_id == Insight.id)
            .join(Picture, Picture.observation_id == Observation.id)
            .where(speaks.in_(roots[start : start + PART]), _OUT)
            .order_by(Picture.id)
        )
        for root, picture in rows:
            found[root].append(picture)
    return found


def may_leave(picture_ids: Collection[int]) -> set[int]:
    """Those of these pictures that may still leave."""
    return set(
        db.session.scalars(
            select(Picture.id)
            .join(Observation, Observation.id == Picture.observation_id)
            .join(Insight, Insight.id == Observation.insight_id)
            .where(Picture.id.in_(picture_ids), _OUT)
        )
    )


def content_of(file: str) -> bytes | None:
    """The bytes of a picture's file, None where it is gone."""
    try:
        return (folder() / file).read_bytes()
    except OSError:
        return None
