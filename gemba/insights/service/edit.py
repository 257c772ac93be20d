"""Changing insights: words, status, votes, merge and split. Each change leaves a line of history.

Owners and admins edit and merge; everyone may vote. Merging moves no row: the merged insight only
names its survivor, so taking it out again restores every count and vote.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import delete, select

from gemba.db import db
from gemba.errors import Forbidden, Stale
from gemba.insights.errors import (
    AlreadyMerged,
    InsightNotFound,
    MergeIntoItself,
    NoSuchTarget,
    NothingToSplit,
    NotMerged,
    NotSplit,
    UnderReview,
)
from gemba.insights.models import Insight, InsightChange, InsightVote, Observation
from gemba.insights.models_backlog import ProgrammeStatus
from gemba.insights.service import fields, index
from gemba.insights.service.capture import title_of
from gemba.insights.service.counts import family_of
from gemba.insights.service.events import created, happened
from gemba.insights.service.numbers import keep, lock, one_at_a_time
from gemba.insights.service.sight import COUNTED, readable_insight
from gemba.insights.service.telling import MERGED, became, hush
from gemba.people.models import Person, PersonRole
from gemba.people.rules import Role, clean_line, clean_text
from gemba.webhooks.rules import Event


def may_edit(viewer: Person) -> bool:
    """Whether this person may edit insights, set statuses and merge."""
    return viewer.has(Role.OWNER, Role.ADMIN)


_ABLE = select(PersonRole.person_id).where(PersonRole.role.in_((Role.OWNER, Role.ADMIN)))
_OWNERS = select(Person).where(Person.active, Person.id.in_(_ABLE)).order_by(Person.name)


def owners() -> list[Person]:
    """Active people who may own an insight, by name."""
    return list(db.session.scalars(_OWNERS))


def patch(
    insight_id: int,
    viewer: Person,
    changes: Mapping[str, object],
    *,
    version: int | None = None,
    reason: str = "",
    tell: bool = True,
    now: datetime,
) -> Insight:
    """Changes some of fields.FIELDS; `version` is the one the person saw, None does not ask.

    Whoever stands behind it hears of a new status, unless not to `tell`.

    Raises InsightNotFound, Forbidden, Stale, Invalid (by field; declining needs a reason).
    """
    insight = locked(insight_id, viewer)
    if version is not None and version != insight.version:
        raise Stale
    cleaned, reason = fields.clean(changes), clean_text(reason)
    _settle_status(cleaned)
    wanted = {name: value for name, value in cleaned.items() if getattr(insight, name) != value}
    fields.check(wanted, reason, insight.programme_id)
    for name, value in wanted.items():
        remember(
            insight, viewer, name, getattr(insight, name), value, reason if name == "status" else "", now
        )
        setattr(insight, name, value)
    if wanted:
        touch(insight, now)
        if (fields.SEARCHED | fields.COUNTED) & wanted.keys():
            index.reindex(insight.root_id)
    db.session.flush()
    if tell and "status" in wanted:
        became(insight, viewer, insight.status, reason=reason, now=now)
    if "status" in wanted and insight.review_visit_id is None:
        happened(insight.id, Event.INSIGHT_STATUS_CHANGED, f"{insight.version}", now, status=insight.status)
    return insight


def _settle_status(changes: dict[str, object]) -> None:
    """A programme's own status brings its category along; another status takes the own name away."""
    own = changes.get("own_status_id")
    if isinstance(own, int):
        if row := db.session.get(ProgrammeStatus, own):
            changes["status"] = row.category
    elif "status" in changes:
        changes["own_status_id"] = None


def vote(insight_id: int, viewer: Person, *, on: bool = True, now: datetime) -> Insight:
    """Says "me too" once, or takes it back, for the insight that speaks for this one.

    Raises InsightNotFound.
    """
    one_at_a_time()
    insight = _survivor(insight_id, viewer)
    lock(insight.id)
    family = family_of([insight.id])
    mine = (InsightVote.person_id == viewer.id) & InsightVote.insight_id.in_(family)
    if not on:
        db.session.execute(delete(InsightVote).where(mine))
    elif db.session.scalar(select(InsightVote.insight_id).where(mine).limit(1)) is None:
        db.session.add(InsightVote(insight_id=insight.id, person_id=viewer.id, created_at=now))
        insight.untouched = False
    db.session.flush()
    keep(insight.id)
    return insight


def merge(insight_id: int, viewer: Person, into_id: int, *, tell: bool = True, now: datetime) -> Insight:
    """Lets another insight speak for this one and all merged into it; returns the survivor.

    Whoever stands behind it hears of that, unless not to `tell`.

    Raises InsightNotFound, Forbidden, NoSuchTarget, AlreadyMerged, MergeIntoItself, UnderReview.
    """
    one_at_a_time()
    _lock(insight_id, into_id)
    insight = locked(insight_id, viewer)
    target = _target(into_id, viewer)
    if insight.review_visit_id is not None or target.review_visit_id is not None:
        raise UnderReview
    if insight.merged_into_id is not None:
        raise AlreadyMerged
    survivor_id = target.root_id
    if survivor_id == insight.id:
        raise MergeIntoItself
    survivor = db.session.get_one(Insight, survivor_id, with_for_update=True)
    for part in db.session.scalars(select(Insight).where(Insight.merged_into_id == insight.id)):
        part.merged_into_id = survivor.id
    insight.merged_into_id, insight.merged_via_id = survivor.id, target.id
    remember(insight, viewer, "merged_into", None, survivor.id, "", now)
    remember(survivor, viewer, "merged", None, insight.id, "", now)
    touch(insight, now)
    touch(survivor, now)
    db.session.flush()
    if tell:
        became(insight, viewer, MERGED, into=survivor.title, now=now)
    index.reindex(survivor.id)
    happened(insight.id, Event.INSIGHT_MERGED, f"{insight.version}", now, into=survivor.id)
    return survivor


def unmerge(insight_id: int, viewer: Person, *, now: datetime) -> Insight:
    """Takes an insight out of its survivor, with all that had been merged into it before. A word of the
    merge that did not leave yet is dropped.

    Raises InsightNotFound, Forbidden, NotMerged.
    """
    one_at_a_time()
    insight = locked(insight_id, viewer)
    if insight.merged_into_id is None:
        raise NotMerged
    survivor = db.session.get_one(Insight, insight.merged_into_id, with_for_update=True)
    insight.merged_into_id = insight.merged_via_id = None
    parts = list(db.session.scalars(select(Insight).where(Insight.merged_into_id == survivor.id)))
    for part in _below(insight.id, parts):
        part.merged_into_id = insight.id
    remember(insight, viewer, "merged_into", survivor.id, None, "", now)
    remember(survivor, viewer, "merged", insight.id, None, "", now)
    touch(insight, now)
    touch(survivor, now)
    index.reindex(survivor.id)
    index.reindex(insight.id)
    hush(insight, now)
    return insight


def split(
    insight_id: int, viewer: Person, observation_ids: Collection[int], *, title: str = "", now: datetime
) -> Insight:
    """Makes a new insight of some of the evidence; returns it. Merging it back undoes the split.

    Raises InsightNotFound, Forbidden, NothingToSplit, UnderReview, Invalid.
    """
    one_at_a_time()
    insight = locked(insight_id, viewer)
    if insight.review_visit_id is not None:
        raise UnderReview
    family = Observation.insight_id.in_(family_of([insight.id]))
    evidence = list(
        db.session.scalars(
            select(Observation).where(family, COUNTED).order_by(Observation.at, Observation.id)
        )
    )
    chosen = [note for note in evidence if note.id in set(observation_ids)]
    if not chosen or len(chosen) == len(evidence):
        raise NothingToSplit
    title = clean_line(title) or title_of(chosen[0].text)
    fields.check({"title": title}, "")
    new = Insight(
        title=title,
        kind=chosen[0].kind,
        status=insight.status,
        own_status_id=insight.own_status_id,
        programme_id=insight.programme_id,
        product_id=insight.product_id,
        created_by_id=viewer.id,
        created_at=now,
        updated_at=now,
    )
    db.session.add(new)
    db.session.flush()
    for note in chosen:
        note.insight_id = new.id
    remember(insight, viewer, "split", None, new.id, "", now)
    remember(new, viewer, "split_from", None, insight.id, "", now)
    touch(insight, now)
    index.reindex(insight.root_id)
    index.reindex(new.id)
    created([new.id], now)
    return new


def put_back(insight_id: int, viewer: Person, *, now: datetime) -> Insight:
    """Undoes a split: what was split out is part again of what it came from, which is returned. Nobody hears.

    Raises InsightNotFound, Forbidden, NotSplit and what merge() raises.
    """
    insight = locked(insight_id, viewer)
    origin = db.session.scalar(
        select(InsightChange.after).where(
            InsightChange.insight_id == insight.id, InsightChange.field == "split_from"
        )
    )
    if origin is None:
        raise NotSplit
    return merge(insight.id, viewer, int(origin), tell=False, now=now)


def _below(insight_id: int, parts: Collection[Insight]) -> list[Insight]:
    """Those of the parts that came with this insight, directly or through one another."""
    found: list[Insight] = []
    above = {insight_id}
    while above:
        reached = [part for part in parts if part.merged_via_id in above]
        found += reached
        above = {part.id for part in reached}
    return found


def _target(insight_id: int, viewer: Person) -> Insight:
    try:
        return readable_insight(insight_id, viewer)
    except InsightNotFound as error:
        raise NoSuchTarget("into") from error


def _lock(*ids: int) -> None:
    """Locks insights in order of id, so that two merges of a pair queue up."""
    db.session.execute(
        select(Insight.id).where(Insight.id.in_(sorted(set(ids)))).order_by(Insight.id).with_for_update()
    ).all()


def locked(insight_id: int, viewer: Person) -> Insight:
    """The insight as it is now, locked, for somebody who may edit."""
    insight = readable_insight(insight_id, viewer, lock=True)
    if not may_edit(viewer):
        raise Forbidden
    return insight


def _survivor(insight_id: int, viewer: Person) -> Insight:
    insight = readable_insight(insight_id, viewer)
    if insight.merged_into_id is None:
        return insight
    return db.session.get_one(Insight, insight.merged_into_id)


def touch(insight: Insight, now: datetime) -> None:
    """Somebody changed it."""
    insight.untouched = False
    insight.version += 1
    insight.updated_at = now


def remember(
    insight: Insight, viewer: Person, field: str, before: object, after: object, reason: str, now: datetime
) -> None:
    """Writes a line of history."""
    db.session.add(
        InsightChange(
            insight_id=insight.id,
            person_id=viewer.id,
            at=now,
            field=field,
            before="" if before is None else str(before),
            after="" if after is None else str(after),
            reason=reason,
        )
    )
