"""Programmes and their rules of booking."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from gemba.db import Base
from gemba.programmes.guides import Part, shipped


class Programme(Base):
    """A running exercise. Durations and notices are in minutes, the horizon in days.

    A lead has `approval_hours` to say yes to a request, and someone on the waitlist `offer_hours` to take
    the hour that is held for them. Agents have `review_hours` after a visit to look at its notes before
    others read them (0: no review). Words and pictures of notes are dropped after `keep_months` (0: never).
    Nothing is broken down by groups of fewer than `smallest_group` people. Empty texts are the shipped ones.

    `languages` (codes) and `lines` (ids) say which agents take its visits, empty: all (hosts.py).

    `who` says who may take part: everyone, people of `departments`, or those on the list (ProgrammePerson);
    `opening` how visits come about. Goals that are None are none: `goal_share` percent of those it is for
    came within `goal_months`, each line had `goal_visits` visits a month. A `draft` was never started.
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
    rules: Mapped[str] = mapped_column(default="")
    rules_ru: Mapped[str] = mapped_column(default="")
    checklist: Mapped[str] = mapped_column(default="")
    checklist_ru: Mapped[str] = mapped_column(default="")
    consent: Mapped[str] = mapped_column(default="")
    consent_ru: Mapped[str] = mapped_column(default="")
    debrief: Mapped[str] = mapped_column(default="")
    debrief_ru: Mapped[str] = mapped_column(default="")
    debrief_mentor: Mapped[str] = mapped_column(default="")
    debrief_mentor_ru: Mapped[str] = mapped_column(default="")
    review_hours: Mapped[int] = mapped_column(default=48)
    keep_months: Mapped[int] = mapped_column(default=24)
    smallest_group: Mapped[int] = mapped_column(default=5)
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
    who: Mapped[str] = mapped_column(default="everyone")
    departments: Mapped[list[Any]] = mapped_column(JSON, default=list)
    opening: Mapped[str] = mapped_column(default="both")
    languages: Mapped[list[Any]] = mapped_column(JSON, default=list)
    lines: Mapped[list[Any]] = mapped_column(JSON, default=list)
    goal_share: Mapped[int | None]
    goal_months: Mapped[int] = mapped_column(default=6)
    goal_visits: Mapped[int | None]
    draft: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]

    def name_in(self, locale: str) -> str:
        """The programme's name in a language, in English where it has no other."""
        return (self.name_ru if locale == "ru" else "") or self.name

    def purpose_in(self, locale: str) -> str:
        """What the programme is for, in a language."""
        return (self.purpose_ru if locale == "ru" else "") or self.purpose

    def guide_in(self, locale: str) -> list[str]:
        """The prompts for a visit, one a line, in a language; the shipped ones where none are written."""
        return self._lines(Part.GUIDE, self.guide, self.guide_ru, locale)

    def rules_in(self, locale: str) -> list[str]:
        """What is allowed in a visit and what is not, one a line, in a language."""
        return self._lines(Part.RULES, self.rules, self.rules_ru, locale)

    def checklist_in(self, locale: str) -> list[str]:
        """What to have ready before a visit, one a line, in a language."""
        return self._lines(Part.CHECKLIST, self.checklist, self.checklist_ru, locale)

    def consent_in(self, locale: str) -> list[str]:
        """What visitors confirm once, before their first visit, one sentence a line, in a language."""
        return self._lines(Part.CONSENT, self.consent, self.consent_ru, locale)

    def debrief_in(self, locale: str, *, as_mentor: bool) -> list[str]:
        """What the visitor of a hands-on visit, or their mentor, is asked after it, in a language."""
        if as_mentor:
            return self._lines(Part.DEBRIEF_MENTOR, self.debrief_mentor, self.debrief_mentor_ru, locale)
        return self._lines(Part.DEBRIEF, self.debrief, self.debrief_ru, locale)

    def _lines(self, part: Part, english: str, russian: str, locale: str) -> list[str]:
        written = (russian if locale == "ru" else "") or english
        return written.splitlines() or list(shipped(self.format, part, locale))


class ProgrammePerson(Base):
    """Somebody on the list of those who may take part."""

    __tablename__ = "programme_person"

    programme_id: Mapped[int] = mapped_column(
        ForeignKey("programme.id", ondelete="CASCADE"), primary_key=True
    )
    person_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class NextTime(Base):
    """Somebody who wants to be asked when the next round of a programme opens."""

    __tablename__ = "next_time"

    programme_id: Mapped[int] = mapped_column(
        ForeignKey("programme.id", ondelete="CASCADE"), primary_key=True
    )
    person_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    asked_at: Mapped[datetime]


class Consent(Base):
    """Who confirmed what a programme asks of its visitors, and when: once for each programme."""

    __tablename__ = "consent"

    programme_id: Mapped[int] = mapped_column(
        ForeignKey("programme.id", ondelete="CASCADE"), primary_key=True
    )
    person_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    at: Mapped[datetime]
