"""Reminders with a briefing before a visit, and the question afterwards whether it took place.

A tick each minute queues what is due (gemba.visits.timing says when). The worker looks once more before a
mail leaves: where the visit moved or was cancelled, or the person left it, nothing is sent.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from flask_babel import force_locale

from gemba.clock import now as app_now
from gemba.db import db, reading
from gemba.outbox import mail, ticks
from gemba.outbox import service as outbox
from gemba.outbox.kinds import Ending, ItemFacts, register
from gemba.people.models import Person
from gemba.visits.briefing import briefing
from gemba.visits.links import link_token
from gemba.visits.models import Visit
from gemba.visits.service.reminding import Due, due_mails, is_still_due, visits_and_people
from gemba.visits.timing import Occasion

KIND = "reminder"
PERIOD = timedelta(minutes=1)
MOST = 300
"""So many are queued in one transaction; the rest a minute later."""


def plan(now: datetime) -> Ending | None:
    """Looks what is due without holding up writers."""
    with reading():
        due = due_mails(now, limit=MOST)
        db.session.rollback()
    return partial(queue, due) if due else None


def queue(due: list[Due], now: datetime) -> None:
    """Puts these mails into the outbox; what is there already stays as it is."""
    visits, people = visits_and_people(due)
    found = [(each, visits.get(each.visit_id), people.get(each.person_id)) for each in due]
    outbox.queue_all(
        [
            _item(each, visit, person, now)
            for each, visit, person in found
            if visit is not None and person is not None and person.active
        ]
    )


def _item(due: Due, visit: Visit, person: Person, now: datetime) -> outbox.Row:
    return outbox.mail_row(
        kind=KIND,
        **outbox.addressed(person),
        template="visit_reminder" if due.occasion.is_reminder else "visit_outcome",
        context=context(due.occasion, visit, person),
        dedup_key=due.key,
        group_key=f"{KIND}:{visit.id}",
        extra={
            "choice": {"person": person.id, "kind": due.occasion.kind.value},
            "visit": visit.id,
            "sequence": visit.sequence,
            "anchor": due.anchor.isoformat(),
            "occasion": due.occasion.value,
        },
        now=now,
    )


def context(occasion: Occasion, visit: Visit, person: Person) -> dict[str, Any]:
    """What the templates are told: instants in UTC, the reader's zone and the other side's."""
    visitors: list[Person] = visit.visitors
    part = _part_of(person, visit)
    others = visitors if part in ("agent", "mentor") else [visit.agent]
    with force_locale(person.locale):
        parts = briefing(part, visit.programme.guide_in(person.locale)) if occasion.is_reminder else []
    return {
        "word": occasion.value,
        "part": part,
        "first_name": person.first_name,
        "start": visit.starts_at,
        "end": visit.ends_at,
        "zone": person.timezone,
        "other_zone": next((one.timezone for one in others if one.timezone != person.timezone), None),
        "agent": visit.agent.name,
        "visitors": [visitor.name for visitor in visitors],
        "lead": visit.lead.name if visit.lead else None,
        "mentor": visit.mentor.name if visit.mentor else None,
        "product": visit.product.name if visit.product else "",
        "programme": visit.programme.name_in(person.locale),
        "meeting_url": visit.meeting_url,
        "visit_path": f"/visits/{visit.id}",
        "note": visit.note,
        "debriefs": part in ("visitor", "mentor") and visit.mentor_id is not None,
        "briefing": parts,
    }


def _part_of(person: Person, visit: Visit) -> str:
    if person.id == visit.agent_id:
        return "agent"
    if person in visit.visitors:
        return "visitor"
    return "mentor" if person.id == visit.mentor_id else "lead"


def handle(payload: Mapping[str, Any], item: ItemFacts) -> bytes | Ending:
    """Writes the mail, the same bytes at every try; drops it where it is no longer due."""
    person_id, visit_id = int(payload["choice"]["person"]), int(payload["visit"])
    anchor = datetime.fromisoformat(payload["anchor"])
    due = Due(Occasion(payload["occasion"]), visit_id, person_id, anchor)
    with reading():
        holds = is_still_due(due, int(payload["sequence"]), now=app_now())
        db.session.rollback()
    if not holds:
        return mail.needless(item)
    # The link is made anew from the key: no database and no backup holds it.
    answer_url = f"{payload['base_url']}/answer/{link_token(visit_id, person_id)}"
    return mail.write(
        item,
        template=payload["template"],
        locale=payload["locale"],
        context={**payload["context"], "answer_url": answer_url},
        name=payload["name"],
        sender=payload["from"],
        base_url=payload["base_url"],
        choice=payload["choice"],
    )


def init_app() -> None:
    """Looks each minute, and says who writes these mails."""
    register(KIND, handle, lacking={"answer_url": "/answer/…"})
    ticks.every_planned("reminders", PERIOD, plan)
