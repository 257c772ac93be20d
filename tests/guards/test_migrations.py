"""Migrations go up, say what the models say, go down and up again, on both databases."""

import secrets
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask_migrate import downgrade, upgrade
from sqlalchemy import DateTime, inspect, text

from gemba.app import create_app
from gemba.clock import system_clock
from gemba.db import UTCDateTime, db
from gemba.demo.service import load as load_demo
from gemba.migrate import current_revision, newest_revision, readiness
from tests.conftest import settings_for
from tests.postgres import postgres_url


def _same_type(_c: object, _col: object, _meta: object, inspected: object, wanted: object) -> bool | None:
    return not isinstance(inspected, DateTime) if isinstance(wanted, UTCDateTime) else None


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_migrations_equal_the_models(kind: str, tmp_path: Path) -> None:
    name = f"migrations_{secrets.token_hex(4)}"
    url = f"sqlite:///{tmp_path / 'm.db'}" if kind == "sqlite" else postgres_url(name)
    app = create_app(settings_for(url, tmp_path), system_clock)
    with app.app_context():
        assert "gemba db upgrade" in readiness()
        upgrade()
        assert (current_revision(), readiness()) == (newest_revision(), "")
        with db.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": _same_type})
            assert compare_metadata(context, db.metadata) == []
        _foreign_keys_match()
        downgrade(revision="base")
        assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
        upgrade()
        assert readiness() == ""
        db.engine.dispose()


def test_a_step_down_and_up_again_keeps_what_hangs_on_changed_tables(tmp_path: Path) -> None:
    """SQLite makes a changed table anew: dropping the old one must not take along what refers to it."""
    app = create_app(settings_for(f"sqlite:///{tmp_path / 'm.db'}", tmp_path), system_clock)
    with app.app_context():
        upgrade()
        load_demo(now=system_clock())
        db.session.commit()
        before = _counts()
        downgrade(revision="0001")
        middle = _counts()
        assert {name: middle[name] for name in middle} == {name: before[name] for name in middle}
        upgrade()
        after = _counts()
        assert {name: after[name] for name in middle} == middle
        with db.engine.connect() as connection:
            assert connection.scalar(text("PRAGMA foreign_keys")) == 1
        db.engine.dispose()


def _counts() -> dict[str, int]:
    names = set(inspect(db.engine).get_table_names()) - {"alembic_version"}
    with db.engine.connect() as connection:
        return {
            name: connection.scalar(text(f'SELECT count(*) FROM "{name}"')) or 0 for name in sorted(names)
        }


def _foreign_keys_match() -> None:
    """Alembic's comparison leaves out keys that close a circle; count all of them."""
    found = inspect(db.engine)
    for table in db.metadata.sorted_tables:
        wanted = sorted(sorted(key.column_keys) for key in table.foreign_key_constraints)
        keys = found.get_foreign_keys(table.name)
        assert sorted(sorted(key["constrained_columns"]) for key in keys) == wanted, table.name
