"""Saving and bringing back an SQLite database while others use it (sqlite.org/backup.html).

Copying the file would miss what lies in the write-ahead log.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from gemba.upkeep.errors import NoBackup

MAGIC = b"SQLite format 3\0"
PATIENCE_SECONDS = 30


def _open(path: Path, mode: str = "rw") -> "closing[sqlite3.Connection]":
    uri = f"{path.resolve().as_uri()}?mode={mode}"
    return closing(sqlite3.connect(uri, uri=True, timeout=PATIENCE_SECONDS, isolation_level=None))


def save(database: Path, file: Path) -> None:
    """Writes the database as it is at one moment into a new or empty file. Raises sqlite3.Error."""
    with _open(database) as connection:
        connection.execute("VACUUM INTO ?", (str(file),))


def look_into(file: Path) -> tuple[str, set[str]]:
    """The revision and the tables of a backup. Raises NoBackup."""
    try:
        with _open(file, "ro") as connection:
            damage = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if damage != "ok":
                raise NoBackup(file=file, reason="it is damaged")
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            if "alembic_version" not in tables:
                raise NoBackup(file=file, reason="it says no revision")
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise NoBackup(file=file, reason="it is damaged") from error
    return (row[0] if row else ""), tables


def bring_back(file: Path, database: Path, then: str) -> None:
    """Puts the backup in place of the database in one transaction, after running the SQL `then` on it."""
    with TemporaryDirectory(dir=database.parent, prefix="restore-") as folder:
        copy = Path(folder) / "copy.db"
        with _open(file, "ro") as source, _open(copy, "rwc") as changed, _open(database, "rwc") as target:
            source.backup(changed)
            # The target may be in WAL mode already; a page size of its own would stop the copy there.
            changed.execute(then)
            changed.backup(target)
