"""The `gemba` command with the mail templates of these tests, for tests that start real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from flask import Flask

from gemba.app import create_app
from gemba.cli import cli, main
from gemba.config import ROOT
from tests.outbox.conftest import add_templates


def environment(database_url: str, folder: Path, smtp_url: str) -> dict[str, str]:
    """The settings of a machine that mails to a test's server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GEMBA_")}
    return {
        **kept,
        "GEMBA_DATABASE_URL": database_url,
        "GEMBA_INSTANCE": str(folder),
        "GEMBA_SECRET_KEY": "test-" * 10,
        "GEMBA_SMTP_URL": smtp_url,
        "GEMBA_BASE_URL": "http://localhost",
    }


def start(environ: dict[str, str], *words: str) -> subprocess.Popen[bytes]:
    """Starts `gemba` with these words."""
    return subprocess.Popen([sys.executable, "-m", "tests.outbox.gemba", *words], cwd=ROOT, env=environ)


def _with_templates() -> Flask:
    app = create_app()
    add_templates(app)
    return app


if __name__ == "__main__":
    cli.create_app = _with_templates
    sys.exit(main())
