"""What the last visits brought and nobody sorted yet: it waits in triage, some of it said before."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from gemba.db import db
from gemba.demo.loading.company import MINUTE, Loaded
from gemba.insights import service as insights
from gemba.insights.models import Insight, Observation


def load_fresh(notes: Sequence[Mapping[str, Any]], loaded: Loaded) -> None:
    """One untouched insight for each of these notes, as `talk.json` tells them, oldest first."""
    for words in sorted(notes, key=lambda one: (loaded.visits[one["visit"]].starts_at, one["minute"])):
        visit = loaded.visits[words["visit"]]
        at, author = visit.starts_at + MINUTE * words["minute"], visit.visitors[0]
        said = {"kind": words["kind"], "product_id": visit.product_id, "created_at": at}
        insight = Insight(
            title=words["text"].rstrip("."),
            programme_id=visit.programme_id,
            created_by_id=author.id,
            updated_at=at,
            untouched=True,
            **said,
        )
        db.session.add(insight)
        db.session.flush()
        note = Observation(
            visit_id=visit.id,
            author_id=author.id,
            insight_id=insight.id,
            client_id=str(uuid5(NAMESPACE_URL, f"gemba:demo:fresh:{words['visit']}:{words['minute']}")),
            text=words["text"],
            severity=words["severity"],
            verbatim=words.get("verbatim", ""),
            tool=words["tool"],
            at=at,
            **said,
        )
        db.session.add(note)
        db.session.flush()
        insights.reindex(insight.id)
