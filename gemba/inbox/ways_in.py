"""The ways in that the worker keeps open: the mailbox and the LMTP listener, where they are set."""

import structlog
from flask import Flask

from gemba.config import Settings
from gemba.inbox.lmtp import Listener
from gemba.inbox.mailbox import Reader

log = structlog.get_logger()


class WaysIn:
    """Opens what the settings name with start(), closes it with stop()."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._reader = Reader(app, settings.imap) if settings.imap else None
        self._listener = None
        if settings.lmtp_listen:
            host, port = settings.lmtp_listen
            self._listener = Listener(app, settings, host=host, port=port)

    def start(self) -> None:
        """Opens both. A port that is taken is logged: mail must leave all the same."""
        if self._reader:
            self._reader.start()
        if self._listener:
            try:
                self._listener.start()
            except (OSError, TimeoutError) as error:
                log.error("inbox.lmtp-not-open", reason=str(error))
                self._listener = None

    def stop(self) -> None:
        """Closes both; a mail that is being taken in is finished or offered again."""
        if self._reader:
            self._reader.stop()
            self._reader.join(5)
        if self._listener:
            self._listener.stop()
