"""Saving and bringing back a PostgreSQL database with its own programs: pg_dump, pg_restore, psql."""

import os
import re
import shutil
import subprocess
from collections.abc import Collection
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import URL

from gemba.upkeep.errors import NoBackup, NoTool, ToolFailed

MAGIC = b"PGDMP"


def _run(tool: str, *words: str, url: URL | None = None) -> str:
    """What the tool printed; the password goes by the environment, where other people cannot read it."""
    path = shutil.which(tool)
    if path is None:
        raise NoTool(tool=tool)
    environ = dict(os.environ)
    where = []
    if url is not None:
        open_url = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
        where = ["--dbname", open_url.render_as_string(hide_password=False)]
        if url.password:
            environ["PGPASSWORD"] = str(url.password)
    done = subprocess.run(  # noqa: S603 (a program of PostgreSQL, no shell)
        [path, *where, *words], env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "rror" in line or "ERROR" in line]
        raise ToolFailed(tool=tool, reason=(lines or done.stderr.splitlines() or ["no reason given"])[0])
    return done.stdout


def save(url: URL, file: Path) -> None:
    """Writes the database as it is at one moment, in PostgreSQL's own format. Raises NoTool, ToolFailed."""
    _run("pg_dump", "--format=custom", "--no-owner", "--no-acl", "--file", str(file), url=url)


def look_into(file: Path) -> tuple[str, set[str]]:
    """The revision and the tables of a backup. Raises NoBackup, NoTool."""
    try:
        contents = _run("pg_restore", "--list", str(file))
        versions = _run("pg_restore", "--data-only", "--table=alembic_version", "--file=-", str(file))
    except ToolFailed as error:
        raise NoBackup(file=file, reason="it is damaged") from error
    tables = set(re.findall(r"^\S+ \S+ \S+ TABLE \S+ (\S+)", contents, re.MULTILINE))
    found = re.search(r"^COPY \S+alembic_version .*\n(\S+)\n\\\.$", versions, re.MULTILINE)
    if found is None:
        raise NoBackup(file=file, reason="it says no revision")
    return found[1], tables


def bring_back(file: Path, url: URL, drop: Collection[str], then: str) -> None:
    """Drops these tables, loads the backup and runs the SQL `then`, all in one transaction.

    Raises NoTool, ToolFailed.
    """
    with TemporaryDirectory() as folder:
        script = Path(folder) / "backup.sql"
        _run("pg_restore", "--no-owner", "--no-acl", "--file", str(script), str(file))
        names = ", ".join(f'"{name}"' for name in sorted(drop))
        first = ["--command", f"DROP TABLE IF EXISTS {names} CASCADE"] if drop else []
        quiet = ["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--single-transaction"]
        _run("psql", *quiet, *first, "--file", str(script), "--command", then, url=url)
