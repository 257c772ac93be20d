"""What grows around insights: talk, links, a programme's own statuses and weights, views, bulk edits."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gemba.db import Base
from gemba.people.models import Person


class ProgrammeStatus(Base):
    """A status of a programme's own set. `category` is the Status that it counts as everywhere."""

    __tablename__ = "programme_status"

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    name_ru: Mapped[str] = mapped_column(default="")
    category: Mapped[str]
    position: Mapped[int] = mapped_column(default=0)

    def name_in(self, locale: str) -> str:
        """The status' name in a language, in English where it has no other."""
        return (self.name_ru if locale == "ru" else "") or self.name


class ProgrammeWeights(Base):
    """How much each part of the score counts in a programme, in per cent: 0 not at all, 200 twice."""

    __tablename__ = "programme_weights"

    programme_id: Mapped[int] = mapped_column(
        ForeignKey("programme.id", ondelete="CASCADE"), primary_key=True
    )
    severity: Mapped[int] = mapped_column(default=100)
    reach: Mapped[int] = mapped_column(default=100)
    agents: Mapped[int] = mapped_column(default=100)
    hurts: Mapped[int] = mapped_column(default=100)
    minutes: Mapped[int] = mapped_column(default=100)
    fresh: Mapped[int] = mapped_column(default=100)


class InsightComment(Base):
    """What somebody says about an insight. `kind` is a CommentKind; one that was taken back has no words."""

    __tablename__ = "insight_comment"
    __table_args__ = (
        Index(
            "ix_insight_comment_ask",
            "at",
            "id",
            sqlite_where=text("kind = 'ask'"),
            postgresql_where=text("kind = 'ask'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    insight_id: Mapped[int] = mapped_column(ForeignKey("insight.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="SET NULL"), index=True)
    kind: Mapped[str]
    text: Mapped[str]
    at: Mapped[datetime]
    removed_at: Mapped[datetime | None]

    person: Mapped[Person | None] = relationship()


class InsightLink(Base):
    """One insight points at another: `kind` is a LinkKind, read from `from_id` to `to_id`."""

    __tablename__ = "insight_link"

    from_id: Mapped[int] = mapped_column(ForeignKey("insight.id", ondelete="CASCADE"), primary_key=True)
    to_id: Mapped[int] = mapped_column(
        ForeignKey("insight.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    kind: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="SET NULL"), index=True)
    at: Mapped[datetime]


class SavedView(Base):
    """A question to the backlog that somebody keeps under a name: the part of the address behind "?"."""

    __tablename__ = "saved_view"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    query: Mapped[str]
    shared: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime]

    person: Mapped[Person] = relationship()


class BulkEdit(Base):
    """One change of many insights at once; its lines of history lead here, so that it can be taken back."""

    __tablename__ = "bulk_edit"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="SET NULL"), index=True)
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class InsightVector(Base):
    """What an insight's title means to an encoder: one signed byte per number, only its direction counts.

    `digest` tells of which title it was made, `as_of` from when on changes of the insight are not in it.
    """

    __tablename__ = "insight_vector"
    __table_args__ = (Index("ix_insight_vector_model_as_of", "model", "as_of"),)

    insight_id: Mapped[int] = mapped_column(
        ForeignKey("insight.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    model: Mapped[str]
    vector: Mapped[bytes]
    digest: Mapped[str]
    as_of: Mapped[datetime]
