"""The lines of a calendar that somebody else wrote, read with patience (RFC 5545 3.1) and within bounds.

Pure. Answers need a handful of properties of one VEVENT; what else a calendar holds is passed over, above
all its VTIMEZONE, whose rules may repeat each second since 1601. Zones go by their names.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from gemba.invites.incoming import decode

LARGEST = 256 * 1024
"""Octets of a calendar that is looked at; answers have a few thousand."""
LONGEST_LINE = 20_000
YEARS = range(1970, 2101)

_FOLD = re.compile(rb"\r?\n[ \t]")
_LINE = re.compile(r'([A-Za-z0-9-]+)((?:;(?:[^";:]|"[^"]*")*)*):(.*)', re.DOTALL)
_PARAMETER = re.compile(r';([A-Za-z0-9-]+)=((?:[^";:]|"[^"]*")*)')
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_INSTANT = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(Z?)", re.ASCII | re.IGNORECASE)
_DURATION = re.compile(
    r"\+?P(?:(\d{1,3})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,5})M)?(?:(\d{1,6})S)?)?", re.ASCII
)
_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)(?:\d\d)?", re.ASCII)
_ZONE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}", re.ASCII)
_WINDOWS = {name.casefold(): zone for name, zone in WINDOWS_TO_OLSON.items()}


@dataclass(frozen=True)
class Property:
    """One line: its parameters with names in capitals, its value as written."""

    parameters: Mapping[str, str]
    value: str

    @property
    def text(self) -> str:
        """The value as text."""
        return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], self.value)


Event = Mapping[str, list[Property]]
"""The properties of a VEVENT by name in capitals, in order."""


@dataclass(frozen=True)
class Lines:
    """What a calendar says: its METHOD in capitals, its events, and the offsets that its zones name."""

    method: str
    events: tuple[Event, ...]
    offsets: Mapping[str, frozenset[str]]
    whole: bool
    """Whether everything that began also ended."""


def read_lines(data: bytes, charset: str = "utf-8") -> Lines:
    """Takes a calendar apart; never raises."""
    if b"\0" in data:
        data = decode(data, charset).encode("utf-8", "replace")
    reader = _Reader()
    for line in re.split(r"\r\n|\n|\r", decode(_FOLD.sub(b"", data), charset)):
        name, found = _line(line)
        if name == "BEGIN":
            reader.begin(found.value.strip().upper())
        elif name != "END":
            reader.take(name, found)
        elif reader.end(found.value.strip().upper()):
            break
    offsets = {zone: frozenset(each) for zone, each in reader.offsets.items()}
    return Lines(reader.method, tuple(reader.events), offsets, reader.whole)


class _Reader:
    """What was read so far, and the components that are open."""

    def __init__(self) -> None:
        self.method, self.whole = "", False
        self.events: list[dict[str, list[Property]]] = []
        self.offsets: dict[str, set[str]] = {}
        self._open: list[str] = []
        self._zone = ""

    def begin(self, component: str) -> None:
        self._open.append(component)
        if self._open == ["VCALENDAR", "VEVENT"]:
            self.events.append({})

    def end(self, component: str) -> bool:
        """Whether that was the end of all."""
        matches = bool(self._open) and self._open.pop() == component
        self.whole = matches and not self._open
        return not self._open

    def take(self, name: str, found: Property) -> None:
        if self._open == ["VCALENDAR"] and name == "METHOD":
            self.method = self.method or found.value.strip().upper()
        elif self._open == ["VCALENDAR", "VEVENT"]:
            self.events[-1].setdefault(name, []).append(found)
        elif self._open == ["VCALENDAR", "VTIMEZONE"] and name == "TZID":
            self._zone = found.value.strip()
        elif self._open[:2] == ["VCALENDAR", "VTIMEZONE"] and name == "TZOFFSETTO":
            self.offsets.setdefault(self._zone, set()).add(found.value.strip())


def _line(line: str) -> tuple[str, Property]:
    found = _LINE.fullmatch(line) if len(line) <= LONGEST_LINE else None
    if found is None:
        return "", Property({}, "")
    parameters = {key.upper(): value.replace('"', "") for key, value in _PARAMETER.findall(found[2])}
    return found[1].upper(), Property(parameters, found[3])


def instant(found: Property, offsets: Mapping[str, frozenset[str]]) -> datetime | None:
    """The moment a property names: in UTC, or naive where the calendar leaves the zone to the reader.

    None for what is no moment: a day without an hour, a date that does not exist, an unknown zone.
    """
    # Microsoft writes TZID=tzone://Microsoft/Utc without the quotes that its colon needs.
    rest, colon, value = found.value.strip().rpartition(":")
    parts = _INSTANT.fullmatch(value)
    if parts is None or int(parts[1]) not in YEARS:
        return None
    try:
        moment = datetime(*(int(part) for part in parts.groups()[:6]))  # type: ignore[arg-type] # noqa: DTZ001
    except ValueError:
        return None
    if parts[7]:
        return moment.replace(tzinfo=UTC)
    tzid = (found.parameters.get("TZID", "") + colon + rest).strip()
    if not tzid:
        return moment
    zone = zone_of(tzid) or _fixed(offsets.get(tzid, frozenset()))
    return moment.replace(tzinfo=zone).astimezone(UTC) if zone else None


def zone_of(tzid: str) -> tzinfo | None:
    """The zone of a TZID: an IANA name, one of Windows, or a path that ends in one."""
    name = tzid.strip().strip('"')
    if name.casefold() in ("utc", "gmt", "z", "tzone://microsoft/utc"):
        return UTC
    if windows := _WINDOWS.get(name.casefold()):
        return ZoneInfo(windows)
    pieces = name.strip("/").split("/")
    # /freeassociation.sourceforge.net/Europe/Berlin, /mozilla.org/20050126_1/America/Argentina/Salta
    for length in (3, 2, 1):
        tail = "/".join(pieces[-length:])
        if _ZONE_NAME.fullmatch(tail) and length <= len(pieces):
            try:
                return ZoneInfo(tail)
            except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
                continue
    return None


def _fixed(offsets: frozenset[str]) -> tzinfo | None:
    """A zone of the calendar's own, where it has a single offset all year."""
    found = _OFFSET.fullmatch(next(iter(offsets))) if len(offsets) == 1 else None
    if found is None or int(found[2]) > 14 or int(found[3]) > 59:
        return None
    span = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-span if found[1] == "-" else span)


def duration(value: str) -> timedelta | None:
    """The span of a DURATION; None where it is none."""
    found = _DURATION.fullmatch(value.strip().upper())
    if found is None or not any(found.groups()):
        return None
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
