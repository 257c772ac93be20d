"""Observations (evidence of one visit) and insights (items of the backlog they support)."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gemba.db import Base
from gemba.insights.models_backlog import ProgrammeStatus
from gemba.insights.rules.kinds import Standing
from gemba.people.models import Person, Product
from gemba.visits.models import Visit

ORDERED = ("score", "visits", "votes", "created_at", "place")
FILTERED = ("kind", "product_id", "merged_into_id", "review_visit_id")


class Insight(Base):
    """A backlog item. Its numbers are counted from its notes and votes, never set by hand.

    What lists are ordered by (`visits` to `score`) is kept here, counted anew in the transaction of every
    cause (service/numbers.py) over the insight and all merged into it; a merged one keeps nothing. `score`
    is -1 where there is none, and stands as of `scored_at`, against `watched` visits.

    `programme_id` is where it came up first. `hurts` is a Hurts, `minutes_lost` what it costs each time,
    `tags` are parted by spaces. `triage` is a Triage: what was decided while nobody touched the words.
    `own_status_id` is the name its programme gives the status. `place` is its rank by hand, higher first;
    0 is none.

    Merging moves no row: `merged_into_id` names the survivor (always one that is not merged itself),
    `merged_via_id` the insight it was merged into by hand, so that every merge can be taken back.
    """

    __tablename__ = "insight"
    # Each order of the list is one index that also answers the filters: no row is read in vain.
    __table_args__ = (
        *(Index(f"ix_insight_by_{name}", "status", name, "id", *FILTERED) for name in ORDERED),
        # Most insights are sorted and stand for themselves: indexes of the others only, which planners trust.
        Index(
            "ix_insight_waiting",
            "triage",
            "id",
            sqlite_where=text("untouched IS 1"),
            postgresql_where=text("untouched IS true"),
        ),
        *(
            Index(
                f"ix_insight_{name}",
                name,
                sqlite_where=text(f"{name} IS NOT NULL"),
                postgresql_where=text(f"{name} IS NOT NULL"),
            )
            for name in ("merged_into_id", "merged_via_id", "review_visit_id")
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    body: Mapped[str] = mapped_column(default="")
    kind: Mapped[str]
    status: Mapped[str] = mapped_column(default="new")
    programme_id: Mapped[int | None] = mapped_column(ForeignKey("programme.id"), index=True)
    product_id: Mapped[int | None] = mapped_column(ForeignKey("product.id"), index=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("insight.id"))
    merged_via_id: Mapped[int | None] = mapped_column(ForeignKey("insight.id"))
    # Only those who sat in this visit see the insight until its agent has reviewed the notes.
    review_visit_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id"))
    # Made by a note and not yet touched by a person: follows the note's words, goes with it.
    untouched: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime] = mapped_column(index=True)
    version: Mapped[int] = mapped_column(default=1)
    hurts: Mapped[str] = mapped_column(default="")
    minutes_lost: Mapped[int | None]
    workaround: Mapped[str] = mapped_column(default="")
    tool: Mapped[str] = mapped_column(default="", index=True)
    step: Mapped[str] = mapped_column(default="")
    due: Mapped[date | None]
    tags: Mapped[str] = mapped_column(default="")
    triage: Mapped[str] = mapped_column(default="")
    triage_reason: Mapped[str] = mapped_column(default="")
    visits: Mapped[int] = mapped_column(default=0)
    agents: Mapped[int] = mapped_column(default=0)
    observations: Mapped[int] = mapped_column(default=0)
    severity_sum: Mapped[int] = mapped_column(default=0)
    severity_count: Mapped[int] = mapped_column(default=0)
    last_seen: Mapped[datetime | None]
    votes: Mapped[int] = mapped_column(default=0)
    watched: Mapped[int] = mapped_column(default=0)
    score: Mapped[int] = mapped_column(default=-1)
    scored_at: Mapped[datetime | None]
    place: Mapped[int] = mapped_column(default=0)
    own_status_id: Mapped[int | None] = mapped_column(
        ForeignKey("programme_status.id", ondelete="SET NULL"), index=True
    )

    own_status: Mapped[ProgrammeStatus | None] = relationship()
    product: Mapped[Product | None] = relationship()
    owner: Mapped[Person | None] = relationship(foreign_keys=[owner_id])

    @property
    def root_id(self) -> int:
        """The insight that speaks for this one: the survivor of its merge, or itself."""
        return self.merged_into_id or self.id


class Observation(Base):
    """What was seen in one visit. `client_id` is the note's UUID made by the browser.

    `tags` are parted by spaces. A question for the end of the visit supports no insight. `is_ask` is what the
    agent or the lead asks for ("give us a decent admin panel"). What its author
    took back has `removed_at` and is shown and counted nowhere. Only what is published is evidence for others
    than those who sat in the visit: a fresh note is published at `review_until` at the latest. Once its words
    are no longer kept, `dropped_at` says since when; it counts as before.
    """

    __tablename__ = "observation"
    __table_args__ = (
        UniqueConstraint("visit_id", "client_id"),
        Index(
            "ix_observation_ask",
            "at",
            "id",
            sqlite_where=text("is_ask IS 1"),
            postgresql_where=text("is_ask IS true"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    insight_id: Mapped[int | None] = mapped_column(ForeignKey("insight.id"), index=True)
    client_id: Mapped[str]
    text: Mapped[str]
    kind: Mapped[str]
    severity: Mapped[int | None]
    frequency: Mapped[str] = mapped_column(default="")
    verbatim: Mapped[str] = mapped_column(default="")
    workaround: Mapped[str] = mapped_column(default="")
    product_id: Mapped[int | None] = mapped_column(ForeignKey("product.id"), index=True)
    tool: Mapped[str] = mapped_column(default="", index=True)
    tags: Mapped[str] = mapped_column(default="")
    is_question: Mapped[bool] = mapped_column(default=False)
    is_ask: Mapped[bool] = mapped_column(default=False)
    standing: Mapped[str] = mapped_column(default=Standing.PUBLISHED)
    review_until: Mapped[datetime | None] = mapped_column(index=True)
    verdict: Mapped[str] = mapped_column(default="")
    reviewed_at: Mapped[datetime | None]
    impact: Mapped[int | None]
    persistence: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
    created_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    dropped_at: Mapped[datetime | None]

    visit: Mapped[Visit] = relationship()
    author: Mapped[Person] = relationship()
    insight: Mapped[Insight | None] = relationship()
    product: Mapped[Product | None] = relationship()
    pictures: Mapped[list["Picture"]] = relationship(
        order_by="Picture.id", passive_deletes=True, back_populates="observation"
    )


class NoteDraft(Base):
    """Words of a note that is still being typed, kept so that another device can go on with them.

    `client_id` is the one the note will have; when the note is there, the draft is gone. Only its author
    sees it. What looks like private data is never kept here.
    """

    __tablename__ = "note_draft"

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    client_id: Mapped[str] = mapped_column(primary_key=True)
    line: Mapped[str]
    kind: Mapped[str]
    severity: Mapped[int | None]
    is_ask: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime]
    updated_at: Mapped[datetime]


class InsightTerm(Base):
    """A stem that an insight and its evidence use, for search and similarity on any database.

    Terms are compared byte by byte on both databases, so that beginnings of words are ranges of the key.
    """

    __tablename__ = "insight_term"
    __table_args__ = (
        Index("ix_insight_term_insight_id", "insight_id", "term", "weight"),
        Index("ix_insight_term_by_weight", "term", "weight", "insight_id"),
    )

    term: Mapped[str] = mapped_column(
        String().with_variant(String(collation="C"), "postgresql"), primary_key=True
    )
    insight_id: Mapped[int] = mapped_column(ForeignKey("insight.id", ondelete="CASCADE"), primary_key=True)
    weight: Mapped[int]


class InsightVote(Base):
    """A person's "me too"."""

    __tablename__ = "insight_vote"

    insight_id: Mapped[int] = mapped_column(ForeignKey("insight.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    created_at: Mapped[datetime]


class InsightApart(Base):
    """Two insights that somebody found not to be the same: neither is offered for the other again."""

    __tablename__ = "insight_apart"

    low_id: Mapped[int] = mapped_column(ForeignKey("insight.id", ondelete="CASCADE"), primary_key=True)
    high_id: Mapped[int] = mapped_column(
        ForeignKey("insight.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="SET NULL"), index=True)
    at: Mapped[datetime]


class InsightFollower(Base):
    """Somebody who wants to hear what becomes of an insight."""

    __tablename__ = "insight_follower"

    insight_id: Mapped[int] = mapped_column(ForeignKey("insight.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    at: Mapped[datetime]


class InsightChange(Base):
    """One line of an insight's history."""

    __tablename__ = "insight_change"

    id: Mapped[int] = mapped_column(primary_key=True)
    insight_id: Mapped[int] = mapped_column(ForeignKey("insight.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="SET NULL"), index=True)
    at: Mapped[datetime]
    field: Mapped[str]
    before: Mapped[str] = mapped_column(default="")
    after: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    bulk_id: Mapped[int | None] = mapped_column(ForeignKey("bulk_edit.id", ondelete="SET NULL"), index=True)

    person: Mapped[Person | None] = relationship()


class VisitReview(Base):
    """How far an agent's look at a visit's notes has come: when they were last asked, when they were done."""

    __tablename__ = "visit_review"

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id", ondelete="CASCADE"), primary_key=True)
    asked_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]


class VisitWrap(Base):
    """What one participant takes along: what works well, and one promise with its day."""

    __tablename__ = "visit_wrap"

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    works_well: Mapped[str] = mapped_column(default="")
    promise: Mapped[str] = mapped_column(default="")
    promised_for: Mapped[date | None]
    at: Mapped[datetime]


class WrapPick(Base):
    """One of the three worst things, `rank` 1 to 3, with the idea it gave somebody."""

    __tablename__ = "wrap_pick"

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    rank: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    observation_id: Mapped[int] = mapped_column(ForeignKey("observation.id", ondelete="CASCADE"), index=True)
    idea: Mapped[str] = mapped_column(default="")


class VisitFeedback(Base):
    """What one side says of the visit, never of a person: was it worth the hour, and a word to the others."""

    __tablename__ = "visit_feedback"

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    worth: Mapped[str]
    words: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]


class StillThere(Base):
    """What one person in a visit answered about an insight seen before; `answer` is an Answered."""

    __tablename__ = "still_there"

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id", ondelete="CASCADE"), primary_key=True)
    insight_id: Mapped[int] = mapped_column(
        ForeignKey("insight.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    answer: Mapped[str]
    at: Mapped[datetime]


class Picture(Base):
    """A picture of a note or a file of an insight, never of both; kept as `file` in the folder of uploads.

    Pictures are drawn anew by us. Documents, which only insights have, are 0 pixels wide and high; `size` is
    in bytes. `name` is what a file of an insight is called; once removed it goes a day after `removed_at`.
    The row stands in for the right to see it: that of the note or the insight.
    """

    __tablename__ = "picture"
    __table_args__ = (CheckConstraint("(observation_id IS NULL) <> (insight_id IS NULL)", name="of_one"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    observation_id: Mapped[int | None] = mapped_column(
        ForeignKey("observation.id", ondelete="CASCADE"), index=True
    )
    insight_id: Mapped[int | None] = mapped_column(ForeignKey("insight.id", ondelete="CASCADE"), index=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    file: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(default="")
    media: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    size: Mapped[int]
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]

    observation: Mapped[Observation | None] = relationship(back_populates="pictures")
    insight: Mapped[Insight | None] = relationship()
    author: Mapped[Person] = relationship()

    @property
    def is_drawn(self) -> bool:
        """Whether it is a picture and not a document."""
        return self.media.startswith("image/")
