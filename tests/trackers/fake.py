"""A tracker on loopback that speaks any of the ten languages, and lies when told.

    with fake_tracker(TrackerKind.GITHUB) as fake:
        fake.lies = ["create-500", "hang", ...]      # one per creation, then the truth
        fake.find_delay = 2                          # new tickets are not found by the next two searches
        fake.finds_everything = fake.drops_labels = True

Only what happened counts: `fake.tickets`, `fake.asked`.
"""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from gemba.trackers.rules.kinds import TrackerKind
from tests.trackers import files, languages

HANG = 1.0
PROXY = "<html>Bad gateway</html>"
REFUSALS: dict[str, tuple[int, tuple[str, ...], Any]] = {
    "500": (500, (), {"message": "no"}),
    "429": (429, ("Retry-After",), {"message": "slowly"}),
    "403-slow": (403, ("Retry-After",), {"message": "rate limit"}),
    "422": (422, (), {"errors": ["Severity cannot be blank"]}),
}
"""Lies in place of making a ticket: status, headers that hold the wait, body."""
DEAD_TOKEN: dict[TrackerKind, tuple[int, Mapping[str, str], Any]] = {
    TrackerKind.LINEAR: (
        400,
        {},
        {"errors": [{"message": "Not authenticated", "extensions": {"code": "AUTHENTICATION_ERROR"}}]},
    ),
    TrackerKind.AZURE: (203, {"Content-Type": "text/html"}, "<html>Sign in to your account</html>"),
}
"""How a dead token is answered where that is no 401."""
SLOWLY: dict[TrackerKind, tuple[int, Any]] = {
    TrackerKind.LINEAR: (400, {"errors": [{"message": "Slow down", "extensions": {"code": "RATELIMITED"}}]})
}
"""How a limit is answered where that is no 429."""
LOST: dict[str, tuple[int, Mapping[str, str], Any]] = {
    "create-500": (500, {}, {"message": "no"}),
    "create-502": (502, {}, PROXY),
    "garbage": (201, {}, PROXY),
}
"""Lies about a ticket that was made."""


@dataclass
class Made:
    """A ticket as it really is."""

    id: int
    title: str = ""
    body: Any = ""
    labels: list[str] = field(default_factory=list)
    state: str = "todo"
    native: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    hidden_for: int = 0
    at: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    at: float
    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]


@dataclass
class Fake:
    """The tracker's tickets and its lies."""

    kind: TrackerKind
    port: int = 0
    tickets: list[Made] = field(default_factory=list)
    lies: list[str] = field(default_factory=list)
    file_lies: list[str] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    find_delay: int = 0
    finds_everything: bool = False
    drops_labels: bool = False
    token_is_dead: bool = False
    is_down: bool = False
    retry_after: int = 7
    latency: float = 0.0
    required: bool = False
    gone: set[int] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def create(self, **values: Any) -> Made:
        """Makes a ticket."""
        with self.lock:
            if self.drops_labels:
                values["labels"] = []
            made = Made(len(self.tickets) + 1, hidden_for=self.find_delay, **values)
            self.tickets.append(made)
            return made

    def search(self, word: str) -> list[Made]:
        """What a search finds now; each search makes the hidden ones a little more visible."""
        with self.lock:
            seen = []
            for made in self.tickets:
                if made.hidden_for > 0:
                    made.hidden_for -= 1
                elif made.id not in self.gone and (self.finds_everything or self._says(made, word)):
                    seen.append(made)
            return seen

    def _says(self, made: Made, word: str) -> bool:
        body = made.body if isinstance(made.body, str) else json.dumps(made.body)
        if word in body or word in made.labels or word == made.native:
            return True
        return word.casefold() in made.title.casefold()

    def one(self, number: object) -> Made | None:
        """A ticket by its number, where it is not deleted."""
        wanted = int(str(number))
        return next((made for made in self.tickets if made.id == wanted and wanted not in self.gone), None)


def _answer(fake: Fake, asked: Asked) -> tuple[int, Mapping[str, str], Any]:
    """The truth."""
    speak = languages.LANGUAGES[fake.kind]
    if fake.is_down:
        return 502, {}, PROXY
    if fake.token_is_dead:
        return DEAD_TOKEN.get(fake.kind, (401, {}, {"message": "Bad credentials"}))
    status, document = files.files(fake, asked) or speak(fake, asked)
    return status, {}, document


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def log_message(self, *_args: Any) -> None:
        """Says nothing."""

    def _serve(self) -> None:
        fake: Fake = self.server.fake  # type: ignore[attr-defined]
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = urlsplit(self.path)
        with suppress(ValueError):
            raw = json.loads(raw)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(time.time(), self.command, unquote(parts.path), query, raw, headers)
        with fake.lock:
            fake.asked.append(asked)
        if fake.latency:
            time.sleep(fake.latency)
        lie = ""
        if languages.is_creation(fake.kind, asked):
            with fake.lock:
                lie = fake.lies.pop(0) if fake.lies else ""
        elif files.is_file(asked):
            with fake.lock:
                lie = fake.file_lies.pop(0) if fake.file_lies else ""
        self._lie(fake, asked, lie)

    def _lie(self, fake: Fake, asked: Asked, lie: str) -> None:
        if lie in REFUSALS:
            status, headers, document = REFUSALS[lie]
            if lie == "429" and fake.kind in SLOWLY:
                (status, document), headers = SLOWLY[fake.kind], ()
            wait = {name: str(fake.retry_after) for name in headers}
            return self._send(status, wait, document)
        if lie == "reset-before":
            return self._cut()
        truth = _answer(fake, asked)
        if lie == "hang":
            time.sleep(HANG)
        if lie in ("hang", "reset"):
            return self._cut()
        return self._send(*LOST.get(lie, truth))

    def _cut(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.close()

    def _send(self, status: int, headers: Mapping[str, str], document: Any) -> None:
        body = b"" if document is None else json.dumps(document).encode()
        if isinstance(document, str):
            body = document.encode()
        with suppress(OSError):
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_args: Any) -> None:
        """A client that went away is what we want."""


@contextmanager
def fake_tracker(kind: TrackerKind, **more: Any) -> Iterator[Fake]:
    """A tracker of this kind on a free port, gone at the end."""
    server = _Server(("127.0.0.1", 0), _Handler)
    fake = Fake(kind, server.server_address[1], **more)
    server.fake = fake  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
