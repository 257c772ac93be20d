"""Secret addresses of calendar feeds, and the visits as feeds show them."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from gemba.db import Base


class CalendarFeed(Base):
    """A secret address under which calendars read a person's visits, or those of a line they lead.

    Only the secret's hash is kept. `line_id` is None for the person's own visits.
    """

    __tablename__ = "calendar_feed"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    line_id: Mapped[int | None] = mapped_column(ForeignKey("line.id", ondelete="CASCADE"), index=True)
    secret_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class FeedEvent(Base):
    """A visit's VEVENT as feeds show it, in one language; good while `stamp` is the visit's own."""

    __tablename__ = "feed_event"

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id", ondelete="CASCADE"), primary_key=True)
    locale: Mapped[str] = mapped_column(primary_key=True)
    stamp: Mapped[str]
    text: Mapped[str]
