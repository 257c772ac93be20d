"""The `gemba` command: thin, over the same services as the pages."""

import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import FlaskGroup
from sqlalchemy.exc import DBAPIError

from gemba.app import create_app
from gemba.clock import now
from gemba.config import BadSetting, current_settings
from gemba.db import db
from gemba.demo import service as demo
from gemba.errors import GembaError, Invalid
from gemba.outbox import service as outbox
from gemba.outbox.rules import LEASE, State
from gemba.outbox.worker import Worker
from gemba.people import service as people
from gemba.people.rules import PersonFields
from gemba.upkeep import backup, doctor, start


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


@click.group(cls=_Group, create_app=create_app, add_default_commands=False, add_version_option=False)
def cli() -> None:
    """Gemba: visits beside frontline support, and the backlog that comes of them."""


@cli.command("run")
def run() -> None:
    """Migrate, load the demo company into an empty database, serve web and worker (Ctrl-C stops both)."""
    host, port = os.environ.get("HOST", start.HOST), os.environ.get("PORT", start.PORT)
    start.refuse_taken_port(host, int(port))
    start.migrate()
    is_demo = start.furnish(now())
    db.session.commit()
    click.echo(start.welcome(current_settings(), is_demo))
    start.serve({**os.environ, "HOST": host, "PORT": port})


@cli.command("demo")
def load_demo() -> None:
    """Load the demo company into an empty database."""
    demo.load(now())
    db.session.commit()
    click.echo("The demo company is in. Restart the server if it runs, open /demo and pick a person.")


@cli.command("doctor")
def examine() -> None:
    """Check database, worker, mail, sign-in, clock and settings; say in plain words what is wrong."""
    findings = doctor.examine(current_settings(), now())
    for finding in findings:
        click.echo(f"{'ok   ' if finding.ok else 'WRONG'}  {finding.subject:<12}{finding.words}")
    if not all(finding.ok for finding in findings):
        sys.exit(1)


@cli.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def back_up(file: Path) -> None:
    """Save the whole database into a new FILE; Gemba may go on running."""
    size = backup.back_up(file)
    click.echo(
        f"Saved {size / 1_000_000:.1f} MB into {file}. Keep it secret: it holds everything people wrote."
    )


@cli.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Throw away what the database holds now.")
def restore(file: Path, replace: bool) -> None:
    """Bring back the database of a backup FILE. Stop web and worker first.

    Mail that waited when the backup was made is not sent again.
    """
    dropped = backup.restore(file, replace=replace, now=now())
    db.session.commit()
    click.echo(
        f"Restored {file}. {dropped} mails that waited then will not be sent. Now start web and worker."
    )


@cli.command("worker")
@click.option(
    "--threads", default=4, show_default=True, type=click.IntRange(1, 16), help="Mails sent at once."
)
@click.option("--drain", is_flag=True, help="Send what is due now, then end.")
@click.option("--lease", default=LEASE.total_seconds(), type=click.FloatRange(1, 3600), hidden=True)
def worker(threads: int, drain: bool, lease: float) -> None:
    """Send what waits in the outbox, until stopped. Several may run at once."""
    post = Worker(current_app._get_current_object(), threads=threads, lease=timedelta(seconds=lease))  # type: ignore[attr-defined]
    if drain:
        click.echo(str(post.drain()))
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: post.stop())
    if not post.run():
        # A send hangs in its last seconds: its lease will run out, and waiting for it would help nobody.
        os._exit(0)


@cli.group("outbox")
def outbox_group() -> None:
    """Look after what still has to leave the house."""


@outbox_group.command("list")
@click.option(
    "--state", type=click.Choice([state.value for state in State]), help="Only items in this state."
)
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
def outbox_list(state: str | None, limit: int) -> None:
    """Show items, newest first: id, state, tries, kind, recipient, reason."""
    page = outbox.list_items(frozenset({State(state)}) if state else None, limit=limit)
    for item in page.items:
        fields = (item.id, item.state, item.attempts, item.kind, item.recipient, item.last_error)
        click.echo("\t".join(str(field) for field in fields))


@outbox_group.command("retry")
@click.argument("ids", nargs=-1, type=int)
@click.option("--failed", is_flag=True, help="Everything that failed and still may be sent.")
def outbox_retry(ids: tuple[int, ...], failed: bool) -> None:
    """Send items again, by their ids or all that failed."""
    if not ids and not failed:
        raise click.UsageError("Name ids, or say --failed.")
    for item_id in ids:
        outbox.retry(item_id, now=now())
    count = len(ids) + (outbox.retry_failed(now=now()) if failed else 0)
    db.session.commit()
    click.echo(str(count))


@cli.group("person")
def person_group() -> None:
    """Look after single people."""


@person_group.command("add")
@click.argument("email")
@click.option("--name", help="Needed for someone new.")
@click.option(
    "--role", "roles", multiple=True, help="visitor, agent, lead, mentor, owner or admin; may be repeated."
)
@click.option("--timezone", help="Such as Europe/Berlin.")
@click.option("--locale", help="en or ru.")
def person_add(
    email: str, name: str | None, roles: tuple[str, ...], timezone: str | None, locale: str | None
) -> None:
    """Add a person, or change what is given about the one with this address."""
    fields: PersonFields = {"email": email}
    if name is not None:
        fields["name"] = name
    if roles:
        fields["roles"] = roles
    if timezone is not None:
        fields["timezone"] = timezone
    if locale is not None:
        fields["locale"] = locale
    person, added, changed = people.save_person(by=None, now=now(), **fields)
    said = _outcome(person.name, person.email, added, changed)
    db.session.commit()
    click.echo(said)


def _outcome(name: str, email: str, added: bool, changed: list[str]) -> str:
    if added:
        return f"Added {name} <{email}>."
    what = f"Changed {', '.join(changed)} of" if changed else "Nothing to change about"
    return f"{what} {name} <{email}>."


@cli.group("people")
def people_group() -> None:
    """Look after many people."""


@people_group.command("import")
@click.argument("file")
def people_import(file: str) -> None:
    """Add or change the people of a CSV FILE: all of them, or nobody.

    Columns: email, name, roles (several apart by ;), timezone, locale, department, line. An empty cell
    changes nothing.
    """
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        raise GembaError("%(file)s cannot be read.", file=file) from error
    rows = people.import_people(content, by=None, now=now())
    said = [_outcome(row.person.name, row.person.email, row.added, row.changed) for row in rows]
    db.session.commit()
    click.echo("\n".join([*said, f"{len(said)} people."]))


@cli.command("token")
@click.argument("email")
@click.option("--name", required=True, help="What the token is for.")
@click.option("--scope", default="read", show_default=True, help="read or write.")
def token(email: str, name: str, scope: str) -> None:
    """Print a new API token of the person with this address, and nothing else."""
    person = people.find_person(email)
    if person is None:
        raise GembaError("Nobody has the address %(email)s.", email=email)
    made = people.make_token(person, name, scope, now())
    db.session.commit()
    click.echo(made)


def main() -> int:
    """Entry point of the console script."""
    try:
        create: Callable[..., Any] = cli
        create()
    except BadSetting as error:
        click.echo(str(error), err=True)
        return 1
    return 0
