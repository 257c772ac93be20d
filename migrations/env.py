"""Runs migrations on the app's own engine, one transaction each, on SQLite and PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import context
from flask import current_app

from gemba.db import UTCDateTime

database = current_app.extensions["migrate"].db


def render_item(kind: str, item: Any, _context: Any) -> str | bool:
    """Frozen migrations speak of plain types, never of the models' own."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def include_object(_item: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    """All but Alembic's own table."""
    return not (kind == "table" and name == "alembic_version")


def compare_type(
    _context: Any, _column: Any, _metadata_column: Any, inspected: Any, wanted: Any
) -> bool | None:
    """Instants are plain timestamps to the database."""
    if isinstance(wanted, UTCDateTime):
        return not isinstance(inspected, sa.DateTime)
    return None


@contextmanager
def without_cascades(connection: sa.Connection) -> Iterator[None]:
    """SQLite changes a table by making it anew, and dropping the old one would delete what hangs on it.

    The switch does nothing inside a transaction, so it is thrown around all of them; what then points nowhere
    is looked for before anybody else gets the connection.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
        lost = driver.execute("PRAGMA foreign_key_check").fetchall()
        if lost:
            raise RuntimeError(f"After migrating, rows point nowhere: {sorted({row[0] for row in lost})}")
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def run() -> None:
    """Migrates online; there is no offline mode."""
    with database.engine.connect() as connection, without_cascades(connection):
        context.configure(
            connection=connection,
            target_metadata=database.metadata,
            render_item=render_item,
            include_object=include_object,
            compare_type=compare_type,
            render_as_batch=connection.dialect.name == "sqlite",
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
