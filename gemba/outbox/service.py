"""The outbox as seen by other domains and by its page: put in, look, resend, drop.

`queue` is called in the transaction of the cause: what is rolled back is never sent.
"""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, Required, TypedDict, Unpack

from sqlalchemy import ColumnElement, case, delete, func, or_, select, update

from gemba.config import current_settings
from gemba.db import db, insert_all_new, notify, table_of
from gemba.errors import NotFound, Refused
from gemba.outbox.kinds import background_kinds
from gemba.outbox.models import OutboxItem, OutboxWorker
from gemba.outbox.rules import LATE, WAITING, WORKER_SILENT, State, freeze, lost_its_secret, without_secrets

CHANNEL = "gemba_outbox"


class BeingSent(Refused):
    """This is being sent right now. Look again in a minute."""

    code = "being-sent"


class AlreadySent(Refused):
    """This has been sent already."""

    code = "already-sent"


class WordsGone(Refused):
    """This mail held a sign-in code that is no longer kept. The person can ask for a new one."""

    code = "words-gone"


class Overtaken(Refused):
    """A newer message about the same thing has gone to this person, or is about to."""

    code = "overtaken"


Row = dict[str, Any]
"""The values of a new row."""


def queue(
    kind: str,
    *,
    dedup_key: str,
    group_key: str,
    recipient: str,
    payload: Mapping[str, Any],
    now: datetime,
    run_at: datetime | None = None,
) -> None:
    """Puts an item into the outbox, to leave at `run_at` (default: now).

    What is there under the same `dedup_key` stays as it is. Items of one non-empty `group_key` to one
    recipient leave one after the other; `payload` is plain JSON (gemba.outbox.rules.freeze makes it so).
    """
    queue_all([_row(kind, dedup_key, group_key, recipient, payload, now, run_at)])


def queue_all(rows: Sequence[Row]) -> None:
    """Puts new items into the outbox together, but for those that are there under the same dedup keys."""
    insert_all_new(table_of(OutboxItem), rows, "dedup_key", channel=CHANNEL)


def _row(
    kind: str,
    dedup_key: str,
    group_key: str,
    recipient: str,
    payload: Mapping[str, Any],
    now: datetime,
    run_at: datetime | None,
) -> Row:
    return {
        "kind": kind,
        "dedup_key": dedup_key,
        "group_key": group_key,
        "recipient": recipient,
        "payload": dict(payload),
        "state": State.READY.value,
        "run_at": run_at or now,
        "attempts": 0,
        "last_error": "",
        "created_at": now,
    }


def queue_soon(kind: str, *, group_key: str, payload: Mapping[str, Any], now: datetime) -> None:
    """Puts an errand into the outbox unless one of its group is due and not begun: that one will do.

    It cannot begin before this transaction ends, and so sees what this transaction wrote.
    """
    waiting_already = (
        select(OutboxItem.id)
        .where(
            OutboxItem.kind == kind,
            OutboxItem.group_key == group_key,
            OutboxItem.state == State.READY,
            OutboxItem.run_at <= now,
        )
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if db.session.scalar(waiting_already) is None:
        key = f"{group_key}:{secrets.token_hex(8)}"
        queue(kind, dedup_key=key, group_key=group_key, recipient="", payload=payload, now=now)


class Mail(TypedDict, total=False):
    """A mail from templates/email/`template`.{subject,txt,html}.

    `context` holds JSON values, instants and days; what stands under `secret` is forgotten once the mail
    is final. Another `kind` with `extra` payload is for handlers that add to the mail, such as invites.
    """

    to: Required[str]
    locale: Required[str]
    template: Required[str]
    context: Required[Mapping[str, Any]]
    dedup_key: Required[str]
    now: Required[datetime]
    group_key: str
    name: str
    run_at: datetime | None
    kind: str
    extra: Mapping[str, Any]


class Addressee(Protocol):
    """Who mails go to: a person, or the words of one that were kept."""

    @property
    def email(self) -> str:
        """The address."""

    @property
    def name(self) -> str:
        """What the address is shown as."""

    @property
    def locale(self) -> str:
        """The language of the words."""


class Addressed(TypedDict):
    """The part of a Mail that is the same for everything a person gets."""

    to: str
    name: str
    locale: str


def addressed(who: Addressee) -> Addressed:
    """The part of a mail that says whom it goes to, and in which language."""
    return {"to": who.email, "name": who.name, "locale": who.locale}


def queue_mail(**mail: Unpack[Mail]) -> None:
    """Puts a mail into the outbox."""
    queue_all([mail_row(**mail)])


def mail_row(**mail: Unpack[Mail]) -> Row:
    """A mail for `queue_all`."""
    settings = current_settings()
    payload = {
        **mail.get("extra", {}),
        "template": mail["template"],
        "locale": mail["locale"],
        "name": mail.get("name", ""),
        "context": freeze(mail["context"]),
        "from": settings.mail_from,
        "base_url": settings.base_url,
    }
    return _row(
        mail.get("kind", "mail"),
        mail["dedup_key"],
        mail.get("group_key", ""),
        mail["to"],
        payload,
        mail["now"],
        mail.get("run_at"),
    )


def ring() -> None:
    """Wakes workers when this transaction commits; they also look by themselves every second."""
    notify(CHANNEL)


def drop_superseded(group_key: str, recipients: Collection[str], now: datetime) -> set[str]:
    """Drops what waits for these people and was never tried, as newer words take its place.

    Says who of the group has been told something, or is about to be.
    """
    heard = set()
    for item in db.session.scalars(
        select(OutboxItem)
        .where(OutboxItem.group_key == group_key, OutboxItem.state != State.DROPPED)
        .order_by(OutboxItem.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all():
        if item.recipient in recipients and item.state == State.READY and item.attempts == 0:
            _close(item, State.DROPPED, now)
        else:
            heard.add(item.recipient)
    db.session.flush()
    return heard


def _close(item: OutboxItem, state: State, now: datetime) -> None:
    item.state, item.done_at = state.value, now
    item.lease_token = item.lease_until = None
    item.payload = without_secrets(item.payload)


def hasten(group_key: str, now: datetime) -> bool:
    """Lets what waits in a group leave now. False where nothing waits to leave."""
    changed = db.session.execute(
        update(OutboxItem)
        .where(OutboxItem.group_key == group_key, OutboxItem.state == State.READY)
        .values(run_at=case((OutboxItem.run_at > now, now), else_=OutboxItem.run_at))
        .execution_options(synchronize_session=False)
    )
    ring()
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def is_waiting(group_key: str, *, or_leased: bool = False) -> bool:
    """Whether an item of a group still waits to leave, or a worker has it."""
    states = (State.READY, State.LEASED) if or_leased else (State.READY,)
    query = select(OutboxItem.id).where(OutboxItem.group_key == group_key, OutboxItem.state.in_(states))
    return db.session.scalar(query.limit(1)) is not None


def forget(group_key: str) -> None:
    """Deletes what is done or dropped in a group, for chains of items that nobody looks back at."""
    db.session.execute(
        delete(OutboxItem)
        .where(OutboxItem.group_key == group_key, OutboxItem.state.in_((State.DONE, State.DROPPED)))
        .execution_options(synchronize_session=False)
    )


def is_message() -> ColumnElement[bool]:
    """Not of a kind that runs in the background, unless it was given up."""
    return or_(OutboxItem.kind.not_in(background_kinds()), OutboxItem.state == State.DEAD)


def is_due(now: datetime) -> list[ColumnElement[bool]]:
    """Should have left, or was tried and waits for another try."""
    return [OutboxItem.state == State.READY, or_(OutboxItem.run_at <= now, OutboxItem.attempts > 0)]


def waits_since() -> ColumnElement[datetime]:
    """Since when something that is due waits: a try that failed does not begin it anew."""
    return case((OutboxItem.attempts > 0, OutboxItem.created_at), else_=OutboxItem.run_at)


def items_of(group_key: str) -> list[OutboxItem]:
    """The items of a group, oldest first."""
    return list(
        db.session.scalars(
            select(OutboxItem).where(OutboxItem.group_key == group_key).order_by(OutboxItem.id)
        )
    )


def retry(item_id: int, *, now: datetime) -> OutboxItem:
    """Sends an item from its first try: one that failed, waits for its next try, or was given up.

    Raises NotFound, BeingSent, AlreadySent, WordsGone, Overtaken.
    """
    item = _locked(item_id)
    if item.state == State.DONE:
        raise AlreadySent
    if lost_its_secret(item.payload):
        raise WordsGone
    if _is_overtaken(item):
        raise Overtaken
    item.state, item.run_at, item.attempts, item.done_at = State.READY.value, now, 0, None
    db.session.flush()
    ring()
    return item


def retry_failed(*, now: datetime) -> int:
    """Sends everything again that failed and still may; says how many."""
    ids = db.session.scalars(
        select(OutboxItem.id).where(OutboxItem.state == State.DEAD).order_by(OutboxItem.id)
    ).all()
    sent = 0
    for item_id in ids:
        try:
            retry(item_id, now=now)
        except Refused:
            continue
        sent += 1
    return sent


def discard(item_id: int, *, now: datetime) -> OutboxItem:
    """Gives up an item that failed or waits. Raises NotFound, BeingSent, AlreadySent."""
    item = _locked(item_id)
    if item.state == State.DONE:
        raise AlreadySent
    _close(item, State.DROPPED, now)
    db.session.flush()
    return item


def _locked(item_id: int) -> OutboxItem:
    item = db.session.scalar(
        select(OutboxItem)
        .where(OutboxItem.id == item_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if item is None:
        raise NotFound
    if item.state == State.LEASED:
        raise BeingSent
    return item


def _is_overtaken(item: OutboxItem) -> bool:
    if not item.group_key:
        return False
    newer = select(OutboxItem.id).where(
        OutboxItem.group_key == item.group_key,
        OutboxItem.recipient == item.recipient,
        OutboxItem.id > item.id,
        OutboxItem.state.in_((State.READY, State.LEASED, State.DONE)),
    )
    return db.session.scalar(newer.limit(1)) is not None


@dataclass(frozen=True)
class Waiting:
    """How the outbox stands. `oldest` is how long the first due item waits, None when none is;
    `silent` how long no worker was seen, None when none ever was."""

    counts: Mapping[State, int]
    oldest: timedelta | None
    silent: timedelta | None

    @property
    def waiting(self) -> int:
        """How many have not left yet."""
        return sum(self.counts[state] for state in WAITING)

    @property
    def dead(self) -> int:
        """How many were given up."""
        return self.counts[State.DEAD]

    @property
    def overdue(self) -> bool:
        """Whether something waits for longer than it should."""
        return self.oldest is not None and self.oldest > LATE

    @property
    def worker_is_silent(self) -> bool:
        """Whether nobody seems to empty the outbox."""
        return self.silent is None or self.silent > WORKER_SILENT


def waiting(now: datetime) -> Waiting:
    """The figures of the outbox for its page and for `gemba doctor`."""
    by_state = select(OutboxItem.state, func.count()).where(is_message()).group_by(OutboxItem.state)
    counted = dict(db.session.execute(by_state).tuples().all())
    oldest = db.session.scalar(select(func.min(waits_since())).where(is_message(), *is_due(now)))
    seen = db.session.scalar(select(func.max(OutboxWorker.seen_at)))
    return Waiting(
        counts={state: counted.get(state.value, 0) for state in State},
        oldest=now - oldest if oldest else None,
        silent=max(now - seen, timedelta(0)) if seen else None,
    )
