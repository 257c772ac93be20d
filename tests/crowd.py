"""A company as large as one likes, written in bulk: for guards and benchmarks. Everything is predictable."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import insert

from gemba.db import db
from gemba.insights.models import Insight, InsightTerm, Observation
from gemba.insights.rules.kinds import Kind
from gemba.insights.rules.terms import insight_terms
from gemba.insights.service import numbers
from gemba.people.models import Person, PersonLanguage, PersonProduct, PersonRole
from gemba.people.rules import Role
from gemba.schedule.models import Availability
from gemba.visits.models import Tick, Visit, VisitOutcome, VisitVisitor
from gemba.visits.rules import ticks
from tests.cast import Cast

ZONES = ("Europe/Berlin", "Europe/Moscow", "Asia/Kolkata", "America/New_York", "Asia/Yekaterinburg")
_SAID = (
    "refund order courier search screen freezes customer waits address copied by hand twice slow list "
    "возврат заказ курьер поиск экран зависает клиент ждёт адрес вручную дважды медленно список"
)
WORDS = _SAID.split()


def add_agents(cast: Cast, count: int, now: datetime) -> list[int]:
    """So many more agents, in five zones, who work two blocks of each weekday."""
    before = db.session.query(Person).count()
    numbers = range(before, before + count)
    rows = [_agent(cast, number, now) for number in numbers]
    ids = list(db.session.scalars(insert(Person).returning(Person.id, sort_by_parameter_order=True), rows))
    weekly = {str(day): [[9 * 60, 13 * 60], [14 * 60, 18 * 60]] for day in range(5)}
    _write(PersonRole, [{"person_id": one, "role": Role.AGENT} for one in ids])
    _write(PersonProduct, [{"person_id": one, "product_id": cast.checkout.id} for one in ids])
    _write(PersonLanguage, [{"person_id": one, "language": "en"} for one in ids])
    hours = [
        {
            "person_id": one,
            "timezone": ZONES[one % len(ZONES)],
            "weekly": weekly,
            "overrides": {"2026-12-31": []},
            "buffer_before": 0,
            "buffer_after": 15,
            "per_day": 2,
        }
        for one in ids
    ]
    _write(Availability, hours)
    db.session.flush()
    return ids


def _agent(cast: Cast, number: int, now: datetime) -> dict[str, Any]:
    return {
        "email": f"agent{number}@gemba.example",
        "name": f"Agent Number {number}",
        "timezone": ZONES[number % len(ZONES)],
        "timezone_confirmed": True,
        "locale": "en",
        "line_id": (cast.line if number % 2 else cast.other_line).id,
        "active": True,
        "created_at": now,
        "department": "Support",
    }


def _write(model: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        db.session.execute(insert(model), rows)


def add_visits(
    cast: Cast, agents: list[int], count: int, now: datetime, visitor: int | None = None
) -> list[int]:
    """So many visits of Vera (or another visitor), a half past and a half to come, an hour each."""
    visitor = visitor or cast.vera.id
    hour = now.replace(minute=0, second=0, microsecond=0)
    rows = []
    for number in range(count):
        start = hour + timedelta(hours=26 + 3 * (number // 2)) * (1 if number % 2 else -1)
        rows.append(_visit(cast, agents[number % len(agents)], visitor, start, now))
    ids = list(db.session.scalars(insert(Visit).returning(Visit.id, sort_by_parameter_order=True), rows))
    _write(VisitVisitor, [{"visit_id": one, "person_id": visitor} for one in ids])
    both = [(one, row) for one, row in zip(ids, rows, strict=True) if row["starts_at"] > now]
    taken = [
        {"person_id": person, "tick": tick, "visit_id": one}
        for one, row in both
        for person in (row["agent_id"], visitor)
        for tick in ticks(row["starts_at"], row["ends_at"])
    ]
    _write(Tick, taken)
    said = [
        {"visit_id": one, "person_id": visitor, "took_place": "yes", "at": now}
        for one, row in zip(ids, rows, strict=True)
        if row["starts_at"] < now
    ]
    _write(VisitOutcome, said)
    db.session.flush()
    return ids


def add_coming(cast: Cast, agents: list[int], count: int, now: datetime) -> list[int]:
    """So many visits to come of Vera and Lev, twenty each hour: only to be read, as they take no ticks."""
    starts = [now + timedelta(days=1, hours=number // 20) for number in range(count)]
    rows = [
        _visit(cast, agents[number % len(agents)], cast.vera.id, start, now)
        | {"uid": f"coming-{number}@gemba.example"}
        for number, start in enumerate(starts)
    ]
    ids = list(db.session.scalars(insert(Visit).returning(Visit.id, sort_by_parameter_order=True), rows))
    _write(VisitVisitor, [{"visit_id": one, "person_id": cast.vera.id} for one in ids])
    return ids


def _visit(cast: Cast, agent: int, visitor: int, start: datetime, now: datetime) -> dict[str, Any]:
    return {
        "programme_id": cast.programme.id,
        "agent_id": agent,
        "lead_id": cast.lev.id,
        "product_id": cast.checkout.id,
        "booked_by_id": visitor,
        "starts_at": start,
        "ends_at": start + timedelta(hours=1),
        "status": "held" if start < now else "booked",
        "uid": f"{agent}-{start:%Y%m%dT%H%M}@gemba.example",
        "sequence": 0,
        "meeting_url": "https://meet.example/room",
        "because": "met-all",
        "created_at": start - timedelta(days=9),
        "changed_at": start - timedelta(days=9),
    }


def add_insights(cast: Cast, visits: list[int], count: int, now: datetime) -> list[int]:
    """So many insights of all kinds, one to three observations each, in two languages, ready to search."""
    random, kinds = Random(7), list(Kind)
    rows: list[dict[str, Any]] = [
        {
            "title": " ".join(random.sample(WORDS, 5)).capitalize(),
            "body": " ".join(random.sample(WORDS, 9)),
            "kind": kinds[number % len(kinds)],
            "status": "new",
            "product_id": cast.checkout.id,
            "owner_id": cast.olga.id,
            "created_by_id": cast.vera.id,
            "created_at": now - timedelta(days=number % 90),
            "updated_at": now - timedelta(days=number % 90),
        }
        for number in range(count)
    ]
    ids = list(db.session.scalars(insert(Insight).returning(Insight.id, sort_by_parameter_order=True), rows))
    notes = [
        _note(cast, random, insight, visits[(number + copy) % len(visits)], f"{insight}-{copy}", now)
        for number, insight in enumerate(ids)
        for copy in range(1 + number % 3)
    ]
    _write(Observation, notes)
    terms = [
        {"term": term, "insight_id": one, "weight": weight}
        for one, row in zip(ids, rows, strict=True)
        for term, weight in insight_terms(row["title"], row["body"], []).items()
    ]
    _write(InsightTerm, terms)
    db.session.flush()
    numbers.keep_all(now)
    return ids


def _note(
    cast: Cast, random: Random, insight: int, visit: int, client_id: str, now: datetime
) -> dict[str, Any]:
    return {
        "visit_id": visit,
        "author_id": cast.vera.id,
        "insight_id": insight,
        "client_id": client_id,
        "text": " ".join(random.sample(WORDS, 8)),
        "kind": Kind.TOOL_PAIN,
        "severity": random.randint(0, 4),
        "frequency": "",
        "product_id": cast.checkout.id,
        "tool": "",
        "at": now - timedelta(days=1),
        "created_at": now - timedelta(days=1),
    }
