"""Rounds: campaigns of a programme that people sign up to, their proposal and what came of it."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gemba.db import Base
from gemba.people.models import Line, Person
from gemba.programmes.models import Programme
from gemba.schedule.models import KeptCalendar
from gemba.visits.models import Visit

USUAL_LENGTH = timedelta(days=28)


class Round(Base):
    """One campaign of a programme with its sign-up window (half-open).

    Visits begin in [`visits_from`, `visits_until`); where these are not given, in the four weeks after
    sign-up closes. `seed` is what the lottery is drawn with.
    """

    __tablename__ = "round"

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"), index=True)
    name: Mapped[str]
    name_ru: Mapped[str] = mapped_column(default="")
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    visits_from: Mapped[datetime | None]
    visits_until: Mapped[datetime | None]
    seed: Mapped[int] = mapped_column(default=0)
    published_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]

    programme: Mapped[Programme] = relationship()
    sign_ups: Mapped[list["RoundSignUp"]] = relationship(order_by="RoundSignUp.created_at")

    def name_in(self, locale: str) -> str:
        """The round's name in a language, in English where it has no other."""
        return (self.name_ru if locale == "ru" else "") or self.name

    @property
    def window(self) -> tuple[datetime, datetime]:
        """When visits may begin, half-open."""
        start = self.visits_from or self.closes_at
        return start, self.visits_until or start + USUAL_LENGTH

    def close(self, now: datetime) -> None:
        """Ends sign-up now at the latest; the days of visits stay where they are."""
        self.visits_from, self.visits_until = self.window
        self.closes_at = min(self.closes_at, now)

    @property
    def last_minute(self) -> datetime:
        """An instant of the last minute of sign-up, to be shown: midnight would name the day after."""
        return self.closes_at - timedelta(minutes=1)

    @property
    def last_moment(self) -> datetime:
        """An instant of the last day of visits, to be shown as a day."""
        return self.window[1] - timedelta(minutes=1)


class RoundInvitee(Base):
    """Somebody who was asked to take part."""

    __tablename__ = "round_invitee"

    round_id: Mapped[int] = mapped_column(ForeignKey("round.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    invited_at: Mapped[datetime]

    person: Mapped[Person] = relationship()


class RoundSignUp(Base):
    """A person's wish to take part in a round.

    `weekly` are free hours as wall time in `timezone` (the shape of an agent's), empty: the usual working
    week; `busy` are minutes from 1970 in which a calendar they sent as a file says busy. `products` are ids,
    best first; with `insists` only those will do.
    `refuses` are ids of agents. `reason` says why they were left out.
    """

    __tablename__ = "round_sign_up"

    round_id: Mapped[int] = mapped_column(ForeignKey("round.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    note: Mapped[str] = mapped_column(default="")
    timezone: Mapped[str] = mapped_column(default="")
    weekly: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    busy: Mapped[list[Any]] = mapped_column(JSON, default=list)
    products: Mapped[list[Any]] = mapped_column(JSON, default=list)
    insists: Mapped[bool] = mapped_column(default=False)
    line_id: Mapped[int | None] = mapped_column(ForeignKey("line.id"), index=True)
    language: Mapped[str] = mapped_column(default="")
    refuses: Mapped[list[Any]] = mapped_column(JSON, default=list)
    outcome: Mapped[str] = mapped_column(default="")
    reason: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime]

    person: Mapped[Person] = relationship()
    line: Mapped[Line | None] = relationship()


class RoundCalendar(KeptCalendar, Base):
    """The calendar at an address that a person gave with their wish; gone with it, and once the round is."""

    __tablename__ = "round_calendar"
    __table_args__ = (
        ForeignKeyConstraint(
            ["round_id", "person_id"],
            ["round_sign_up.round_id", "round_sign_up.person_id"],
            ondelete="CASCADE",
        ),
        Index("ix_round_calendar_round_id_person_id", "round_id", "person_id", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)


class RoundAgent(Base):
    """How many visits an agent takes in a round; without a row, as many as their limits allow."""

    __tablename__ = "round_agent"

    round_id: Mapped[int] = mapped_column(ForeignKey("round.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    capacity: Mapped[int | None]
    asked_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]


class RoundRun(Base):
    """One search for pairs. Whoever runs it holds `token`; nobody else may write what came of it.

    `left_out` and `figures` are those of the newest plan, of phase A alone while `step` is `match`.
    """

    __tablename__ = "round_run"
    __table_args__ = (Index("ix_round_run_round_id_id", "round_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id", ondelete="CASCADE"))
    state: Mapped[str]
    step: Mapped[str]
    token: Mapped[str] = mapped_column(default="")
    asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime]
    began_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    figures: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    left_out: Mapped[list[Any]] = mapped_column(JSON, default=list)
    digest: Mapped[str] = mapped_column(default="")
    error: Mapped[str] = mapped_column(default="")


class RoundPair(Base):
    """Who visits whom and when, as proposed or booked; `tick` is the start in five minutes from 1970.

    `mentor_id` is who was found to guide it: first asked when the visit is booked.
    """

    __tablename__ = "round_pair"

    round_id: Mapped[int] = mapped_column(ForeignKey("round.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    agent_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    mentor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="SET NULL"), index=True)
    tick: Mapped[int]
    score: Mapped[int] = mapped_column(default=0)
    because: Mapped[list[Any]] = mapped_column(JSON, default=list)
    pinned: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str]
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id", ondelete="SET NULL"), index=True)

    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    agent: Mapped[Person] = relationship(foreign_keys=[agent_id])
    mentor: Mapped[Person | None] = relationship(foreign_keys=[mentor_id])
    visit: Mapped[Visit | None] = relationship()


class DepartmentHead(Base):
    """Who hears which people of a department are overdue."""

    __tablename__ = "department_head"

    department: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
