"""What mail from outside changes: whose it is, whether that is proven, and what it says, each mail once."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import delete, func, select

from gemba.config import current_settings
from gemba.db import db, insert_new, table_of
from gemba.errors import GembaError, NotFound
from gemba.inbox import bounces
from gemba.inbox.errors import NothingHeld
from gemba.inbox.models import ReceivedMail
from gemba.inbox.rules import HELD, Outcome, digest_of, is_authentic
from gemba.invites.addresses import whose
from gemba.invites.replies import Bounce, Counter, Incoming, Reply, read_mail
from gemba.invites.rules import Answer
from gemba.people import service as people
from gemba.people.models import Person
from gemba.people.rules import clean_email
from gemba.visits import service as visits
from gemba.visits.models import Visit
from gemba.visits.service import Said

KEPT = timedelta(days=90)
PAGE = 50

log = structlog.get_logger()


@dataclass(frozen=True)
class Finding:
    """Whose mail it is and what becomes of it; `reply` is what may count, as JSON."""

    outcome: Outcome | None
    """None: proven, and not yet taken."""
    visit: Visit | None = None
    person_id: int | None = None
    reply: dict[str, Any] | None = None
    proof: str = ""
    detail: str = ""


def handle_message(raw: bytes, *, via: str, recipients: Collection[str] = (), now: datetime) -> ReceivedMail:
    """Takes in one mail, whichever way it came, and says in a row what became of it.

    `via` is `imap`, `lmtp` or `hook`, `recipients` are the envelope's where known. The same mail again gives
    the same row and changes nothing, in parallel too. Never raises for what a mail holds. Flushes.
    """
    found = read_mail(raw)
    if isinstance(found, Reply):
        finding = _find(found, recipients)
    elif isinstance(found, Bounce):
        finding = _find_bounce(found, recipients)
    else:
        finding = Finding(Outcome(found.code.value))
    digest = digest_of(found, raw, finding.proof)
    row = _note(found, finding, digest, via, now)
    if row is None:
        return db.session.scalars(select(ReceivedMail).where(ReceivedMail.digest == digest)).one()
    if finding.outcome is None:
        _act(row, found, finding, now)
    # Only now: naming the visit earlier would lock it a little, and two mails at once would deadlock.
    row.visit_id, row.person_id = finding.visit.id if finding.visit else None, finding.person_id
    db.session.flush()
    log.info("inbox.received", mail=row.id, via=via, method=row.method, result=row.result)
    return row


def _note(found: Incoming, finding: Finding, digest: str, via: str, now: datetime) -> ReceivedMail | None:
    """The mail's row, None where it has one; of two that come at once the second waits here for the first."""
    head, held = found.head, finding.outcome in HELD
    values = {
        "digest": digest,
        "via": via,
        "sender": head.shown_sender,
        "subject": head.subject,
        "method": found.method,
        "result": (finding.outcome or Outcome.FAILED).value,
        "detail": finding.detail,
        "received_at": now,
        **({"reply": finding.reply} if held else {}),
    }
    new = insert_new(table_of(ReceivedMail), "digest").returning(ReceivedMail.id)
    made = db.session.execute(new, values).scalar_one_or_none()
    return None if made is None else db.session.get_one(ReceivedMail, made)


def _act(row: ReceivedMail, found: Incoming, finding: Finding, now: datetime) -> None:
    person = db.session.get_one(Person, finding.person_id)
    if isinstance(found, Bounce):
        bounces.mark(person, found, now)
        row.result = Outcome.BOUNCED.value
    elif finding.visit is not None and finding.reply is not None:
        row.result = _take(finding.visit.id, person.id, finding.reply, now).value
        if row.result == Outcome.COUNTED and isinstance(found, Reply):
            bounces.forget(person, found.stamped_at, now)


def _find(reply: Reply, recipients: Collection[str]) -> Finding:
    """Who answers, by the address the answer came to, or by a From that our mail server vouches for."""
    visit = visits.visit_by_uid(reply.uid)
    if visit is None:
        return Finding(Outcome.UNKNOWN_VISIT)
    known = _people_at(said.address for said in reply.attendees)
    holders = {who for at, who in _tokens([*recipients, *reply.head.recipients]) if at == visit.id}
    for address, person in known.items():
        if person.id in holders:
            return Finding(None, visit, person.id, _facts(reply, address, person, visit), "address")
    sender = reply.head.sender
    address = sender if any(said.address == sender for said in reply.attendees) else ""
    address = address or (reply.attendees[0].address if len(reply.attendees) == 1 else "")
    claimed = known.get(address)
    if claimed is None:
        return _by_another_address(reply, address, visit, holders)
    facts = _facts(reply, address, claimed, visit)
    if claimed.id not in _participants(visit):
        return Finding(Outcome.NOT_INVITED, visit, claimed.id)
    if sender == address and is_authentic(reply.head, current_settings().mail_authserv):
        return Finding(None, visit, claimed.id, facts, "sender")
    return Finding(Outcome.NOT_PROVEN, visit, claimed.id, facts)


def _by_another_address(reply: Reply, address: str, visit: Visit, holders: Collection[int]) -> Finding:
    """From the calendar of an address nobody has here: their own other one, or that of whom they forwarded
    the invite to. A person must decide."""
    if len(holders) != 1 or not address:
        return Finding(Outcome.STRANGER, visit, detail=address)
    person = db.session.get(Person, next(iter(holders)))
    if person is None:
        return Finding(Outcome.STRANGER, visit, detail=address)
    facts = _facts(reply, address, person, visit)
    return Finding(Outcome.OTHER_ADDRESS, visit, person.id, facts, detail=address)


def _find_bounce(bounce: Bounce, recipients: Collection[str]) -> Finding:
    everywhere = [*recipients, *bounce.head.recipients, *bounce.returned]
    tokens = _tokens(everywhere)
    for address, person in sorted(_people_at([*bounce.failed, *bounce.returned]).items()):
        visit_id = next((at for at, who in tokens if who == person.id), None)
        if visit_id is not None or bounces.was_sent_by_us(bounce.about, address):
            visit = db.session.get(Visit, visit_id) if visit_id else None
            return Finding(None, visit, person.id, detail=bounces.reason(bounce))
    return Finding(Outcome.BOUNCE_NOT_OURS, detail=bounces.reason(bounce))


def _people_at(addresses: Iterable[str]) -> dict[str, Person]:
    """The people with these addresses, by the address as it was given."""
    cleaned = {address: clean_email(address) for address in addresses}
    wanted = {email for email in cleaned.values() if email}
    found = {
        person.email: person for person in db.session.scalars(select(Person).where(Person.email.in_(wanted)))
    }
    return {address: found[email] for address, email in cleaned.items() if email in found}


def _tokens(addresses: Collection[str]) -> set[tuple[int, int]]:
    settings = current_settings()
    found = (whose(address, settings.mail_from, settings.secret_key) for address in addresses)
    return {each for each in found if each is not None}


def _participants(visit: Visit) -> set[int | None]:
    return set(visits.participants(visit))


def _facts(reply: Reply, address: str, person: Person, visit: Visit) -> dict[str, Any]:
    """What counts of an answer, as JSON; a SEQUENCE from the future would keep all later answers out."""
    said = next(each for each in reply.attendees if each.address == address)
    sequence = None if reply.sequence is None else min(reply.sequence, visit.sequence)
    start = _in_zone(reply.start, person)
    if sequence is None and start == visit.starts_at:
        sequence = visit.sequence
    facts: dict[str, Any] = {
        "method": reply.method,
        "answer": said.answer.value if said.answer else None,
        "comment": reply.comment,
        "sequence": sequence,
        "stamped_at": reply.stamped_at.isoformat() if reply.stamped_at else None,
    }
    if isinstance(reply, Counter) and start is not None:
        end = _in_zone(reply.end, person) or start + (reply.lasts or visit.ends_at - visit.starts_at)
        facts |= {"start": start.isoformat(), "end": end.isoformat()}
    return facts


def _in_zone(moment: datetime | None, person: Person) -> datetime | None:
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=ZoneInfo(person.timezone))


def _take(visit_id: int, person_id: int, facts: dict[str, Any], now: datetime) -> Outcome:
    stamp = datetime.fromisoformat(facts["stamped_at"]) if facts["stamped_at"] else None
    try:
        with db.session.begin_nested():
            if facts["method"] == Counter.method:
                start, end = (datetime.fromisoformat(facts[name]) for name in ("start", "end"))
                taken = visits.take_proposal(
                    visit_id, person_id, start, end, facts["comment"], facts["sequence"], stamp, now=now
                )
            elif facts["answer"] is None:
                return Outcome.UNCLEAR
            else:
                said = Said(Answer(facts["answer"]), facts["comment"], "mail", facts["sequence"], stamp)
                taken = visits.take_answer(visit_id, person_id, said, now=now)
    except GembaError:
        return Outcome.REFUSED
    return Outcome(taken.value)


def let_count(mail_id: int, *, by: Person, now: datetime, address: str = "") -> ReceivedMail:
    """Has an answer count that proved nothing by itself, as an admin knows better. Raises NotFound,
    NothingHeld."""
    row = _held(mail_id)
    facts, row.reply = dict(row.reply or {}), None
    visit_id, person_id = row.visit_id, row.person_id
    if visit_id is None or person_id is None:
        raise NothingHeld
    row.result = _take(visit_id, person_id, facts, now).value
    detail = {"mail": row.id, "person": person_id, "result": row.result}
    people.audit(by, "reply-let-count", f"visit:{visit_id}", detail, now, address)
    db.session.flush()
    return row


def dismiss(mail_id: int) -> ReceivedMail:
    """Puts a held answer aside: it will not count. Raises NotFound, NothingHeld."""
    row = _held(mail_id)
    row.reply, row.result = None, Outcome.DISMISSED.value
    db.session.flush()
    return row


def _held(mail_id: int) -> ReceivedMail:
    row = db.session.get(ReceivedMail, mail_id, with_for_update=True)
    if row is None:
        raise NotFound
    if row.reply is None:
        raise NothingHeld
    return row


@dataclass(frozen=True)
class Received:
    """A mail as the page shows it."""

    mail: ReceivedMail
    person: Person | None
    visit: Visit | None


@dataclass(frozen=True)
class Page:
    """Some mails, and below which id the next ones are."""

    received: list[Received]
    next_cursor: int | None


def list_received(cursor: int | None = None, *, limit: int = PAGE) -> Page:
    """What came in, newest first, with ids below `cursor`."""
    query = (
        select(ReceivedMail, Person, Visit)
        .outerjoin(Person, Person.id == ReceivedMail.person_id)
        .outerjoin(Visit, Visit.id == ReceivedMail.visit_id)
        .order_by(ReceivedMail.id.desc())
        .limit(limit + 1)
    )
    if cursor is not None:
        query = query.where(ReceivedMail.id < cursor)
    rows = [Received(mail, person, visit) for mail, person, visit in db.session.execute(query)]
    return Page(rows[:limit], rows[limit - 1].mail.id if len(rows) > limit else None)


def count_held() -> int:
    """How many answers wait for an admin's decision."""
    waiting = select(func.count()).select_from(ReceivedMail).where(ReceivedMail.result.in_(sorted(HELD)))
    return db.session.scalar(waiting) or 0


def prune(now: datetime) -> None:
    """Takes away what is known of mails that came in more than ninety days ago."""
    db.session.execute(
        delete(ReceivedMail)
        .where(ReceivedMail.received_at < now - KEPT)
        .execution_options(synchronize_session=False)
    )


__all__ = [
    "Page",
    "Received",
    "count_held",
    "dismiss",
    "handle_message",
    "let_count",
    "list_received",
    "prune",
]
