"""What the worker does about visits, at once, and which words went to whom."""

from email import message_from_bytes
from email.policy import default

from flask import Flask
from sqlalchemy import select

from gemba.db import db
from gemba.outbox.mail import plain_mail
from gemba.outbox.models import OutboxItem
from gemba.outbox.rules import State
from gemba.outbox.worker import Worker
from tests.conftest import StandingClock
from tests.visits.test_mails import facts_of


def run_errands(app: Flask, clock: StandingClock) -> None:
    """Sends and does all that is due."""
    db.session.commit()
    Worker(app, clock=clock).drain()
    db.session.expire_all()


def told(word: str) -> list[str]:
    """Who was told this, or is about to be, in order."""
    rows = db.session.scalars(select(OutboxItem).where(OutboxItem.kind == "mail").order_by(OutboxItem.id))
    return [
        row.recipient for row in rows if row.payload["context"]["word"] == word and row.state != State.DROPPED
    ]


def texts() -> dict[str, str]:
    """The plain text of each notice, subject first, by its word."""
    found = {}
    for row in db.session.scalars(select(OutboxItem).where(OutboxItem.kind == "mail")):
        mail = message_from_bytes(plain_mail(row.payload, facts_of(row)), policy=default)
        body, html = mail.get_body(("plain",)), mail.get_body(("html",))
        assert body is not None
        assert html is not None
        found[row.payload["context"]["word"]] = f"{mail['Subject']}\n{body.get_content()}"
    return found
