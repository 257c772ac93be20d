"""Exports: what would be sent, starting one, and how far it has come.

What is sent is decided here, once, and kept with the export: the worker sends exactly what was shown.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import joinedload

from gemba.config import current_settings
from gemba.db import db, insert_new, table_of
from gemba.errors import Forbidden
from gemba.insights import service as insights
from gemba.insights.models import Insight
from gemba.insights.rules.ticket import ExportRow
from gemba.people import service as people
from gemba.people.models import Person
from gemba.trackers.errors import ExportNotFound, FieldsMissing, NothingToExport, Paused, TooMany
from gemba.trackers.models import Claim, Connection, Export, ExportItem
from gemba.trackers.rules.bodies import body_of, comparable, labels_of, print_of, title_of
from gemba.trackers.rules.drafts import Draft, fingerprint, house_mark, marker_of
from gemba.trackers.rules.kinds import (
    STATUSES_OUT,
    TRAITS,
    Action,
    ItemState,
    TicketState,
    TrackerKind,
)
from gemba.trackers.rules.mapping import Keep, Plan, unfilled, values_of
from gemba.trackers.service import connections, pictures
from gemba.trackers.service.chain import wake

MOST = 2000
CHUNK = 500
SETTLED = (TicketState.DONE, TicketState.GONE, TicketState.FORBIDDEN)

UrlOf = Callable[[int], str]


@dataclass(frozen=True)
class Planned:
    """What an export would do for one insight: the action, the draft, and why nothing can be done."""

    row: ExportRow
    action: Action
    draft: Draft
    claim: Claim | None = None
    category: str = ""
    pictures: Sequence[int] = ()

    @property
    def payload(self) -> dict[str, Any]:
        """The draft as JSON, with the fingerprints by which it is known again."""
        return {
            **asdict(self.draft),
            "category": self.category,
            "prints": prints(self.draft),
            "anew": self.anew,
        }

    @property
    def anew(self) -> str:
        """Since when the ticket holds words that were struck out here, so that its words are all written
        anew; "" where it does not."""
        struck = self.claim.struck_at if self.claim and self.action is Action.UPDATE else None
        return struck.isoformat() if struck else ""


@dataclass(frozen=True)
class Preview:
    """Everything an export would do. `missing` names required fields that nothing fills."""

    tracker: Connection
    planned: list[Planned]
    missing: list[str]

    @property
    def pictures(self) -> int:
        """How many pictures would be attached."""
        return sum(len(each.pictures) for each in self.planned)

    def count(self, action: Action) -> int:
        """How many insights this is done for."""
        return sum(each.action is action for each in self.planned)


def prints(draft: Draft) -> dict[str, str]:
    """The fingerprint of each part of a draft, by its field."""
    found = {} if draft.title is None else {"title": fingerprint(draft.title)}
    if draft.body is not None:
        found["body"] = print_of(comparable(draft.body))
    if draft.labels is not None:
        found["labels"] = fingerprint(draft.labels)
    return found | {f"field:{name}": fingerprint(value) for name, value in draft.fields.items()}


def preview(
    tracker_id: int, viewer: Person, ids: Collection[int], *, url_of: UrlOf, now: datetime
) -> Preview:
    """What an export of these insights would do. Raises TrackerNotFound, Forbidden, TooMany."""
    tracker = connections.get(tracker_id, viewer)
    if len(ids) > MOST:
        raise TooMany(most=MOST)
    rows: list[ExportRow] = []
    wanted = list(dict.fromkeys(ids))
    for start in range(0, len(wanted), CHUNK):
        rows += insights.rows_of(wanted[start : start + CHUNK], viewer, url_of=url_of)
    claims = _claims(tracker, [row.id for row in rows])
    plan, fields = connections.plan_of(tracker), connections.fields_of(tracker)
    house = house_mark(current_settings().secret_key)
    kind = TrackerKind(tracker.kind)
    attached = pictures.planned(tracker, claims, [row.id for row in rows])
    planned = []
    for row in rows:
        claim = claims.get(row.id)
        marker = claim.marker if claim else marker_of(house, row.id)
        whole = Draft(
            marker=marker,
            title=title_of(row),
            body=body_of(kind, row, marker),
            labels=labels_of(row, marker, mark=TRAITS[kind].marks),
            fields=values_of(plan, fields, row),
        )
        one = _plan_one(plan, row, whole, claim)
        planned.append(replace(one, pictures=attached.get(row.id, ())))
    return Preview(tracker, planned, unfilled(plan, fields))


def _plan_one(plan: Plan, row: ExportRow, whole: Draft, claim: Claim | None) -> Planned:
    category = STATUSES_OUT[row.status].value if plan.status_out else ""
    if claim is None or claim.state not in SETTLED:
        return Planned(row, Action.CREATE, whole, claim, category)
    kept = Draft(
        marker=whole.marker,
        title=whole.title if plan.title is Keep.STEP else None,
        body=whole.body if plan.body is Keep.STEP else None,
        labels=whole.labels if plan.labels is Keep.STEP else None,
        fields={name: value for name, value in whole.fields.items() if plan.fields[name].keep is Keep.STEP},
    )
    changed = _changed(kept, claim)
    if claim.struck_at is not None:
        changed = replace(changed, title=whole.title, body=whole.body)
    category = category if category != claim.category else ""
    nothing = (changed.is_empty and not category) or claim.state != TicketState.DONE or claim.linked
    return Planned(row, Action.UNCHANGED if nothing else Action.UPDATE, changed, claim, category)


def _changed(kept: Draft, claim: Claim) -> Draft:
    """The part of a draft that says something else than what we sent last."""
    new = {name for name, value in prints(kept).items() if claim.sent.get(name, [None])[0] != value}
    return Draft(
        marker=kept.marker,
        title=kept.title if "title" in new else None,
        body=kept.body if "body" in new else None,
        labels=kept.labels if "labels" in new else None,
        fields={name: value for name, value in kept.fields.items() if f"field:{name}" in new},
    )


def start(
    tracker_id: int,
    viewer: Person,
    ids: Collection[int],
    *,
    url_of: UrlOf,
    dry: bool = False,
    now: datetime,
) -> Export:
    """Begins an export; a worker sends it. `dry` only writes down what would be done.

    Raises TrackerNotFound, Forbidden, TooMany, NothingToExport, FieldsMissing, Paused.
    """
    found = preview(tracker_id, viewer, ids, url_of=url_of, now=now)
    if not found.planned:
        raise NothingToExport
    if not dry:
        if found.missing:
            raise FieldsMissing(names=", ".join(found.missing))
        if found.tracker.trouble:
            raise Paused
    export = Export(tracker_id=tracker_id, made_by_id=viewer.id, made_at=now, dry=dry)
    db.session.add(export)
    db.session.flush()
    claims = {} if dry else _claim_all(found, now)
    db.session.execute(insert(ExportItem), [_item(export, each, claims, now) for each in found.planned])
    if not dry:
        pictures.begin({each.row.id: each.pictures for each in found.planned}, claims)
        touched = [each.row.id for each in found.planned]
        db.session.execute(update(Insight).where(Insight.id.in_(touched)).values(untouched=False))
        wake(tracker_id, now)
        people.audit(viewer, "export.start", f"tracker:{tracker_id}", {"insights": len(touched)}, now)
    db.session.flush()
    return export


def _claim_all(found: Preview, now: datetime) -> dict[int, int]:
    """The id of each insight's claim; who comes second finds the first one's (unique key)."""
    new = [
        {
            "tracker_id": found.tracker.id,
            "insight_id": each.row.id,
            "marker": each.draft.marker,
            "state": TicketState.QUEUED.value,
            "ref": "",
            "key": "",
            "url": "",
            "status": "",
            "category": "",
            "assignee": "",
            "linked": False,
            "sent": {},
            "edited": [],
            "error": "",
            "tries": 0,
            "looks": 0,
            "created_at": now,
            "updated_at": now,
        }
        for each in found.planned
        if each.claim is None
    ]
    if new:
        db.session.execute(insert_new(table_of(Claim), "tracker_id", "insight_id"), new)
    failed = [
        each.claim.id for each in found.planned if each.claim and each.claim.state == TicketState.FAILED
    ]
    if failed:
        db.session.execute(
            update(Claim)
            .where(Claim.id.in_(failed), Claim.state == TicketState.FAILED)
            .values(state=TicketState.QUEUED.value, error="", tries=0, looks=0, next_at=None)
            .execution_options(synchronize_session=False)
        )
    ids = [each.row.id for each in found.planned]
    rows = db.session.execute(
        select(Claim.insight_id, Claim.id).where(
            Claim.tracker_id == found.tracker.id, Claim.insight_id.in_(ids)
        )
    )
    return dict(rows.tuples().all())


def _item(export: Export, each: Planned, claims: dict[int, int], now: datetime) -> dict[str, Any]:
    settled = each.claim.state if each.claim else ""
    gone = settled in (TicketState.GONE, TicketState.FORBIDDEN)
    is_done = each.action is Action.UNCHANGED and not gone
    state = ItemState.FAILED if gone else ItemState.DONE if is_done else ItemState.PENDING
    return {
        "export_id": export.id,
        "insight_id": each.row.id,
        "claim_id": claims.get(each.row.id) or (each.claim.id if each.claim else None),
        "action": each.action.value,
        "state": state.value,
        "error": settled if gone else "",
        "payload": {} if state is not ItemState.PENDING else each.payload,
    }


def _claims(tracker: Connection, ids: Sequence[int]) -> dict[int, Claim]:
    rows: dict[int, Claim] = {}
    for begin in range(0, len(ids), CHUNK):
        query = select(Claim).where(
            Claim.tracker_id == tracker.id, Claim.insight_id.in_(ids[begin : begin + CHUNK])
        )
        rows |= {claim.insight_id: claim for claim in db.session.scalars(query)}
    return rows


@dataclass(frozen=True)
class Progress:
    """How far an export has come: its items by state, and the tickets a person is asked about."""

    export: Export
    counts: dict[ItemState, int]
    asking: int

    @property
    def total(self) -> int:
        """All its insights."""
        return sum(self.counts.values())

    @property
    def finished(self) -> bool:
        """Whether nothing is left to send."""
        return self.export.dry or not self.counts[ItemState.PENDING]

    @property
    def status(self) -> str:
        """dry-run, running, waiting (the tracker asks for it or is away), asking, paused, or done."""
        tracker = self.export.tracker
        if self.export.dry:
            return "dry-run"
        if self.finished:
            return "done"
        if tracker.trouble:
            return "paused"
        if self.counts[ItemState.PENDING] == self.asking:
            return "asking"
        return "waiting" if tracker.wait_until else "running"


def progress(export_id: int, viewer: Person) -> Progress:
    """How far an export has come. Raises ExportNotFound, Forbidden."""
    if not connections.may_export(viewer):
        raise Forbidden
    export = db.session.scalar(
        select(Export)
        .where(Export.id == export_id)
        .options(joinedload(Export.tracker), joinedload(Export.made_by))
    )
    if export is None:
        raise ExportNotFound
    return _progress([export])[0]


def _progress(exports: Sequence[Export]) -> list[Progress]:
    ids = [export.id for export in exports]
    asks = func.count().filter(Claim.state == TicketState.ASK, ExportItem.state == ItemState.PENDING)
    rows = db.session.execute(
        select(ExportItem.export_id, ExportItem.state, func.count(), asks)
        .outerjoin(Claim, Claim.id == ExportItem.claim_id)
        .where(ExportItem.export_id.in_(ids))
        .group_by(ExportItem.export_id, ExportItem.state)
    ).all()
    found = []
    for export in exports:
        mine = [row for row in rows if row[0] == export.id]
        counts = Counter({ItemState(row[1]): row[2] for row in mine})
        found.append(
            Progress(export, {state: counts[state] for state in ItemState}, sum(row[3] for row in mine))
        )
    return found


def items(
    export_id: int, *, state: ItemState | None = None, after: int = 0, limit: int = 200
) -> list[ExportItem]:
    """The insights of an export in order, with their tickets; call `progress` first, it decides who may."""
    query = (
        select(ExportItem)
        .where(ExportItem.export_id == export_id, ExportItem.id > after)
        .options(joinedload(ExportItem.insight), joinedload(ExportItem.claim))
        .order_by(ExportItem.id)
        .limit(limit)
    )
    if state is not None:
        query = query.where(ExportItem.state == state)
    return list(db.session.scalars(query))


def exports_of(tracker_id: int, viewer: Person, *, limit: int = 20) -> list[Progress]:
    """The newest exports to a tracker. Raises TrackerNotFound, Forbidden."""
    connections.get(tracker_id, viewer)
    query = (
        select(Export)
        .where(Export.tracker_id == tracker_id)
        .options(joinedload(Export.tracker), joinedload(Export.made_by))
        .order_by(Export.id.desc())
        .limit(limit)
    )
    found = list(db.session.scalars(query))
    return _progress(found) if found else []
