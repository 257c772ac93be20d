"""The outbox: a row per message and recipient, written in the transaction of its cause."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index
from sqlalchemy.orm import Mapped, mapped_column

from gemba.db import Base


class OutboxItem(Base):
    """Something that must leave the house at least once.

    `payload` is a snapshot: rendering it twice gives the same bytes. Items of one `group_key`
    and recipient leave in order of id.
    """

    __tablename__ = "outbox_item"
    __table_args__ = (
        Index("ix_outbox_item_due", "state", "run_at"),
        Index("ix_outbox_item_order", "group_key", "recipient", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    dedup_key: Mapped[str] = mapped_column(unique=True)
    group_key: Mapped[str] = mapped_column(default="")
    recipient: Mapped[str] = mapped_column(default="")
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(default="ready")
    run_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    lease_token: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class OutboxWorker(Base):
    """A process that empties the outbox; `seen_at` moves while it lives."""

    __tablename__ = "outbox_worker"

    name: Mapped[str] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
