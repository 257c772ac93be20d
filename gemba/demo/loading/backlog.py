"""Third step: observations of the past visits, the insights they support, and what became of these."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from gemba.db import db
from gemba.demo.content import Company, InsightContent, ObservationContent, read_talk
from gemba.demo.loading.company import DAY, MINUTE, Loaded
from gemba.demo.loading.fresh import load_fresh
from gemba.demo.loading.talk import load_talk
from gemba.insights import service as insights
from gemba.insights.models import Insight, InsightVote, Observation
from gemba.insights.rules.kinds import Status
from gemba.insights.service import numbers
from gemba.people.models import Person
from gemba.people.rules import Role

TRIAGED_AFTER = timedelta(days=2, hours=3)
STEP = timedelta(days=5)
MOST_VOTES = 7
WAY: Mapping[Status, Sequence[Status]] = {
    Status.NEW: (),
    Status.PLANNED: (Status.PLANNED,),
    Status.DOING: (Status.PLANNED, Status.DOING),
    Status.DONE: (Status.PLANNED, Status.DOING, Status.DONE),
    Status.DECLINED: (Status.DECLINED,),
}
"""The statuses an insight went through."""


@dataclass(frozen=True)
class _Seen:
    """An observation with the instant it was written down."""

    content: ObservationContent
    at: datetime


def load_backlog(company: Company, loaded: Loaded, now: datetime) -> None:
    """All insights in the order they came up, with their evidence, history, votes and search terms."""
    by_key: dict[str, Insight] = {}
    first_seen = [(_evidence(content, loaded), content) for content in company.insights]
    for evidence, content in sorted(first_seen, key=lambda pair: (pair[0][0].at, pair[1].key)):
        insight = _insight(content, evidence, loaded)
        db.session.add(insight)
        db.session.flush()
        db.session.add_all(_observation(content, insight, seen, loaded) for seen in evidence)
        db.session.add_all(_votes(insight, len(evidence), loaded, now))
        insights.reindex(insight.id)
        _decide(content, insight, evidence[-1].at, loaded, now)
        by_key[content.key] = insight
    db.session.flush()
    load_fresh(read_talk()["fresh"], loaded)
    numbers.keep_all(now)
    load_talk(by_key, loaded.programme.id, loaded, now)


def _evidence(content: InsightContent, loaded: Loaded) -> list[_Seen]:
    """The observations of an insight, oldest first."""
    seen = [
        _Seen(one, loaded.visits[one.visit].starts_at + MINUTE * one.minute) for one in content.observations
    ]
    return sorted(seen, key=lambda one: one.at)


def _insight(content: InsightContent, evidence: Sequence[_Seen], loaded: Loaded) -> Insight:
    return Insight(
        title=content.title,
        body=content.body,
        kind=content.kind,
        status=Status.NEW,
        product=loaded.products[content.product] if content.product else None,
        created_by_id=_author(evidence[0], loaded).id,
        created_at=evidence[0].at,
        updated_at=evidence[-1].at,
        version=1,
    )


def _author(seen: _Seen, loaded: Loaded) -> Person:
    return loaded.visits[seen.content.visit].visitors[0]


def _observation(content: InsightContent, insight: Insight, seen: _Seen, loaded: Loaded) -> Observation:
    visit, words = loaded.visits[seen.content.visit], seen.content
    return Observation(
        visit_id=visit.id,
        author_id=_author(seen, loaded).id,
        insight_id=insight.id,
        client_id=str(uuid5(NAMESPACE_URL, f"gemba:demo:{words.visit}:{words.minute}")),
        text=words.text,
        kind=content.kind,
        severity=words.severity,
        frequency=words.frequency,
        verbatim=words.verbatim,
        workaround=words.workaround,
        product_id=insight.product_id or visit.product_id,
        tool=words.tool,
        at=seen.at,
        created_at=seen.at,
    )


def _decide(
    content: InsightContent, insight: Insight, last_seen: datetime, loaded: Loaded, now: datetime
) -> None:
    """The owner takes it and leads it through its statuses, in the past."""
    if content.owner is None:
        return
    owner = loaded.people[content.owner]
    way = WAY[content.status]
    for number, status in enumerate(way):
        at = min(last_seen + TRIAGED_AFTER + STEP * number, now - DAY * (len(way) - number))
        reason = content.reason if status is Status.DECLINED else ""
        changes = {"status": status, "owner_id": owner.id}
        insights.patch(insight.id, owner, changes, reason=reason, tell=False, now=at)


def _votes(insight: Insight, weight: int, loaded: Loaded, now: datetime) -> Iterable[InsightVote]:
    """Colleagues who say "me too": more where more was seen."""
    colleagues = [person for person in loaded.people.values() if person.has(Role.VISITOR, Role.OWNER)]
    count = loaded.random.randint(0, min(weight + 2, MOST_VOTES))
    age = (now - insight.created_at) / MINUTE
    for person in loaded.random.sample(colleagues, count):
        at = now - MINUTE * round(age * loaded.random.random())
        yield InsightVote(insight_id=insight.id, person_id=person.id, created_at=at)
