"""What the tests of insights need beside the cast: visits to take notes in, and notes."""

import secrets
import uuid
from datetime import datetime, timedelta
from typing import Any

from gemba.db import db
from gemba.insights import service
from gemba.insights.models import Observation
from gemba.insights.service import NoteFields
from gemba.people.models import Person, Product
from gemba.visits.models import Visit
from tests.cast import Cast


def make_visit(
    cast: Cast,
    start: datetime,
    *,
    agent: Person | None = None,
    visitor: Person | None = None,
    status: str = "booked",
    product: Product | None = None,
) -> Visit:
    """An hour with an agent (Alice), a visitor (Vera) and the agent's lead."""
    agent = db.session.get_one(Person, (agent or cast.alice).id)
    visitor = db.session.get_one(Person, (visitor or cast.vera).id)
    visit = Visit(
        programme_id=cast.programme.id,
        agent_id=agent.id,
        lead_id=agent.line.lead_id if agent.line else None,
        product_id=product.id if product else None,
        booked_by_id=visitor.id,
        starts_at=start,
        ends_at=start + timedelta(hours=1),
        status=status,
        uid=f"{secrets.token_hex(8)}@gemba.example",
        sequence=0,
        meeting_url="https://meet.example/room",
        created_at=start,
        changed_at=start,
        visitors=[visitor],
    )
    db.session.add(visit)
    db.session.flush()
    return visit


def note(
    visit: Visit, author: Person, text: str, now: datetime, insight: int | None = None, **fields: Any
) -> Observation:
    """A note of this author, taken now."""
    author = db.session.get_one(Person, author.id)
    made, _is_new = service.record(
        visit.id, author, str(uuid.uuid4()), NoteFields(text, **fields), insight_id=insight, now=now
    )
    return made
