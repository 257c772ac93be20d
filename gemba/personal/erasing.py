"""Erasing a person: their name and all that leads to them goes; what others rely on stays without it.

Visits and published notes stay, as those of a former colleague: evidence and figures stay true. Words that
were not published are erased, and so is everything that is theirs alone.
"""

from datetime import datetime

from sqlalchemy import delete, or_, select, update

from gemba.db import db
from gemba.errors import Invalid, Refused
from gemba.insights.models import Observation, Picture, VisitFeedback, VisitWrap, WrapPick
from gemba.insights.rules.kinds import Standing
from gemba.insights.service.striking import Words, rewrite
from gemba.outbox.models import OutboxItem
from gemba.people import service as people
from gemba.people.models import AuditEntry, Person, PersonRole, SignInRequest
from gemba.people.rules import N_, clean_line
from gemba.visits import service as visits
from gemba.visits.models import Visit, VisitAnswer, VisitDebrief, VisitProposal, VisitVisitor
from gemba.visits.rules import Status

FORMER = {"en": "Former colleague", "ru": "Бывший коллега"}
ALONE = (
    "sign_in",
    "identity",
    "api_token",
    "calendar_feed",
    "mail_declined",
    "person_product",
    "person_language",
    "availability",
    "busy_source",
    "waitlist_entry",
    "round_calendar",
    "round_sign_up",
    "round_invitee",
    "round_agent",
    "department_head",
    "consent",
    "programme_person",
    "next_time",
    "training_done",
    "idempotent_answer",
    "note_draft",
    "saved_view",
    "insight_follower",
)
"""Tables whose rows are nobody else's business; the column is `person_id`."""


class VisitsToCome(Refused):
    """You have visits to come. Cancel them first, so that the others know."""

    code = "visits-to-come"


def erase(person: Person, typed: str, *, now: datetime, address: str = "") -> None:
    """Erases the person who asks for it. Raises Invalid where `typed` is not their address, VisitsToCome.

    Raises Invalid too for the last admin: somebody must be able to let people in.
    """
    if clean_line(typed).casefold() != person.email:
        raise Invalid({"typed": [N_("Type your e-mail address exactly, to show that you mean it.")]})
    coming = [Status.BOOKED, Status.REQUESTED, Status.OFFERED]
    if visits.list_visits(person, since=now, statuses=coming, mine=True, limit=1):
        raise VisitsToCome
    people.update_person(person, by=person, now=now, address=address, active=False)
    _forget_words(person, now)
    _forget_rows(person)
    _forget_mails(person)
    _take_the_name(person, now)
    people.audit(None, "person.erase", f"person:{person.id}", {}, now)


def _forget_words(person: Person, now: datetime) -> None:
    """Unpublished notes are struck out; a published one stays as evidence, without its author's name."""
    own = select(Observation).where(
        Observation.author_id == person.id,
        or_(
            Observation.standing.in_((Standing.FRESH, Standing.PRIVATE)), Observation.removed_at.is_not(None)
        ),
        Observation.text != "",
    )
    for note in db.session.scalars(own).all():
        rewrite(note, Words("", "", ""), now=now)
    mine = (
        update(VisitWrap).values(works_well="", promise="", promised_for=None),
        update(WrapPick).values(idea=""),
        update(VisitFeedback).values(words=""),
        update(VisitAnswer).values(comment=""),
        update(VisitProposal).values(comment=""),
        update(VisitDebrief).values(answers=[]),
    )
    for statement in mine:
        _run(statement.where(statement.table.c.person_id == person.id))
    _run(update(Visit).where(Visit.booked_by_id == person.id).values(note=""))
    _run(delete(Picture).where(Picture.author_id == person.id))


def _forget_rows(person: Person) -> None:
    for name in ALONE:
        table = db.metadata.tables[name]
        _run(delete(table).where(table.c.person_id == person.id))
    _run(delete(PersonRole).where(PersonRole.person_id == person.id))
    _run(delete(SignInRequest).where(SignInRequest.email == person.email))
    received = db.metadata.tables["received_mail"]
    about = or_(received.c.person_id == person.id, received.c.sender == person.email)
    _run(update(received).where(about).values(sender="", subject="", detail="", reply=None))
    entries = or_(AuditEntry.subject == f"person:{person.id}", AuditEntry.person_id == person.id)
    _run(update(AuditEntry).where(entries).values(detail={}, address=""))
    # Texts of calendar feeds hold names; they are made anew from the visits.
    feed = db.metadata.tables["feed_event"]
    seats = select(VisitVisitor.visit_id).where(VisitVisitor.person_id == person.id)
    parts = (Visit.agent_id, Visit.lead_id, Visit.mentor_id)
    sides = or_(*(part == person.id for part in parts), Visit.id.in_(seats))
    _run(delete(feed).where(feed.c.visit_id.in_(select(Visit.id).where(sides))))


def _forget_mails(person: Person) -> None:
    _run(delete(OutboxItem).where(OutboxItem.recipient == person.email))


def _take_the_name(person: Person, now: datetime) -> None:
    person.name = FORMER.get(person.locale, FORMER["en"])
    person.email = f"erased-{person.id}@erased.invalid"
    person.timezone, person.department, person.line_id = "UTC", "", None
    person.bounce, person.bounced_at, person.erased_at = "", None, now
    db.session.flush()
    db.session.expire(person)


def _run(statement: object) -> None:
    db.session.execute(statement.execution_options(synchronize_session=False))  # type: ignore[attr-defined]
