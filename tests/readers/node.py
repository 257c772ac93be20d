"""Reads calendars with ical.js and node-ical, in one process of the node that comes with Playwright."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from playwright._impl._driver import compute_driver_executable

SCRIPT = Path(__file__).with_name("read.mjs")


class Reading(TypedDict, total=False):
    """What one reader made of one calendar; start and end in epoch seconds, or only `error`."""

    uid: str
    sequence: int
    method: str | None
    start: float
    end: float
    error: str


class Readings(TypedDict):
    """What both readers made of it."""

    ical_js: Reading
    node_ical: Reading


def read(calendars: Sequence[bytes]) -> list[Readings]:
    """Both readings of every calendar, in their order. Starting node takes a while: send many at once."""
    node, _ = compute_driver_executable()
    given = json.dumps([ics.decode() for ics in calendars])
    done = subprocess.run(
        [node, SCRIPT], input=given, capture_output=True, text=True, encoding="utf-8", check=True, timeout=120
    )
    readings: list[Readings] = json.loads(done.stdout)
    return readings
