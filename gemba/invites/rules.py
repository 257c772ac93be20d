"""What a calendar message says: facts of a visit in, iCalendar bytes out (RFC 5545, 5546, 6047).

Pure, and deterministic: the same facts always give the same bytes, so a mail sent twice is the same mail.
Instants are written in UTC without VTIMEZONE, the only form every calendar reads alike.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self
from urllib.parse import quote

from icalendar import Alarm, Calendar, Component, Event, vCalAddress, vDuration, vText

from gemba.outbox.mime import Address, clean_line, clean_text, utc

PRODID = "-//Gemba//Visits//EN"
REMINDER = timedelta(minutes=-15)
FEED_REFRESH = timedelta(hours=1)

_UID = re.compile(r"[\x21-\x7e]{1,255}")
_CN = str.maketrans({'"': "”", "\\": "/", "^": None})  # RFC 6868 escapes are unknown to half of the readers


class Method(StrEnum):
    """What the message asks of the calendar: add or move the visit, take it out, or keep it where it is
    though somebody proposed another hour."""

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"
    DECLINECOUNTER = "DECLINECOUNTER"


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


def clean_link(value: str) -> str:
    """An http(s) address in ASCII, percent-encoded where it must be; anything else is the empty string."""
    link = clean_line(value)
    if not re.match(r"https?://[^/?#\s]", link, re.IGNORECASE):
        return ""
    return quote(link, safe="%/:?#[]@!$&'()*+,;=~-._")


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
            object.__setattr__(self, name, utc(getattr(self, name)))
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


def _refused_counter(facts: InviteFacts) -> Event:
    """The answer to a proposal, which names the visit and nothing else of it (RFC 5546 3.2.8)."""
    event = Event()
    event.add("UID", facts.uid)
    event.add("DTSTAMP", facts.dtstamp)
    event.add("ORGANIZER", _person(facts.organizer))
    return event


def calendar_bytes(facts: InviteFacts, to: str) -> bytes:
    """The iCalendar part of the mail to `to`, who is one of the attendees (ValueError otherwise)."""
    if to.strip().lower() not in {person.email.lower() for person in facts.attendees}:
        raise ValueError(f"{to!r} is not invited.")
    if facts.method is Method.DECLINECOUNTER:
        return _calendar(_refused_counter(facts), facts.method)
    event = _event(facts)
    event.add("ORGANIZER", _person(facts.organizer))
    for person in facts.attendees:
        event.add("ATTENDEE", _attendee(person, facts.method))
    return _calendar(event, facts.method)


def calendar_file(facts: InviteFacts) -> bytes:
    """The visit as a file to keep: no METHOD, ORGANIZER or ATTENDEE, so importing it never mails anybody."""
    return _calendar(_event(facts), None)


def feed_event(facts: InviteFacts, status: str) -> str:
    """The visit as a feed shows it: one VEVENT with an ORGANIZER, no ATTENDEE (RFC 5546 3.2.1) and no alarm.

    `status` is CONFIRMED, TENTATIVE or CANCELLED; what is cancelled takes nobody's time.
    """
    event = _event(facts)
    event.subcomponents.clear()
    event["STATUS"] = vText(status)
    if status == "CANCELLED":
        event["TRANSP"] = vText("TRANSPARENT")
    event.add("ORGANIZER", _person(facts.organizer))
    return _as_text(event)


def feed_frame(name: str) -> tuple[str, str]:
    """What stands before and after the events of a feed called `name`: no METHOD, to be read again hourly.

    REFRESH-INTERVAL (RFC 7986) needs its VALUE; X-PUBLISHED-TTL says the same to Outlook.
    """
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", PRODID)
    calendar.add("X-WR-CALNAME", _Text(clean_line(name)))
    calendar.add("REFRESH-INTERVAL", vDuration(FEED_REFRESH, params={"VALUE": "DURATION"}))
    calendar.add("X-PUBLISHED-TTL", vDuration(FEED_REFRESH))
    end = "END:VCALENDAR\r\n"
    return _as_text(calendar).removesuffix(end), end


def _as_text(component: Component) -> str:
    ics: bytes = component.to_ical()
    return ics.decode()
