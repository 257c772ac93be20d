"""Names that notes already use, offered while a mark is typed: tools and tags of the visit's line, products.

Only from what everybody may read, and of all lines where this one is too small to be spoken of by itself.
"""

from collections import Counter

from sqlalchemy import select

from gemba.db import db
from gemba.insights.models import Observation
from gemba.insights.service import briefing
from gemba.people.models import Product
from gemba.visits.models import Visit

LATEST = 3000
"""Only so many of the newest notes are looked at: the page opens as fast in the tenth year."""
MOST = 40


def known_names(visit: Visit) -> dict[str, list[str]]:
    """Tools, products and tags by their mark `>`, `@`, `#`, what most notes use first; in two statements."""
    newest = select(Observation.id).order_by(Observation.id.desc()).limit(LATEST).scalar_subquery()
    rows = db.session.execute(
        briefing.seen(Observation.tool, Observation.tags).where(
            *briefing.evidence(briefing.line_shown(visit)), Observation.id.in_(newest)
        )
    ).all()
    tools = Counter(tool for tool, _tags in rows if tool)
    tags = Counter(tag for _tool, tags in rows for tag in tags.split())
    products = db.session.scalars(select(Product.name).order_by(Product.name)).all()
    return {">": _first(tools), "@": list(products), "#": _first(tags)}


def _first(names: Counter[str]) -> list[str]:
    return [name for name, _count in sorted(names.items(), key=lambda one: (-one[1], one[0]))[:MOST]]
