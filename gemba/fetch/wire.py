"""One connection: the name looked up once, the address dialled, every wait bounded by one deadline."""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from io import BufferedReader
from ipaddress import ip_address
from typing import Any, cast

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import HTTPResponse

from gemba.fetch.addresses import Target
from gemba.fetch.errors import NoAnswer, TooSlow, UnknownHost

STEP_SECONDS = 5.0
"""How long connecting, or any silence of the other side, may last."""
KEPT_SECONDS = 2.0
"""How long an idle connection is used again: servers hang up after five seconds and more."""


class Deadline:
    """When everything has to be over."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def step(self) -> float:
        """Seconds that the next step may take. Raises TooSlow."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TooSlow
        return min(left, STEP_SECONDS)


def resolve(target: Target, deadline: Deadline) -> list[str]:
    """Every address of the name. In a thread, for the system's resolver knows no deadline; what is an address
    already is not asked for."""
    with suppress(ValueError):
        return [str(ip_address(target.host))]
    found: queue.Queue[list[str] | Exception] = queue.Queue(1)

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
            found.put([str(row[4][0]) for row in rows])
        except (OSError, UnicodeError) as error:
            found.put(error)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        answer = found.get(timeout=deadline.step())
    except queue.Empty:
        raise TooSlow from None
    if isinstance(answer, Exception) or not answer:
        raise UnknownHost
    return list(dict.fromkeys(answer))


def line_to(target: Target, addresses: Sequence[str], context: ssl.SSLContext | None) -> "Line":
    """A connection to one of the addresses that speaks to the name; it is dialled by the first request."""
    if target.scheme == "https":
        line: Line = _Secure(target.host, target.port, ssl_context=context or ssl.create_default_context())
    else:
        line = Line(target.host, target.port)
    line.addresses = addresses
    return line


class Lines:
    """Connections kept between requests to one server, for a while of work and by any number of threads.

    Each was dialled to an address that was found public then; nothing is looked up anew for it.
    """

    def __init__(self) -> None:
        self._idle: dict[tuple[str, str, int], list[tuple[Line, float]]] = {}
        self._lock = threading.Lock()

    def take(self, target: Target) -> "Line | None":
        """One that is still open, as far as can be seen, None where there is none."""
        while True:
            with self._lock:
                idle = self._idle.get(target.origin)
                if not idle:
                    return None
                line, since = idle.pop()
            if time.monotonic() - since < KEPT_SECONDS and line.is_connected:
                return line
            line.close()

    def give(self, target: Target, line: "Line") -> None:
        """Keeps one whose answer was read to its end."""
        with self._lock:
            self._idle.setdefault(target.origin, []).append((line, time.monotonic()))

    def close(self) -> None:
        """Hangs up."""
        with self._lock:
            for line, _since in (each for idle in self._idle.values() for each in idle):
                line.close()
            self._idle.clear()


class Line(HTTPConnection):
    """A connection that dials what it is told instead of asking for the name again."""

    addresses: Sequence[str]
    deadline: Deadline
    answer: HTTPResponse | None = None

    @property
    def is_free(self) -> bool:
        """Whether its answer was read to its end and the other side holds the line, so that it may be used
        for another request."""
        return self.sock is not None and self.answer is not None and self.answer.closed

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # urllib3's own
        """The head of the answer."""
        self.answer = super().getresponse()
        return self.answer

    def _new_conn(self) -> socket.socket:
        for address in self.addresses:
            try:
                sock = socket.create_connection((address, self.port), timeout=self.deadline.step())
            except OSError:
                continue
            # Head and body leave as two packets; the second must not wait until the first was acknowledged.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        raise NoAnswer

    def connect(self) -> None:
        """Dials; from here on each wait is cut to what is left of the deadline."""
        super().connect()
        self.sock = cast(Any, _Timed(self.sock, self))


class _Secure(Line, HTTPSConnection):
    """The same over TLS. The certificate and SNI go by the name."""


class _Timed:
    """A socket each of whose waits ends by the deadline: a time limit on the socket alone would begin anew
    with every byte that drips in."""

    def __init__(self, sock: Any, line: Line) -> None:
        self._sock, self._line = sock, line

    def recv_into(self, *where: Any) -> int:
        """As a socket does. Raises TooSlow."""
        self._sock.settimeout(self._line.deadline.step())
        return int(self._sock.recv_into(*where))

    def sendall(self, data: Any) -> None:
        """As a socket does. Raises TooSlow."""
        self._sock.settimeout(self._line.deadline.step())
        self._sock.sendall(data)

    def makefile(self, *_mode: Any, **_options: Any) -> BufferedReader:
        """A file that reads through `recv_into` above."""
        # A socket stays open until the last file on it is closed.
        self._sock._io_refs += 1
        return BufferedReader(socket.SocketIO(cast(Any, self), "rb"))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)
