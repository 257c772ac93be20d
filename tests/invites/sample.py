"""Vera's visit to Alice, as facts and as mails: what the tests of this folder start from."""

from dataclasses import replace
from datetime import UTC, datetime

from gemba.invites.rules import Attendee, InviteFacts, Method, Part, calendar_bytes
from gemba.outbox.mime import Address, compose, message_id

SENT = datetime(2026, 11, 23, 9, 0, 30, tzinfo=UTC)
GEMBA = Address("gemba@company.example", "How to WOW")
VERA = Attendee("vera@company.example", "Vera Petrova")
ALICE = Attendee("alice@company.example", "Alice Lind")
LEV = Attendee("lev@company.example", "Лев Орлов", Part.OPTIONAL)
VISIT = InviteFacts(
    uid="visit-7@company.example",
    sequence=0,
    method=Method.REQUEST,
    start=datetime(2027, 6, 15, 8, 0, tzinfo=UTC),
    end=datetime(2027, 6, 15, 9, 0, tzinfo=UTC),
    dtstamp=SENT,
    summary="How to WOW: Vera, Alice",
    organizer=GEMBA,
    attendees=(VERA, ALICE, LEV),
    description="Alice works as usual and shares her screen.\nAsk anything.",
    url="https://meet.company.example/q7x",
)


def cancelled(facts: InviteFacts = VISIT) -> InviteFacts:
    """The same visit, called off."""
    return replace(facts, method=Method.CANCEL, sequence=facts.sequence + 1)


def mail(
    facts: InviteFacts = VISIT, to: Address = VERA, subject: str = "A visit", text: str = "Hello"
) -> bytes:
    """The mail of these facts to one of the invited."""
    return compose(
        sender=facts.organizer,
        to=to,
        subject=subject,
        text=text,
        html=f"<p>{text}</p>",
        message_id=message_id(f"invite:{facts.uid}:{facts.sequence}:{to.email}", "company.example"),
        date=facts.dtstamp,
        calendar=calendar_bytes(facts, to.email),
        method=facts.method,
    )
