"""A proxy before a real tracker: it loses answers of creations, says 502 before and after, drops, hangs."""

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FAULTS = ("", "lose", "502-after", "", "502-before", "drop", "hang", "lose", "")
HANG = 4.0


@dataclass
class Proxy:
    """Where it listens, what it did."""

    port: int = 0
    upstream: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    turns: Iterator[str] = field(default_factory=lambda: itertools.cycle(FAULTS))
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_args: Any) -> None:
        """Says nothing."""

    def _serve(self) -> None:
        proxy: Proxy = self.server.proxy  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        fault = ""
        if self.command == "POST" and self.path == "/issues.json":
            with proxy.lock:
                fault = next(proxy.turns)
                proxy.faults[fault] = proxy.faults.get(fault, 0) + 1
        self.close_connection = True
        if fault == "502-before":
            return self._send(502, b"<html>Bad gateway</html>", "text/html")
        if fault == "drop":
            return self._cut()
        upstream = HTTPConnection("127.0.0.1", proxy.upstream, timeout=30)
        passed = {
            name: value
            for name, value in self.headers.items()
            if name.lower() not in ("host", "accept-encoding")
        }
        upstream.request(self.command, self.path, body, passed)
        answer = upstream.getresponse()
        content = answer.read()
        upstream.close()
        if fault == "hang":
            time.sleep(HANG)
        if fault in ("lose", "hang"):
            return self._cut()
        if fault == "502-after":
            return self._send(502, b"<html>Bad gateway</html>", "text/html")
        return self._send(answer.status, content, answer.getheader("content-type") or "application/json")

    def _cut(self) -> None:
        with suppress(OSError):
            self.connection.close()

    def _send(self, status: int, content: bytes, media: str) -> None:
        with suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", media)
            if status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = _serve  # noqa: N815


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_args: Any) -> None:
        """A client that went away is what we want."""


@contextmanager
def faulty_proxy(upstream: int) -> Iterator[Proxy]:
    """A proxy before a server on this machine."""
    server = _Server(("127.0.0.1", 0), _Handler)
    proxy = Proxy(server.server_address[1], upstream)
    server.proxy = proxy  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
