"""Steps of trainings, their files, and who has done what."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gemba.db import Base
from gemba.people.models import Person
from gemba.programmes.models import Programme
from gemba.programmes.training.rules import Choice, StepKind, choices_of


class TrainingStep(Base):
    """One line of a programme's checklist; `position` orders them. Russian texts may be empty."""

    __tablename__ = "training_step"

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    kind: Mapped[str]
    title: Mapped[str]
    title_ru: Mapped[str] = mapped_column(default="")
    text: Mapped[str] = mapped_column(default="")
    text_ru: Mapped[str] = mapped_column(default="")
    link: Mapped[str] = mapped_column(default="")
    answers: Mapped[str] = mapped_column(default="")
    answers_ru: Mapped[str] = mapped_column(default="")
    file_name: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]

    programme: Mapped[Programme] = relationship()

    @property
    def is_signed_off(self) -> bool:
        """Whether a mentor does this step, not the visitor."""
        return self.kind == StepKind.SIGN_OFF

    def title_in(self, locale: str) -> str:
        """The title in a language, in English where it has no other."""
        return (self.title_ru if locale == "ru" else "") or self.title

    def text_in(self, locale: str) -> str:
        """The text in a language, in English where it has no other."""
        return (self.text_ru if locale == "ru" else "") or self.text

    def choices_in(self, locale: str) -> list[Choice]:
        """The answers of a question in a language."""
        return choices_of((self.answers_ru if locale == "ru" else "") or self.answers)


class TrainingFile(Base):
    """The PDF of a step, apart so that lists do not read it."""

    __tablename__ = "training_file"

    step_id: Mapped[int] = mapped_column(ForeignKey("training_step.id", ondelete="CASCADE"), primary_key=True)
    content: Mapped[bytes]


class TrainingDone(Base):
    """Somebody has done a step; `signed_by_id` is the mentor of a sign-off."""

    __tablename__ = "training_done"

    step_id: Mapped[int] = mapped_column(ForeignKey("training_step.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    signed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="SET NULL"), index=True)
    at: Mapped[datetime]

    step: Mapped[TrainingStep] = relationship()
    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    signed_by: Mapped[Person | None] = relationship(foreign_keys=[signed_by_id])
