"""The one way a tracker is spoken to: JSON over the guarded client, and what an answer means.

Nothing is tried again here. A write whose answer did not come raises Uncertain: only a search may say
whether it happened. No error holds an address or a token.
"""

import base64
import json
import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from gemba.fetch import Answer, BadAddress, Fetcher, FetchFailed, Lines, NotPublic
from gemba.fetch.errors import UnknownHost
from gemba.trackers.adapters.errors import (
    Conflict,
    Gone,
    NotAllowed,
    RateLimited,
    Rejected,
    SignInRefused,
    Unavailable,
    Uncertain,
)

SECONDS = 15.0
LIMIT = 8 * 1024 * 1024
FALLBACK_WAIT = 60
LONGEST_WAIT = 24 * 3600
NEVER_SENT = (UnknownHost, NotPublic, BadAddress)
SAID = 240


@lru_cache(maxsize=1)
def _context() -> ssl.SSLContext:
    """Loading the certificates of the system costs more than a request."""
    return ssl.create_default_context()


@dataclass(frozen=True)
class Wire:
    """A tracker's address with the headers that sign in. `repr` shows neither. With `lines`, connections are
    kept there for the next request."""

    base_url: str
    headers: Mapping[str, str] = field(repr=False)
    allowed: tuple[str, ...] = ()
    seconds: float | None = None
    lines: Lines | None = field(default=None, repr=False, compare=False)

    def read(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """The JSON at a path. Raises Unavailable where no good answer came, and what _refuse does."""
        return self.look(path, query)[0]

    def look(self, path: str, query: Mapping[str, Any] | None = None) -> tuple[Any, Mapping[str, str]]:
        """The same with the answer's headers, names in lower case."""
        try:
            answer = self._fetcher().get(
                self._url(path, query), {"Accept": "application/json", **self.headers}
            )
        except FetchFailed as failed:
            raise Unavailable(failed.sentence) from None
        if answer.status >= 500 and answer.status != 503:
            raise Unavailable(f"It answers {answer.status}.")
        _refuse(answer)
        try:
            return _json(answer), answer.headers
        except ValueError:
            raise Unavailable("Its answer cannot be read. Is this the right address?") from None

    def ask(self, path: str, document: Any, *, answers: Collection[int] = ()) -> Any:
        """Reads by POST, as searches do; it may be asked again, so it raises as `read` does."""
        try:
            return self.write("POST", path, document, answers=answers)
        except Uncertain as uncertain:
            raise Unavailable(uncertain.sentence) from None

    def write(
        self,
        method: str,
        path: str,
        document: Any = None,
        *,
        raw: bytes | None = None,
        media: str = "application/json",
        headers: Mapping[str, str] | None = None,
        answers: Collection[int] = (),
    ) -> Any:
        """Sends once; the JSON of the answer, None where it has none. A status among `answers` is no refusal.

        Raises Uncertain where nobody knows whether it was done, and what _refuse does.
        """
        body = raw if raw is not None else json.dumps(document, ensure_ascii=False).encode()
        told = {"Accept": "application/json", "Content-Type": media, **self.headers, **(headers or {})}
        try:
            answer = self._fetcher().send(method, self._url(path), body, told)
        except NEVER_SENT as failed:
            raise Unavailable(failed.sentence) from None
        except FetchFailed as failed:
            raise Uncertain(failed.sentence) from None
        if answer.status >= 500:
            raise Uncertain(f"It answers {answer.status}.", wait=_wait(answer.headers, 0))
        if answer.status not in answers:
            _refuse(answer)
        try:
            return _json(answer)
        except ValueError:
            raise Uncertain("Its answer cannot be read.") from None

    def _fetcher(self) -> Fetcher:
        return Fetcher(
            allowed=self.allowed,
            limit=LIMIT,
            seconds=self.seconds or SECONDS,
            context=_context(),
            lines=self.lines,
        )

    def _url(self, path: str, query: Mapping[str, Any] | None = None) -> str:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        return f"{self.base_url.rstrip('/')}{path}" + (f"?{urlencode(given, doseq=True)}" if given else "")


def _json(answer: Answer) -> Any:
    return json.loads(answer.body) if answer.body.strip() else None


def _wait(headers: Mapping[str, str], fallback: int) -> int:
    """Seconds of a Retry-After, which every tracker sends as a number; at most a day."""
    said = headers.get("retry-after", "").strip()
    return min(int(float(said)) + 1, LONGEST_WAIT) if said.replace(".", "", 1).isdigit() else fallback


def _refuse(answer: Answer) -> None:
    """Raises what a status that is no success means; a write was then certainly not done."""
    status, headers = answer.status, answer.headers
    if status == 401 or _is_sign_in_page(answer):
        raise SignInRefused
    if status < 300:
        return
    said = said_in(answer.body)
    if status < 400:
        raise Rejected("It answers with another address. Give the tracker's own address.")
    slow = "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
    if status in (429, 503) or (status == 403 and (slow or "rate limit" in said.casefold())):
        raise RateLimited(wait=_wait(headers, FALLBACK_WAIT))
    if status == 403:
        raise NotAllowed(said)
    if status in (404, 410):
        raise Gone(said)
    if status in (409, 412):
        raise Conflict(said)
    raise Rejected(said)


def _is_sign_in_page(answer: Answer) -> bool:
    """Azure DevOps answers a dead token with its page to sign in, or leads there, and says no 401."""
    page = answer.status == 203 and "html" in answer.headers.get("content-type", "")
    return page or (answer.status == 302 and "/_signin" in answer.headers.get("location", "").casefold())


def said_in(body: bytes) -> str:
    """What a tracker says about a refusal: the sentences of its JSON, on one line and bounded."""
    try:
        document = json.loads(body)
    except ValueError:
        return ""
    words = " ".join(dict.fromkeys(_sentences(document)))
    return words if len(words) <= SAID else words[: SAID - 1] + "…"


_SPEAKING = frozenset(
    ("errors", "errorMessages", "message", "error", "error_description", "errorsData", "body")
)


def _sentences(document: Any, depth: int = 0) -> list[str]:
    if depth > 4:
        return []
    if isinstance(document, str):
        return [" ".join(document.split())] if document.strip() else []
    if isinstance(document, list):
        return [words for each in document[:10] for words in _sentences(each, depth + 1)]
    if isinstance(document, dict):
        named = depth and not _SPEAKING & document.keys()
        return [
            f"{name}: {words}" if named and isinstance(value, str | list) else words
            for name, value in list(document.items())[:20]
            if (depth == 0 and name in _SPEAKING) or depth
            for words in _sentences(value, depth + 1)
        ]
    return []


def basic(user: str, password: str) -> str:
    """The value of an Authorization header (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def multipart(name: str, filename: str, content: bytes, boundary: str) -> tuple[bytes, str]:
    """A form with one file, and its media type; `filename` is one of ours, without quotes."""
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return (
        head.encode() + content + f"\r\n--{boundary}--\r\n".encode(),
        f"multipart/form-data; boundary={boundary}",
    )
