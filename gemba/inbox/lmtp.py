"""Answers taken over LMTP (RFC 2033) from a mail server of our own, by a thread of the worker.

Whoever is not one of our addresses is refused at RCPT, so the server in front bounces it at once. Each
recipient gets an answer of its own after DATA; while the database is away it is 451: the server tries again.
"""

import asyncio
import socket
from typing import Any

import structlog
from aiosmtpd.controller import Controller
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import Envelope, Session
from flask import Flask

from gemba.config import Settings
from gemba.inbox.receiving import Away, receive
from gemba.invites.addresses import whose
from gemba.invites.incoming import LARGEST

LONGEST_LINE = 100_000
"""Octets; longer than mail allows, as some programs write a calendar in one line."""
MOST_RECIPIENTS = 20
IDLE_SECONDS = 60

log = structlog.get_logger()


class _Line(LMTP):
    """A connection that answers once for each recipient after DATA (RFC 2033 4.2)."""

    line_length_limit = LONGEST_LINE

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._answers = 0

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 (named by the library)
        """Takes a mail."""
        self._answers = len(self.envelope.rcpt_tos) if self.envelope and not arg else 0
        try:
            await super().smtp_DATA(arg)
        finally:
            self._answers = 0

    async def push(self, status: Any) -> None:
        """Says something; what is said about a mail is said of each recipient."""
        text = status.decode("ascii") if isinstance(status, bytes) else str(status)
        if self._answers > 1 and not text.startswith("354"):
            text = "\r\n".join([text] * self._answers)
        await super().push(text)


class _Door:
    """What becomes of recipients and mails."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._app, self._settings = app, settings

    def _is_ours(self, address: str) -> bool:
        mail_from = self._settings.mail_from
        is_token = whose(address, mail_from, self._settings.secret_key) is not None
        return is_token or address.strip().lower() == mail_from.lower()

    async def handle_RCPT(  # noqa: N802 (named by the library)
        self, _server: Any, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Refuses whoever does not live here."""
        if not self._is_ours(address):
            return "550 5.1.1 There is no such address here"
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients at once"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: Any, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Takes the mail in, off the loop, as the database may be slow."""
        raw, recipients = envelope.original_content or b"", list(envelope.rcpt_tos)
        try:
            result = await asyncio.to_thread(self._take, raw, recipients)
        except Away:
            return "451 4.3.0 The database is away, please try again"
        return f"250 2.0.0 Taken: {result}"

    def _take(self, raw: bytes, recipients: list[str]) -> str:
        with self._app.app_context():
            return receive(raw, via="lmtp", recipients=recipients)


class Listener(Controller):
    """The listener: start() opens the port, stop() closes it."""

    def __init__(self, app: Flask, settings: Settings, *, host: str, port: int) -> None:
        super().__init__(_Door(app, settings), hostname=host, port=port, ready_timeout=10)

    def start(self) -> None:
        """Opens the port. Raises OSError at once where it is taken."""
        socket.create_server((self.hostname, self.port)).close()
        super().start()

    def factory(self) -> _Line:
        """One connection."""
        return _Line(
            self.handler,
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            decode_data=False,
            hostname="gemba",
            ident="Gemba LMTP",
            timeout=IDLE_SECONDS,
            loop=self.loop,
        )
