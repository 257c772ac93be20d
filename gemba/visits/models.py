"""Visits, who takes part, and the ticks that make overlap impossible."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gemba.db import Base
from gemba.people.models import Person, Product
from gemba.programmes.models import Programme


class Visit(Base):
    """One sitting of visitors with an agent: one row for life, moved in place.

    `uid` never changes; `sequence` rises with every significant change (RFC 5546 2.1.4).
    """

    __tablename__ = "visit"
    __table_args__ = (Index("ix_visit_agent_id_starts_at", "agent_id", "starts_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"), index=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    product_id: Mapped[int | None] = mapped_column(ForeignKey("product.id"), index=True)
    booked_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    starts_at: Mapped[datetime] = mapped_column(index=True)
    ends_at: Mapped[datetime]
    status: Mapped[str]
    uid: Mapped[str] = mapped_column(unique=True)
    sequence: Mapped[int] = mapped_column(default=0)
    meeting_url: Mapped[str]
    cancel_reason: Mapped[str] = mapped_column(default="")
    because: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    programme: Mapped[Programme] = relationship()
    agent: Mapped[Person] = relationship(foreign_keys=[agent_id])
    lead: Mapped[Person | None] = relationship(foreign_keys=[lead_id])
    product: Mapped[Product | None] = relationship()
    visitors: Mapped[list[Person]] = relationship(secondary="visit_visitor", order_by="Person.id")


class VisitVisitor(Base):
    """A visitor's seat in a visit."""

    __tablename__ = "visit_visitor"

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)


class VisitOutcome(Base):
    """What one participant says: did the visit take place? `yes`, `no` or `unknown`."""

    __tablename__ = "visit_outcome"

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    took_place: Mapped[str]
    at: Mapped[datetime]


class Tick(Base):
    """Five minutes of a person's time, taken by a visit. The primary key is the referee of races."""

    __tablename__ = "tick"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    tick: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id", ondelete="CASCADE"), index=True)
