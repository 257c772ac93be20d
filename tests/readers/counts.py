"""How many events libical and ical.js read in a large calendar."""

import ctypes
import json
import subprocess
from pathlib import Path

from playwright._impl._driver import compute_driver_executable

from tests.invites import libical

SCRIPT = Path(__file__).with_name("count.mjs")


def with_ical_js(ics: bytes) -> dict[str, int]:
    """`events`, different `uids`, and how many have a start before their end (`ordered`)."""
    node, _ = compute_driver_executable()
    done = subprocess.run([node, SCRIPT], input=ics, capture_output=True, check=True, timeout=120)
    counted: dict[str, int] = json.loads(done.stdout)
    return counted


def with_libical(ics: bytes) -> tuple[int, int]:
    """How many events there are, and how many things libical could not understand."""
    lib = libical._library()
    for name, arguments in (
        ("icalcomponent_count_components", [ctypes.c_void_p, ctypes.c_int]),
        ("icalcomponent_count_errors", [ctypes.c_void_p]),
    ):
        getattr(lib, name).argtypes = arguments
    calendar = lib.icalparser_parse_string(ics)
    if not calendar:
        raise ValueError("libical reads nothing")
    try:
        kind = lib.icalcomponent_string_to_kind(b"VEVENT")
        return lib.icalcomponent_count_components(calendar, kind), lib.icalcomponent_count_errors(calendar)
    finally:
        lib.icalcomponent_free(calendar)
