"""Insights whose titles mean much the same, where an encoder is installed; without one nothing here asks.

Vectors are made by the worker, of titles everybody may read, and never leave the database but for the memory
of a process that compares them: no page, call, file or mail has them. Whether a near one may be shown is for
the database to say each time, with the title as it is now: an old vector finds nothing.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, delete, func, insert, or_, select, union_all

from gemba.db import db, reading
from gemba.insights import encoders
from gemba.insights.models import Insight
from gemba.insights.models_backlog import InsightVector
from gemba.insights.rules.terms import query_terms
from gemba.insights.service.sight import PUBLIC, readable
from gemba.outbox.kinds import Ending
from gemba.people.models import Person

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FLOOR = 0.4
"""Cosine below which titles have nothing to do with each other; one unrelated pair in seventy is above."""
AT_ONCE = 500
ROWS_MAX = 100_000
WHOLE_EVERY = timedelta(hours=1)
"""How long a process may remember vectors that are gone from the database."""
MARGIN = timedelta(minutes=5)
"""Longer than any transaction: what was written this long before a vector was made, it may not have seen."""
_CHUNK = 8192
_SHARPEST = 127


@dataclass(frozen=True)
class Held:
    """The vectors a process remembers, as of the newest of them; `whole_at`: when all were read."""

    model: str
    ids: "NDArray[np.int64]"
    rows: "NDArray[np.int8]"
    as_of: datetime
    whole_at: datetime


_held: "WeakKeyDictionary[Engine, Held]" = WeakKeyDictionary()


def nearest(text: str, viewer: Person, *, but: Collection[int], limit: int) -> list[int]:
    """Ids of open or done insights this person may read that mean much the same as a text, best first.

    One statement while there is no vector, else two, and one more after some were made.
    """
    encoder = encoders.encoder()
    if encoder is None or not query_terms(text):
        return []
    held = _remembered(encoder.name)
    if held is None:
        return []
    close = _close(held, encoder.encode([text])[0], 4 * limit + len(but))
    shown = _shown(close, encoder.name, viewer, but)
    return [id_ for id_ in close if id_ in shown][:limit]


def _shown(ids: Sequence[int], model: str, viewer: Person, but: Collection[int]) -> set[int]:
    """Those of them that may be shown, and whose vectors were made of their titles as they are."""
    rows = db.session.execute(
        select(Insight.id, Insight.title, InsightVector.digest)
        .join(InsightVector, InsightVector.insight_id == Insight.id)
        .where(
            Insight.id.in_(ids),
            Insight.id.not_in(but),
            InsightVector.model == model,
            Insight.status != "declined",
            Insight.merged_into_id.is_(None),
            readable(viewer),
        )
    )
    return {id_ for id_, title, digest in rows if digest == digest_of(title)}


def _remembered(model: str) -> Held | None:
    """The vectors as they are now; only those newer than what the process has are read."""
    newest = db.session.scalar(select(func.max(InsightVector.as_of)).where(InsightVector.model == model))
    held = _held.get(db.engine)
    if newest is None:
        _held.pop(db.engine, None)
        return None
    if held is not None and (held.model != model or abs(newest - held.whole_at) > WHOLE_EVERY):
        held = None
    if held is None or held.as_of != newest:
        held = _held[db.engine] = _read(model, newest, held)
    return held


def _read(model: str, newest: datetime, before: Held | None) -> Held:
    import numpy as np

    query = select(InsightVector.insight_id, InsightVector.vector).where(InsightVector.model == model)
    if before is not None:
        query = query.where(InsightVector.as_of > before.as_of - MARGIN)
    found = db.session.execute(query.order_by(InsightVector.insight_id.desc()).limit(ROWS_MAX)).all()
    ids = np.array([row.insight_id for row in found], dtype=np.int64)
    rows = np.frombuffer(b"".join(row.vector for row in found), dtype=np.int8).reshape(len(ids), -1)
    if before is None:
        return Held(model, ids, rows, newest, newest)
    old = ~np.isin(before.ids, ids)
    ids = np.concatenate([ids, before.ids[old]])[:ROWS_MAX]
    rows = np.concatenate([rows, before.rows[old]])[:ROWS_MAX]
    return Held(model, ids, rows, newest, before.whole_at)


def _close(held: Held, vector: "NDArray[np.float32]", most: int) -> list[int]:
    """The nearest by cosine, from FLOOR on, best first."""
    import numpy as np

    likeness = np.empty(len(held.ids), dtype=np.float32)
    for start in range(0, len(held.ids), _CHUNK):
        part = held.rows[start : start + _CHUNK].astype(np.float32)
        lengths = np.sqrt(np.einsum("ij,ij->i", part, part))
        likeness[start : start + _CHUNK] = part @ vector / np.maximum(lengths, 1)
    near = np.flatnonzero(likeness >= FLOOR)
    order = np.lexsort((held.ids[near], -likeness[near]))[:most]
    return [int(id_) for id_ in held.ids[near[order]]]


def plan(now: datetime) -> Ending | None:
    """Makes vectors of titles that are new or changed, some at a time, and says what is to be written."""
    encoder = encoders.encoder()
    if encoder is None:
        return None
    with reading():
        titles, gone = _changed(encoder.name), _hidden()
        db.session.rollback()
    if not titles and not gone:
        return None
    vectors = _packed(encoder.encode(list(titles.values()))) if titles else []
    made = dict(zip(titles, zip(titles.values(), vectors, strict=True), strict=True))
    return lambda _at: _write(encoder.name, made, gone, now - MARGIN)


def _changed(model: str) -> dict[int, str]:
    """Titles everybody may read that lack a vector of this model or were touched since; newest first."""
    rows = db.session.execute(
        select(Insight.id, Insight.title)
        .outerjoin(InsightVector, InsightVector.insight_id == Insight.id)
        .where(
            PUBLIC,
            Insight.merged_into_id.is_(None),
            or_(
                InsightVector.insight_id.is_(None),
                InsightVector.model != model,
                Insight.updated_at > InsightVector.as_of,
            ),
        )
        .order_by(Insight.id.desc())
        .limit(AT_ONCE)
    )
    return dict(rows.tuples().all())


def _hidden() -> list[int]:
    """Insights with a vector that were merged since, or wait for review."""
    hidden = union_all(
        select(Insight.id).where(Insight.merged_into_id.is_not(None)),
        select(Insight.id).where(Insight.review_visit_id.is_not(None)),
    )
    query = select(InsightVector.insight_id).where(InsightVector.insight_id.in_(hidden)).limit(AT_ONCE)
    return list(db.session.scalars(query))


def _packed(vectors: "NDArray[np.float32]") -> list[bytes]:
    """Directions in one signed byte per number, as sharp as they fit: lengths are of no use."""
    import numpy as np

    largest = np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-9)
    return [row.tobytes() for row in np.rint(vectors / largest * _SHARPEST).astype(np.int8)]


def _write(model: str, made: Mapping[int, tuple[str, bytes]], gone: Sequence[int], as_of: datetime) -> None:
    """Keeps the vectors whose titles are still the same; what somebody changes just now comes another time.

    The lock is against words that are struck out while their vector is made.
    """
    locked = select(Insight.id, Insight.title).where(Insight.id.in_(made), PUBLIC).order_by(Insight.id)
    found = db.session.execute(locked.with_for_update(key_share=True, skip_locked=True))
    same = [(id_, title) for id_, title in found if title == made[id_][0]]
    forget([*gone, *(id_ for id_, _title in same)])
    if same:
        rest = {"model": model, "as_of": as_of}
        rows = [
            {"insight_id": id_, "vector": made[id_][1], "digest": digest_of(title), **rest}
            for id_, title in same
        ]
        db.session.execute(insert(InsightVector), rows)


def forget(insight_ids: Collection[int]) -> None:
    """Takes away the vectors of these insights; the worker makes new ones of what they say then."""
    db.session.execute(
        delete(InsightVector)
        .where(InsightVector.insight_id.in_(insight_ids))
        .execution_options(synchronize_session=False)
    )


def digest_of(title: str) -> str:
    """What tells whether a vector was made of this title."""
    return hashlib.sha256(title.encode()).hexdigest()
