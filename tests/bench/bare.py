"""The bare INSERT as a server of its own: `gunicorn tests.bench.bare:app` on GEMBA_DATABASE_URL."""

import os

from flask import Flask, request
from sqlalchemy import (
    Column,
    DateTime,
    Engine,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
    create_engine,
    insert,
)

from gemba.db import engine_options, prepare

TABLE = Table(
    "bench_insert",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("agent", Integer),
    Column("start", Integer),
    Column("at", DateTime),
    UniqueConstraint("agent", "start"),
)


def bare_insert(engine: Engine) -> Flask:
    """A Flask app that, on a POST to /, makes one INSERT under UNIQUE(agent, start) and commits."""
    app = Flask("bare-insert")
    TABLE.create(engine, checkfirst=True)

    def book() -> tuple[dict[str, int], int]:
        body = request.get_json()
        with engine.begin() as connection:
            done = connection.execute(insert(TABLE).values(agent=body["agent"], start=body["start"]))
        return {"rows": done.rowcount}, 201

    app.add_url_rule("/", view_func=book, methods=["POST"])
    return app


def _served() -> Flask:
    url = os.environ["GEMBA_DATABASE_URL"]
    engine = create_engine(url, **engine_options(url))
    prepare(engine)
    app = bare_insert(engine)
    engine.dispose()  # gunicorn forks after this
    return app


if "GEMBA_DATABASE_URL" in os.environ:
    app = _served()
