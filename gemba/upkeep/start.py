"""What `gemba run` does before web and worker start."""

import os
import socket
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from flask_migrate import upgrade

from gemba.config import ROOT, Settings
from gemba.db import db
from gemba.demo import service as demo
from gemba.errors import GembaError
from gemba.migrate import current_revision, newest_revision

HOST, PORT = "127.0.0.1", "8000"


class PortTaken(GembaError):
    """Something else already listens on port %(port)s. Stop it, or choose another: PORT=8001 make run"""

    code = "port-taken"


def refuse_taken_port(host: str, port: int) -> None:
    """Raises PortTaken where a server could not listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(port=port) from error


def migrate() -> None:
    """Brings the database to the schema this code needs, where it is not there yet."""
    if current_revision() != newest_revision():
        upgrade()


def furnish(now: datetime) -> bool:
    """Loads the demo company into a database without people; says whether the database holds it."""
    if demo.is_empty():
        demo.load(now)
        db.session.flush()
        return True
    return demo.is_demo()


def welcome(settings: Settings, is_demo: bool) -> str:
    """Where the product is and how to sign in, for the terminal."""
    url = settings.base_url
    if is_demo:
        rows = [f"Sign in: open {url}/demo and pick a person", f"Mail it sends: {url}/demo/mail"]
    else:
        mail = "by mail" if settings.smtp else f"into {settings.mail_folder}"
        rows = [f"Sign in: open {url}/sign-in; the link and the code come {mail}"]
    return "\n".join(["", f"Gemba is at {url}", *rows, "Ctrl-C stops it.", ""])


def serve(environ: Mapping[str, str]) -> None:
    """Becomes honcho, which runs web and worker of the Procfile and stops both on Ctrl-C."""
    binaries = Path(sys.executable).parent
    path = f"{binaries}{os.pathsep}{environ.get('PATH', '')}"
    os.chdir(ROOT)
    sys.stdout.flush()
    os.execve(  # noqa: S606 (the program of our own environment)
        binaries / "honcho",
        ["honcho", "--procfile", "Procfile", "start", "web", "worker"],
        {**environ, "PATH": path, "PYTHONUNBUFFERED": "1", "FLASK_RUN_FROM_CLI": "false"},
    )
