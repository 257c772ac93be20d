"""Whether the database has the schema this code needs."""

from functools import lru_cache
from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import SQLAlchemyError

from gemba.config import ROOT
from gemba.db import db, reading

MIGRATIONS: Path = ROOT / "migrations"


def _scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return ScriptDirectory.from_config(config)


@lru_cache(maxsize=1)
def newest_revision() -> str | None:
    """The revision this code needs."""
    return _scripts().get_current_head()


def known_revisions() -> frozenset[str]:
    """All revisions this code can migrate from, the newest too."""
    return frozenset(script.revision for script in _scripts().walk_revisions())


def current_revision() -> str | None:
    """The revision the database has, None where it is empty."""
    with reading(), db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def ensure_schema() -> None:
    """Brings the database to the schema this code needs, where it is not there yet."""
    if current_revision() != newest_revision():
        from flask_migrate import upgrade  # half a second that a start without a change does not wait

        upgrade()


def readiness() -> str:
    """Why the product cannot serve, in a sentence; empty where it can."""
    try:
        found = current_revision()
    except SQLAlchemyError:
        return "The database does not answer."
    if found != newest_revision():
        return (
            f"The database is at revision {found or 'none'}, this code needs {newest_revision()}. "
            "Run: gemba db upgrade"
        )
    return ""
