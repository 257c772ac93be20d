"""A visit of Vera with Alice on Wednesday, and mail about it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from gemba.config import current_settings
from gemba.db import db
from gemba.inbox.models import ReceivedMail
from gemba.inbox.service import handle_message
from gemba.invites.addresses import reply_address
from gemba.people.models import Person
from gemba.visits import service as visits
from gemba.visits.facts import Ask as BookingAsk
from gemba.visits.models import Visit, VisitAnswer, VisitProposal
from tests.cast import Cast
from tests.conftest import StandingClock
from tests.inbox.mails import Ask

AUTHSERV = "mx.gemba.example"
VOUCHED = (
    f"Authentication-Results: {AUTHSERV};\r\n dkim=pass header.d=gemba.example;"
    " dmarc=pass (p=reject) header.from=gemba.example\r\n"
)
HOOKS_SECRET = "hooks-" * 8
WEDNESDAY = datetime(2026, 11, 25, 9, tzinfo=UTC)


def with_replies(app: Flask) -> None:
    """Lets the app take replies, and believe one mail server."""
    settings = app.extensions["gemba_settings"]
    app.extensions["gemba_settings"] = replace(settings, mail_authserv=AUTHSERV, hooks_secret=HOOKS_SECRET)


def book(cast: Cast, now: datetime, *, start: datetime = WEDNESDAY, visitor: Person | None = None) -> Visit:
    """The visit that mails are about."""
    visit = visits.book(
        programme=cast.programme,
        visitor=visitor or cast.vera,
        start=start,
        ask=BookingAsk(agent_id=cast.alice.id),
        now=now,
    )
    db.session.commit()
    return visit


def address_of(visit: Visit, person: Person) -> str:
    """Where this person's answers about the visit go."""
    settings = current_settings()
    return reply_address(settings.mail_from, settings.secret_key, visit.id, person.id)


def answer_of(visit: Visit, person: Person) -> tuple[str, str] | None:
    """What the person answered, and their comment."""
    db.session.expire_all()
    row = db.session.get(VisitAnswer, (visit.id, person.id))
    return None if row is None else (row.answer.lower(), row.comment)


def proposals() -> list[tuple[datetime, datetime]]:
    """The hours that were proposed."""
    rows = db.session.scalars(select(VisitProposal).order_by(VisitProposal.id))
    return [(row.starts_at, row.ends_at) for row in rows]


@dataclass
class Post:
    """The visit, its people, and a way to bring mail."""

    cast: Cast
    visit: Visit
    clock: StandingClock

    @property
    def ask(self) -> Ask:
        """Vera's answer, to her own address of the visit."""
        return Ask(uid=self.visit.uid, to=address_of(self.visit, self.cast.vera))

    @property
    def plain_ask(self) -> Ask:
        """Vera's answer to the address that everybody knows."""
        return Ask(uid=self.visit.uid)

    def take(self, raw: bytes, *, via: str = "imap", recipients: tuple[str, ...] = ()) -> str:
        """Brings a mail and says what became of it."""
        row = handle_message(raw, via=via, recipients=recipients, now=self.clock())
        db.session.commit()
        return row.result

    def rows(self) -> list[ReceivedMail]:
        """What is known of mails that came."""
        return list(db.session.scalars(select(ReceivedMail).order_by(ReceivedMail.id)))

    @property
    def vera(self) -> tuple[str, str] | None:
        """Vera's answer and comment."""
        return answer_of(self.visit, self.cast.vera)


@pytest.fixture
def post(app: Flask, cast: Cast, clock: StandingClock) -> Post:
    """The visit, two hours after it was booked."""
    with_replies(app)
    visit = book(cast, clock())
    clock.forward(hours=2)
    return Post(cast, visit, clock)
