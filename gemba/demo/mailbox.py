"""The mail that went out, as files in a folder: listed, and read part by part. No Flask, no database."""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import default
from pathlib import Path
from typing import Any

from icalendar import Calendar

NAME = re.compile(r"[\w@+=-][\w.@+=-]{0,250}\.eml", re.ASCII)


@dataclass(frozen=True)
class Envelope:
    """A mail in the list: its file's name, its date, to whom, and about what."""

    name: str
    at: datetime
    to: str
    subject: str


@dataclass(frozen=True)
class CalendarWords:
    """What a calendar part says. `starts` and `ends` are instants, None where the part has none."""

    method: str
    uid: str
    sequence: int
    summary: str
    location: str
    starts: datetime | None
    ends: datetime | None
    attendees: tuple[str, ...]


@dataclass(frozen=True)
class Letter:
    """A whole mail. `html` and `calendar` are None where it has no such part."""

    envelope: Envelope
    sender: str
    text: str
    html: str | None
    calendar: CalendarWords | None
    attachments: tuple[str, ...]
    raw: bytes


def envelopes(folder: Path) -> list[Envelope]:
    """All mail of the folder, newest first."""
    found = [_envelope(path) for path in _files(folder)]
    return sorted(found, key=lambda one: (one.at, one.name), reverse=True)


def recipients(found: Iterable[Envelope]) -> list[str]:
    """The addresses mail went to, in order of the alphabet."""
    return sorted({envelope.to for envelope in found})


def letter(folder: Path, name: str) -> Letter | None:
    """One mail by its file's name; None where the folder itself holds no such file."""
    if not NAME.fullmatch(name):
        return None
    path = folder / name
    if path.is_symlink() or not path.is_file():
        return None
    raw = path.read_bytes()
    message = message_from_bytes(raw, policy=default)
    html = message.get_body(preferencelist=("html",))
    text = message.get_body(preferencelist=("plain",))
    return Letter(
        envelope=_envelope(path),
        sender=str(message.get("From", "")),
        text=_words(text),
        html=_words(html) if html is not None else None,
        calendar=_calendar(message),
        attachments=tuple(str(part.get_filename()) for part in message.walk() if part.get_filename()),
        raw=raw,
    )


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in folder.glob("*.eml") if NAME.fullmatch(path.name) and not path.is_symlink()]


def _envelope(path: Path) -> Envelope:
    with path.open("rb") as file:
        headers = BytesHeaderParser(policy=default).parse(file)
    return Envelope(
        name=path.name,
        at=_sent_at(headers["Date"]) or datetime.fromtimestamp(path.stat().st_mtime, UTC),
        to=_address(headers["To"]),
        subject=str(headers.get("Subject", "")),
    )


def _address(header: Any) -> str:
    addresses = getattr(header, "addresses", ())
    return str(addresses[0].addr_spec) if addresses else str(header or "")


def _sent_at(header: Any) -> datetime | None:
    moment: datetime | None = getattr(header, "datetime", None)
    return moment.astimezone(UTC) if moment is not None and moment.tzinfo else None


def _words(part: Any) -> str:
    return str(part.get_content()).strip() if part is not None else ""


def _calendar(message: EmailMessage) -> CalendarWords | None:
    for part in message.walk():
        if part.get_content_type() == "text/calendar":
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                # A part that no calendar could read is shown as missing: that is what its reader sees.
                with suppress(ValueError, IndexError):
                    return _event(Calendar.from_ical(content))
    return None


def _event(calendar: Any) -> CalendarWords:
    event = calendar.walk("VEVENT")[0]
    attendees = event.get("ATTENDEE", [])
    return CalendarWords(
        method=str(calendar.get("METHOD", "")),
        uid=str(event.get("UID", "")),
        sequence=int(event.get("SEQUENCE", 0)),
        summary=str(event.get("SUMMARY", "")),
        location=str(event.get("LOCATION", "")),
        starts=_instant(event.get("DTSTART")),
        ends=_instant(event.get("DTEND")),
        attendees=tuple(
            re.sub("^mailto:", "", str(one), flags=re.IGNORECASE)
            for one in (attendees if isinstance(attendees, list) else [attendees])
        ),
    )


def _instant(value: Any) -> datetime | None:
    moment: date | datetime | None = getattr(value, "dt", None)
    return moment.astimezone(UTC) if isinstance(moment, datetime) and moment.tzinfo else None
