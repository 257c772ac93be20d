"""What tests of people share: the mail that went out, and a browser on its way in."""

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from gemba.db import db
from gemba.outbox.models import OutboxItem
from gemba.people.models import AuditEntry


def mails(app: Flask) -> list[tuple[str, str, str]]:
    """Sign-in mails in the outbox, oldest first: (recipient, code, path of the link)."""
    with app.app_context():
        rows = db.session.scalars(select(OutboxItem).order_by(OutboxItem.id)).all()
        secrets = [(row.recipient, row.payload["context"]["secret"]) for row in rows]
        return [(to, secret["code"], secret["path"]) for to, secret in secrets]


def acts(app: Flask) -> list[str]:
    """The actions of the audit trail, oldest first."""
    with app.app_context():
        return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def ask(client: FlaskClient, email: str = "vera@gemba.example", target: str = "/") -> None:
    """Asks for a sign-in mail."""
    answer = client.post("/sign-in", data={"email": email, "next": target})
    assert (answer.status_code, answer.location) == (303, "/sign-in/code")


def is_in(client: FlaskClient) -> bool:
    """Whether somebody is signed in there."""
    return client.get("/profile").status_code == 200


def another(code: str) -> str:
    """A code that is not this one."""
    return f"{(int(code) + 1) % 10**6:06}"
