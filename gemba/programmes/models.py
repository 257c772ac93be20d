"""Programmes and their rules of booking."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from gemba.db import Base


class Programme(Base):
    """A running exercise. Durations and notices are in minutes, the horizon in days.

    A lead has `approval_hours` to say yes to a request, and someone on the waitlist `offer_hours` to take
    the hour that is held for them.
    """

    __tablename__ = "programme"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_ru: Mapped[str] = mapped_column(default="")
    purpose: Mapped[str] = mapped_column(default="")
    purpose_ru: Mapped[str] = mapped_column(default="")
    guide: Mapped[str] = mapped_column(default="")
    guide_ru: Mapped[str] = mapped_column(default="")
    format: Mapped[str] = mapped_column(default="shadow")
    duration_minutes: Mapped[int] = mapped_column(default=60)
    slot_step_minutes: Mapped[int] = mapped_column(default=30)
    min_notice_minutes: Mapped[int] = mapped_column(default=240)
    move_notice_minutes: Mapped[int] = mapped_column(default=240)
    cancel_notice_minutes: Mapped[int] = mapped_column(default=60)
    horizon_days: Mapped[int] = mapped_column(default=28)
    seats: Mapped[int] = mapped_column(default=1)
    return_after_months: Mapped[int] = mapped_column(default=6)
    approval: Mapped[bool] = mapped_column(default=False)
    approval_hours: Mapped[int] = mapped_column(default=48)
    offer_hours: Mapped[int] = mapped_column(default=12)
    slot_offset_minutes: Mapped[int] = mapped_column(default=0)
    visitor_per_day: Mapped[int | None]
    visitor_per_week: Mapped[int | None]
    visitor_per_month: Mapped[int | None]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]

    def name_in(self, locale: str) -> str:
        """The programme's name in a language, in English where it has no other."""
        return (self.name_ru if locale == "ru" else "") or self.name

    def purpose_in(self, locale: str) -> str:
        """What the programme is for, in a language."""
        return (self.purpose_ru if locale == "ru" else "") or self.purpose

    def guide_in(self, locale: str) -> list[str]:
        """The prompts for a visit, one a line, in a language."""
        return ((self.guide_ru if locale == "ru" else "") or self.guide).splitlines()
