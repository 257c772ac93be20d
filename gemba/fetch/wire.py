"""One connection: the name looked up once, the address dialled, every wait bounded by one deadline."""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BufferedReader
from ipaddress import ip_address
from typing import Any, cast

from urllib3.connection import HTTPConnection, HTTPSConnection

from gemba.fetch.addresses import Target
from gemba.fetch.errors import NoAnswer, TooSlow, UnknownHost

STEP_SECONDS = 5.0
"""How long connecting, or any silence of the other side, may last."""


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


@contextmanager
def connected(
    target: Target, addresses: Sequence[str], deadline: Deadline, context: ssl.SSLContext | None
) -> Iterator[HTTPConnection]:
    """A connection to one of the addresses that speaks to the name; closed at the end."""
    if target.scheme == "https":
        line: _Line = _Secure(target.host, target.port, ssl_context=context or ssl.create_default_context())
    else:
        line = _Line(target.host, target.port)
    line.addresses, line.deadline = addresses, deadline
    try:
        yield line
    finally:
        line.close()


class _Line(HTTPConnection):
    """A connection that dials what it is told instead of asking for the name again."""

    addresses: Sequence[str]
    deadline: Deadline

    def _new_conn(self) -> socket.socket:
        for address in self.addresses:
            try:
                return socket.create_connection((address, self.port), timeout=self.deadline.step())
            except OSError:
                continue
        raise NoAnswer

    def connect(self) -> None:
        """Dials; from here on each wait is cut to what is left of the deadline."""
        super().connect()
        self.sock = cast(Any, _Timed(self.sock, self.deadline))


class _Secure(_Line, HTTPSConnection):
    """The same over TLS. The certificate and SNI go by the name."""


class _Timed:
    """A socket each of whose waits ends by the deadline: a time limit on the socket alone would begin anew
    with every byte that drips in."""

    def __init__(self, sock: Any, deadline: Deadline) -> None:
        self._sock, self._deadline = sock, deadline

    def recv_into(self, *where: Any) -> int:
        """As a socket does. Raises TooSlow."""
        self._sock.settimeout(self._deadline.step())
        return int(self._sock.recv_into(*where))

    def sendall(self, data: Any) -> None:
        """As a socket does. Raises TooSlow."""
        self._sock.settimeout(self._deadline.step())
        self._sock.sendall(data)

    def makefile(self, *_mode: Any, **_options: Any) -> BufferedReader:
        """A file that reads through `recv_into` above."""
        # A socket stays open until the last file on it is closed.
        self._sock._io_refs += 1
        return BufferedReader(socket.SocketIO(cast(Any, self), "rb"))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)
