"""The `gemba` command as real processes, with the mail templates of these tests.

They are forked from a process that has read the code once, as reading it anew for each of a dozen workers
would take most of the time of a test.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from flask import Flask

from gemba.app import create_app
from gemba.cli import cli, main
from gemba.outbox import claims, delivery
from gemba.outbox.delivery import ToServer
from gemba.outbox.rules import backoff
from tests.outbox.conftest import add_templates

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.outbox.gemba"])


def environment(database_url: str, folder: Path, smtp_url: str) -> dict[str, str]:
    """The settings of a machine that mails to a test's server."""
    return {
        "GEMBA_DATABASE_URL": database_url,
        "GEMBA_INSTANCE": str(folder),
        "GEMBA_SECRET_KEY": "test-" * 10,
        "GEMBA_SMTP_URL": smtp_url,
        "GEMBA_BASE_URL": "http://localhost",
    }


def start(environ: dict[str, str], *words: str) -> ForkServerProcess:
    """Starts `gemba` with these words."""
    process = _processes.Process(target=_run, args=(environ, words), daemon=True)
    process.start()
    return process


def _with_templates() -> Flask:
    app = create_app()
    add_templates(app)
    return app


HURRY = "TEST_HURRY"
"""A variable: waits for another try are so many times shorter, and a mail server has three seconds."""


def _hurry(times: int) -> None:
    vars(claims)["backoff"] = lambda item, attempt, first: backoff(item, attempt, first) / times
    vars(delivery)["ToServer"] = partial(ToServer, connect=2.0, total=3.0)


def _run(environ: dict[str, str], words: tuple[str, ...]) -> None:
    if HURRY in environ:
        _hurry(int(environ[HURRY]))
    for name in [name for name in os.environ if name.startswith("GEMBA_")]:
        del os.environ[name]
    os.environ.update(environ)
    sys.argv = ["gemba", *words]
    cli.create_app = _with_templates
    sys.exit(main())
