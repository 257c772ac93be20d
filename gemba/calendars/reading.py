"""Has a calendar worked out by a child process, and ends that process where it takes too long."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import datetime

from gemba.calendars.child import WALL_SECONDS
from gemba.calendars.rules import LIMIT_BYTES, Spans, Trouble, Unreadable, window
from gemba.config import ROOT

ENVIRONMENT = {"PYTHONPATH": str(ROOT), "PATH": os.defpath, "TZ": "UTC"}
"""All that the child is told: our own environment holds secrets."""


def work_out(
    data: bytes, *, zone: str, now: datetime, seconds: float = WALL_SECONDS
) -> tuple[Spans, int, datetime]:
    """The busy times of a calendar, how many entries say so, and until when they are known.

    `zone` is the agent's. Takes at most `seconds`. Raises Unreadable.
    """
    if len(data) > LIMIT_BYTES:
        raise Unreadable(Trouble.TOO_LARGE)
    start, end = window(now)
    minutes = [str(int(edge.timestamp()) // 60) for edge in (start, end)]
    command = [sys.executable, "-m", "gemba.calendars.child", zone, *minutes]
    answer = json.loads(_run(command, data, seconds))
    if "trouble" in answer:
        raise Unreadable(Trouble(answer["trouble"]))
    return answer["spans"], answer["events"], end


def _run(command: list[str], data: bytes, seconds: float) -> bytes:
    process = subprocess.Popen(  # noqa: S603 (our own module; the zone is one of the database's)
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env=ENVIRONMENT,
        start_new_session=True,
    )
    try:
        out, _err = process.communicate(data, timeout=max(seconds, 0.1))
    except subprocess.TimeoutExpired:
        raise Unreadable(Trouble.TOO_MUCH_WORK) from None
    finally:
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode < 0:
        raise Unreadable(Trouble.TOO_MUCH_WORK)
    if process.returncode or not out:
        raise Unreadable(Trouble.UNREADABLE)
    return out
