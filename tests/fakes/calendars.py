"""A web server on loopback that gives out calendars, well or badly.

    with calendar_server() as server:
        server.put("/mine.ics", ics(event("20261124T090000Z", "20261124T100000Z")))
        server.url("/mine.ics")

What is put is answered with its ETag, and 304 to who has it. The paths of MISCHIEF
misbehave as they are called.
"""

import gzip
import hashlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Asked:
    """A request that came: its path and its headers, names in lower case."""

    path: str
    headers: Mapping[str, str]


@dataclass
class Server:
    """The server's files, its answers by path (status, headers, body), and what it was asked."""

    port: int = 0
    scheme: str = "http"
    files: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, tuple[int, Mapping[str, str], bytes]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """The address of a path."""
        return f"{self.scheme}://{host}:{self.port}{path}"

    def put(self, path: str, body: str | bytes) -> None:
        """Gives out this file from now on."""
        self.files[path] = body.encode() if isinstance(body, str) else body


def event(start: str, end: str = "", *lines: str, uid: str = "") -> str:
    """A VEVENT; `start` and `end` are values, or ";TZID=…:value" where they need parameters."""
    told = [f"DTSTART{start if start[0] == ';' else ':' + start}"]
    if end:
        told.append(f"DTEND{end if end[0] == ';' else ':' + end}")
    name = uid or hashlib.sha256(f"{start}{end}{lines}".encode()).hexdigest()[:12]
    return "\r\n".join(
        ["BEGIN:VEVENT", f"UID:{name}", "DTSTAMP:20261101T000000Z", *told, *lines, "END:VEVENT"]
    )


def ics(*parts: str) -> str:
    """A calendar of these components and properties."""
    head = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Gemba tests//EN")
    return "\r\n".join([*head, *parts, "END:VCALENDAR", ""])


def _send(line: socket.socket, status: int, headers: Mapping[str, str], body: bytes) -> None:
    told = {"Content-Length": str(len(body)), "Connection": "close", **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    line.sendall(f"HTTP/1.1 {status} So\r\n{head}\r\n".encode() + body)


def _drip(line: socket.socket, server: Server) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
    while not server.closing.wait(0.2):
        line.sendall(b"B")


def _drip_headers(line: socket.socket, server: Server) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not server.closing.wait(0.2):
        line.sendall(b"B")


def _silence(_line: socket.socket, server: Server) -> None:
    server.closing.wait(60)


def _huge(line: socket.socket, server: Server) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    for _n in range(50):
        line.sendall(b"X" * MEGABYTE)


def _huge_and_says_so(line: socket.socket, server: Server) -> None:
    line.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {50 * MEGABYTE}\r\n\r\n".encode())


def _bomb(line: socket.socket, server: Server) -> None:
    _send(line, 200, {"Content-Encoding": "gzip"}, gzip.compress(bytes(20 * MEGABYTE), 1) * 10)


def _breaks_off(line: socket.socket, server: Server) -> None:
    _send(line, 200, {"Content-Length": "5000"}, ics(event("20261124T090000Z")).encode())


def _cut(line: socket.socket, server: Server) -> None:
    _send(line, 200, {"Content-Length": "60"}, ics(event("20261124T090000Z")).encode())


def _html(line: socket.socket, server: Server) -> None:
    page = b"<!doctype html><title>Sign in</title><p>BEGIN:VCALENDAR is not here"
    _send(line, 200, {"Content-Type": "text/html"}, page)


def _loop(line: socket.socket, server: Server) -> None:
    _send(line, 302, {"Location": "/endless"}, b"")


def _ring(line: socket.socket, server: Server) -> None:
    _send(line, 200, {"Content-Encoding": "br"}, b"not a calendar")


def _calendar(body: str) -> Callable[[socket.socket, Server], None]:
    return lambda line, server: _send(line, 200, {"Content-Type": "text/calendar"}, body.encode())


HOSTILE = {
    "/secondly": ics(event("20261124T090000Z", "20261124T090001Z", "RRULE:FREQ=SECONDLY")),
    "/minutely": ics(event("20261124T090000Z", "20261124T090030Z", "RRULE:FREQ=MINUTELY")),
    "/interval": ics(event("20261124T090000Z", "20261124T100000Z", "RRULE:FREQ=DAILY;INTERVAL=0")),
    "/rdates": ics(event("20261124T090000Z", "", "RDATE:" + ",".join(["20261124T090000Z"] * 100_000))),
    "/hourly": ics(
        *[
            event("20160101T000000Z", "20260101T000000Z", "RRULE:FREQ=HOURLY", uid=f"hourly-{number}")
            for number in range(100)
        ]
    ),
}
MISCHIEF: dict[str, Callable[[socket.socket, Server], None]] = {
    **{path: _calendar(body) for path, body in HOSTILE.items()},
    "/drip": _drip,
    "/drip-headers": _drip_headers,
    "/silence": _silence,
    "/huge": _huge,
    "/huge-and-says-so": _huge_and_says_so,
    "/bomb": _bomb,
    "/breaks-off": _breaks_off,
    "/cut": _cut,
    "/html": _html,
    "/endless": _loop,
    "/strange-packing": _ring,
}


@contextmanager
def calendar_server(context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server on a free port of 127.0.0.1, gone at the end; over TLS with a `context`."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = Server(listening.getsockname()[1], "https" if context else "http")
    thread = threading.Thread(target=_listen, args=(listening, server, context), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", server.port), 1).close()
        thread.join(10)
        listening.close()


def _listen(listening: socket.socket, server: Server, context: ssl.SSLContext | None) -> None:
    while not server.closing.is_set():
        line, _peer = listening.accept()
        threading.Thread(target=_serve, args=(line, server, context), daemon=True).start()


def _serve(line: socket.socket, server: Server, context: ssl.SSLContext | None) -> None:
    with suppress(OSError):
        line.settimeout(30)
        if context is not None:
            line = context.wrap_socket(line, server_side=True)
        with line:
            asked = _read(line)
            if asked is not None:
                server.asked.append(asked)
                _answer(line, server, asked)


def _read(line: socket.socket) -> Asked | None:
    raw = b""
    while b"\r\n\r\n" not in raw:
        chunk = line.recv(4096)
        if not chunk:
            return None
        raw += chunk
    first, *rest = raw.decode().split("\r\n\r\n")[0].split("\r\n")
    pairs = (each.partition(": ") for each in rest)
    return Asked(first.split()[1], {name.lower(): value for name, _colon, value in pairs})


def _answer(line: socket.socket, server: Server, asked: Asked) -> None:
    if asked.path in server.answers:
        _send(line, *server.answers[asked.path])
    elif asked.path in server.files:
        body = server.files[asked.path]
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        known = asked.headers.get("if-none-match") == tag
        _send(line, 304 if known else 200, {"ETag": tag}, b"" if known else body)
    elif asked.path in MISCHIEF:
        MISCHIEF[asked.path](line, server)
    else:
        _send(line, 404, {}, b"")
    time.sleep(0)
