"""Rounds: campaigns of a programme that people sign up to."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gemba.db import Base
from gemba.people.models import Person
from gemba.programmes.models import Programme


class Round(Base):
    """One campaign of a programme with its sign-up window (half-open)."""

    __tablename__ = "round"

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"), index=True)
    name: Mapped[str]
    name_ru: Mapped[str] = mapped_column(default="")
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]

    programme: Mapped[Programme] = relationship()
    sign_ups: Mapped[list["RoundSignUp"]] = relationship(order_by="RoundSignUp.created_at")

    def name_in(self, locale: str) -> str:
        """The round's name in a language, in English where it has no other."""
        return (self.name_ru if locale == "ru" else "") or self.name


class RoundSignUp(Base):
    """A person's wish to take part in a round."""

    __tablename__ = "round_sign_up"

    round_id: Mapped[int] = mapped_column(ForeignKey("round.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    note: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]

    person: Mapped[Person] = relationship()
