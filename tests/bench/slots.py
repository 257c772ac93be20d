"""Open slots of many agents over four weeks: warm, cold, and the whole page and call around them."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

from flask import Flask, Response, jsonify
from sqlalchemy import insert, text

from gemba.db import db, open_database, reading
from gemba.programmes.models import Programme
from gemba.schedule.models import BusySource
from gemba.schedule.rules import Span
from gemba.schedule.rules.frames import TICK_SECONDS, ones
from gemba.visits import kept
from gemba.visits.facts import Ask
from gemba.visits.models import Visit, VisitVisitor
from gemba.visits.rules import Status
from tests.bench.floors import one_row_page
from tests.bench.measure import Cost, Row, cost
from tests.bench.worlds import DATABASES, Caller, World, world
from tests.conftest import MONDAY

CROWDS = (1, 1000, 5000)
WEEKS = Span(MONDAY, MONDAY + timedelta(weeks=4))
FEW_BUSY, FEW_VISITS = 5, 10


def measure(folder: Path) -> Iterator[Row]:
    """Each crowd on both databases: ten visits, five busy times and ten weekly hours for each agent."""
    for database in DATABASES:
        for agents in CROWDS:
            with world(database, folder, agents=agents, visits=2, insights=1) as made:
                _fill(made)
                floor = cost(one_row_page(made).get("/"))
                yield from _rows(made, database, agents, floor)


def _rows(made: World, database: str, agents: int, floor: Cost) -> Iterator[Row]:
    ask = Ask(agent_id=made.agents[0]) if agents == 1 else Ask()
    app = _bare(made)
    warm = cost(_answer(app, made, ask))
    yield Row(f"open slots, {agents} agents, warm", database, warm, "one row", floor)
    cold = cost(_answer(app, made, ask, forget=True))
    yield Row(f"open slots, {agents} agents, cold", database, cold, "one row", floor)
    who = f"&agent={made.agents[0]}" if agents == 1 else ""
    page = made.caller(made.cast.vera.id).get(f"/visits/book?programme=shadow{who}")
    yield Row(f"booking page, {agents} agents, warm", database, cost(page), "one row", floor)


def _answer(app: Flask, made: World, ask: Ask, *, forget: bool = False) -> Callable[[], bytes]:
    """One request for all starts of four weeks, as JSON: seconds from 1970."""
    app.config["ASK"] = ask
    get = Caller(app).get("/")

    def call() -> bytes:
        if forget:
            kept.init_app(app.extensions)
        return get()

    return call


def _bare(made: World) -> Flask:
    """A bare app with one call, on the world's database."""
    app = Flask("bare-slots")
    open_database(app, made.app.config["SQLALCHEMY_DATABASE_URI"])
    kept.init_app(app.extensions)
    programme_id, visitor = made.cast.programme.id, made.cast.vera.id

    def slots() -> Response:
        with reading():
            programme = db.session.get_one(Programme, programme_id)
            found = kept.offered(programme, (visitor,), app.config["ASK"], WEEKS, now=MONDAY)
        return jsonify([(found.first + bit) * TICK_SECONDS for bit in ones(found.union)])

    app.add_url_rule("/", view_func=slots)
    return app


def _fill(made: World) -> None:
    """Visits and busy times for everyone, and starts every quarter of an hour."""
    random = Random(7)
    with made.app.app_context():
        programme = db.session.get_one(Programme, made.cast.programme.id)
        programme.slot_step_minutes, programme.horizon_days = 15, 28
        rows = [
            _visit(made, agent, MONDAY + timedelta(days=2 * n + 1, hours=random.randrange(9)), n)
            for agent in made.agents
            for n in range(FEW_VISITS)
        ]
        ids = list(db.session.scalars(insert(Visit).returning(Visit.id), rows))
        seats = [{"visit_id": visit, "person_id": made.cast.eve.id} for visit in ids]
        db.session.execute(insert(VisitVisitor), seats)
        db.session.execute(insert(BusySource), [_busy(agent, random) for agent in made.agents])
        db.session.execute(text("ANALYZE"))
        db.session.commit()


def _visit(made: World, agent: int, start: object, number: int) -> dict[str, object]:
    return {
        "programme_id": made.cast.programme.id,
        "agent_id": agent,
        "booked_by_id": made.cast.eve.id,
        "starts_at": start,
        "ends_at": start + timedelta(hours=1),  # type: ignore[operator]
        "status": Status.BOOKED,
        "uid": f"{agent}-{number}@bench",
        "meeting_url": "https://example.org",
        "buffer_before": 0,
        "buffer_after": 15,
        "created_at": MONDAY,
        "changed_at": MONDAY,
    }


def _busy(agent: int, random: Random) -> dict[str, object]:
    start = int(MONDAY.timestamp()) // 60
    begins = sorted(start + random.randrange(4 * 7 * 24 * 60) for _ in range(FEW_BUSY))
    spans = [[minute, minute + 45] for minute in begins]
    return {"person_id": agent, "name": "work", "created_at": MONDAY, "spans": spans}
