"""What a visit takes of people's time, as rows: everybody's ticks, and a new visit and its seats with them.

The ticks' primary key is the referee: whoever comes second is told so by the database (IntegrityError).
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Executable, bindparam, delete, insert, text

from gemba.db import db, run, table_of
from gemba.visits.models import Tick, Visit, VisitVisitor
from gemba.visits.rules import ticks


def write(values: dict[str, Any], visitors: Collection[int]) -> Visit:
    """The row of a new visit, its seats and everyone's ticks: one statement where the database can.

    Raises IntegrityError where a tick is taken.
    """
    visit = Visit(**values)
    if db.engine.dialect.name == "postgresql":
        everyone = _everyones(visit, visitors)
        seats = {f"seat{number}": visitor for number, visitor in enumerate(visitors)}
        statement = _writing(tuple(values), len(visitors), len(everyone))
        visit.id = run(statement, {**values, **seats, **_spans(everyone)}).scalar_one()
        return visit
    visit.id = run(_A_VISIT, values).inserted_primary_key[0]  # type: ignore[index]
    for visitor in visitors:
        run(_A_SEAT, {"visit_id": visit.id, "person_id": visitor})
    occupy(visit, visitors)
    return visit


@cache
def _writing(names: tuple[str, ...], seats: int, people: int) -> Executable:
    table = table_of(Visit)
    own = ", ".join(f":{name}" for name in names)
    rows = ", ".join(f"(CAST(:seat{number} AS INTEGER))" for number in range(seats))
    statement = text(
        f"WITH RECURSIVE {_taken(people)}, made AS"  # noqa: S608 (names of our columns, numbers of places)
        f" (INSERT INTO visit ({', '.join(names)}) VALUES ({own}) RETURNING id),"
        " seated AS (INSERT INTO visit_visitor (visit_id, person_id)"
        f" SELECT made.id, seats.person_id FROM made, (VALUES {rows}) AS seats(person_id)),"
        " timed AS (INSERT INTO tick (person_id, tick, visit_id)"
        " SELECT person_id, tick, made.id FROM taken, made)"
        " SELECT id FROM made"
    )
    return statement.bindparams(*(bindparam(name, type_=table.c[name].type) for name in names))


_A_VISIT, _A_SEAT = insert(table_of(Visit)), insert(table_of(VisitVisitor))


def occupy(visit: Visit, visitors: Collection[int]) -> None:
    """Takes the ticks of everyone, the hosts' buffers included. Raises IntegrityError where one is taken."""
    _take(visit.id, _everyones(visit, visitors))


def _everyones(visit: Visit, visitors: Collection[int]) -> list[tuple[int, range]]:
    theirs = ticks(visit.starts_at, visit.ends_at)
    own = [(visit.agent_id, _with_breaks(visit, visit.buffer_before, visit.buffer_after))]
    if visit.mentor_id is not None:
        own.append((visit.mentor_id, _with_breaks(visit, visit.mentor_before, visit.mentor_after)))
    return [*own, *((visitor, theirs) for visitor in visitors)]


def occupy_mentor(visit: Visit) -> None:
    """Takes the ticks of the mentor alone, whose predecessor gave theirs back."""
    if visit.mentor_id is not None:
        _take(visit.id, [(visit.mentor_id, _with_breaks(visit, visit.mentor_before, visit.mentor_after))])


def _with_breaks(visit: Visit, before: int, after: int) -> range:
    return ticks(visit.starts_at - timedelta(minutes=before), visit.ends_at + timedelta(minutes=after))


def take_ticks(visit: Visit, people_ids: Collection[int], start: datetime, end: datetime) -> None:
    """Takes the ticks of these people. Raises IntegrityError where one is taken."""
    _take(visit.id, [(person, ticks(start, end)) for person in people_ids])


def _take(visit_id: int, taken: Sequence[tuple[int, range]]) -> None:
    """Writes the ticks of people, each a range, counted by the database: it reads one row for each person."""
    if taken:
        run(_taking(len(taken)), {"visit": visit_id, **_spans(taken)})


def _spans(taken: Sequence[tuple[int, range]]) -> dict[str, int]:
    values: dict[str, int] = {}
    for number, (person, own) in enumerate(taken):
        values |= {f"person{number}": person, f"first{number}": own[0], f"last{number}": own[-1]}
    return values


@cache
def _taking(people: int) -> Executable:
    return text(
        f"WITH RECURSIVE {_taken(people)}"  # noqa: S608 (only numbers of places)
        " INSERT INTO tick (person_id, tick, visit_id)"
        " SELECT person_id, tick, CAST(:visit AS INTEGER) FROM taken"
    )


def _taken(people: int) -> str:
    """SQL: the ticks of so many people, from their first to their last."""
    rows = ", ".join(
        f"(CAST(:person{number} AS INTEGER), CAST(:first{number} AS INTEGER), CAST(:last{number} AS INTEGER))"
        for number in range(people)
    )
    return (
        f"taken(person_id, tick, last) AS (VALUES {rows}"  # noqa: S608 (only numbers of places)
        " UNION ALL SELECT person_id, tick + 1, last FROM taken WHERE tick < last)"
    )


def vacate(visit: Visit) -> None:
    """Gives everyone's time back."""
    db.session.execute(delete(Tick).where(Tick.visit_id == visit.id))
