"""Who wants to hear."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gemba.db import Base
from gemba.people.models import Person


class Webhook(Base):
    """An address outside that hears of `events`. `secret` is encrypted; deliveries are rows of the outbox."""

    __tablename__ = "webhook"

    id: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str]
    secret: Mapped[str]
    events: Mapped[list[str]] = mapped_column(JSON)
    created_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    created_at: Mapped[datetime]

    created_by: Mapped[Person] = relationship()
