"""The mailbox that answers arrive in, read over IMAP (RFC 3501, 2177) by a thread of the worker.

A mail is marked as read only after what it changed is committed; until then it is only peeked at. So none is
lost while the database is away, and one that was read twice counts once. Nobody else should open the mailbox:
what another program marks as read is not seen here.
"""

import imaplib
import re
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from flask import Flask
from imap_tools import AND, BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted, MailMessageFlags
from imap_tools.errors import ImapToolsError

from gemba.config import Imap
from gemba.inbox.receiving import Away, receive
from gemba.invites.incoming import LARGEST

POLL = 30.0
"""Seconds between looks where the server does not say by itself that something came."""
LONGEST_IDLE = 60.0
TIMEOUT = 30.0
MOST_TROUBLES = 3
"""How often one mail may break the connection before it is passed over."""
FIRST_WAIT, LONGEST_WAIT = 2.0, 300.0

log = structlog.get_logger()

_TROUBLES = (OSError, imaplib.IMAP4.error, ImapToolsError, UnicodeError, ValueError)


class Unreachable(Exception):
    """The mailbox cannot be opened; the message says why, without user or password."""


@contextmanager
def opened(imap: Imap, *, timeout: float = TIMEOUT) -> Iterator[BaseMailBox]:
    """The mailbox, signed in and with its folder chosen; certificates are checked. Raises Unreachable."""
    try:
        box = _connect(imap, timeout)
    except _TROUBLES as error:
        raise Unreachable(_words_of(error)) from None
    try:
        try:
            is_plain = imap.user.isascii() and imap.password.isascii()
            sign_in = box.login if is_plain else box.login_utf8
            sign_in(imap.user, imap.password, imap.folder)
        except _TROUBLES as error:
            raise Unreachable(_refusal(error)) from None
        yield box
    finally:
        _leave(box)


def _connect(imap: Imap, timeout: float) -> BaseMailBox:
    if imap.security == "tls":
        return MailBox(imap.host, imap.port, timeout=timeout, ssl_context=ssl.create_default_context())
    if imap.security == "starttls":
        return MailBoxStartTls(
            imap.host, imap.port, timeout=timeout, ssl_context=ssl.create_default_context()
        )
    return MailBoxUnencrypted(imap.host, imap.port, timeout=timeout)


def _leave(box: BaseMailBox) -> None:
    try:
        box.logout()
    except _TROUBLES:
        box.client.shutdown()


def _words_of(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "The mailbox server's certificate is not trusted."
    if isinstance(error, TimeoutError):
        return "The mailbox server does not answer in time."
    return f"The mailbox server cannot be reached ({type(error).__name__})."


def _refusal(error: Exception) -> str:
    if isinstance(error, ImapToolsError) and "Login" in type(error).__name__:
        return "The mailbox server refused user or password."
    if isinstance(error, ImapToolsError):
        return "The mailbox has no such folder."
    return _words_of(error)


class Reader(threading.Thread):
    """Reads the mailbox until told to stop; `poll` is for tests."""

    def __init__(self, app: Flask, imap: Imap, *, poll: float = POLL) -> None:
        super().__init__(name="inbox-imap", daemon=True)
        self._app, self._imap, self._poll = app, imap, poll
        self._stopping = threading.Event()
        self._at = ""
        self._troubles = Counter[str]()

    def stop(self) -> None:
        """Asks the thread to end."""
        self._stopping.set()

    def run(self) -> None:
        """Connects, and again after ever longer waits where that fails."""
        wait = FIRST_WAIT
        while not self._stopping.is_set():
            try:
                with opened(self._imap) as box:
                    log.info("inbox.mailbox-opened", host=self._imap.host)
                    wait = FIRST_WAIT
                    self._watch(box)
            except Unreachable as error:
                log.warning("inbox.mailbox-unreachable", reason=str(error), again_in=wait)
            except Away:
                log.warning("inbox.database-away", again_in=wait)
            except Exception:
                # Whatever a server says, the thread must outlive it.
                self._troubles[self._at] += bool(self._at)
                log.exception("inbox.mailbox-trouble", again_in=wait)
            if self._stopping.wait(wait):
                return
            wait = min(wait * 2, LONGEST_WAIT)

    def _watch(self, box: BaseMailBox) -> None:
        # What a server offers before one signed in may be less.
        idles = "IDLE" in str(box.client.capability()[1]).upper()
        while not self._stopping.is_set():
            self.read_new(box)
            if idles:
                self._idle(box)
            else:
                self._stopping.wait(self._poll)

    def _idle(self, box: BaseMailBox) -> None:
        """Waits until the server says that something changed, a minute at most."""
        box.idle.start()  # type: ignore[no-untyped-call]
        waited = 0.0
        while waited < LONGEST_IDLE and not self._stopping.is_set():
            if box.idle.poll(timeout=1):
                break
            waited += 1
        box.idle.stop()  # type: ignore[no-untyped-call]

    def read_new(self, box: BaseMailBox) -> None:
        """Takes in what was not read yet, oldest first. Raises Away."""
        for uid in box.uids(AND(seen=False)):
            self._at = uid
            if self._stopping.is_set():
                return
            if self._troubles[uid] < MOST_TROUBLES:
                self._read(box, uid)
        self._at = ""

    def _read(self, box: BaseMailBox, uid: str) -> None:
        raw = _peek(box, uid)
        if raw is not None:
            with self._app.app_context():
                receive(raw, via="imap")
            box.flag(uid, MailMessageFlags.SEEN, True)


def _peek(box: BaseMailBox, uid: str) -> bytes | None:
    """A mail as it is, one octet more than is read at most; None where somebody took it away."""
    status, answer = box.client.uid("fetch", uid, f"(BODY.PEEK[]<0.{LARGEST + 1}>)")
    if status != "OK":
        log.warning("inbox.mail-not-given", uid=re.sub(r"\D", "", uid))
        return None
    return next((bytes(part[1]) for part in answer if isinstance(part, tuple)), None)


def greet(imap: Imap) -> int:
    """How many mails wait unread; to see that the mailbox can be read. Raises Unreachable."""
    with opened(imap, timeout=10) as box:
        try:
            return len(box.uids(AND(seen=False)))
        except _TROUBLES as error:
            raise Unreachable(_words_of(error)) from None
