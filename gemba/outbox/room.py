"""The outbox room of admins: which messages there are, what they say, whether all is well, what may go."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import aliased

from gemba.db import db
from gemba.errors import NotFound
from gemba.outbox.kinds import background_kinds, lacking
from gemba.outbox.mail import Words, render
from gemba.outbox.models import OutboxItem, OutboxWorker
from gemba.outbox.rules import LATE, WORKER_SILENT, State, thaw
from gemba.outbox.service import is_due, is_message, waits_since
from gemba.outbox.ticks import every
from gemba.web.addresses import without_secrets

KEPT = timedelta(days=90)
PRUNED_AT_ONCE = 1000
PAGE = 50
HIDDEN = "•••"


class About(StrEnum):
    """What messages are about, for whoever looks for one."""

    SIGN_IN = "sign-in"
    INVITES = "invites"
    REMINDERS = "reminders"
    NOTICES = "notices"
    WORK = "work"


@dataclass(frozen=True)
class Page:
    """Some messages, newest first; `next_cursor` asks for the following ones, None at the end."""

    items: list[OutboxItem]
    next_cursor: int | None


def _is_about(about: About) -> ColumnElement[bool]:
    is_sign_in: ColumnElement[bool] = OutboxItem.payload["template"].as_string() == "sign_in"
    conditions: dict[About, ColumnElement[bool]] = {
        About.SIGN_IN: (OutboxItem.kind == "mail") & is_sign_in,
        About.INVITES: OutboxItem.kind == "invite",
        About.REMINDERS: OutboxItem.kind == "reminder",
        About.NOTICES: (OutboxItem.kind == "mail") & ~is_sign_in,
        About.WORK: OutboxItem.kind.in_(background_kinds()),
    }
    return conditions[about]


def find(
    states: frozenset[State] | None = None,
    about: About | None = None,
    recipient: str = "",
    cursor: int | None = None,
    limit: int = PAGE,
) -> Page:
    """Messages, newest first: in these states, about this, to addresses in which `recipient` stands."""
    query = select(OutboxItem).where(is_message()).order_by(OutboxItem.id.desc()).limit(limit + 1)
    if states is not None:
        query = query.where(OutboxItem.state.in_(sorted(states)))
    if about is not None:
        query = query.where(_is_about(about))
    if recipient:
        query = query.where(OutboxItem.recipient.icontains(recipient, autoescape=True))
    if cursor is not None:
        query = query.where(OutboxItem.id < cursor)
    rows = list(db.session.scalars(query))
    return Page(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


def get(item_id: int) -> OutboxItem:
    """A message. Raises NotFound."""
    item = db.session.get(OutboxItem, item_id)
    if item is None:
        raise NotFound
    return item


def words_of(item: OutboxItem) -> Words | None:
    """What the person reads, but for codes and links that act for them; None where there are no words.

    Raises Permanent where they cannot be written.
    """
    payload = item.payload
    if "template" not in payload:
        return None
    context = thaw({**lacking(item.kind), **payload["context"]})
    if "secret" in context:
        context["secret"] = _hidden(context["secret"])
    given = {"to_name": payload["name"], "to_email": item.recipient, **context}
    if payload.get("choice"):
        given["unsubscribe_url"] = f"{payload['base_url']}/mail/{HIDDEN}"
    words = render(payload["template"], payload["locale"], given, payload["base_url"])
    return Words(*(without_secrets(said) for said in (words.subject, words.text, words.html)))


class _Anything(dict[str, str]):
    """A secret that is kept no more."""

    def __missing__(self, _name: str) -> str:
        return HIDDEN


def _hidden(secret: object) -> object:
    if isinstance(secret, Mapping):
        return _Anything(dict.fromkeys(secret, HIDDEN))
    return _Anything() if secret is None else HIDDEN


@dataclass(frozen=True)
class Alarm:
    """What an admin should know on every page; both None where all is well.

    `late` is how long the oldest message has been waiting that should have left, `silent` since when no
    worker was seen (None beside `never`: there never was one).
    """

    late: timedelta | None
    silent: timedelta | None
    never: bool

    def __bool__(self) -> bool:
        return self.late is not None or self.silent is not None or self.never


def alarm(now: datetime) -> Alarm:
    """Whether mail leaves, in one statement; nothing to tell where the database does not answer."""
    oldest = select(func.min(waits_since())).where(is_message(), *is_due(now)).scalar_subquery()
    seen = select(func.max(OutboxWorker.seen_at)).scalar_subquery()
    try:
        since, alive = db.session.execute(select(oldest, seen)).one()
    except SQLAlchemyError:
        db.session.rollback()
        return Alarm(None, None, never=False)
    late = now - since if since is not None else None
    silent = now - alive if alive is not None else None
    return Alarm(
        late if late is not None and late > LATE else None,
        silent if silent is not None and silent > WORKER_SILENT else None,
        never=silent is None,
    )


def prune(now: datetime) -> None:
    """Deletes what was sent or dropped long ago, some at a time.

    The last of each state that a person got about one thing stays: pages of visits tell of it, and newer
    messages must know that there was one.
    """
    newer = aliased(OutboxItem)
    is_last = (OutboxItem.group_key != "") & ~select(newer.id).where(
        newer.group_key == OutboxItem.group_key,
        newer.recipient == OutboxItem.recipient,
        newer.state == OutboxItem.state,
        newer.id > OutboxItem.id,
    ).exists()
    old = (
        select(OutboxItem.id)
        .where(OutboxItem.state.in_((State.DONE, State.DROPPED)), OutboxItem.done_at < now - KEPT, ~is_last)
        .limit(PRUNED_AT_ONCE)
    )
    db.session.execute(
        delete(OutboxItem).where(OutboxItem.id.in_(old)).execution_options(synchronize_session=False)
    )


def init_app() -> None:
    """Prunes each hour."""
    every("outbox-prune", timedelta(hours=1), prune)
