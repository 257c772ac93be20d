"""The whole product as `make run` starts it, in a folder of its own: for the story and the pictures."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gemba.config import ROOT
from tests.serving import free_port, own_environ, wait_for


@contextmanager
def gemba_run(folder: Path) -> Iterator[str]:
    """`gemba run` with web, worker and the demo company, its data in `folder`; gives the address."""
    port = free_port()
    environ = own_environ(folder, PORT=str(port), PYTHONPATH=str(ROOT))
    command = [sys.executable, "-c", "import sys; from gemba.cli import main; sys.exit(main())", "run"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environ, stdout=log, stderr=log, start_new_session=True
        )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/readyz", process, (folder / "log").read_text)
            yield url
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)
