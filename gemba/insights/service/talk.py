"""Talk around insights: comments, notes for owners, admins and leads, asks of leads, followers, links.

Rows stay with the insight they were written to; the survivor of a merge shows those of its whole family, so
taking one out again restores each.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, func, or_, select
from sqlalchemy.orm import joinedload

from gemba.db import db, insert_new, table_of
from gemba.errors import Forbidden, Invalid, NotFound
from gemba.insights.errors import MergeIntoItself, NoSuchTarget
from gemba.insights.models import Insight, InsightFollower
from gemba.insights.models_backlog import InsightComment, InsightLink
from gemba.insights.rules.kinds import COMMENT_MAX, CommentKind, LinkKind, _n
from gemba.insights.service.counts import family_of
from gemba.insights.service.sight import readable, readable_insight
from gemba.insights.service.telling import voters
from gemba.insights.service.vote_links import vote_path
from gemba.outbox import service as outbox
from gemba.people.models import Person
from gemba.people.rules import MailKind, Role, clean_text
from gemba.people.service.mail_choices import wants

MENTION = re.compile(r"(?<![\w.@])@([A-Za-z0-9][A-Za-z0-9._+-]{0,63})")
MENTIONS_MAX = 10
COMMENTS_SHOWN = 200
_END = table_of(InsightLink).alias("link")


class CommentNotFound(NotFound):
    """This comment does not exist, or it is not yours to take back."""


class LinkNotFound(NotFound):
    """These two insights are not linked."""


@dataclass(frozen=True)
class Linked:
    """Another insight, and how: "related", "blocks" or "blocked-by"."""

    insight: Insight
    how: str


@dataclass(frozen=True)
class Talk:
    """What is said around an insight, as far as the viewer may read it."""

    comments: list[InsightComment]
    asks: list[InsightComment]
    links: list[Linked]
    follows: bool
    followers: int
    inside: bool
    may_ask: bool


def inside(viewer: Person) -> bool:
    """Whether this person reads and writes internal notes."""
    return viewer.has(Role.OWNER, Role.ADMIN, Role.LEAD)


def may_ask(viewer: Person) -> bool:
    """Whether this person asks for something in the name of a line."""
    return viewer.has(Role.LEAD, Role.ADMIN)


def of(insight_id: int, viewer: Person) -> Talk:
    """All talk of an insight and what is merged into it, for somebody who may read it; three statements."""
    rows = db.session.scalars(
        select(InsightComment)
        .where(InsightComment.insight_id.in_(family_of([insight_id])), shown_to(viewer))
        .options(joinedload(InsightComment.person))
        .order_by(InsightComment.at, InsightComment.id)
        .limit(COMMENTS_SHOWN)
    ).all()
    mine, every = db.session.execute(
        select(
            func.count().filter(InsightFollower.person_id == viewer.id),
            func.count(func.distinct(InsightFollower.person_id)),
        ).where(InsightFollower.insight_id.in_(family_of([insight_id])))
    ).one()
    return Talk(
        comments=[row for row in rows if row.kind != CommentKind.ASK],
        asks=[row for row in rows if row.kind == CommentKind.ASK],
        links=_links(insight_id, viewer),
        follows=mine > 0,
        followers=every,
        inside=inside(viewer),
        may_ask=may_ask(viewer),
    )


def comments(
    insight_id: int, viewer: Person, kind: CommentKind | None = None, *, after: int = 0, limit: int
) -> list[InsightComment]:
    """What is said about an insight and what is merged into it, oldest first, behind the comment `after`.

    Raises InsightNotFound.
    """
    insight = readable_insight(insight_id, viewer)
    query = (
        select(InsightComment)
        .where(InsightComment.insight_id.in_(family_of([insight.id])), shown_to(viewer))
        .where(InsightComment.id > after)
        .options(joinedload(InsightComment.person))
        .order_by(InsightComment.id)
        .limit(limit)
    )
    return list(db.session.scalars(query.where(InsightComment.kind == kind) if kind else query))


def one_of(insight_id: int, viewer: Person, comment_id: int) -> InsightComment:
    """A comment on an insight or on what is merged into it, as far as the viewer may read it.

    Raises InsightNotFound, CommentNotFound.
    """
    insight = readable_insight(insight_id, viewer)
    comment = db.session.scalar(
        select(InsightComment)
        .where(InsightComment.id == comment_id, shown_to(viewer))
        .where(InsightComment.insight_id.in_(family_of([insight.id])))
    )
    if comment is None:
        raise CommentNotFound
    return comment


def links(insight_id: int, viewer: Person) -> list[Linked]:
    """What an insight has to do with, as far as the viewer may read it. Raises InsightNotFound."""
    return _links(readable_insight(insight_id, viewer).id, viewer)


def shown_to(viewer: Person) -> ColumnElement[bool]:
    """SQL, on InsightComment: it stands, and this person may read it."""
    stands = InsightComment.removed_at.is_(None)
    return stands if inside(viewer) else and_(stands, InsightComment.kind != CommentKind.NOTE)


def say(
    insight_id: int, viewer: Person, text: str, kind: CommentKind = CommentKind.COMMENT, *, now: datetime
) -> InsightComment:
    """Writes a comment, a note or an ask, and mails those it mentions.

    Raises InsightNotFound, Forbidden, Invalid.
    """
    insight = readable_insight(insight_id, viewer)
    allowed = {CommentKind.COMMENT: True, CommentKind.NOTE: inside(viewer), CommentKind.ASK: may_ask(viewer)}
    if not allowed[kind]:
        raise Forbidden
    text = clean_text(text)
    if not text or len(text) > COMMENT_MAX:
        raise Invalid({"text": [_n("Write something of at most 4,000 characters.")]})
    comment = InsightComment(insight_id=insight.id, person_id=viewer.id, kind=kind, text=text, at=now)
    db.session.add(comment)
    insight.untouched = False
    db.session.flush()
    named = _named(insight, comment)
    voices = voters(insight.root_id) if named else set()
    outbox.queue_all([_mail(insight, comment, viewer, person, voices, now) for person in named])
    return comment


def take_back(comment_id: int, viewer: Person, *, now: datetime) -> InsightComment:
    """Takes one's own comment back; its words go. An admin may take back any. Raises CommentNotFound."""
    comment = db.session.scalar(
        select(InsightComment)
        .join(Insight, Insight.id == InsightComment.insight_id)
        .where(InsightComment.id == comment_id, shown_to(viewer), readable(viewer))
    )
    if comment is None or (comment.person_id != viewer.id and not viewer.has(Role.ADMIN)):
        raise CommentNotFound
    comment.text, comment.removed_at = "", now
    db.session.flush()
    return comment


def follow(insight_id: int, viewer: Person, *, on: bool = True, now: datetime) -> Insight:
    """Hears, or no longer hears, what becomes of an insight. Raises InsightNotFound."""
    insight = readable_insight(insight_id, viewer)
    if on:
        row = {"insight_id": insight.root_id, "person_id": viewer.id, "at": now}
        db.session.execute(insert_new(table_of(InsightFollower), "insight_id", "person_id").values(**row))
    else:
        family = family_of([insight.root_id])
        db.session.execute(
            delete(InsightFollower)
            .where(InsightFollower.person_id == viewer.id, InsightFollower.insight_id.in_(family))
            .execution_options(synchronize_session=False)
        )
    return insight


def link(insight_id: int, viewer: Person, other_id: int, kind: LinkKind, *, now: datetime) -> None:
    """Says that this insight blocks another or has to do with it. Raises InsightNotFound, Forbidden,
    NoSuchTarget, MergeIntoItself.
    """
    one, other = _both(insight_id, other_id, viewer)
    row = {"from_id": one, "to_id": other, "kind": kind, "person_id": viewer.id, "at": now}
    db.session.execute(insert_new(table_of(InsightLink), "from_id", "to_id", "kind").values(**row))


def unlink(insight_id: int, viewer: Person, other_id: int) -> list[Linked]:
    """Takes every link between two insights away and says which these were. Raises as link()."""
    one, other = _both(insight_id, other_id, viewer)
    gone = [each for each in _links(one, viewer) if each.insight.id == other]
    pair = or_(
        and_(InsightLink.from_id == one, InsightLink.to_id == other),
        and_(InsightLink.from_id == other, InsightLink.to_id == one),
    )
    db.session.execute(delete(InsightLink).where(pair).execution_options(synchronize_session=False))
    return gone


def _both(insight_id: int, other_id: int, viewer: Person) -> tuple[int, int]:
    one = readable_insight(insight_id, viewer)
    if not viewer.has(Role.OWNER, Role.ADMIN):
        raise Forbidden
    try:
        other = readable_insight(other_id, viewer)
    except NotFound as error:
        raise NoSuchTarget("other") from error
    if one.id == other.id:
        raise MergeIntoItself
    return one.id, other.id


def _links(insight_id: int, viewer: Person) -> list[Linked]:
    """What this one is linked with, as far as the viewer may read it, in one statement."""
    rows = db.session.execute(
        select(Insight, _END.c.kind, _END.c.from_id)
        .join(_END, or_(_END.c.to_id == Insight.id, _END.c.from_id == Insight.id))
        .where(
            or_(_END.c.from_id == insight_id, _END.c.to_id == insight_id),
            Insight.id != insight_id,
            readable(viewer),
        )
        .options(joinedload(Insight.product), joinedload(Insight.owner), joinedload(Insight.own_status))
        .order_by(_END.c.kind, Insight.id)
    )
    found = (
        Linked(other, "blocked-by" if kind == LinkKind.BLOCKS and start != insight_id else str(kind))
        for other, kind, start in rows
    )
    # Both may have been called related to the other.
    return list(dict.fromkeys(found))


def _named(insight: Insight, comment: InsightComment) -> Sequence[Person]:
    """The active people whom a comment names by the part of their address before "@", and who may read it."""
    names = list(dict.fromkeys(name.casefold().rstrip(".") for name in MENTION.findall(comment.text)))
    if not names:
        return []
    begins = or_(*(Person.email.startswith(f"{name}@", autoescape=True) for name in names[:MENTIONS_MAX]))
    people = db.session.scalars(
        select(Person).where(begins, Person.active, Person.id != comment.person_id).order_by(Person.id)
    ).all()
    able = [one for one in people if comment.kind != CommentKind.NOTE or inside(one)]
    wanting = wants({one.id for one in able}, MailKind.INSIGHT)
    return [one for one in able if one.id in wanting and _reads(insight, one)]


def _reads(insight: Insight, person: Person) -> bool:
    found = select(Insight.id).where(Insight.id == insight.id, readable(person))
    return db.session.scalar(found) is not None


def _mail(
    insight: Insight,
    comment: InsightComment,
    by: Person,
    person: Person,
    voices: Collection[int],
    now: datetime,
) -> outbox.Row:
    return outbox.mail_row(
        **outbox.addressed(person),
        template="insight_mention",
        context={
            "first_name": person.first_name,
            "by": by.name,
            "title": insight.title,
            "text": comment.text,
            "path": f"/insights/{insight.root_id}",
            "vote": "" if person.id in voices else vote_path(insight.root_id, person.id, now),
        },
        dedup_key=f"insight-mention:{comment.id}:{person.id}",
        group_key=f"insight:{insight.id}",
        extra={"choice": {"person": person.id, "kind": MailKind.INSIGHT.value}},
        now=now,
    )


def asks(viewer: Person, ids: Collection[int]) -> dict[int, list[InsightComment]]:
    """What leads ask for, by insight, in one statement."""
    found: dict[int, list[InsightComment]] = {}
    for row in db.session.scalars(
        select(InsightComment)
        .where(InsightComment.insight_id.in_(ids), InsightComment.kind == CommentKind.ASK, shown_to(viewer))
        .options(joinedload(InsightComment.person))
        .order_by(InsightComment.at, InsightComment.id)
    ):
        found.setdefault(row.insight_id, []).append(row)
    return found
