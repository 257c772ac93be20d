"""Word back: who stands behind an insight hears once what became of it, in their language, with the reason.

These are the agent, the visitors and the lead of every visit that saw it, those who said "me too" and its
followers; never whoever did it, and nobody who turned such mails off.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CompoundSelect, Subquery, func, literal, or_, select, union, union_all
from sqlalchemy.orm import joinedload

from gemba.db import db
from gemba.insights.models import Insight, InsightChange, InsightFollower, InsightVote, Observation
from gemba.insights.models_backlog import InsightComment
from gemba.insights.rules.kinds import Status
from gemba.insights.service.counts import family_of
from gemba.insights.service.sight import COUNTED, readable
from gemba.insights.service.vote_links import vote_path
from gemba.outbox import service as outbox
from gemba.outbox.models import OutboxItem
from gemba.people.models import Person
from gemba.people.rules import MailKind
from gemba.people.service.mail_choices import wants
from gemba.visits.models import Visit, VisitVisitor

TOLD = (Status.PLANNED, Status.DOING, Status.DONE, Status.DECLINED)
MERGED = "merged"
REOPENED = "reopened"
SHOWN = 100


@dataclass(frozen=True)
class Contribution:
    """An insight that this person stands behind: how many notes of their visits support it, how often they
    wrote to it, whether they said "me too" and whether they made it.
    """

    insight: Insight
    notes: int
    comments: int
    voted: bool
    made: bool


def became(
    insight: Insight, by: Person, word: str, *, reason: str = "", into: str = "", now: datetime
) -> None:
    """Tells everyone behind an insight its new status, that it was REOPENED, or MERGED `into` another one.

    An older word that did not leave yet is dropped.
    """
    if insight.review_visit_id is not None or word not in (*TOLD, MERGED, REOPENED):
        return
    ids = behind(insight.id) - {by.id}
    if not ids:
        return
    group = f"insight-news:{insight.id}"
    people = db.session.scalars(
        select(Person).where(Person.id.in_(wants(ids, MailKind.INSIGHT)), Person.active).order_by(Person.id)
    ).all()
    outbox.drop_superseded(group, {person.email for person in people}, now)
    voices = voters(insight.id) if word not in (Status.DONE, Status.DECLINED) else ids
    outbox.queue_all(
        [
            _mail(insight, person, word, reason, into, group, _vote(insight, person, voices, now), now)
            for person in people
        ]
    )


def _vote(insight: Insight, person: Person, voices: Collection[int], now: datetime) -> str:
    """Where this person says "me too"; "" where they did, or where it no longer helps."""
    return "" if person.id in voices else vote_path(insight.id, person.id, now)


def hush(insight: Insight, now: datetime) -> None:
    """Drops every word of an insight that did not leave yet: what it said was taken back."""
    group = f"insight-news:{insight.id}"
    waiting = select(OutboxItem.recipient).where(OutboxItem.group_key == group, OutboxItem.state == "ready")
    outbox.drop_superseded(group, set(db.session.scalars(waiting)), now)


def _mail(
    insight: Insight,
    person: Person,
    word: str,
    reason: str,
    into: str,
    group: str,
    vote: str,
    now: datetime,
) -> outbox.Row:
    return outbox.mail_row(
        **outbox.addressed(person),
        template="insight_news",
        context={
            "first_name": person.first_name,
            "title": insight.title,
            "word": str(word),
            "reason": reason,
            "into": into,
            "path": f"/insights/{insight.root_id}",
            "vote": vote,
        },
        dedup_key=f"{group}:{word}:{insight.version}:{person.id}",
        group_key=group,
        extra={"choice": {"person": person.id, "kind": MailKind.INSIGHT.value}},
        now=now,
    )


def voters(insight_id: int) -> set[int]:
    """Who said "me too" to an insight or anything merged into it."""
    said = select(InsightVote.person_id).where(InsightVote.insight_id.in_(family_of([insight_id])))
    return set(db.session.scalars(said))


def behind(insight_id: int) -> set[int]:
    """Everyone who stands behind an insight or anything merged into it, in one statement."""
    family = family_of([insight_id])
    visits = select(Observation.visit_id).where(Observation.insight_id.in_(family), COUNTED)
    every: CompoundSelect[int] = union(
        select(Visit.agent_id.label("id")).where(Visit.id.in_(visits)),
        select(Visit.lead_id.label("id")).where(Visit.id.in_(visits), Visit.lead_id.is_not(None)),
        select(Visit.mentor_id.label("id")).where(Visit.id.in_(visits), Visit.mentor_id.is_not(None)),
        select(VisitVisitor.person_id.label("id")).where(VisitVisitor.visit_id.in_(visits)),
        select(InsightVote.person_id.label("id")).where(InsightVote.insight_id.in_(family)),
        select(InsightFollower.person_id.label("id")).where(InsightFollower.insight_id.in_(family)),
    )
    return set(db.session.scalars(every))


def contributions(person: Person) -> list[Contribution]:
    """The insights this person noted, showed, wrote to, made or said "me too" to, the latest change first, at
    most SHOWN; one statement.
    """
    every = _parts_of(person)
    mine = (
        select(
            every.c.root,
            *(func.sum(every.c[name]).label(name) for name in ("notes", "comments", "votes", "made")),
        )
        .group_by(every.c.root)
        .subquery()
    )
    rows = db.session.execute(
        select(Insight, mine.c.notes, mine.c.comments, mine.c.votes, mine.c.made)
        .join(mine, mine.c.root == Insight.id)
        .options(joinedload(Insight.own_status))
        .order_by(Insight.updated_at.desc(), Insight.id.desc())
        .limit(SHOWN)
    )
    return [
        Contribution(insight, int(notes), int(comments), bool(votes), bool(made))
        for insight, notes, comments, votes, made in rows
    ]


def _parts_of(person: Person) -> Subquery:
    """SQL: a row for each note, comment, vote and insight of a person, with the one that speaks for it."""
    seats = select(VisitVisitor.visit_id).where(VisitVisitor.person_id == person.id)
    of_visits = or_(Observation.author_id == person.id, Visit.agent_id == person.id, Visit.id.in_(seats))
    noted = _counted("notes").join(Observation, Observation.insight_id == Insight.id)
    said = _counted("comments").join(InsightComment, InsightComment.insight_id == Insight.id)
    voted = _counted("votes").join(InsightVote, InsightVote.insight_id == Insight.id)
    return union_all(
        noted.join(Visit, Visit.id == Observation.visit_id).where(COUNTED, readable(person), of_visits),
        said.where(
            InsightComment.person_id == person.id, InsightComment.removed_at.is_(None), readable(person)
        ),
        voted.where(InsightVote.person_id == person.id, readable(person)),
        _counted("made").where(Insight.created_by_id == person.id, readable(person)),
    ).subquery()


def _counted(what: str) -> Any:
    speaks = func.coalesce(Insight.merged_into_id, Insight.id).label("root")
    names = ("notes", "comments", "votes", "made")
    return select(speaks, *(literal(int(name == what)).label(name) for name in names)).select_from(Insight)


def reasons(ids: Collection[int]) -> dict[int, str]:
    """The reason given with the status that each has now, by insight; those without one are not there."""
    rows = db.session.execute(
        select(InsightChange.insight_id, InsightChange.reason)
        .where(InsightChange.insight_id.in_(ids), InsightChange.field == "status")
        .order_by(InsightChange.at, InsightChange.id)
    )
    return {insight_id: reason for insight_id, reason in dict(rows.tuples().all()).items() if reason}
