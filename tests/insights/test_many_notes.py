"""The pages around a visit with two hundred notes: as many statements as with few, and light on the wire."""

import gzip
import uuid
from datetime import timedelta

import pytest
from flask import Flask

from gemba.db import db
from gemba.insights.models import Observation
from gemba.people.models import Person
from gemba.visits.models import Visit
from tests.cast import Cast
from tests.conftest import Browser, StandingClock
from tests.insights.stage import make_visit, note

ON_THE_WIRE = 60_000
MOST = 40
PAGES = [
    ("vera", "/visits/{visit}/notes"),
    ("alice", "/visits/{visit}/notes"),
    ("vera", "/visits/{visit}/notes/{note}"),
    ("vera", "/visits/{visit}/notes/{note}/pictures"),
    ("vera", "/visits/{visit}/briefing"),
    ("vera", "/visits/{visit}/wrap-up"),
    ("vera", "/visits/{visit}/sheet"),
    ("alice", "/visits/{visit}/review"),
    ("olga", "/programmes/{programme}/feedback"),
    ("vera", "/profile/data"),
]


def more_notes(visit: Visit, author: Person, count: int, clock: StandingClock) -> None:
    """Notes without insights, written at once; some are questions, some work well."""
    db.session.add_all(
        Observation(
            visit_id=visit.id,
            author_id=author.id,
            client_id=str(uuid.uuid4()),
            text=f"The search of orders needs the whole number, so she keeps list {number}",
            kind="works-well" if number % 9 == 0 else "tool-pain",
            severity=number % 5,
            tool="crm",
            tags="orders slow",
            is_question=number % 7 == 0,
            standing="fresh",
            review_until=visit.ends_at + timedelta(hours=48),
            at=clock(),
            created_at=clock(),
        )
        for number in range(count)
    )


@pytest.mark.parametrize(("who", "path"), PAGES)
def test_two_hundred_notes(
    site: Flask,
    site_cast: Cast,
    browser: Browser,
    clock: StandingClock,
    statements: list[str],
    who: str,
    path: str,
) -> None:
    with site.app_context():
        visit = make_visit(site_cast, clock())
        clock.forward(minutes=55)
        first = note(visit, site_cast.vera, "The list is slow", clock(), tool="crm")
        vera = db.session.get_one(Person, site_cast.vera.id)
        more_notes(visit, vera, 9, clock)
        db.session.commit()
        values = {"visit": visit.id, "note": first.id, "programme": site_cast.programme.slug}
    client = browser.as_(getattr(site_cast, who).id)

    def count() -> int:
        client.get(path.format(**values))
        statements.clear()
        assert client.get(path.format(**values)).status_code == 200
        return len(statements)

    few = count()
    with site.app_context():
        vera = db.session.get_one(Person, site_cast.vera.id)
        more_notes(db.session.get_one(Visit, values["visit"]), vera, 190, clock)
        db.session.commit()
    assert count() <= few <= MOST
    answer = client.get(path.format(**values), headers={"Accept-Encoding": "gzip"})
    assert len(answer.data) < ON_THE_WIRE
    assert "</html>" in gzip.decompress(answer.data).decode()
