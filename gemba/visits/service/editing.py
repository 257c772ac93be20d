"""What changes without a new hour: the visitors' words, the link of the video call, and who has a seat."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import delete, insert, select

from gemba.db import db
from gemba.errors import Invalid
from gemba.invites.rules import clean_link
from gemba.people import service as people
from gemba.people.models import Person
from gemba.people.rules import N_, Role, clean_email
from gemba.programmes import doors
from gemba.programmes.training import service as training
from gemba.schedule.rules import Reason, ReasonCode, explain
from gemba.visits import notices
from gemba.visits.errors import CannotCome, NotOpenToEdit, NotYourSeat, NotYoursToEdit
from gemba.visits.models import Tick, Visit, VisitVisitor
from gemba.visits.rules import LINK_MAX, Status
from gemba.visits.service import proposing
from gemba.visits.service.agents import lead_of
from gemba.visits.service.approving import may_decide
from gemba.visits.service.moving import is_visitor, same_hour
from gemba.visits.service.path import changed, hosted, lock_visit
from gemba.visits.service.taking import take_ticks
from gemba.visits.service.wishes import wish

THEIRS = frozenset(
    {
        ReasonCode.VISITOR_BUSY,
        ReasonCode.VISITOR_LIMIT_PER_DAY,
        ReasonCode.VISITOR_LIMIT_PER_WEEK,
        ReasonCode.VISITOR_LIMIT_PER_MONTH,
    }
)
"""What can stand against a newcomer: the hour itself takes place anyway."""


def may_edit_note(visit: Visit, person: Person) -> bool:
    """Whether somebody may change what the visitors would like to see."""
    return person.id in proposing.participants(visit) or may_decide(visit, person)


def may_edit_link(visit: Visit, person: Person) -> bool:
    """Whether somebody may change the link of the video call: the agent, the mentor, the lead, an admin."""
    return person.id in (visit.agent_id, visit.lead_id, visit.mentor_id) or may_decide(visit, person)


def edit_words(
    visit: Visit, by: Person, *, note: str | None = None, meeting_url: str | None = None, now: datetime
) -> Visit:
    """Changes the visitors' words, the link, or both; None leaves as it is.

    The hour is the same, so SEQUENCE and answers stay, and everyone's calendar gets the new words. A request
    has told no calendar yet. Raises NotOpenToEdit, NotYoursToEdit or Invalid.
    """
    lock_visit(visit)
    db.session.refresh(visit, ["note", "meeting_url", "changed_at"])
    if visit.status not in (Status.BOOKED, Status.REQUESTED) or visit.ends_at <= now:
        raise NotOpenToEdit
    what = []
    if note is not None and (words := wish(note)) != visit.note:
        if not may_edit_note(visit, by):
            raise NotYoursToEdit
        visit.note = words
        what.append("note")
    if meeting_url is not None and (link := _link(meeting_url)) != visit.meeting_url:
        if not may_edit_link(visit, by):
            raise NotYoursToEdit
        visit.meeting_url = link
        what.append("link")
    if what:
        _tell(visit, what, by, now=now)
    return visit


def add_note(visit: Visit, by: Person, note: str, *, now: datetime) -> Visit:
    """Writes a visitor's wish beneath what the others of the visit wish. Raises as edit_words."""
    db.session.refresh(visit, ["note"])
    return edit_words(visit, by, note=wish(visit.note, note), now=now)


def _tell(visit: Visit, what: list[str], by: Person, *, now: datetime) -> None:
    # Two edits in one second are two messages: DTSTAMP tells calendars which is newer.
    visit.changed_at = max(now, visit.changed_at + timedelta(seconds=1))
    db.session.flush()
    if visit.status == Status.BOOKED:
        notices.edited(visit, what, by, now=now)
    people.audit(by, "visit.edited", f"visit:{visit.id}", {"what": what}, now=now)


def _link(text: str) -> str:
    link = clean_link(text)
    try:
        parts = urlsplit(link)
        is_fine = parts.scheme.lower() == "https" and bool(parts.hostname) and not parts.username
    except ValueError:
        is_fine = False
    if not is_fine or len(link) > LINK_MAX:
        raise Invalid({"meeting_url": [N_("Give an address that begins with https://.")]})
    return link


def may_hand_on(visit: Visit, leaving: Person, by: Person) -> bool:
    """Whether somebody may give this visitor's seat to another person."""
    return is_visitor(visit, leaving) and (by.id == leaving.id or may_decide(visit, by))


def hand_on(visit: Visit, by: Person, *, leaving: Person, email: str, now: datetime) -> Visit:
    """Gives a visitor's seat to another visitor: the same hour and UID, a CANCEL to who leaves.

    No notice is needed, the agent's time is not lost; the newcomer's own limits hold. Raises NotYourSeat,
    NotOpenToEdit, CannotCome or Invalid.
    """
    newcomer = _visitor_at(email)
    lock_visit(visit, also=[newcomer.id])
    if not may_hand_on(visit, leaving, by):
        raise NotYourSeat
    if visit.status != Status.BOOKED or visit.starts_at <= now:
        raise NotOpenToEdit
    if newcomer.id in {visit.agent_id, *hosted(visit)}:
        raise Invalid({"email": [N_("This person takes part in the visit already.")]})
    if not doors.is_for(visit.programme, newcomer):
        raise Invalid({"email": [N_("This programme is not for this person.")]})
    if not training.is_trained(visit.programme, newcomer.id):
        raise Invalid({"email": [N_("This person has not done the training of this programme yet.")]})
    if reasons := _reasons_against(visit, newcomer, now=now):
        raise CannotCome(reasons=reasons)
    before = notices.snapshot(visit)
    _change_seats(visit, leaving, newcomer)
    changed(visit, now)
    db.session.flush()
    db.session.refresh(visit, ["visitors", "lead"])
    proposing.people_changed(visit, now=now)
    notices.moved(visit, before, by, out="handed-on", now=now)
    facts = {"from": leaving.id, "to": newcomer.id}
    people.audit(by, "visit.handed-on", f"visit:{visit.id}", facts, now=now)
    return visit


def _change_seats(visit: Visit, leaving: Person, newcomer: Person) -> None:
    for model in (VisitVisitor, Tick):
        db.session.execute(delete(model).where(model.visit_id == visit.id, model.person_id == leaving.id))
    db.session.execute(insert(VisitVisitor).values(visit_id=visit.id, person_id=newcomer.id))
    take_ticks(visit, [newcomer.id], visit.starts_at, visit.ends_at)
    if visit.lead_id == newcomer.id:
        visit.lead_id = None
    elif visit.lead_id is None:
        visit.lead_id = lead_of(visit.agent_id, {*hosted(visit), newcomer.id} - {leaving.id})


def _visitor_at(email: str) -> Person:
    """The active visitor with this address; one sentence for whatever is wrong, so that nothing is told."""
    address = clean_email(email)
    person = db.session.scalar(select(Person).where(Person.email == address)) if address else None
    if person is None or not person.active or not person.has(Role.VISITOR):
        raise Invalid({"email": [N_("No visitor has this address. An admin can add them.")]})
    return person


def _reasons_against(visit: Visit, newcomer: Person, *, now: datetime) -> list[Reason]:
    wanted = same_hour(visit, visit.agent_id, (newcomer.id,))
    known = wanted.known([visit.agent_id])
    if not known.agents:
        return []
    found = explain(
        wanted.booking_rules, known.agents[0], visitors=known.visitors, start=visit.starts_at, now=now
    )
    return [reason for reason in found if reason.code in THEIRS]
