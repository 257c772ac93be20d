"""What agents open and what stands against it: hours, busy calendars, a line's quiet hours."""

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from gemba.db import Base


def new_stamp() -> int:
    """A number that never comes twice, not even after a rollback. Thousands of them fit into a sum."""
    return secrets.randbits(48)


class Availability(Base):
    """An agent's hours and limits.

    `weekly` is `{"0": [[start, end], …]}` (0 = Monday) and `overrides` `{"2026-12-31": [[start, end], …]}`,
    in minutes after local midnight of `timezone`, half-open. Buffers are in minutes. `time_off` is
    `[["2026-12-24", "2027-01-03"], …]`, both days included; `zone_changes` is
    `[["2026-12-01", "Asia/Tbilisi"]]`: from that local date on the same hours are meant there. `holidays`
    names a country of the `holidays` library, "" for none. `pauses` are the past "not now" times as
    `[["2026-11-01", "2026-11-08"], …]`. `declined` are the hours the agent said no to, `[[start, end], …]` in
    whole minutes since 1970 in UTC.
    `version` counts saves, so that two tabs cannot overwrite each other unseen. `stamp` changes with
    everything that changes which starts this agent offers, their visits and busy times included
    (gemba.schedule.service.touch).
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
    time_off: Mapped[list[Any]] = mapped_column(JSON, default=list)
    holidays: Mapped[str] = mapped_column(default="")
    zone_changes: Mapped[list[Any]] = mapped_column(JSON, default=list)
    rest_between: Mapped[bool] = mapped_column(default=False)
    paused_at: Mapped[datetime | None]
    pauses: Mapped[list[Any]] = mapped_column(JSON, default=list)
    declined: Mapped[list[Any]] = mapped_column(JSON, default=list)
    created_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    stamp: Mapped[int] = mapped_column(BigInteger, default=new_stamp)


class QuietHours(Base):
    """When a line has its peak load and takes no visits: wall time in `timezone`, like weekly hours."""

    __tablename__ = "quiet_hours"

    line_id: Mapped[int] = mapped_column(ForeignKey("line.id", ondelete="CASCADE"), primary_key=True)
    timezone: Mapped[str]
    weekly: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    version: Mapped[int] = mapped_column(default=1)


class KeptCalendar:
    """What is kept of a calendar at an address: when somebody is busy, and nothing else of it.

    `url` is empty for an uploaded file. `spans` is `[[start, end], …]` in whole minutes since 1970 in UTC,
    half-open, sorted and joined, of the last good copy, which knows all up to `known_until`. `error` says
    why the last try brought nothing; the last good copy stays.
    """

    url: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    tried_at: Mapped[datetime | None]
    fetched_at: Mapped[datetime | None]
    known_until: Mapped[datetime | None]
    etag: Mapped[str] = mapped_column(default="")
    last_modified: Mapped[str] = mapped_column(default="")
    events: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(default="")
    spans: Mapped[list[Any]] = mapped_column(JSON, default=list)


class BusySource(KeptCalendar, Base):
    """A calendar of an agent."""

    __tablename__ = "busy_source"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
