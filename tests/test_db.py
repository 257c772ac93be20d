"""Statements that go past the session are of its unit of work all the same."""

from datetime import UTC, datetime

from flask import Flask
from sqlalchemy import insert, select

from gemba.db import db, run, table_of
from gemba.people.models import Person


def _add(name: str) -> None:
    now = datetime(2026, 9, 7, tzinfo=UTC)
    run(insert(table_of(Person)), {"email": f"{name}@gemba.example", "name": name, "created_at": now})


def _names() -> list[str]:
    return list(db.session.scalars(select(Person.name).order_by(Person.id)))


def test_what_a_savepoint_gives_up_is_gone(app: Flask) -> None:
    _add("kept")
    savepoint = db.session.begin_nested()
    _add("given up")
    inner = db.session.begin_nested()
    _add("within")
    inner.commit()
    _add("given up too")
    savepoint.rollback()
    _add("after")
    assert _names() == ["kept", "after"]
    db.session.commit()
    _add("of the next transaction")
    db.session.rollback()
    assert _names() == ["kept", "after"]
