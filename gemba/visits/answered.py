"""What pages show of a visit's answers and proposals: who said what, and what the reader may do about it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gemba.invites.rules import Answer
from gemba.people.models import Person
from gemba.visits import replies, service
from gemba.visits.forms import AnswerForm
from gemba.visits.models import Visit
from gemba.visits.rules import Status


@dataclass(frozen=True)
class Voice:
    """One participant and what they last said to the hour as it is."""

    person: Person
    part: str
    answer: Answer
    comment: str


def voices(visit: Visit) -> list[Voice]:
    """The participants, visitors first, and their answers, in one statement."""
    rows = replies.rows_of([visit.id])[visit.id]
    sides = [(visitor, "visitor") for visitor in visit.visitors] + [(visit.agent, "agent")]
    if visit.mentor is not None:
        sides.append((visit.mentor, "mentor"))
    if visit.lead is not None:
        sides.append((visit.lead, "lead"))
    found = []
    for person, part in sides:
        row = rows.get(person.id)
        answer = Answer(row.answer) if row else Answer.NEEDS_ACTION
        found.append(Voice(person, part, answer, row.comment if row else ""))
    return found


def context(visit: Visit, reader: Person, form: AnswerForm | None = None, *, now: datetime) -> dict[str, Any]:
    """What the parts of pages about answers need, for one reader."""
    said = voices(visit)
    mine = next((voice for voice in said if voice.person.id == reader.id), None)
    proposals = service.proposals_of(visit.id, service.Decided.OPEN) if visit.status == Status.BOOKED else []
    return {
        "voices": {voice.person.id: voice for voice in said},
        "mine": mine,
        "can_answer": mine is not None and visit.status == Status.BOOKED and now < visit.ends_at,
        "no_means": _no_means(visit, mine, now=now) if mine else "",
        "answer_form": form or AnswerForm(formdata=None, comment=mine.comment if mine else ""),
        "proposals": [(each, service.may_answer_proposal(visit, each, reader)) for each in proposals],
    }


def _no_means(visit: Visit, mine: Voice, *, now: datetime) -> str:
    """What follows from a no: `handed-back`, `cancelled`, `left`, or `noted`."""
    notice = timedelta(minutes=visit.programme.cancel_notice_minutes)
    if now >= visit.starts_at or mine.part in ("lead", "mentor"):
        return "noted"
    if mine.part == "agent":
        return "handed-back"
    if now > visit.starts_at - notice:
        return "noted"
    return "left" if len(visit.visitors) > 1 else "cancelled"
