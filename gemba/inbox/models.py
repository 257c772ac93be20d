"""What came in by mail, and what became of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from gemba.db import Base


class ReceivedMail(Base):
    """One mail that came in; `digest` makes the same mail count once, whichever way it came twice.

    `result` is a code that says what it changed, or why it changed nothing; `reply` holds what a person may
    still decide to let count. The mail itself is not kept.
    """

    __tablename__ = "received_mail"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(unique=True)
    via: Mapped[str]
    sender: Mapped[str]
    subject: Mapped[str]
    method: Mapped[str]
    result: Mapped[str]
    detail: Mapped[str] = mapped_column(default="")
    reply: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id", ondelete="SET NULL"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="SET NULL"), index=True)
    received_at: Mapped[datetime] = mapped_column(index=True)
