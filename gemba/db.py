"""The database: engine set-up for SQLite and PostgreSQL, the models' base, instants in UTC.

SQLite recipe (docs/decisions/database.md): Python's driver must not begin transactions by itself
(`isolation_level=None`), a request that may write begins IMMEDIATE so that two writers queue
instead of failing on the read-to-write upgrade, and readers begin plainly so that they do not
queue behind writers (sqlite.org/lang_transaction.html).
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache
from time import monotonic
from typing import Any, cast

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    Connection,
    CursorResult,
    DateTime,
    Dialect,
    Engine,
    Executable,
    Insert,
    MetaData,
    Table,
    TextClause,
    bindparam,
    event,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session, SessionTransaction, registry
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

BUSY_SECONDS = 30
"""How long a writer waits for another on SQLite, whose waiters are not served in order: of 200 at once on a
machine with other work, one waited 8.5 seconds."""
_read_only: ContextVar[bool] = ContextVar("gemba_read_only", default=False)


class UTCDateTime(TypeDecorator[datetime]):
    """An aware instant, stored in UTC; naive values are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant without a time zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        """One plain function per value, not the usual two: pages of slots read tens of thousands."""
        return _from_sqlite if dialect.name == "sqlite" else _in_utc


def _from_sqlite(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(f"{text}+00:00")


def _in_utc(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all models; constraints are named so that migrations can speak of them."""

    registry = registry(
        type_annotation_map={datetime: UTCDateTime},
        metadata=MetaData(
            naming_convention={
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
    )


db = SQLAlchemy(model_class=Base)


def table_of(model: type[Base]) -> Table:
    """A model's table, for statements that need no objects: they cost a quarter."""
    return cast(Table, model.__table__)


Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


def run(statement: Executable, values: Parameters = None) -> CursorResult[*tuple[Any, ...]]:
    """Executes a statement that returns no objects, in this unit of work, whose changes are written first.

    The session's own execute() costs up to half as much again.
    """
    session = db.session()
    session.flush()
    connection: Connection | None = session.info.get(_CONNECTION)
    if connection is None:
        connection = session.info[_CONNECTION] = session.connection()
    return connection.execute(statement, values)


_CONNECTION = "gemba_connection"


@event.listens_for(db.session, "after_transaction_create")
@event.listens_for(db.session, "after_transaction_end")
def _forget_connection(session: Session, _transaction: SessionTransaction) -> None:
    """A savepoint is set when the session is first asked for its connection inside: `run` asks again."""
    session.info.pop(_CONNECTION, None)


FEW = 8


def few(values: Sized) -> int:
    """For how many values `places` has to stand: their number, or one more than FEW for all that are many."""
    return min(len(values), FEW + 1)


def places(name: str, count: int) -> Any:
    """What stands in an IN for so many values, as `few` counts them, given by `placed`.

    A few have a place each: a longer list is written into the statement anew each time it is executed.
    """
    if 0 < count <= FEW:
        return [bindparam(f"{name}_{number}") for number in range(count)]
    return bindparam(name, expanding=True)


def placed(name: str, values: Collection[object]) -> dict[str, object]:
    """The values of `places`."""
    if 0 < len(values) <= FEW:
        return {f"{name}_{number}": value for number, value in enumerate(values)}
    return {name: list(values)}


def insert_new(table: Table, *unique: str) -> Insert:
    """INSERT … ON CONFLICT (unique) DO NOTHING, in the dialect of the database at hand."""
    return _insert_new(table, unique, db.engine.dialect.name)


@cache
def _insert_new(table: Table, unique: tuple[str, ...], dialect: str) -> Insert:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(table).on_conflict_do_nothing(index_elements=unique)


def insert_all_new(table: Table, rows: Sequence[Mapping[str, Any]], *unique: str, channel: str = "") -> None:
    """The same for rows that have all the same columns; a few of them in one round trip.

    Who listens to `channel` is told, as `notify` does.
    """
    if len(rows) > FEW:
        run(insert_new(table, *unique), rows)
        notify(channel)
    elif rows:
        told = channel if db.engine.dialect.name == "postgresql" else ""
        first, others = rows[0], rows[1:]
        own = tuple(name for name in first if any(row[name] != first[name] for row in others))
        values = {name: first[name] for name in first if name not in own}
        values |= {f"{name}_{number}": row[name] for number, row in enumerate(rows) for name in own}
        run(_insert_part(table, unique, tuple(first), own, len(rows), told), values).close()


@cache
def _insert_part(
    table: Table,
    unique: tuple[str, ...],
    names: tuple[str, ...],
    own: tuple[str, ...],
    count: int,
    channel: str,
) -> TextClause:
    """As text, for SQLAlchemy compiles an INSERT of several rows anew each time.

    The rows differ in the columns `own`; what is the same in all is given once.
    """
    lines = [{name: f"{name}_{number}" if name in own else name for name in names} for number in range(count)]
    rows = ", ".join(f"({', '.join(f':{place}' for place in line.values())})" for line in lines)
    statement = text(
        f"INSERT INTO {table.name} ({', '.join(names)}) VALUES {rows}"  # noqa: S608 (names of our columns)
        f" ON CONFLICT ({', '.join(unique)}) DO NOTHING"
        + (f" RETURNING pg_notify('{channel}', '')" if channel else "")
    )
    kinds = {place: table.c[name].type for line in lines for name, place in line.items()}
    return statement.bindparams(*(bindparam(place, type_=kind) for place, kind in kinds.items()))


def notify(channel: str) -> None:
    """Tells who listens to a channel once this transaction commits; nobody listens on SQLite."""
    if channel and db.engine.dialect.name == "postgresql":
        run(text(f"NOTIFY {channel}"))


class epoch(FunctionElement[int]):  # noqa: N801 (a function of SQL)
    """SQL: the whole seconds from 1970 in UTC of an instant's column."""

    type = BigInteger()
    inherit_cache = True


@compiles(epoch, "sqlite")
def _epoch_sqlite(element: epoch, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(strftime('%s', {compiler.process(element.clauses, **options)}) AS INTEGER)"


@compiles(epoch, "postgresql")
def _epoch_postgresql(element: epoch, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(EXTRACT(EPOCH FROM {compiler.process(element.clauses, **options)}) AS BIGINT)"


@contextmanager
def reading() -> Iterator[None]:
    """Transactions begun inside only read: on SQLite they do not wait for writers."""
    token = _read_only.set(True)
    try:
        yield
    finally:
        _read_only.reset(token)


def begin_reading(only: bool) -> None:
    """Says for the rest of this request's context whether its transactions only read."""
    _read_only.set(only)


def is_reading() -> bool:
    """Whether transactions begun here only read."""
    return _read_only.get()


def engine_options(url: str) -> dict[str, Any]:
    """Options for create_engine: busy timeout on SQLite, bounded pool on PostgreSQL."""
    if url.startswith("sqlite"):
        return {"connect_args": {"timeout": BUSY_SECONDS}}
    return {"pool_size": 8, "max_overflow": 8, "pool_timeout": 20}


def prepare(engine: Engine) -> None:
    """Attaches the SQLite recipe to an engine, and the check of resting connections on PostgreSQL."""
    if engine.dialect.name == "sqlite":
        _recipe_of_sqlite(engine)
    else:
        _check_the_rested(engine)


RESTED = 5
"""Seconds after which a pooled connection is asked whether it still lives; to ask costs 2 % of a booking."""


def _check_the_rested(engine: Engine) -> None:
    @event.listens_for(engine, "checkin")
    def checkin(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["rests_since"] = monotonic()

    @event.listens_for(engine, "checkout")
    def checkout(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        if monotonic() - record.info.get("rests_since", monotonic()) < RESTED:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as gone:
            raise DisconnectionError from gone  # the pool takes another, or opens one


def _recipe_of_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        busy = f"busy_timeout={BUSY_SECONDS * 1000}"
        for pragma in ("journal_mode=WAL", busy, "foreign_keys=ON", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN" if _read_only.get() else "BEGIN IMMEDIATE")


def open_database(app: Flask, url: str) -> None:
    """Ties the app to the database at `url`."""
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(url)
    db.init_app(app)
    with app.app_context():
        prepare(db.engine)
