"""The whole product as `make run` starts it, in a folder of its own: for the story and the pictures."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from gemba.config import ROOT

STARTS_WITHIN = 120


@contextmanager
def gemba_run(folder: Path) -> Iterator[str]:
    """`gemba run` with web, worker and the demo company, its data in `folder`; gives the address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("GEMBA_", "DATABASE_URL"))
    }
    environ |= {"GEMBA_INSTANCE": str(folder), "PORT": str(port), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", "import sys; from gemba.cli import main; sys.exit(main())", "run"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environ, stdout=log, stderr=log, start_new_session=True
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url, process, folder / "log")
            yield url
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)


def _wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            with urlopen(f"{url}/readyz"):
                return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(log.read_text())
