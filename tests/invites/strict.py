"""A strict check of a mail's bytes and of the calendar in it, from the RFCs and the standard library alone.

It knows nothing of the product's own writer, and is narrower than the RFCs: it demands what real calendars
need (UTC, one bare `mailto:` organizer that is the sender, METHOD in three places). No judge of foreign mail.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from typing import NamedTuple

COUNTER = "DECLINECOUNTER"
"""Its event names the visit and nothing else of it (RFC 5546 3.2.8)."""
ONE_EACH = ("UID", "DTSTAMP", "DTSTART", "DTEND", "SEQUENCE", "STATUS", "SUMMARY")
AT_MOST_ONE = ("ORGANIZER", "DESCRIPTION", "LOCATION", "URL", "TRANSP")
KNOWN = {
    "VCALENDAR": {"VERSION", "PRODID", "METHOD"},
    "VEVENT": {*ONE_EACH, *AT_MOST_ONE, "ATTENDEE"},
    "VALARM": {"ACTION", "DESCRIPTION", "TRIGGER"},
}
VALUES = {
    "VERSION": r"2\.0",
    "PRODID": r"-//.+//.+",
    "METHOD": r"REQUEST|CANCEL|DECLINECOUNTER",
    "UID": r"[\x21-\x7e]+",
    "SEQUENCE": r"\d+",
    "STATUS": r"CONFIRMED|CANCELLED",
    "TRANSP": r"OPAQUE",
    "ACTION": r"DISPLAY",
    "TRIGGER": r"-PT\d+M",
    "URL": r"https?://[!-~]+",
    "SUMMARY": r"(\\[\\;,]|[^\\;,])+",  # one line, never empty
    "LOCATION": r"(\\[\\;,]|[^\\;,])+",
    "DESCRIPTION": r"(\\[\\;,n]|[^\\;,])+",
    **dict.fromkeys(("DTSTAMP", "DTSTART", "DTEND"), r"\d{8}T\d{6}Z"),
    **dict.fromkeys(("ORGANIZER", "ATTENDEE"), r"mailto:[^\s<>\"@]+@[^\s<>\"@]+"),
}
PARAMETERS = {
    "CN": r".+",
    "CUTYPE": "INDIVIDUAL",
    "ROLE": "REQ-PARTICIPANT|OPT-PARTICIPANT",
    "PARTSTAT": "NEEDS-ACTION|ACCEPTED|TENTATIVE|DECLINED",
    "RSVP": "TRUE",
}
LINE = re.compile(r'([A-Z-]+)((?:;[A-Z-]+=(?:"[^"]*"|[^";:,]*))*):(.*)', re.DOTALL)
PARAMETER = re.compile(r';([A-Z-]+)=(?:"([^"]*)"|([^";:,]*))')
CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
HEADERS = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Auto-Submitted", "Content-Type")


class Line(NamedTuple):
    """One unfolded content line, and the component it stands in."""

    component: str
    name: str
    params: dict[str, str]
    value: str


def problems(raw_mail: bytes, method: str | None = None) -> list[str]:
    """What is wrong with an outgoing mail, in words; an empty list where nothing is.

    A mail without a calendar part is checked as a mail, unless `method` says which one it has to carry.
    """
    found = list(_byte_problems(raw_mail))
    mail = message_from_bytes(raw_mail, policy=policy.default)
    found += _header_problems(mail)
    calendars = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    if method and len(calendars) != 1:
        found.append(f"{len(calendars)} calendar parts")
    for part in mail.walk():
        found += [f"{name}: {type(bad).__name__}" for name, value in part.items() for bad in value.defects]
        found += [f"{part.get_content_type()}: {type(defect).__name__}" for defect in part.defects]
        if not part.is_multipart() and part.get_content_charset() != "utf-8":
            found.append(f"{part.get_content_type()} is not marked as UTF-8")
    if len(calendars) == 1:
        found += _invite_problems(mail, calendars[0], method)
    return found


def calendar_problems(ics: bytes, method: str | None) -> list[str]:
    """What is wrong with iCalendar bytes; `method` is what it has to be, None for a file to keep."""
    found = list(_folding_problems(ics))
    try:
        text = ics.decode()
    except UnicodeDecodeError:
        return [*found, "not UTF-8"]
    if CONTROL.search(text.replace("\r\n", "")):
        found.append("a control character")
    lines, broken = _lines(text)
    return found + broken + list(_property_problems(lines)) + list(_event_problems(lines, method))


def calendar_of(raw_mail: bytes) -> bytes:
    """The bytes of the calendar part of a mail."""
    mail = message_from_bytes(raw_mail, policy=policy.default)
    (part,) = (part for part in mail.walk() if part.get_content_type() == "text/calendar")
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload


def _byte_problems(raw: bytes) -> Iterator[str]:
    if re.search(rb"(?<!\r)\n|\r(?!\n)", raw):
        yield "a bare CR or LF in the mail"
    if any(len(line) > 998 for line in raw.split(b"\r\n")):
        yield "a mail line over 998 octets"
    if re.search(rb"[^\t\r\n\x20-\x7e]", raw):
        yield "not plain ASCII on the wire"


def _header_problems(mail: EmailMessage) -> Iterator[str]:
    counts = Counter(name.lower() for name in mail.keys())  # noqa: SIM118 (repeats count)
    for name in HEADERS:
        if counts.pop(name.lower(), 0) != 1:
            yield f"not exactly one {name}"
    counts.pop("content-transfer-encoding", None)
    yield from (f"unknown header {name}" for name in counts)
    if mail["Auto-Submitted"] != "auto-generated":
        yield "not marked as auto-generated"
    if not re.fullmatch(r"<[^<>@\s]+@[^<>@\s]+>", mail.get("Message-ID", "")):
        yield "a broken Message-ID"
    if CONTROL.search(str(mail.get("Subject", ""))) or len(str(mail.get("Subject", ""))) > 900:
        yield "an unsafe Subject"
    for name in ("From", "To"):
        header = mail[name]
        if not isinstance(header, AddressHeader) or len(header.addresses) != 1:
            yield f"{name} is not one address"
        elif re.search('[@:,"]', header.addresses[0].display_name) or CONTROL.search(str(header)):
            yield f"an unsafe name in {name}"


def _invite_problems(mail: EmailMessage, part: EmailMessage, wanted: str | None) -> Iterator[str]:
    if mail.get_content_type() != "multipart/alternative":
        yield "the mail is not multipart/alternative"
        return
    kinds = [child.get_content_type() for child in mail.iter_parts()]
    if kinds not in (["text/plain", "text/calendar"], ["text/plain", "text/html", "text/calendar"]):
        yield f"the parts are {kinds}"
    if part.get("Content-Transfer-Encoding") != "base64" or part.get("Content-Disposition"):
        yield "the calendar part is not base64 and inline"
    parameter = part.get_param("method")
    ics = part.get_payload(decode=True)
    assert isinstance(ics, bytes)
    method = wanted or (parameter if isinstance(parameter, str) else "no method")
    if parameter != method:
        yield f"the mail says method={parameter}, not {method}"
    yield from calendar_problems(ics, method)
    yield from _people_problems(mail, _lines(ics.decode(errors="replace"))[0])


def _people_problems(mail: EmailMessage, lines: list[Line]) -> Iterator[str]:
    organizers = [line.value for line in lines if line.name == "ORGANIZER"]
    attendees = [line.value for line in lines if line.name == "ATTENDEE"]
    if organizers != [f"mailto:{_address(mail, 'From')}"]:
        yield "From is not the ORGANIZER"
    is_counter = any(line.name == "METHOD" and line.value == COUNTER for line in lines)
    if not is_counter and attendees.count(f"mailto:{_address(mail, 'To')}") != 1:
        yield "To is not one ATTENDEE"


def _address(mail: EmailMessage, name: str) -> str:
    header = mail[name]
    return header.addresses[0].addr_spec if isinstance(header, AddressHeader) and header.addresses else ""


def _folding_problems(ics: bytes) -> Iterator[str]:
    if re.search(rb"(?<!\r)\n|\r(?!\n)", ics) or not ics.endswith(b"\r\n"):
        yield "lines do not all end with CRLF"
    for line in ics.split(b"\r\n")[:-1]:
        if len(line) > 75:
            yield f"a line of {len(line)} octets"
        if not line.strip():
            yield "an empty line"
        try:
            line.decode()
        except UnicodeDecodeError:
            yield "folding cuts a character"


def _lines(text: str) -> tuple[list[Line], list[str]]:
    """The content lines with their components, and what of the structure is broken."""
    lines: list[Line] = []
    broken: list[str] = []
    stack: list[str] = []
    for raw in text.replace("\r\n ", "").removesuffix("\r\n").split("\r\n"):
        match = LINE.fullmatch(raw)
        if not match:
            broken.append(f"not a content line: {raw[:40]!r}")
            continue
        name, params, value = match.groups()
        if name == "BEGIN":
            stack.append(value)
            lines.append(Line("/".join(stack), name, {}, value))
        elif name == "END":
            if not stack or stack.pop() != value:
                broken.append(f"END:{value} without its BEGIN")
        else:
            pairs = [(key, quoted or plain) for key, quoted, plain in PARAMETER.findall(params)]
            if len(dict(pairs)) != len(pairs):
                broken.append(f"a parameter twice in {name}")
            lines.append(Line(stack[-1] if stack else "", name, dict(pairs), value))
    return lines, broken + [f"no END:{name}" for name in stack]


def _property_problems(lines: list[Line]) -> Iterator[str]:
    for component, name, params, value in lines:
        if name == "BEGIN":
            continue
        if name not in KNOWN.get(component, ()):
            yield f"unexpected {name} in {component or 'no component'}"
            continue
        if not re.fullmatch(VALUES[name], value):
            yield f"a bad {name}: {value[:40]!r}"
        if params and name not in ("ORGANIZER", "ATTENDEE"):
            yield f"parameters of {name}"
        for key, text in params.items():
            if not re.fullmatch(PARAMETERS.get(key, "(?!)"), text) or re.search(r"\^['n^]|\\", text):
                yield f"a bad {key} of {name}: {text[:40]!r}"


def _event_problems(lines: list[Line], method: str | None) -> Iterator[str]:
    opened = sorted(line.component for line in lines if line.name == "BEGIN")
    event = "VCALENDAR/VEVENT"
    if opened not in (["VCALENDAR", event], ["VCALENDAR", event, f"{event}/VALARM"]):
        yield f"the components are {opened}"
    counts = Counter((line.component, line.name) for line in lines)
    people = method is not None
    wanted = [("VCALENDAR", "VERSION", 1), ("VCALENDAR", "PRODID", 1), ("VCALENDAR", "METHOD", int(people))]
    if method == COUNTER:
        wanted += [
            ("VEVENT", name, int(name in ("UID", "DTSTAMP"))) for name in (*ONE_EACH, *AT_MOST_ONE[1:])
        ]
    else:
        wanted += [("VEVENT", name, 1) for name in ONE_EACH]
    wanted.append(("VEVENT", "ORGANIZER", int(people)))
    if f"{event}/VALARM" in opened:
        wanted += [("VALARM", name, 1) for name in ("ACTION", "DESCRIPTION", "TRIGGER")]
    for component, name, number in wanted:
        if counts[component, name] != number:
            yield f"{counts[component, name]} {name} in {component}, not {number}"
    yield from (f"several {name}" for name in AT_MOST_ONE if counts["VEVENT", name] > 1)
    if (counts["VEVENT", "ATTENDEE"] > 0) != (people and method != COUNTER):
        yield "ATTENDEE where there should be none, or none where there should be some"
    yield from _instant_problems(lines)
    values = {line.name: line.value for line in lines if line.component != "VALARM"}
    if values.get("METHOD") != method:
        yield f"METHOD is {values.get('METHOD')}, not {method}"
    if people:
        yield from _itip_problems(lines, values, f"{event}/VALARM" in opened)


def _instant_problems(lines: list[Line]) -> Iterator[str]:
    instants = {}
    for line in lines:
        if line.name in ("DTSTART", "DTEND", "DTSTAMP"):
            try:
                instants[line.name] = datetime.strptime(line.value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            except ValueError:
                yield f"no such instant: {line.name}"
    if {"DTSTART", "DTEND"} <= instants.keys() and instants["DTEND"] <= instants["DTSTART"]:
        yield "it ends before it starts"


def _itip_problems(lines: list[Line], values: dict[str, str], has_alarm: bool) -> Iterator[str]:
    attendees = [line for line in lines if line.name == "ATTENDEE"]
    if len({line.value.lower() for line in attendees}) != len(attendees):
        yield "an ATTENDEE twice"
    if values.get("METHOD") == "REQUEST":
        if values.get("STATUS") != "CONFIRMED":
            yield "a REQUEST that is not CONFIRMED"
        if any("RSVP" not in line.params or "PARTSTAT" not in line.params for line in attendees):
            yield "an ATTENDEE who is not asked to answer"
    elif has_alarm:
        yield f"a {values.get('METHOD')} with an alarm"
    elif values.get("METHOD") == "CANCEL" and (
        values.get("STATUS") != "CANCELLED" or values.get("SEQUENCE") == "0"
    ):
        yield "a CANCEL without STATUS:CANCELLED or a raised SEQUENCE"
