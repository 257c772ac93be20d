"""What the database's own processes spend: on PostgreSQL a page costs two processors' time, not one."""

from collections.abc import Callable
from pathlib import Path

from flask import Flask
from sqlalchemy import text

from gemba.db import db

PROC = Path("/proc")


def server_seconds(app: Flask) -> Callable[[], float]:
    """A clock: seconds of processor of the PostgreSQL backends that serve this app so far.

    It stands still on SQLite, which has no processes, and where there is no /proc (macOS). The kernel counts
    nanoseconds in the first field of schedstat.
    """
    with app.app_context():
        if db.engine.dialect.name != "postgresql" or not (PROC / "self" / "schedstat").exists():
            return lambda: 0.0
        pids = db.session.scalars(
            text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        ).all()
        db.session.rollback()
    files = [PROC / str(pid) / "schedstat" for pid in pids]
    return lambda: sum(int(file.read_text().split()[0]) for file in files) / 1e9


def settle(app: Flask) -> None:
    """What PostgreSQL's autovacuum does by itself within a minute of so many new rows."""
    with app.app_context():
        engine = db.engine
        if engine.dialect.name == "postgresql":
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM ANALYZE"))
