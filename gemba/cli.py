"""The `gemba` command: `run`, and the commands of gemba/commands.py.

What only those need is imported with them: a start waits for nothing it does not use.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

import click
from flask import Flask
from flask.cli import FlaskGroup
from sqlalchemy.exc import DBAPIError

from gemba.clock import now
from gemba.config import BadSetting, load_settings
from gemba.db import db
from gemba.errors import GembaError, Invalid
from gemba.upkeep import start


def _create_app() -> Flask:
    from gemba.app import create_app

    return create_app()


class _Group(FlaskGroup):
    """The command group; what is refused becomes one sentence on standard error and status 1."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            sys.exit(super().main(*args, **{**kwargs, "standalone_mode": False}))
        except click.ClickException as error:
            click.echo(error.format_message(), err=True)
        except click.Abort:
            click.echo("Stopped.", err=True)
        except Invalid as error:
            for field, sentences in error.errors.items():
                click.echo(f"{field}: {' '.join(sentences)}", err=True)
        except (BadSetting, GembaError) as error:
            click.echo(str(error), err=True)
        except DBAPIError as error:
            reason = str(error.orig).strip().splitlines()[0]
            click.echo(f"The database cannot do this ({reason}). Is it new? Run: gemba db upgrade", err=True)
        sys.exit(1)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """`run` without a look at the rest, anything else with all of it."""
        if name in self.commands:
            return self.commands[name]
        self._add_the_rest()
        return super().get_command(ctx, name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, for `--help`."""
        self._add_the_rest()
        return super().list_commands(ctx)

    def _add_the_rest(self) -> None:
        from gemba.commands import commands

        for name, command in commands.commands.items():
            self.add_command(command, name)


@click.group(cls=_Group, create_app=_create_app, add_default_commands=False, add_version_option=False)
def cli() -> None:
    """Gemba: visits beside frontline support, and the backlog that comes of them."""


@cli.command("run", with_appcontext=False)
def run() -> None:
    """Migrate, load the demo company into an empty database, serve web and worker (Ctrl-C stops both)."""
    settings = load_settings()
    host, port = os.environ.get("HOST", start.HOST), os.environ.get("PORT", start.PORT)
    start.refuse_taken_port(host, int(port))
    found = start.look(settings)
    if not found.is_ready:
        with _create_app().app_context():
            found = start.make_ready(now())
            db.session.commit()
    click.echo(start.welcome(settings, found))
    start.serve({**os.environ, "HOST": host, "PORT": port})


def main() -> int:
    """Entry point of the console script."""
    try:
        create: Callable[..., Any] = cli
        create()
    except BadSetting as error:
        click.echo(str(error), err=True)
        return 1
    return 0
