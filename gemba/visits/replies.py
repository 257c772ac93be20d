"""What participants answered to the invite, one row each, and which reply counts (RFC 5546 2.1.5)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache

from sqlalchemy import Select, bindparam, delete, select

from gemba.db import db
from gemba.invites.rules import Answer
from gemba.visits.models import Visit, VisitAnswer

WEB, MAIL = "web", "mail"


@dataclass(frozen=True)
class Said:
    """An answer as it came: `via` is `web` or `mail`; SEQUENCE and DTSTAMP are those of a reply by mail."""

    answer: Answer
    comment: str
    via: str
    sequence: int | None = None
    stamped_at: datetime | None = None


class Taken(StrEnum):
    """What became of a reply: only `counted` changed anything."""

    COUNTED = "counted"
    REPEATED = "repeated"
    OUTDATED = "outdated"
    OVER = "over"
    NOT_INVITED = "not-invited"


def is_outdated(row: VisitAnswer | None, said: Said, *, now: datetime) -> bool:
    """Whether a reply speaks of an earlier hour, or is older than what the person said since.

    A move leaves its SEQUENCE in the row, so a reply to the hour before does not count for the new one. What
    is said on a page is said now, and a clock that runs ahead does not outrun it.
    """
    if row is None or said.via == WEB:
        return False
    sequence = said.sequence or 0
    if sequence < row.sequence:
        return True
    stamped = _stamped(said, now)
    if row.replied_at is None:
        return False
    return stamped < row.replied_at and (sequence == row.sequence or row.via == WEB)


def _stamped(said: Said, now: datetime) -> datetime:
    return min(said.stamped_at or now, now)


def note_down(visit: Visit, person_id: int, said: Said, comment: str, *, now: datetime) -> bool:
    """Writes what a person said; False where they had said that already."""
    row = row_of(visit, person_id)
    is_news = row is None or (row.answer, row.comment) != (said.answer, comment)
    if row is None:
        row = VisitAnswer(visit_id=visit.id, person_id=person_id, sequence=0)
        db.session.add(row)
    if is_news:
        row.answer, row.comment, row.at = said.answer, comment, now
    row.via, row.replied_at = said.via, _stamped(said, now)
    if said.via == MAIL:
        row.sequence = max(row.sequence, min(said.sequence or 0, visit.sequence))
    db.session.flush()
    return is_news


def row_of(visit: Visit, person_id: int) -> VisitAnswer | None:
    """What a person last answered."""
    return db.session.get(VisitAnswer, (visit.id, person_id), populate_existing=True)


def rows_of(visit_ids: Collection[int]) -> dict[int, dict[int, VisitAnswer]]:
    """The answers to several visits by visit and person, in one statement."""
    found: dict[int, dict[int, VisitAnswer]] = {visit_id: {} for visit_id in visit_ids}
    if found:
        for row in db.session.scalars(_answers(), {"visits": list(found)}):
            found[row.visit_id][row.person_id] = row
    return found


@cache
def _answers() -> Select[VisitAnswer]:
    return select(VisitAnswer).where(VisitAnswer.visit_id.in_(bindparam("visits", expanding=True)))


def answers_that_count(visit: Visit) -> Mapping[int, Answer]:
    """What each participant who said anything says to the hour as it is now, by person."""
    return {person: Answer(row.answer) for person, row in rows_of([visit.id])[visit.id].items()}


def ask_anew(visit: Visit, people: Collection[int], *, now: datetime) -> None:
    """The hour moved: nobody has said anything to the new one, and replies to the old one come too late."""
    _forget_others(visit, people)
    rows = rows_of([visit.id])[visit.id]
    for person in people:
        row = rows.get(person)
        if row is None:
            row = VisitAnswer(visit_id=visit.id, person_id=person)
            db.session.add(row)
        row.answer, row.comment, row.via, row.at = Answer.NEEDS_ACTION, "", WEB, now
        row.sequence, row.replied_at = visit.sequence, None
    db.session.flush()


def keep_only(visit: Visit, people: Collection[int]) -> None:
    """People changed and the hour did not: answers stay, apart from those of who left."""
    _forget_others(visit, people)


def _forget_others(visit: Visit, people: Collection[int]) -> None:
    db.session.execute(
        delete(VisitAnswer).where(VisitAnswer.visit_id == visit.id, VisitAnswer.person_id.not_in(people))
    )
