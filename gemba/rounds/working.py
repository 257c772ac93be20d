"""Has a round worked out by a child process, within a time, for as long as somebody wants it."""

import hashlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import IO, cast

from gemba.config import ROOT
from gemba.rounds.pairing.values import Plan
from gemba.rounds.pairing.wire import ENGINE, Task, dump_task, plan_of

ENVIRONMENT = {"PYTHONPATH": str(ROOT), "PATH": os.defpath, "TZ": "UTC", "PYTHONHASHSEED": "0"}
"""All that the child is told: our own environment holds secrets."""
LONGEST = 50.0
"""Seconds after which the child is ended, whatever it does: less than a worker's lease."""
LOOK = 0.5


class NoPlan(Exception):
    """The search ended without a plan; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def work_out(
    task: Task, *, wanted: Callable[[], bool], longest: float = LONGEST
) -> Iterator[tuple[Plan, bool]]:
    """The plans of a round: who is served first, then with the best match (True: it is final).

    `wanted` is asked each half second; where it says no, the child is ended and nothing more comes. Where
    time is over, the plan that was told last is final. Raises NoPlan.
    """
    process = _start()
    end = time.monotonic() + longest
    last: Plan | None = None
    try:
        _hand_over(process, task)
        for line in _lines(process, end, wanted):
            told = json.loads(line)
            if "pin" in told:
                raise NoPlan("pin")
            name = "plan" if "plan" in told else "preview"
            last = plan_of(told[name])
            yield last, name == "plan"
            if name == "plan":
                return
        if not wanted():
            return
        if last is None:
            raise NoPlan("no-plan")
        yield last, True
    finally:
        _end(process)


def digest_of(task: Task) -> str:
    """Of all that the plan depends on; equal tasks give equal plans."""
    found = hashlib.sha256(ENGINE.encode())
    for line in dump_task(task):
        found.update(line.encode())
    return found.hexdigest()[:16]


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "gemba.rounds.pairing.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env=ENVIRONMENT,
        start_new_session=True,
    )


def _hand_over(process: subprocess.Popen[bytes], task: Task) -> None:
    """The child reads all before it writes anything."""
    into = cast("IO[bytes]", process.stdin)
    with suppress(BrokenPipeError):
        for line in dump_task(task):
            into.write(line.encode())
        into.close()


def _lines(process: subprocess.Popen[bytes], end: float, wanted: Callable[[], bool]) -> Iterator[bytes]:
    """What the child says, line by line, until it ends, time is over, or nobody wants it any more."""
    rest, out = b"", cast("IO[bytes]", process.stdout)
    with selectors.DefaultSelector() as selector:
        selector.register(out, selectors.EVENT_READ)
        while time.monotonic() < end:
            if not selector.select(LOOK):
                if not wanted():
                    return
                continue
            data = os.read(out.fileno(), 1 << 16)
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            yield from lines


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None and not pipe.closed:
            with suppress(BrokenPipeError):
                pipe.close()
    process.wait()
