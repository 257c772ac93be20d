"""Notes of a visit: recorded once however often they are sent, edited, taken back, moved as evidence.

Only those who sit in the visit see its notes: its visitors, its agent, its lead. A note becomes an
observation of an insight, a new one unless one is named; a question for the end supports none.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload, selectinload

from gemba.db import db
from gemba.insights.errors import NoSuchTarget, NoteNotFound, NotePrivate
from gemba.insights.models import Insight, Observation
from gemba.insights.rules.kinds import TITLE_MAX, Kind, Standing, Status
from gemba.insights.service import drafts, index
from gemba.insights.service.events import created
from gemba.insights.service.sight import readable
from gemba.insights.service.sitting import OPEN_BEFORE, visit_for_notes, why_not
from gemba.insights.service.standing import await_review
from gemba.people.models import Person, Product
from gemba.visits.models import Visit


@dataclass(frozen=True)
class NoteFields:
    """What a note says. `severity` 0-4 or None; `frequency` a Frequency's value or "" where unknown."""

    text: str
    kind: Kind = Kind.TOOL_PAIN
    severity: int | None = None
    frequency: str = ""
    verbatim: str = ""
    workaround: str = ""
    product_id: int | None = None
    tool: str = ""
    tags: tuple[str, ...] = ()
    is_question: bool = False
    is_ask: bool = False


def record(
    visit_id: int,
    author: Person,
    client_id: str,
    fields: NoteFields,
    *,
    at: datetime | None = None,
    insight_id: int | None = None,
    now: datetime,
) -> tuple[Observation, bool]:
    """Records a note; returns it and whether it is new: the same `client_id` again gives the first one.

    `at` is when its first letter was typed (kept between the opening and now), `insight_id` the
    insight it supports instead of a new one. Raises VisitNotFound, NotesNotOpenYet, NotesClosed,
    NotesCancelled, NoSuchTarget; NoteNotFound where the `client_id` is another person's.
    """
    visit = visit_for_notes(author, visit_id)
    if known := _known(visit, author, client_id):
        return known, False
    if refusal := why_not(visit, author, now):
        raise refusal
    note = Observation(
        visit_id=visit.id,
        author_id=author.id,
        client_id=client_id,
        at=min(max(at or now, visit.starts_at - OPEN_BEFORE), now),
        created_at=now,
    )
    _write(note, fields)
    try:
        with db.session.begin_nested():
            note.insight_id = _insight_for(note, insight_id, author, now)
            await_review(note, visit, now)
            db.session.add(note)
            db.session.flush()
    except IntegrityError:
        # The same note came twice at once and the other one was first.
        known = _known(visit, author, client_id)
        if known is None:
            raise
        return known, False
    _reindex(note.insight_id)
    if insight_id is None and note.insight is not None and note.insight.review_visit_id is None:
        created([note.insight.id], now)
    drafts.drop(visit.id, author.id, client_id)
    return note, True


def put(
    visit_id: int,
    author: Person,
    client_id: str,
    fields: NoteFields,
    *,
    at: datetime | None = None,
    edited: bool = False,
    removed: bool = False,
    now: datetime,
) -> tuple[Observation, bool]:
    """The note as its author's page has it: new, written anew, taken back or brought back.

    Sending the same again changes nothing, so that a page may send until it hears an answer. Without `edited`
    a known note stays as it is; workaround and frequency stand in no line and stay. Raises as record().
    """
    note, is_new = record(visit_id, author, client_id, fields, at=at, now=now)
    if note.standing == Standing.STRUCK:
        return note, is_new
    if removed:
        return (remove_note(author, note.id, now=now) if note.removed_at is None else note), is_new
    if not is_new and edited:
        if note.removed_at is not None:
            restore_note(author, note.id, now=now)
        wanted = replace(fields, frequency=note.frequency, workaround=note.workaround)
        if wanted != fields_of(note):
            edit_note(author, note.id, wanted, now=now)
    return note, is_new


def fields_of(note: Observation) -> NoteFields:
    """What a note says."""
    return NoteFields(
        text=note.text,
        kind=Kind(note.kind),
        severity=note.severity,
        frequency=note.frequency,
        verbatim=note.verbatim,
        workaround=note.workaround,
        product_id=note.product_id,
        tool=note.tool,
        tags=tuple(note.tags.split()),
        is_question=note.is_question,
        is_ask=note.is_ask,
    )


def edit_note(author: Person, note_id: int, fields: NoteFields, *, now: datetime) -> Observation:
    """Writes a note's words anew; the insight made by it follows while nobody has touched it.

    Raises NoteNotFound, or as record() when the visit takes no notes any more.
    """
    note = _own_note(author, note_id, now)
    _write(note, fields)
    note.edited_at = now
    insight = note.insight
    if note.is_question and insight is not None and insight.untouched:
        leave(note)
    elif insight is None and not note.is_question:
        note.insight_id = _insight_for(note, None, author, now)
    elif insight is not None and insight.untouched:
        _follow(insight, note, now)
    await_review(note, note.visit, now)
    _reindex(note.insight_id)
    return note


def remove_note(author: Person, note_id: int, *, now: datetime) -> Observation:
    """Takes a note back; the untouched insight it made goes with it. restore_note() undoes it."""
    note = _own_note(author, note_id, now)
    note.removed_at = now
    leave(note)
    return note


def restore_note(author: Person, note_id: int, *, now: datetime) -> Observation:
    """Brings a note back that was taken back; it supports its old insight, else a new one."""
    note = _own_note(author, note_id, now, removed=True)
    note.removed_at = None
    if note.insight_id is None:
        support_anew(note, now)
    _reindex(note.insight_id)
    return note


def add_as_evidence(author: Person, note_id: int, insight_id: int, *, now: datetime) -> Observation:
    """Lets a note support another insight; the untouched one it made is gone. Raises NoSuchTarget."""
    note = _own_note(author, note_id, now)
    if note.standing == Standing.PRIVATE:
        raise NotePrivate
    target = _target(insight_id, author)
    leave(note)
    note.insight_id, note.is_question = target.id, False
    target.untouched = False
    target.updated_at = now
    _reindex(target.id)
    return note


def observations_of(visit: Visit, *, newest_first: bool = True) -> list[Observation]:
    """The notes of a visit that stand, with author, insight and product."""
    order = (
        (Observation.at.desc(), Observation.id.desc()) if newest_first else (Observation.at, Observation.id)
    )
    query = (
        select(Observation)
        .where(Observation.visit_id == visit.id, Observation.removed_at.is_(None))
        .options(
            joinedload(Observation.author),
            joinedload(Observation.insight),
            joinedload(Observation.product),
            selectinload(Observation.pictures),
        )
        .order_by(*order)
    )
    return list(db.session.scalars(query))


def others_notes(visit: Visit, viewer: Person) -> int:
    """How many notes of the visit stand that somebody else took."""
    query = select(func.count(Observation.id)).where(
        Observation.visit_id == visit.id,
        Observation.author_id != viewer.id,
        Observation.removed_at.is_(None),
    )
    return db.session.scalar(query) or 0


def get_note(author: Person, note_id: int) -> Observation:
    """A note of this person that stands. Raises NoteNotFound."""
    note = db.session.scalar(
        select(Observation)
        .where(
            Observation.id == note_id,
            Observation.author_id == author.id,
            Observation.removed_at.is_(None),
        )
        .options(joinedload(Observation.visit), joinedload(Observation.product))
    )
    if note is None:
        raise NoteNotFound
    return note


_PRODUCTS = select(Product).order_by(Product.name)


def products() -> list[Product]:
    """All products by name."""
    return list(db.session.scalars(_PRODUCTS))


def title_of(text: str) -> str:
    """An insight's first title: the note's first line, cut at a word where it is too long."""
    line = " ".join(text.strip().split("\n", 1)[0].split())
    if len(line) <= TITLE_MAX:
        return line
    cut = line[: TITLE_MAX - 1]
    return (cut.rpartition(" ")[0] or cut) + "…"


def support_anew(note: Observation, now: datetime) -> None:
    """Gives a note that supports nothing an insight of its own again, and has it reviewed."""
    if note.insight_id is None:
        note.insight_id = _insight_for(note, None, note.author, now)
    await_review(note, note.visit, now)
    _reindex(note.insight_id)


def leave(note: Observation) -> None:
    """Takes a note out of its insight, which goes if it was made by the note and nobody touched it."""
    insight = note.insight
    if insight is None:
        return
    others = db.session.scalar(
        select(func.count(Observation.id)).where(
            Observation.insight_id == insight.id, Observation.id != note.id
        )
    )
    if insight.untouched and not others:
        note.insight_id = None
        db.session.flush()
        db.session.delete(insight)
        db.session.flush()
        db.session.expire(note, ["insight"])
        return
    if note.removed_at is None:
        note.insight_id = None
    index.reindex(insight.root_id)


def _known(visit: Visit, author: Person, client_id: str) -> Observation | None:
    note = db.session.scalar(
        select(Observation).where(Observation.visit_id == visit.id, Observation.client_id == client_id)
    )
    if note is not None and note.author_id != author.id:
        raise NoteNotFound
    return note


def _own_note(author: Person, note_id: int, now: datetime, removed: bool = False) -> Observation:
    """The author's own note in a visit that still takes notes, unless it was struck out."""
    note = db.session.get(Observation, note_id, with_for_update=True)
    if (
        note is None
        or note.standing == Standing.STRUCK
        or note.author_id != author.id
        or (note.removed_at is not None) is not removed
    ):
        raise NoteNotFound
    visit = visit_for_notes(author, note.visit_id)
    if refusal := why_not(visit, author, now):
        raise refusal
    return note


def _write(note: Observation, fields: NoteFields) -> None:
    note.text = fields.text
    note.kind = fields.kind
    note.severity = fields.severity
    note.frequency = fields.frequency
    note.verbatim = fields.verbatim
    note.workaround = fields.workaround
    note.product_id = fields.product_id
    note.tool = fields.tool
    note.tags = " ".join(fields.tags)
    note.is_question = fields.is_question
    note.is_ask = fields.is_ask


def _insight_for(note: Observation, insight_id: int | None, author: Person, now: datetime) -> int | None:
    """The id of the insight a note supports: the named one, none for a question, else a new one."""
    if insight_id is not None:
        target = _target(insight_id, author)
        target.untouched = False
        target.updated_at = now
        return target.id
    if note.is_question or note.standing == Standing.PRIVATE:
        return None
    insight = Insight(status=Status.NEW, created_by_id=author.id, untouched=True, created_at=now)
    _follow(insight, note, now)
    db.session.add(insight)
    db.session.flush()
    return insight.id


def _follow(insight: Insight, note: Observation, now: datetime) -> None:
    insight.title = title_of(note.text)
    insight.kind = note.kind
    insight.product_id = note.product_id
    insight.updated_at = now


def _target(insight_id: int, author: Person) -> Insight:
    """The survivor that speaks for an insight the author may read, locked. Raises NoSuchTarget."""
    insight = db.session.scalar(
        select(Insight).where(Insight.id == insight_id, readable(author)).with_for_update(of=Insight)
    )
    if insight is not None and insight.merged_into_id is not None:
        insight = db.session.get(Insight, insight.merged_into_id, with_for_update=True)
    if insight is None:
        raise NoSuchTarget("insight")
    return insight


def _reindex(insight_id: int | None) -> None:
    if insight_id is not None:
        root = db.session.scalar(
            select(func.coalesce(Insight.merged_into_id, Insight.id)).where(Insight.id == insight_id)
        )
        if root is not None:
            index.reindex(root)


def visit_id_of(note_id: int) -> int:
    """The number of a note's visit. Raises NoteNotFound."""
    visit_id = db.session.scalar(select(Observation.visit_id).where(Observation.id == note_id))
    if visit_id is None:
        raise NoteNotFound
    return visit_id
