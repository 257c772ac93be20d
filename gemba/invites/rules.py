"""What a calendar message says: facts of a visit in, iCalendar and MIME bytes out (RFC 5545, 5546, 6047).

Pure, and deterministic: the same facts always give the same bytes, so a mail sent twice is the same mail.
Instants are written in UTC without VTIMEZONE, the only form every calendar reads alike.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from email.charset import BASE64, QP, Charset
from email.header import Header
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.policy import compat32
from email.utils import format_datetime, formataddr
from enum import StrEnum
from typing import Any, Self
from urllib.parse import quote

from icalendar import Alarm, Calendar, Event, vCalAddress, vText

PRODID = "-//Gemba//Visits//EN"
REMINDER = timedelta(minutes=-15)
SUBJECT_LENGTH = 900  # octets are bounded by folding; this bounds what a reader must show
NAME_LENGTH = 120
LONGEST_WORD = 60

_NEWLINES = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# C0, DEL, C1, lone surrogates, byte order marks, and what turns the direction of later text (spoofing).
_UNSAFE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")
_MAILBOX = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_UID = re.compile(r"[\x21-\x7e]{1,255}")
_CN = str.maketrans({'"': "”", "\\": "/", "^": None})  # RFC 6868 escapes are unknown to half of the readers
_DISPLAY = str.maketrans(dict.fromkeys('@:,"<>\\;'))  # taken for phishing, or ending the name early


class Method(StrEnum):
    """What the message asks of the calendar: add or move the visit, or take it out."""

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


class Part(StrEnum):
    """An attendee's part in the visit (ROLE)."""

    REQUIRED = "REQ-PARTICIPANT"
    OPTIONAL = "OPT-PARTICIPANT"


class Answer(StrEnum):
    """What an attendee answered (PARTSTAT)."""

    NEEDS_ACTION = "NEEDS-ACTION"
    ACCEPTED = "ACCEPTED"
    TENTATIVE = "TENTATIVE"
    DECLINED = "DECLINED"


def clean_text(value: str) -> str:
    """Text of several lines without controls, lone surrogates and direction overrides; newlines are `\\n`."""
    return _UNSAFE.sub("", _NEWLINES.sub("\n", value).replace("\t", " ")).strip()


def clean_line(value: str) -> str:
    """The same in one line: runs of white space become one space."""
    return " ".join(clean_text(value).split())


def clean_link(value: str) -> str:
    """An http(s) address in ASCII, percent-encoded where it must be; anything else is the empty string."""
    link = clean_line(value)
    if not re.match(r"https?://[^/?#\s]", link, re.IGNORECASE):
        return ""
    return quote(link, safe="%/:?#[]@!$&'()*+,;=~-._")


def _mailbox(value: str) -> str:
    local, _, domain = value.strip().rpartition("@")
    try:
        address = f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        address = ""
    if not _MAILBOX.fullmatch(address):
        raise ValueError(f"Not a mail address: {value!r}")
    return address


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("An instant needs its zone.")
    return value.astimezone(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Address:
    """A mailbox and the name of its owner; the domain is kept in ASCII. ValueError where it is no address."""

    email: str
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "email", _mailbox(self.email))
        object.__setattr__(self, "name", clean_line(self.name)[:NAME_LENGTH].strip())


@dataclass(frozen=True)
class Attendee(Address):
    """One invited person, with their part and their last answer that still counts."""

    role: Part = Part.REQUIRED
    partstat: Answer = Answer.NEEDS_ACTION


@dataclass(frozen=True)
class InviteFacts:
    """All that a calendar message of a visit says; texts are cleaned and instants cut to whole UTC seconds.

    One UID for life; `sequence` grows by one on each change and each CANCEL. A CANCEL names in `attendees`
    the people it takes out: all, or only the one who was replaced. ValueError for facts no calendar takes.
    """

    uid: str
    sequence: int
    method: Method
    start: datetime
    end: datetime
    dtstamp: datetime
    summary: str
    organizer: Address
    attendees: tuple[Attendee, ...]
    description: str = ""
    location: str = ""
    url: str = ""

    def __post_init__(self) -> None:
        for name in ("start", "end", "dtstamp"):
            object.__setattr__(self, name, _utc(getattr(self, name)))
        for name, clean in {
            "summary": clean_line,
            "description": clean_text,
            "location": clean_line,
            "url": clean_link,
        }.items():
            object.__setattr__(self, name, clean(getattr(self, name)))
        if not _UID.fullmatch(self.uid) or self.sequence < 0:
            raise ValueError("A UID is plain ASCII without spaces, and SEQUENCE counts from 0.")
        if self.end <= self.start:
            raise ValueError("A visit ends after it starts.")
        if not self.attendees:
            raise ValueError("An invite needs somebody invited.")

    def to_json(self) -> dict[str, Any]:
        """A plain JSON object that any JSON column takes, with instants as `2026-11-23T09:00:00Z`."""
        instants = {n: getattr(self, n).strftime("%Y-%m-%dT%H:%M:%SZ") for n in ("start", "end", "dtstamp")}
        people = [{**asdict(a), "role": a.role.value, "partstat": a.partstat.value} for a in self.attendees]
        return {**asdict(self), **instants, "method": self.method.value, "attendees": people}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The facts `to_json` wrote; equal to the ones it was called on."""
        instants = {n: datetime.fromisoformat(stored[n]) for n in ("start", "end", "dtstamp")}
        people = tuple(
            Attendee(a["email"], a["name"], Part(a["role"]), Answer(a["partstat"]))
            for a in stored["attendees"]
        )
        rest = {
            "method": Method(stored["method"]),
            "organizer": Address(**stored["organizer"]),
            "attendees": people,
        }
        return cls(**{**stored, **instants, **rest})


class _Text(vText):
    """TEXT escaped once (RFC 5545 3.3.11): the library turns the `\\N` of `C:\\New` into a newline."""

    def to_ical(self) -> bytes:
        escaped = re.sub(r"[\\;,]", r"\\\g<0>", str(self)).replace("\n", "\\n")
        return escaped.encode()


def _person(address: Address, **parameters: str) -> vCalAddress:
    name = address.name.translate(_CN).strip()
    return vCalAddress(f"mailto:{address.email}", params={**({"CN": name} if name else {}), **parameters})


def _attendee(person: Attendee, method: Method) -> vCalAddress:
    asked = {"PARTSTAT": person.partstat.value, "RSVP": "TRUE"} if method is Method.REQUEST else {}
    return _person(person, CUTYPE="INDIVIDUAL", ROLE=person.role.value, **asked)


def _with_link(text: str, link: str, gap: str) -> str:
    return text if link in text else gap.join(filter(None, (text, link)))


def _alarm(title: str) -> Alarm:
    alarm = Alarm()
    alarm.add("ACTION", "DISPLAY")
    alarm.add("DESCRIPTION", _Text(title))
    alarm.add("TRIGGER", REMINDER)
    return alarm


def _event(facts: InviteFacts) -> Event:
    """The visit without its people: what an invite and a downloaded file have in common."""
    event, title = Event(), facts.summary or facts.organizer.name or facts.organizer.email
    event.add("UID", facts.uid)
    event.add("SEQUENCE", facts.sequence)
    event.add("DTSTAMP", facts.dtstamp)
    event.add("DTSTART", facts.start)
    event.add("DTEND", facts.end)
    event.add("SUMMARY", _Text(title))
    event.add("TRANSP", "OPAQUE")
    event.add("STATUS", "CANCELLED" if facts.method is Method.CANCEL else "CONFIRMED")
    if location := _with_link(facts.location, facts.url, " "):
        event.add("LOCATION", _Text(location))
    if description := _with_link(facts.description, facts.url, "\n\n"):
        event.add("DESCRIPTION", _Text(description))
    if facts.url:
        event.add("URL", facts.url)
    if facts.method is Method.REQUEST:
        event.add_component(_alarm(title))
    return event


def _calendar(event: Event, method: Method | None) -> bytes:
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", PRODID)
    if method:
        calendar.add("METHOD", method.value)
    calendar.add_component(event)
    ics: bytes = calendar.to_ical()
    return ics


def calendar_bytes(facts: InviteFacts, to: str) -> bytes:
    """The iCalendar part of the mail to `to`, who is one of the attendees (ValueError otherwise)."""
    if to.strip().lower() not in {person.email.lower() for person in facts.attendees}:
        raise ValueError(f"{to!r} is not invited.")
    event = _event(facts)
    event.add("ORGANIZER", _person(facts.organizer))
    for person in facts.attendees:
        event.add("ATTENDEE", _attendee(person, facts.method))
    return _calendar(event, facts.method)


def calendar_file(facts: InviteFacts) -> bytes:
    """The visit as a file to keep: no METHOD, ORGANIZER or ATTENDEE, so importing it never mails anybody."""
    return _calendar(_event(facts), None)


def message_id(dedup_key: str, domain: str) -> str:
    """The Message-ID of an outbox row: the same for every attempt, and no other row has it."""
    digest = hashlib.sha256(dedup_key.encode("utf-8", "surrogatepass")).hexdigest()[:40]
    return f"<{_mailbox(f'{digest}@{domain}')}>"


def _is_plain(line: str) -> bool:
    """Whether a header can hold it as it is: ASCII that folds between words and is no encoded word."""
    return line.isascii() and "=?" not in line and max(map(len, line.split()), default=0) <= LONGEST_WORD


def _mail_address(field_name: str, address: Address) -> Header | str:
    name = clean_line(address.name.translate(_DISPLAY))
    if _is_plain(name):
        return formataddr((name, address.email))
    header = Header(name, "utf-8", header_name=field_name)
    header.append(f"<{address.email}>", "us-ascii")
    return header


def _subject(subject: str) -> Header:
    line = clean_line(subject)[:SUBJECT_LENGTH].strip()
    return Header(line, "us-ascii" if _is_plain(line) else "utf-8", header_name="Subject")


def _text_part(subtype: str, content: str, method: Method | None = None) -> "Message[Any, Any]":
    charset = Charset("utf-8")
    # Spam filters frown on base64 over plain ASCII; quoted-printable would triple Cyrillic.
    charset.body_encoding = QP if content.isascii() and not method else BASE64
    part = MIMENonMultipart("text", subtype, charset="utf-8")
    if method:
        part.set_param("method", method.value)
    part.set_payload(content, charset)
    return part


def _body(
    text: str, html: str | None, calendar: bytes | None, method: Method | None, boundary: str
) -> "Message[Any, Any]":
    parts = [_text_part("plain", clean_text(text) + "\n")]
    if html is not None:
        parts.append(_text_part("html", clean_text(html) + "\n"))
    if calendar is not None and method is not None:
        parts.append(_text_part("calendar", calendar.decode(), method))
    return parts[0] if len(parts) == 1 else MIMEMultipart("alternative", boundary, parts)


def compose(
    *,
    sender: Address,
    to: Address,
    subject: str,
    text: str,
    html: str | None = None,
    message_id: str,
    date: datetime,
    calendar: bytes | None = None,
    method: Method | None = None,
) -> bytes:
    """One mail to one person, ready for SMTP: CRLF, ASCII, the same bytes for the same values.

    `calendar` and its `method` come together (ValueError otherwise) and `sender` is then its ORGANIZER.
    The calendar part is the last alternative and no attachment, which is what shows accept and decline.
    """
    if (calendar is None) != (method is None) or (
        calendar and f"\r\nMETHOD:{method}\r\n".encode() not in calendar
    ):
        raise ValueError("A calendar part needs the method it was made with.")
    if not re.fullmatch(r"<[\x21-\x7e]+@[\x21-\x7e]+>", message_id):
        raise ValueError(f"Not a Message-ID: {message_id!r}")
    # `=_` occurs neither in quoted-printable nor in base64, so no content can end a part.
    boundary = "=_" + hashlib.sha256(message_id.encode()).hexdigest()[:32]
    message = _body(text, html, calendar, method, boundary)
    message["From"] = _mail_address("From", sender)
    message["To"] = _mail_address("To", to)
    message["Subject"] = _subject(subject)
    message["Date"] = format_datetime(_utc(date))
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"
    return message.as_bytes(policy=compat32.clone(linesep="\r\n"))
