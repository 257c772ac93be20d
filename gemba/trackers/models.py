"""Connections to trackers, the tickets of insights in them, and the exports that made those."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gemba.db import Base
from gemba.insights.models import Insight, Picture
from gemba.people.models import Person


class Connection(Base):
    """One project of one tracker. `credentials` and `hook_secret` are encrypted and never shown again.

    `trouble` says why it is paused, "" where it is not. Until `wait_until` nothing is sent, for the reason
    `wait_why`; `failures` are those in a row. `seen_until`: what changed in the tracker before is known.
    """

    __tablename__ = "tracker"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    base_url: Mapped[str]
    project: Mapped[str]
    item_type: Mapped[str] = mapped_column(default="")
    credentials: Mapped[str]
    hook_secret: Mapped[str] = mapped_column(default="")
    mapping: Mapped[dict[str, Any]] = mapped_column(JSON)
    fields: Mapped[list[Any]] = mapped_column(JSON)
    checked: Mapped[dict[str, Any]] = mapped_column(JSON)
    checked_at: Mapped[datetime | None]
    trouble: Mapped[str] = mapped_column(default="")
    wait_until: Mapped[datetime | None]
    wait_why: Mapped[str] = mapped_column(default="")
    failures: Mapped[int] = mapped_column(default=0)
    seen_until: Mapped[datetime | None]
    polled_at: Mapped[datetime | None]
    rule_score: Mapped[int | None]
    created_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    created_at: Mapped[datetime]

    created_by: Mapped[Person] = relationship()


class Claim(Base):
    """The ticket of an insight in a tracker: one at most, by the unique key, whoever exports however often.

    `ref` is the tracker's own immutable id, "" while there is none. `sent` holds, by field, the fingerprints
    of what we sent and of what the tracker made of it; `edited` the fields that people changed there since.
    A ticket that was linked by hand may be that of several insights. `struck_at`: since then the ticket holds
    words that were struck out here, until it is exported again.
    """

    __tablename__ = "ticket"
    __table_args__ = (
        UniqueConstraint("tracker_id", "insight_id"),
        Index("ix_ticket_ref", "tracker_id", "ref"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    tracker_id: Mapped[int] = mapped_column(ForeignKey("tracker.id", ondelete="CASCADE"))
    insight_id: Mapped[int] = mapped_column(ForeignKey("insight.id", ondelete="CASCADE"), index=True)
    marker: Mapped[str]
    state: Mapped[str] = mapped_column(default="queued")
    ref: Mapped[str] = mapped_column(default="")
    key: Mapped[str] = mapped_column(default="")
    url: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="")
    category: Mapped[str] = mapped_column(default="")
    assignee: Mapped[str] = mapped_column(default="")
    linked: Mapped[bool] = mapped_column(default=False)
    sent: Mapped[dict[str, Any]] = mapped_column(JSON)
    edited: Mapped[list[str]] = mapped_column(JSON)
    error: Mapped[str] = mapped_column(default="")
    tries: Mapped[int] = mapped_column(default=0)
    looks: Mapped[int] = mapped_column(default=0)
    tried_at: Mapped[datetime | None]
    next_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    struck_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    tracker: Mapped[Connection] = relationship()
    insight: Mapped[Insight] = relationship()


class TicketPicture(Base):
    """A picture of a published note that goes to a ticket, once ever; `next_at` is when it is tried again."""

    __tablename__ = "ticket_picture"
    __table_args__ = (
        UniqueConstraint("ticket_id", "picture_id"),
        Index("ix_ticket_picture_state", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    picture_id: Mapped[int] = mapped_column(ForeignKey("picture.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(default="waiting")
    tries: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(default="")
    next_at: Mapped[datetime | None]

    claim: Mapped[Claim] = relationship()
    picture: Mapped[Picture] = relationship()


class Export(Base):
    """One run over insights; `dry` ones only say what would be done."""

    __tablename__ = "export"

    id: Mapped[int] = mapped_column(primary_key=True)
    tracker_id: Mapped[int] = mapped_column(ForeignKey("tracker.id", ondelete="CASCADE"), index=True)
    made_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    made_at: Mapped[datetime]
    dry: Mapped[bool] = mapped_column(default=False)
    finished_at: Mapped[datetime | None]

    tracker: Mapped[Connection] = relationship()
    made_by: Mapped[Person] = relationship()


class ExportItem(Base):
    """What an export does for one insight. `payload` is the draft as it was previewed, until it has left."""

    __tablename__ = "export_item"
    __table_args__ = (
        UniqueConstraint("export_id", "insight_id"),
        Index("ix_export_item_claim", "claim_id", "state"),
        Index("ix_export_item_state", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    export_id: Mapped[int] = mapped_column(ForeignKey("export.id", ondelete="CASCADE"))
    insight_id: Mapped[int] = mapped_column(ForeignKey("insight.id", ondelete="CASCADE"), index=True)
    claim_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    action: Mapped[str]
    state: Mapped[str] = mapped_column(default="pending")
    error: Mapped[str] = mapped_column(default="")
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)

    export: Mapped[Export] = relationship()
    insight: Mapped[Insight] = relationship()
    claim: Mapped[Claim | None] = relationship()
