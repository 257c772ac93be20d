"""Visits, who takes part, and the ticks that make overlap impossible."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gemba.db import Base
from gemba.people.models import Person, Product
from gemba.programmes.models import Programme


class Visit(Base):
    """One sitting of visitors with an agent: one row for life, moved in place.

    `uid` never changes; `sequence` rises with every significant change (RFC 5546 2.1.4). The agent is taken
    `buffer_before` minutes earlier and `buffer_after` minutes longer, the mentor of a hands-on visit by
    `mentor_before` and `mentor_after`. A request or an offer ends by itself at
    `expires_at`. With `joins_id` it only holds a seat in that other visit and takes none of the agent's time.
    `because` is a code, and `because_facts` what it is made of. `note` is what the visitors
    would like to see, in their words; everyone reads it in the invite. `started_at` is when somebody in it
    pressed "started now": the minutes of notes count from there.
    """

    __tablename__ = "visit"
    __table_args__ = (Index("ix_visit_agent_id_starts_at", "agent_id", "starts_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"), index=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    mentor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    product_id: Mapped[int | None] = mapped_column(ForeignKey("product.id"), index=True)
    booked_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    starts_at: Mapped[datetime] = mapped_column(index=True)
    ends_at: Mapped[datetime]
    status: Mapped[str]
    uid: Mapped[str] = mapped_column(unique=True)
    sequence: Mapped[int] = mapped_column(default=0)
    meeting_url: Mapped[str]
    cancel_reason: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")
    because: Mapped[str] = mapped_column(default="")
    because_facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    buffer_before: Mapped[int] = mapped_column(default=0)
    buffer_after: Mapped[int] = mapped_column(default=0)
    mentor_before: Mapped[int] = mapped_column(default=0)
    mentor_after: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime | None] = mapped_column(index=True)
    joins_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id", ondelete="CASCADE"), index=True)
    started_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    programme: Mapped[Programme] = relationship()
    agent: Mapped[Person] = relationship(foreign_keys=[agent_id])
    lead: Mapped[Person | None] = relationship(foreign_keys=[lead_id])
    mentor: Mapped[Person | None] = relationship(foreign_keys=[mentor_id])
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


class VisitDebrief(Base):
    """What a visitor of a hands-on visit, or its mentor, wrote after it.

    `answers` are pairs of a question, as it was asked, and the words; those without words are not kept.
    """

    __tablename__ = "visit_debrief"

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    answers: Mapped[list[Any]] = mapped_column(JSON)
    at: Mapped[datetime]

    person: Mapped[Person] = relationship(foreign_keys=[person_id])


class VisitAnswer(Base):
    """What one participant last answered to the invite, as a PARTSTAT (gemba.invites.rules.Answer).

    `NEEDS-ACTION` stands where the hour has moved since. `sequence` and `replied_at` (DTSTAMP) are those of
    the last reply by mail that counted: an older one changes nothing (RFC 5546 2.1.5). `via` is `mail` or
    `web`.
    """

    __tablename__ = "visit_answer"

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    answer: Mapped[str]
    comment: Mapped[str] = mapped_column(default="")
    via: Mapped[str]
    at: Mapped[datetime]
    sequence: Mapped[int] = mapped_column(default=0)
    replied_at: Mapped[datetime | None]


class VisitProposal(Base):
    """Another hour that a participant proposed from their calendar (COUNTER, RFC 5546 3.2.7).

    `state` is `open`, `accepted`, `declined` or `passed` (the visit changed in another way).
    """

    __tablename__ = "visit_proposal"
    __table_args__ = (UniqueConstraint("visit_id", "person_id", "stamped_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id", ondelete="CASCADE"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    comment: Mapped[str] = mapped_column(default="")
    sequence: Mapped[int]
    stamped_at: Mapped[datetime]
    state: Mapped[str]
    created_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    decided_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship(foreign_keys=[person_id])


class Tick(Base):
    """Five minutes of a person's time, taken by a visit. The primary key is the referee of races."""

    __tablename__ = "tick"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    tick: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id", ondelete="CASCADE"), index=True)


class WaitlistEntry(Base):
    """Someone who waits for an hour of a programme; there is a row exactly while they wait.

    First in `queued_at` is first served. `visit_id` is the hour that is held for them at the moment, and
    `refused` the starts (UTC) they did not want, which are not offered to them again.
    """

    __tablename__ = "waitlist_entry"
    __table_args__ = (UniqueConstraint("programme_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id", ondelete="CASCADE"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    product_id: Mapped[int | None] = mapped_column(ForeignKey("product.id"), index=True)
    language: Mapped[str | None]
    queued_at: Mapped[datetime] = mapped_column(index=True)
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id", ondelete="SET NULL"), index=True)
    refused: Mapped[list[Any]] = mapped_column(JSON, default=list)

    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    programme: Mapped[Programme] = relationship()
    visit: Mapped[Visit | None] = relationship()
