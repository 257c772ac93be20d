"""libical 3 through ctypes: its iTIP restriction tables, and the instants it reads.

The only reader here that knows which property a METHOD demands. Debian: libical3; macOS: libical.
Where the library is missing the tests that ask for it fail in CI and are skipped elsewhere.
"""

import ctypes
import ctypes.util
import os
import re
from typing import NamedTuple

import pytest

_SONAMES = (
    "libical.so.3",
    "libical.3.dylib",
    "/opt/homebrew/lib/libical.dylib",
    "/usr/local/lib/libical.dylib",
)


class Reading(NamedTuple):
    """What libical makes of a calendar; start and end in epoch seconds, `errors` empty where it is fine."""

    uid: str
    sequence: int
    method: str | None
    start: int
    end: int
    errors: list[str]


class _Time(ctypes.Structure):
    """struct icaltimetype of libical 3."""

    _fields_ = [
        *((name, ctypes.c_int) for name in ("year", "month", "day", "hour", "minute", "second")),
        ("is_date", ctypes.c_int),
        ("is_daylight", ctypes.c_int),
        ("zone", ctypes.c_void_p),
    ]


def _load() -> ctypes.CDLL | None:
    for name in (*_SONAMES, ctypes.util.find_library("ical")):
        try:
            library = ctypes.CDLL(name) if name else None
        except OSError:
            continue
        if library is not None and hasattr(library, "icalrestriction_check"):
            return _declare(library)
    return None


def _declare(library: ctypes.CDLL) -> ctypes.CDLL:
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    for name, result, arguments in (
        ("icalparser_parse_string", pointer, [text]),
        ("icalrestriction_check", number, [pointer]),
        ("icalcomponent_string_to_kind", number, [text]),
        ("icalcomponent_get_first_component", pointer, [pointer, number]),
        ("icalcomponent_get_method", number, [pointer]),
        ("icalproperty_method_to_string", text, [number]),
        ("icalcomponent_get_uid", text, [pointer]),
        ("icalcomponent_get_sequence", number, [pointer]),
        ("icalcomponent_get_dtstart", _Time, [pointer]),
        ("icalcomponent_get_dtend", _Time, [pointer]),
        ("icaltime_as_timet_with_zone", ctypes.c_long, [_Time, pointer]),
        ("icalcomponent_as_ical_string", text, [pointer]),
        ("icalcomponent_free", None, [pointer]),
        ("icalerror_set_errors_are_fatal", None, [number]),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    library.icalerror_set_errors_are_fatal(0)
    return library


_LIBRARY = _load()


def _library() -> ctypes.CDLL:
    if _LIBRARY is None:
        missing = "libical 3 is not installed (Debian: apt-get install libical3)"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return _LIBRARY


def read(ics: bytes) -> Reading:
    """Parse, check against the iTIP tables and read one calendar; ValueError where nothing can be parsed."""
    lib = _library()
    calendar = lib.icalparser_parse_string(ics)
    if not calendar:
        raise ValueError("libical reads nothing")
    try:
        allowed = lib.icalrestriction_check(calendar)
        written = lib.icalcomponent_as_ical_string(calendar).decode(errors="replace").replace("\r\n ", "")
        errors = re.findall(r"X-LIC-ERROR[^:]*:(.*?)\r?\n", written)
        if not allowed and not errors:
            errors = ["not allowed"]
        event = lib.icalcomponent_get_first_component(calendar, lib.icalcomponent_string_to_kind(b"VEVENT"))
        if not event:
            raise ValueError("libical finds no event")
        method = lib.icalproperty_method_to_string(lib.icalcomponent_get_method(calendar))
        return Reading(
            uid=(lib.icalcomponent_get_uid(event) or b"").decode(),
            sequence=lib.icalcomponent_get_sequence(event),
            method=method.decode() if method else None,
            start=_epoch(lib, lib.icalcomponent_get_dtstart(event)),
            end=_epoch(lib, lib.icalcomponent_get_dtend(event)),
            errors=errors,
        )
    finally:
        lib.icalcomponent_free(calendar)


def _epoch(lib: ctypes.CDLL, moment: _Time) -> int:
    seconds: int = lib.icaltime_as_timet_with_zone(moment, moment.zone)
    return seconds
