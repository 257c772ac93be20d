"""Striking words out of a note: they are erased wherever they or a copy of them stand, not hidden.

Copies are in the insight's title (made of the first line), its description where somebody copied them and its
history, in answers to "is it still there?" of other visits, in terms of the search and vectors of the title,
names of files and files of plain text, mails that wait or were kept, kept answers of the API, pictures and
wrap-ups.
"""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, delete, or_, select

from gemba.db import db
from gemba.insights.models import Insight, InsightChange, NoteDraft, Observation, WrapPick
from gemba.insights.models_backlog import InsightComment
from gemba.insights.rules.kinds import Standing
from gemba.insights.rules.sentences import scrubbed, sentences
from gemba.insights.service import asked, capture, files, index, meaning, pictures
from gemba.insights.service.counts import family_of
from gemba.outbox.models import OutboxItem

NO_TITLE = "…"
WRITTEN = ("title", "body", "workaround", "tool", "step", "tags", "triage_reason")
"""Where people copy what a note says, beside its history and talk."""
Elsewhere = Callable[[Collection[int], Collection[str], datetime], None]
_elsewhere: list[Elsewhere] = []


def elsewhere(take_out: Elsewhere) -> Elsewhere:
    """Registers a function of those above who keep copies too, called in the transaction of every strike.

    It is told the insights the words can stand in, the texts that are gone, and when.
    """
    _elsewhere.append(take_out)
    return take_out


@dataclass(frozen=True)
class Words:
    """All that a note says in words."""

    text: str
    verbatim: str
    workaround: str

    @classmethod
    def of(cls, note: Observation) -> "Words":
        """The words of a note as they are."""
        return cls(note.text, note.verbatim, note.workaround)

    @property
    def all(self) -> tuple[str, ...]:
        """The three texts."""
        return self.text, self.verbatim, self.workaround


def rewrite(note: Observation, words: Words, *, now: datetime) -> None:
    """Gives a note other words and erases the old ones wherever they stand; without words it is struck out.

    An empty note stays as a mark, so that a browser that sends it again does not bring it back.
    """
    before = Words.of(note)
    gone = _gone(before, words)
    note.text = words.text or words.verbatim or words.workaround
    note.verbatim = words.verbatim if words.text else ""
    note.workaround = words.workaround
    insight_ids = _copies(note)
    if not note.text:
        _empty(note, now)
    elif note.insight is not None and note.insight.untouched:
        note.insight.title = capture.title_of(note.text)
    for answer in asked.notes_of(insight_ids):
        answer.text = scrubbed(answer.text, gone)
    db.session.flush()
    _scrub_insights(insight_ids, before, note.text, gone)
    _scrub_mails(gone, note.created_at)
    for take_out in _elsewhere:
        take_out(insight_ids, gone, now)
    _forget_answers(note)
    db.session.execute(delete(NoteDraft).where(NoteDraft.client_id == note.client_id))


def _gone(before: Words, after: Words) -> list[str]:
    """The old texts and sentences that the new words do not say."""
    old = {*before.all, *(one for text in before.all for one in sentences(text))}
    new = {*after.all, *(one for text in after.all for one in sentences(text))}
    titles = {capture.title_of(text) for text in old if text} - {capture.title_of(t) for t in new if t}
    return [one for one in sorted((old - new) | titles) if one]


def _empty(note: Observation, now: datetime) -> None:
    note.standing, note.review_until = Standing.STRUCK, None
    note.removed_at, note.reviewed_at = now, now
    note.tool = note.tags = note.workaround = note.verbatim = ""
    pictures.forget([note.id])
    db.session.execute(delete(WrapPick).where(WrapPick.observation_id == note.id))
    note.removed_at = None
    capture.leave(note)
    note.removed_at = now


def _copies(note: Observation) -> set[int]:
    """The insights a note's words can have come into: its own, what that was merged with or split into."""
    found: set[int] = set()
    reached = {note.insight_id} - {None}
    while reached:
        found |= {id_ for id_ in reached if id_ is not None}
        near = db.session.execute(
            select(Insight.id, Insight.merged_into_id, Insight.merged_via_id).where(
                Insight.id.in_(family_of(found))
            )
        )
        linked = {one for row in near for one in row if one is not None}
        splits = db.session.execute(
            select(InsightChange.before, InsightChange.after).where(
                InsightChange.insight_id.in_(found),
                InsightChange.field.in_(("split", "split_from", "merged", "merged_into")),
            )
        )
        linked |= {int(one) for row in splits for one in row if one.isdigit()}
        reached = linked - found
    return found


def _scrub_insights(ids: Collection[int], before: Words, after: str, gone: Collection[str]) -> None:
    """Takes the words out of titles, descriptions and history, and writes the terms anew."""
    if not ids:
        return
    old_title, new_title = capture.title_of(before.text), capture.title_of(after)
    roots = set()
    for insight in db.session.scalars(select(Insight).where(Insight.id.in_(ids)).with_for_update()).all():
        is_old = insight.title == old_title
        words = {name: scrubbed(getattr(insight, name), gone) for name in WRITTEN}
        words["title"] = (new_title if is_old else words["title"]) or NO_TITLE
        if any(getattr(insight, name) != text for name, text in words.items()):
            for name, text in words.items():
                setattr(insight, name, text)
            insight.version += 1
        roots.add(insight.root_id)
    for change in db.session.scalars(select(InsightChange).where(InsightChange.insight_id.in_(ids))).all():
        change.before, change.after = scrubbed(change.before, gone), scrubbed(change.after, gone)
        change.reason = scrubbed(change.reason, gone)
    for comment in db.session.scalars(
        select(InsightComment).where(InsightComment.insight_id.in_(ids), InsightComment.text != "")
    ).all():
        comment.text = scrubbed(comment.text, gone)
    meaning.forget(ids)
    files.scrub(ids, gone)
    for root in sorted(roots):
        index.reindex(root)


def _scrub_mails(gone: Collection[str], since: datetime) -> None:
    """Takes the words out of everything in the outbox, sent or not."""
    payload = cast(OutboxItem.payload, String)
    holds = [payload.contains(json.dumps(words)[1:-1], autoescape=True) for words in gone]
    if not holds:
        return
    query = select(OutboxItem).where(OutboxItem.created_at >= since, or_(*holds)).with_for_update()
    for item in db.session.scalars(query).all():
        item.payload = without(item.payload, gone)


def without(value: Any, gone: Collection[str]) -> Any:
    """A value as JSON has them, with these texts taken out of every string in it."""
    if isinstance(value, str):
        return scrubbed(value, gone)
    if isinstance(value, list):
        return [without(one, gone) for one in value]
    return {key: without(one, gone) for key, one in value.items()} if isinstance(value, dict) else value


def _forget_answers(note: Observation) -> None:
    """Kept answers of the API that hold the note; its client_id still makes sending it twice harmless."""
    # The API stands above: its table is known here by name only.
    table = db.metadata.tables.get("idempotent_answer")
    if table is not None:
        db.session.execute(delete(table).where(table.c.body.contains(note.client_id, autoescape=True)))
