"""Backups: one file that holds the whole database and all pictures, and the way back.

Mail that waited when a backup was made has very likely left since then: a restored database drops it.
"""

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import inspect, select

from gemba.calendars import service as calendars
from gemba.config import current_settings
from gemba.db import db, reading
from gemba.migrate import current_revision, ensure_schema, known_revisions, newest_revision
from gemba.outbox.models import OutboxItem
from gemba.outbox.rules import State, without_secrets
from gemba.people.models import Person
from gemba.rounds.service import calendars as rounds
from gemba.upkeep import postgres, sqlite, uploads
from gemba.upkeep.errors import (
    CannotWrite,
    FileThere,
    NoBackup,
    NotEmpty,
    NotMigrated,
    OtherDatabase,
    UnknownRevision,
)

TABLES = {"person", "visit", "outbox_item"}
"""What every revision of the product has."""

NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
NOT_SENT = "It waited when the backup was made that is now restored."


def back_up(file: Path) -> int:
    """Saves the whole database into a new file that only its owner can read; says how many bytes it has.

    Raises FileThere, CannotWrite, NotMigrated, NoTool or ToolFailed.
    """
    if current_revision() is None:
        raise NotMigrated
    _reserve(file)
    part = file.with_name(f".{file.name}.part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _save_all(part)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(file)
    except BaseException as error:
        for left in (part, file):
            left.unlink(missing_ok=True)
        if isinstance(error, OSError | sqlite3.Error):
            raise CannotWrite(file=file, reason=str(error)) from error
        raise
    return file.stat().st_size


def _reserve(file: Path) -> None:
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError as error:
        raise FileThere(file=file) from error
    except OSError as error:
        raise CannotWrite(file=file, reason=error.strerror or str(error)) from error


def _save_all(file: Path) -> None:
    """The database alone, or with the pictures beside it where there are any."""
    folder = current_settings().uploads
    if not uploads.has_any(folder):
        _save(file)
        return
    database = file.with_name(f"{file.name}.database")
    try:
        database.unlink(missing_ok=True)
        os.close(os.open(database, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _save(database)
        uploads.pack(database, folder, file)
    finally:
        database.unlink(missing_ok=True)


def _save(file: Path) -> None:
    if db.engine.dialect.name == "sqlite":
        sqlite.save(_sqlite_path(), file)
    else:
        postgres.save(db.engine.url, file)


def _sqlite_path() -> Path:
    return Path(db.engine.url.database or "")


def restore(file: Path, *, replace: bool, now: datetime) -> int:
    """Puts a backup in place of an empty database, with `replace` of any; says how many mails it dropped.

    Mail that was due before `now` is not sent again; what is due later stays. An older backup is migrated.
    Raises NoBackup, OtherDatabase, UnknownRevision, NotEmpty, NoTool or ToolFailed.
    """
    with uploads.unpacked(file) as (database, pictures):
        dropped = _restore(database, replace, now)
        if pictures is not None:
            uploads.bring_back(pictures, current_settings().uploads)
    return dropped


def _restore(file: Path, replace: bool, now: datetime) -> int:
    kind = _kind_of(file)
    needed = db.engine.dialect.name
    if kind != needed:
        raise OtherDatabase(file=file, found=NAMES[kind], needed=NAMES[needed])
    revision, tables = (sqlite if kind == "sqlite" else postgres).look_into(file)
    if not tables >= TABLES:
        raise NoBackup(file=file, reason="it has other tables")
    if revision not in known_revisions():
        raise UnknownRevision(revision=revision)
    with reading():
        if not replace and not _is_empty():
            raise NotEmpty
        # No transaction of our own may stand in the way.
        db.session.rollback()
    _bring_back(file, now)
    if revision != newest_revision():
        ensure_schema()
    return _forget_secrets(now)


def _kind_of(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            start = opened.read(16)
    except OSError as error:
        raise NoBackup(file=file, reason=error.strerror or "it cannot be read") from error
    if start == sqlite.MAGIC:
        return "sqlite"
    if start.startswith(postgres.MAGIC):
        return "postgresql"
    raise NoBackup(file=file, reason="it is another kind of file")


def _is_empty() -> bool:
    if not inspect(db.engine).has_table("person"):
        return True
    return db.session.scalar(select(Person.id).limit(1)) is None


def _bring_back(file: Path, now: datetime) -> None:
    if db.engine.dialect.name == "sqlite":
        db.engine.dispose()
        sqlite.bring_back(file, _sqlite_path(), _drop_waiting("outbox_item", now, ""))
        return
    finder = inspect(db.engine)
    tables, schema = finder.get_table_names(), finder.default_schema_name
    db.engine.dispose()
    # Without fresh statistics the first minutes would be slow: a backup brings none.
    then = _drop_waiting(f'"{schema}".outbox_item', now, "+00") + "; ANALYZE"
    postgres.bring_back(file, db.engine.url, tables, then)


_AGAIN = ", ".join(f"'{kind}'" for kind in (calendars.KIND, rounds.KIND))


def _drop_waiting(table: str, now: datetime, zone: str) -> str:
    """SQL, for it must run before a worker can see the rows; what is due later than `now` never left.

    Reading a calendar once more harms nobody, and goes on for ever or not at all.
    """
    moment = now.astimezone(UTC).strftime(f"'%Y-%m-%d %H:%M:%S.%f{zone}'")
    return (
        f"UPDATE {table} SET state = '{State.DROPPED}', done_at = {moment}, lease_token = NULL, "  # noqa: S608
        f"lease_until = NULL, last_error = '{NOT_SENT}' WHERE kind NOT IN ({_AGAIN}) AND "
        f"(state = '{State.LEASED}' OR (state = '{State.READY}' AND (attempts > 0 OR run_at <= {moment})))"
    )


def _forget_secrets(now: datetime) -> int:
    dropped = select(OutboxItem).where(
        OutboxItem.state == State.DROPPED, OutboxItem.done_at == now, OutboxItem.last_error == NOT_SENT
    )
    items = db.session.scalars(dropped).all()
    for item in items:
        item.payload = without_secrets(item.payload)
    db.session.flush()
    return len(items)
