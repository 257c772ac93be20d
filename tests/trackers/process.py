"""A worker in a process of its own, in a hurry, that a test may kill."""

import multiprocessing
import os
import sys
from dataclasses import replace
from datetime import timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from gemba import app, commands
from gemba.cli import main
from gemba.trackers.rules import kinds, pace
from gemba.trackers.rules.kinds import TrackerKind

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.trackers.process"])
LEASE = 3
PRELOADED = (app, commands)
"""Imported once, before the workers are forked: each would take seconds for it."""


def start_worker(database_url: str, folder: Path) -> ForkServerProcess:
    """Starts `gemba worker`, whose leases end after three seconds and whose trackers lag as long."""
    environ = {
        "GEMBA_DATABASE_URL": database_url,
        "GEMBA_INSTANCE": str(folder),
        "GEMBA_SECRET_KEY": "test-" * 10,
        "GEMBA_BASE_URL": "http://localhost",
        "GEMBA_TRACKER_NETWORKS": "127.0.0.0/8",
    }
    process = _processes.Process(target=_run, args=(environ,), daemon=True)
    process.start()
    return process


def _run(environ: dict[str, str]) -> None:
    vars(pace).update(LEASE=timedelta(seconds=LEASE), SLICE=1.5)
    kinds.TRAITS[TrackerKind.REDMINE] = replace(kinds.TRAITS[TrackerKind.REDMINE], lag=LEASE)
    for name in [name for name in os.environ if name.startswith("GEMBA_")]:
        del os.environ[name]
    os.environ.update(environ)
    sys.argv = ["gemba", "worker", "--lease", str(LEASE)]
    sys.exit(main())
