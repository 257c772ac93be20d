"""A mail server on loopback that misbehaves as told, and remembers every message it took.

    with smtp_server() as server:
        server.script = ["450 busy", "drop", "ok"]      # one per message, then "ok"
        ...
        server.received[0].message_id

A line of the script: `ok`; `drop` (takes the message, then breaks off before saying so);
`4xx …`/`5xx …` (said after DATA); `rcpt 550 …` (said to the recipient); `slow 3` (seconds before the answer).
"""

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from gemba.config import Smtp


@dataclass(frozen=True)
class Received:
    """A message the server took, whether or not it could say so."""

    sender: str
    to: str
    raw: bytes
    peer: Any
    at: float

    @property
    def message_id(self) -> str:
        """Its Message-ID."""
        return str(message_from_bytes(self.raw, policy=default)["Message-ID"])

    @property
    def subject(self) -> str:
        """Its Subject."""
        return str(message_from_bytes(self.raw, policy=default)["Subject"])


@dataclass
class Server:
    """The server's memory and manners. `delay`: seconds before each answer to a message."""

    delay: float = 0.0
    script: list[str] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    port: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _line: dict[int, str] = field(default_factory=dict)

    @property
    def settings(self) -> Smtp:
        """How the product finds this server."""
        return Smtp("127.0.0.1", self.port, "none")

    @property
    def url(self) -> str:
        """The same as a setting."""
        return f"smtp://127.0.0.1:{self.port}"

    def by_message(self) -> dict[str, list[Received]]:
        """Everything received, by Message-ID."""
        found: dict[str, list[Received]] = defaultdict(list)
        for one in self.received:
            found[one.message_id].append(one)
        return found

    def wait_for(self, count: int, seconds: float = 10.0) -> None:
        """Returns once `count` messages have come; AssertionError after `seconds`."""
        end = time.monotonic() + seconds
        while len(self.received) < count:
            assert time.monotonic() < end, f"{len(self.received)} of {count} messages came"
            time.sleep(0.02)

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """What is said to a recipient."""
        with self._lock:
            line = self.script.pop(0) if self.script else "ok"
        if line.startswith("rcpt "):
            return line.removeprefix("rcpt ")
        self._line[id(session)] = line
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Takes a message, or not, as the script says."""
        line = self._line.pop(id(session), "ok")
        if line[:1].isdigit():
            return line
        content = envelope.original_content or b""
        self.received.append(
            Received(str(envelope.mail_from), envelope.rcpt_tos[0], content, session.peer, time.monotonic())
        )
        wait = float(line.removeprefix("slow ")) if line.startswith("slow ") else self.delay
        await asyncio.sleep(wait)
        if line == "drop":
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return "250 OK"


@contextmanager
def smtp_server(delay: float = 0.0) -> Iterator[Server]:
    """A server on a free port of 127.0.0.1, gone at the end."""
    server, loop = Server(delay=delay), asyncio.new_event_loop()
    ready = threading.Event()
    thread = threading.Thread(target=_serve, args=(server, loop, ready), daemon=True)
    thread.start()
    assert ready.wait(10), "the mail server does not start"
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


def _serve(server: Server, loop: asyncio.AbstractEventLoop, ready: threading.Event) -> None:
    asyncio.set_event_loop(loop)
    listening = loop.run_until_complete(
        loop.create_server(lambda: SMTP(server, loop=loop, hostname="mail.test"), "127.0.0.1", 0)
    )
    server.port = listening.sockets[0].getsockname()[1]
    ready.set()
    loop.run_forever()
    listening.close()
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
