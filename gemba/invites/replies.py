"""What a mail from outside says about an invite: an answer, another hour, that mail came back, or nothing.

Pure and patient: Outlook leaves out ORGANIZER and writes Windows' names of zones, others leave out SEQUENCE
or the method of the part (RFC 5546 3.2.3, RFC 6047 2.4). What is refused is refused with a code.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import Message
from enum import StrEnum
from urllib.parse import unquote

from gemba.invites import incoming
from gemba.invites.ics_lines import LARGEST, Event, Lines, duration, instant, read_lines
from gemba.invites.incoming import Leaf, TooMuch, addresses, header_of, leaves, shown
from gemba.invites.rules import Answer
from gemba.outbox.mime import clean_text

MOST_CALENDARS = 5
MOST_ATTENDEES = 50
COMMENT_MAX = 1000
LARGEST_NUMBER = 2**31 - 1

_CALENDARS = frozenset({"text/calendar", "application/ics", "application/x-ics", "text/x-vcalendar"})
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}", re.ASCII)
_ANSWERS = {
    "ACCEPTED": Answer.ACCEPTED,
    "TENTATIVE": Answer.TENTATIVE,
    "DECLINED": Answer.DECLINED,
}


class Code(StrEnum):
    """Why a mail says nothing that counts."""

    TOO_LARGE = "too-large"
    TOO_MANY_CALENDARS = "too-many-calendars"
    TOO_DEEP = "too-deep"
    TRUNCATED = "truncated"
    TNEF = "winmail"
    AUTO_REPLIED = "auto-replied"
    NO_ANSWER = "no-answer"
    UNCLEAR = "unclear"
    NO_TIME = "no-time"
    DELAYED = "delayed"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Head:
    """The mail around it. `sender` is From's address where there is exactly one, in lower case.

    `recipients` are all addresses it went to, `authentication` the topmost Authentication-Results.
    """

    message_id: str = ""
    sender: str = ""
    shown_sender: str = ""
    subject: str = ""
    recipients: frozenset[str] = frozenset()
    authentication: str = ""


@dataclass(frozen=True)
class Said:
    """What one attendee says; an address in lower case and, in a REPLY, the answer."""

    address: str
    answer: Answer | None


@dataclass(frozen=True)
class Reply:
    """An answer (METHOD:REPLY). `sequence` and `stamped_at` (UTC) are None where missing or unreadable.

    `start` is the hour it speaks of: in UTC, or naive where the calendar leaves the zone to the reader.
    """

    head: Head
    uid: str
    attendees: tuple[Said, ...]
    sequence: int | None
    stamped_at: datetime | None
    comment: str = ""
    start: datetime | None = None

    method = "REPLY"


@dataclass(frozen=True)
class Counter(Reply):
    """Another hour (METHOD:COUNTER), which always has a `start`.

    `lasts` stands for an end that is not given; with neither, the visit's own length is meant.
    """

    end: datetime | None = None
    lasts: timedelta | None = None

    method = "COUNTER"


@dataclass(frozen=True)
class Bounce:
    """Mail that could not be delivered (RFC 3464).

    `failed` are the addresses it names as failed; `about` the Message-ID of the mail that came back and
    `returned` the addresses in its head, both empty where it is not quoted.
    """

    head: Head
    failed: frozenset[str]
    status: str
    diagnostic: str
    about: str
    returned: frozenset[str]

    method = "DSN"


@dataclass(frozen=True)
class Nothing:
    """A mail that says nothing that counts, and why."""

    head: Head
    code: Code

    method = ""


Incoming = Reply | Counter | Bounce | Nothing

_HOSTILE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)


def read_mail(raw: bytes) -> Incoming:
    """What a mail says; never raises, whatever the bytes."""
    try:
        top, _body = header_of(raw)
        head = _head(top)
    except _HOSTILE:
        return Nothing(Head(), Code.UNREADABLE)
    if len(raw) > incoming.LARGEST:
        return Nothing(head, Code.TOO_LARGE)
    try:
        return _read(raw, top, head)
    except TooMuch:
        return Nothing(head, Code.TOO_DEEP)
    except _HOSTILE:
        return Nothing(head, Code.UNREADABLE)


def _head(top: "Message[str, str]") -> Head:
    senders = addresses(top, "From")
    return Head(
        message_id=" ".join(str(top.get("Message-ID", "")).split())[: incoming.SHOWN],
        sender=senders[0] if len(senders) == 1 and len(top.get_all("From", [])) == 1 else "",
        shown_sender=shown(top.get("From", "")),
        subject=shown(top.get("Subject", "")),
        recipients=frozenset(addresses(top, "Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc")),
        authentication=str(top.get("Authentication-Results", ""))[: incoming.LONGEST_FIELD],
    )


def _read(raw: bytes, top: "Message[str, str]", head: Head) -> Incoming:
    parts = list(leaves(raw))
    report = next((part for part in parts if part.type == "message/delivery-status"), None)
    if report is not None:
        return _bounce(head, report, parts)
    if str(top.get("Auto-Submitted", "")).strip().lower().startswith("auto-replied"):
        return Nothing(head, Code.AUTO_REPLIED)
    calendars = [part for part in parts if _is_calendar(part)]
    if len(calendars) > MOST_CALENDARS:
        return Nothing(head, Code.TOO_MANY_CALENDARS)
    if not calendars:
        tnef = any(part.type == "application/ms-tnef" or part.filename == "winmail.dat" for part in parts)
        return Nothing(head, Code.TNEF if tnef else Code.NO_ANSWER)
    return _agreed(head, [_calendar(head, part) for part in calendars])


def _is_calendar(part: Leaf) -> bool:
    return part.type in _CALENDARS or (
        part.type == "application/octet-stream" and part.filename.endswith(".ics")
    )


def _agreed(head: Head, found: Sequence[Incoming]) -> Incoming:
    """The one thing that all calendars of a mail say; copies of it are attached for other programs."""
    said = [each for each in found if not isinstance(each, Nothing)]
    if not said:
        return found[0]
    return said[0] if all(each == said[0] for each in said) else Nothing(head, Code.UNCLEAR)


def _calendar(head: Head, part: Leaf) -> Incoming:
    data = part.content()
    if len(data) > LARGEST:
        return Nothing(head, Code.TOO_LARGE)
    lines = read_lines(data, part.parameter("charset"))
    if not lines.whole:
        return Nothing(head, Code.TRUNCATED)
    named = part.parameter("method").upper()
    method = lines.method or named
    if method not in ("REPLY", "COUNTER"):
        return Nothing(head, Code.NO_ANSWER)
    if named not in ("", method) or len(lines.events) != 1:
        return Nothing(head, Code.UNCLEAR)
    return _reply(head, lines) if method == "REPLY" else _counter(head, lines)


def _reply(head: Head, lines: Lines) -> Incoming:
    event = lines.events[0]
    uid, people = _uid(event), _attendees(event)
    if not uid or not people or all(each.answer is None for each in people):
        return Nothing(head, Code.UNCLEAR)
    return Reply(
        head,
        uid,
        people,
        _sequence(event),
        _stamp(event, lines),
        _comment(event),
        _moment(event, "DTSTART", lines),
    )


def _counter(head: Head, lines: Lines) -> Incoming:
    event = lines.events[0]
    uid, people = _uid(event), _attendees(event)
    if not uid or not people:
        return Nothing(head, Code.UNCLEAR)
    start, end = (_moment(event, name, lines) for name in ("DTSTART", "DTEND"))
    if start is None or ("DTEND" in event and end is None):
        return Nothing(head, Code.NO_TIME)
    return Counter(
        head,
        uid,
        people,
        _sequence(event),
        _stamp(event, lines),
        _comment(event),
        start,
        end,
        duration(_first(event, "DURATION")),
    )


def _first(event: Event, name: str) -> str:
    return event[name][0].value.strip() if name in event else ""


def _uid(event: Event) -> str:
    uid = event["UID"][0].text.strip() if "UID" in event else ""
    return uid if 0 < len(uid) <= 255 and uid.isprintable() else ""


def _attendees(event: Event) -> tuple[Said, ...]:
    found = event.get("ATTENDEE", [])[:MOST_ATTENDEES]
    said = (
        Said(_address(each.value), _ANSWERS.get(each.parameters.get("PARTSTAT", "").strip().upper()))
        for each in found
    )
    return tuple(dict.fromkeys(each for each in said if each.address))


def _address(value: str) -> str:
    """The address of a `mailto:`, in any case of letters, or without one; empty where there is none."""
    address = unquote(re.sub(r"^\s*mailto:", "", value, flags=re.IGNORECASE)).strip().strip("<>").lower()
    return address if "@" in address and len(address) <= 254 and address.isprintable() else ""


def _sequence(event: Event) -> int | None:
    value = _first(event, "SEQUENCE")
    if not (value.isascii() and value.isdecimal()) or len(value) > 10 or int(value) > LARGEST_NUMBER:
        return None
    return int(value)


def _stamp(event: Event, lines: Lines) -> datetime | None:
    stamp = _moment(event, "DTSTAMP", lines)
    return stamp.replace(tzinfo=UTC) if stamp is not None and stamp.tzinfo is None else stamp


def _moment(event: Event, name: str, lines: Lines) -> datetime | None:
    return instant(event[name][0], lines.offsets) if name in event else None


def _comment(event: Event) -> str:
    return clean_text("\n".join(each.text for each in event.get("COMMENT", [])[:5]))[:COMMENT_MAX]


def _bounce(head: Head, report: Leaf, parts: Sequence[Leaf]) -> Incoming:
    """Reads the groups of fields of a report; those of recipients follow the one of the mail."""
    blocks = re.split(rb"\r?\n[ \t]*\r?\n", report.content().strip()[: incoming.LONGEST_HEAD])
    groups = [header_of(block)[0] for block in blocks[: incoming.MOST_PARTS]]
    gone = [each for each in groups if str(each.get("Action", "")).strip().lower() == "failed"]
    if not gone:
        return Nothing(head, Code.DELAYED)
    failed = {_typed(each.get(name)) for each in gone for name in ("Original-Recipient", "Final-Recipient")}
    quoted = next((part for part in parts if part.type in ("message/rfc822", "text/rfc822-headers")), None)
    origin = header_of(quoted.content().lstrip())[0] if quoted else None
    status = _STATUS.match(str(gone[0].get("Status", "")).strip())
    diagnostic = str(gone[0].get("Diagnostic-Code", "")).partition(";")[2]
    return Bounce(
        head,
        frozenset(failed - {""}),
        status[0] if status else "",
        shown(diagnostic),
        " ".join(str(origin.get("Message-ID", "")).split())[: incoming.SHOWN] if origin else "",
        frozenset(addresses(origin, "From", "Reply-To", "To")) if origin else frozenset(),
    )


def _typed(value: object) -> str:
    """The address of a field such as `rfc822; somebody@example.com`."""
    return _address(str(value).rpartition(";")[2]) if value else ""
