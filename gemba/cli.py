"""The `gemba` command: thin, over the same services as the pages."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from flask.cli import FlaskGroup
from flask_migrate import upgrade

from gemba.app import create_app
from gemba.config import ROOT, BadSetting, current_settings
from gemba.errors import GembaError, Invalid


class _Group(FlaskGroup):
    """The command group; what is refused becomes one sentence on standard error and status 1."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().main(*args, **kwargs)
        except Invalid as error:
            for field, sentences in error.errors.items():
                click.echo(f"{field}: {' '.join(sentences)}", err=True)
        except (BadSetting, GembaError) as error:
            click.echo(str(error), err=True)
        sys.exit(1)


@click.group(cls=_Group, create_app=create_app, add_default_commands=False, add_version_option=False)
def cli() -> None:
    """Gemba: visits beside frontline support, and the backlog that comes of them."""


@cli.command("run")
def run() -> None:
    """Migrate, load the demo company into an empty database, serve web and worker (Ctrl-C stops both)."""
    upgrade()
    settings = current_settings()
    port = os.environ.get("PORT", "8000")
    click.echo(f"\nGemba is at {settings.base_url}\nCtrl-C stops it.\n")
    binaries = Path(sys.executable).parent
    environ = {**os.environ, "PORT": port, "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"}
    environ.setdefault("HOST", "127.0.0.1")
    os.chdir(ROOT)
    os.execve(binaries / "honcho", ["honcho", "start", "web", "worker"], environ)


def main() -> int:
    """Entry point of the console script."""
    try:
        create: Callable[..., Any] = cli
        create()
    except BadSetting as error:
        click.echo(str(error), err=True)
        return 1
    return 0
