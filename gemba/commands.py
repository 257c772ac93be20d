"""What `gemba` can do beside `run`: thin, over the same services as the pages."""

import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from gemba.clock import now
from gemba.config import current_settings
from gemba.db import db
from gemba.demo import service as demo
from gemba.errors import GembaError, NotFound
from gemba.inbox.ways_in import WaysIn
from gemba.outbox import room
from gemba.outbox import service as outbox
from gemba.outbox.rules import LEASE, State
from gemba.outbox.worker import Worker
from gemba.people import service as people
from gemba.people.rules import PersonFields
from gemba.programmes import service as programmes
from gemba.rounds import errand as rounds_errand
from gemba.rounds.rules import RunState
from gemba.rounds.service import campaigns as rounds
from gemba.rounds.service import proposing
from gemba.trackers.service import connections
from gemba.upkeep import backup, doctor
from gemba.webhooks import service as webhooks

commands = AppGroup()


@commands.command("demo")
def load_demo() -> None:
    """Load the demo company into an empty database."""
    demo.load(now())
    db.session.commit()
    click.echo("The demo company is in. Restart the server if it runs, open /demo and pick a person.")


@commands.command("doctor")
def examine() -> None:
    """Check database, worker, mail, sign-in, clock and settings; say in plain words what is wrong."""
    findings = doctor.examine(current_settings(), now())
    for finding in findings:
        click.echo(f"{'ok   ' if finding.ok else 'WRONG'}  {finding.subject:<12}{finding.words}")
    if not all(finding.ok for finding in findings):
        sys.exit(1)


@commands.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def back_up(file: Path) -> None:
    """Save the whole database into a new FILE; Gemba may go on running."""
    size = backup.back_up(file)
    click.echo(
        f"Saved {size / 1_000_000:.1f} MB into {file}. Keep it secret: it holds everything people wrote."
    )


@commands.command("restore")
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


@commands.command("worker")
@click.option(
    "--threads", default=4, show_default=True, type=click.IntRange(1, 16), help="Mails sent at once."
)
@click.option("--drain", is_flag=True, help="Send and do what is due now, then end.")
@click.option("--lease", default=LEASE.total_seconds(), type=click.FloatRange(1, 3600), hidden=True)
def worker(threads: int, drain: bool, lease: float) -> None:
    """Send what waits in the outbox and take in replies, until stopped. Several may run at once."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    post = Worker(app, threads=threads, lease=timedelta(seconds=lease))
    if drain:
        click.echo(str(post.drain(alone=True)))
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: post.stop())
    ways_in = WaysIn(app, current_settings())
    ways_in.start()
    ended = post.run()
    ways_in.stop()
    if not ended:
        # A send hangs in its last seconds: its lease will run out, and waiting for it would help nobody.
        os._exit(0)


@commands.group("outbox")
def outbox_group() -> None:
    """Look after what still has to leave the house."""


@outbox_group.command("list")
@click.option(
    "--state", type=click.Choice([state.value for state in State]), help="Only items in this state."
)
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
def outbox_list(state: str | None, limit: int) -> None:
    """Show items, newest first: id, state, tries, kind, recipient, reason."""
    page = room.find(frozenset({State(state)}) if state else None, limit=limit)
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


@commands.group("person")
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


@commands.group("people")
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


@commands.group("trackers")
def trackers_group() -> None:
    """Look after connections to trackers."""


@trackers_group.command("rotate-key")
def rotate_key() -> None:
    """Encrypt the tokens of trackers anew after GEMBA_SECRET_KEY was changed.

    Set GEMBA_SECRET_KEY_BEFORE to the old key until this has run.
    """
    count = connections.rotate_keys() + webhooks.rotate_keys()
    db.session.commit()
    click.echo(f"{count} connections are encrypted with the key of now. Unset GEMBA_SECRET_KEY_BEFORE.")


@commands.group("round")
def round_group() -> None:
    """Look after rounds."""


@round_group.command("propose")
@click.argument("slug")
def round_propose(slug: str) -> None:
    """Look for the pairs of the newest round of programme SLUG here and now. Nothing is booked."""
    programme = programmes.find_programme(slug)
    if programme is None:
        raise GembaError("There is no programme %(slug)s.", slug=slug)
    try:
        chosen = rounds.newest_round(programme)
    except NotFound:
        raise GembaError("Programme %(slug)s has no round yet.", slug=slug) from None
    run = proposing.start(None, chosen, now=now())
    db.session.commit()
    rounds_errand.look(run.id)
    db.session.refresh(run)
    if run.state != RunState.DONE:
        raise GembaError("No pairs were found. Look at the pins of the round.")
    told = run.figures
    click.echo(
        f"{told['served']} of {told['people']} people get a visit, {told['bound']} is the most possible; "
        f"match {told['score']} of 10, fairness {told['fairness']}. Look at /rounds/{chosen.id}/proposal."
    )


@commands.command("token")
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
