"""Runs migrations on the app's own engine, one transaction each, on SQLite and PostgreSQL."""

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


def run() -> None:
    """Migrates online; there is no offline mode."""
    with database.engine.connect() as connection:
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
