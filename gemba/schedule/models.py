"""What an agent opens: one row per agent, read and written as a whole."""

from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from gemba.db import Base


class Availability(Base):
    """An agent's hours and limits.

    `weekly` is `{"0": [[start, end], …]}` (0 = Monday) and `overrides` `{"2026-12-31": [[start, end], …]}`,
    in minutes after local midnight of `timezone`, half-open. Buffers are in minutes.
    `version` counts saves, so that two tabs cannot overwrite each other unseen.
    """

    __tablename__ = "availability"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    timezone: Mapped[str]
    weekly: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    overrides: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    buffer_before: Mapped[int] = mapped_column(default=0)
    buffer_after: Mapped[int] = mapped_column(default=0)
    per_day: Mapped[int | None]
    per_week: Mapped[int | None]
    per_month: Mapped[int | None]
    paused: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
