"""Servers that tests and benchmarks start: a free port, gunicorn as in production, waiting for an answer."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from gemba.config import ROOT

STARTS_WITHIN = 120
"""Seconds; a busy machine takes its time."""


def free_port() -> int:
    """A port of 127.0.0.1 nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def own_environ(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a Gemba that keeps its things in `folder`, whatever is set outside."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("GEMBA_", "DATABASE_URL"))
    }
    return {**kept, "GEMBA_INSTANCE": str(folder), **more}


@contextmanager
def gunicorn(app: str, database_url: str, folder: Path) -> "Iterator[tuple[int, subprocess.Popen[bytes]]]":
    """Gunicorn with the product's own settings, its port and process; it ends with the block."""
    port = free_port()
    environ = own_environ(
        folder,
        GEMBA_DATABASE_URL=database_url,
        GEMBA_SECRET_KEY="served-" * 10,
        HOST="127.0.0.1",
        PORT=str(port),
    )
    command = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", app]
    log = folder / "gunicorn.log"
    with log.open("wb") as written:
        server = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=written, stderr=written)
        try:
            wait_for(f"http://127.0.0.1:{port}/healthz", server, log.read_text)
            yield port, server
        finally:
            server.terminate()
            server.wait(60)


def wait_for(url: str, server: "subprocess.Popen[bytes]", said: Callable[[], str]) -> None:
    """Until the server answers anything but an error of its own; what it `said` goes into the failure."""
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urlopen(url, timeout=10).close()
        except HTTPError as answer:
            if answer.code < 500:
                return
        except OSError:
            pass
        else:
            return
        time.sleep(0.1)
    raise AssertionError(f"{url} did not answer: {said()}")
