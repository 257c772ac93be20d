"""What `gemba run` does before web and worker start."""

import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flask import Flask

from gemba.config import ROOT, Settings
from gemba.db import db, open_database, reading
from gemba.demo.state import is_demo, is_empty
from gemba.errors import GembaError
from gemba.migrate import current_revision, ensure_schema, newest_revision

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


@dataclass(frozen=True)
class Found:
    """Whether the database can be served as it is, and whether it holds the demo company."""

    is_ready: bool
    is_demo: bool = False


def look(settings: Settings) -> Found:
    """Looks at the database without the whole product, which takes seconds to import."""
    settings.instance.mkdir(parents=True, exist_ok=True)
    bare = Flask("gemba")
    open_database(bare, settings.database_url)
    with bare.app_context(), reading():
        if current_revision() != newest_revision() or is_empty():
            return Found(is_ready=False)
        return Found(is_ready=True, is_demo=is_demo())


def make_ready(now: datetime) -> Found:
    """Brings the database to this code's schema, and the demo company into one without people."""
    from gemba.demo.service import load

    ensure_schema()
    if is_empty():
        load(now)
        db.session.flush()
    return Found(is_ready=True, is_demo=is_demo())


def welcome(settings: Settings, found: Found) -> str:
    """Where the product is and how to sign in, for the terminal."""
    url = settings.base_url
    if found.is_demo:
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
