"""How a mail leaves: to an SMTP server, or into a folder while none is set.

A deliverer belongs to one thread. SMTP connections are kept between mails and closed when idle.
"""

import os
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from gemba.config import Settings, Smtp
from gemba.outbox.kinds import ItemFacts
from gemba.outbox.mime import mailbox
from gemba.outbox.rules import Permanent, Stage, Temporary, verdict

CONNECT_SECONDS = 10.0
TOTAL_SECONDS = 20.0
REPLY_LENGTH = 160


class Deliverer(Protocol):
    """Hands one mail over."""

    def deliver(self, message: bytes, item: ItemFacts) -> None:
        """Returns once the other side is responsible. Raises Temporary or Permanent."""

    def close(self) -> None:
        """Says good-bye; a later deliver() begins anew."""


def deliverer(settings: Settings) -> Deliverer:
    """The way out that the settings name."""
    if settings.smtp is None:
        return ToFolder(settings.mail_folder)
    return ToServer(settings.smtp, settings.mail_from)


class ToFolder:
    """Writes `<stamp>-<id>-<to>.eml`; the same mail again lands in the same file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def deliver(self, message: bytes, item: ItemFacts) -> None:
        """Writes the file in one step, readable for the owner only. Raises Temporary."""
        stamp = item.created_at.strftime("%Y%m%dT%H%M%SZ")
        to = re.sub(r"[^A-Za-z0-9@._+-]", "_", item.recipient)[:80]
        path = self._folder / f"{stamp}-{item.id:06}-{to}.eml"
        half = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(message)
                file.flush()
                os.fsync(file.fileno())
            half.replace(path)
        except OSError as error:
            half.unlink(missing_ok=True)
            raise Temporary(f"The mail could not be written to the mail folder: {error.strerror}.") from error

    def close(self) -> None:
        """Nothing is open."""


class ToServer:
    """Speaks SMTP (RFC 5321), with certificates checked where the connection is protected.

    All that smtplib raises is an OSError.
    """

    def __init__(
        self, smtp: Smtp, sender: str, *, connect: float = CONNECT_SECONDS, total: float = TOTAL_SECONDS
    ) -> None:
        self._smtp, self._sender = smtp, sender
        self._connect_seconds, self._total_seconds = connect, total
        self._connection: smtplib.SMTP | None = None

    def deliver(self, message: bytes, item: ItemFacts) -> None:
        """Sends the mail, over the connection of the last one where it still lives."""
        try:
            to = mailbox(item.recipient)
        except ValueError as error:
            raise Permanent("This is not an address that mail can be sent to.") from error
        with self._time_limit():
            connection = self._ready()
            try:
                self._converse(connection, message, to)
            except OSError as error:
                self._drop()
                raise Temporary(f"The mail server broke off: {_words_of(error)}") from error

    def greet(self) -> None:
        """Connects and logs in without sending anything, to see that mail could leave. Raises Temporary."""
        with self._time_limit():
            self._ready()

    def close(self) -> None:
        """Takes leave of the server."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.quit()
        self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
        self._connection = None

    @contextmanager
    def _time_limit(self) -> Iterator[None]:
        """Cuts the line after the total time: socket time-outs alone never end a server that drips bytes."""
        alarm = threading.Timer(self._total_seconds, self._cut)
        alarm.daemon = True
        alarm.start()
        try:
            yield
        finally:
            alarm.cancel()

    def _cut(self) -> None:
        sock = getattr(self._connection, "sock", None)
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _ready(self) -> smtplib.SMTP:
        if self._connection is not None:
            with suppress(OSError):
                if self._connection.noop()[0] == 250:
                    return self._connection
            self._drop()
        try:
            return self._open()
        except OSError as error:
            self._drop()
            raise Temporary(f"The mail server cannot be used: {_words_of(error)}") from error

    def _open(self) -> smtplib.SMTP:
        smtp, context = self._smtp, ssl.create_default_context()
        name, seconds = self._sender.rpartition("@")[2], self._connect_seconds
        self._connection = connection = (
            smtplib.SMTP_SSL(local_hostname=name, timeout=seconds, context=context)
            if smtp.security == "tls"
            else smtplib.SMTP(local_hostname=name, timeout=seconds)
        )
        # Given to the constructor, the host would be greeted there, out of reach of the time limit.
        connection._host = smtp.host  # type: ignore[attr-defined]
        code, reply = connection.connect(smtp.host, smtp.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, reply)
        connection.ehlo_or_helo_if_needed()
        if smtp.security == "starttls":
            connection.starttls(context=context)
            connection.ehlo()
        if smtp.user is not None:
            connection.login(smtp.user, smtp.password or "")
        return connection

    def _converse(self, connection: smtplib.SMTP, message: bytes, to: str) -> None:
        size = [f"size={len(message)}"] if connection.has_extn("size") else []
        self._expect(Stage.MESSAGE, "the sender", connection.mail(self._sender, size))
        self._expect(Stage.RECIPIENT, "the recipient", connection.rcpt(to), (250, 251, 252))
        try:
            answer: tuple[int, bytes | str] = connection.data(message)
        except smtplib.SMTPDataError as error:
            answer = (error.smtp_code, error.smtp_error)
        self._expect(Stage.MESSAGE, "the mail", answer)

    def _expect(
        self, stage: Stage, what: str, answer: tuple[int, bytes | str], good: tuple[int, ...] = (250,)
    ) -> None:
        code, reply = answer
        if code in good:
            return
        self._forget_transaction(code)
        raise verdict(stage, code, f"The mail server refused {what}: {_said(code, reply)}")

    def _forget_transaction(self, code: int) -> None:
        """Makes the connection fit for the next mail after a refusal."""
        if self._connection is None or code == 421:
            return self._drop()
        try:
            self._connection.rset()
        except OSError:
            self._drop()
        return None


def _said(code: int, reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return f"{code} {text}".strip()[:REPLY_LENGTH]


_REASONS: tuple[tuple[type[OSError], str], ...] = (
    (smtplib.SMTPAuthenticationError, "it refused the user or password."),
    (smtplib.SMTPNotSupportedError, "it does not offer the protection or sign-in that the settings ask for."),
    (smtplib.SMTPServerDisconnected, "it closed the connection."),
    (ssl.SSLCertVerificationError, "its certificate is not trusted."),
    (TimeoutError, "no answer in time."),
    (socket.gaierror, "its name is not known."),
)


def _words_of(error: OSError) -> str:
    for kind, words in _REASONS:
        if isinstance(error, kind):
            return words
    if isinstance(error, smtplib.SMTPResponseException):
        return _said(error.smtp_code, error.smtp_error)
    return f"{error.strerror or type(error).__name__}."
