"""The client: get() with its redirects, send() without, and bodies that do not grow past their limit."""

import ssl
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from urllib.parse import urljoin

from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from gemba.fetch.addresses import Target, check, parse
from gemba.fetch.errors import (
    BrokenAnswer,
    FetchFailed,
    NoAnswer,
    NotTrusted,
    TooLarge,
    TooManyRedirects,
    TooSlow,
)
from gemba.fetch.wire import Deadline, Line, Lines, line_to, resolve

TOTAL_SECONDS = 10.0
MOST_REDIRECTS = 3
REDIRECTS = frozenset({301, 302, 303, 307, 308})
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
MOST_SENT = 20 * 1024 * 1024
GOES_ELSEWHERE = frozenset({"accept", "user-agent"})
"""Headers of the caller that another host may see after a redirect."""
_CHUNK = 64 * 1024


@dataclass(frozen=True)
class Answer:
    """What came back; names of headers are lower-case, the body is unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Fetcher:
    """Reads addresses that people typed.

    `allowed` are networks that may be reached though they are not public, such as "127.0.0.0/8" in a test;
    `limit` is the most bytes of a body, `seconds` the longest a request takes with all its redirects. With
    `lines` connections are kept there between requests.
    """

    def __init__(
        self,
        *,
        allowed: Sequence[str] = (),
        limit: int = 2 * 1024 * 1024,
        seconds: float = TOTAL_SECONDS,
        context: ssl.SSLContext | None = None,
        lines: Lines | None = None,
    ) -> None:
        self._allowed, self._limit, self._seconds = tuple(allowed), limit, seconds
        self._context, self._lines = context, lines

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer at an address, whatever its status, after at most three redirects.

        `headers` go to the address itself; after a redirect to another host only harmless ones do.
        Raises FetchFailed.
        """
        deadline, target, sent = Deadline(self._seconds), parse(url), dict(headers or {})
        for _hop in range(MOST_REDIRECTS + 1):
            answer = self._once("GET", target, sent, deadline)
            if answer.status not in REDIRECTS:
                return answer
            target, before = parse(urljoin(target.url, answer.headers.get("location", ""))), target
            if (before.scheme, target.scheme) == ("https", "http"):
                raise NotTrusted
            if target.origin != before.origin:
                sent = {name: value for name, value in sent.items() if name.casefold() in GOES_ELSEWHERE}
        raise TooManyRedirects

    def send(
        self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """The answer to one request that may write, sent once at most: no redirect is followed, nothing is
        tried again. Whoever gets FetchFailed does not know whether it arrived.
        """
        if method not in METHODS:
            raise ValueError(f"{method} is not sent from here")
        if body is not None and len(body) > MOST_SENT:
            raise TooLarge
        return self._once(method, parse(url), dict(headers or {}), Deadline(self._seconds), body)

    def _once(
        self,
        method: str,
        target: Target,
        headers: Mapping[str, str],
        deadline: Deadline,
        sent: bytes | None = None,
    ) -> Answer:
        with _troubles(), self._line(target, deadline) as line:
            line.request(
                method,
                target.path,
                body=sent,
                headers={"User-Agent": "Gemba", **headers, "Accept-Encoding": "gzip"},
                preload_content=False,
                decode_content=False,
            )
            response = line.getresponse()
            told = {name.lower(): value for name, value in response.headers.items()}
            body = b"" if response.status in REDIRECTS else self._body(response, told)
            return Answer(response.status, told, body)

    @contextmanager
    def _line(self, target: Target, deadline: Deadline) -> Iterator[Line]:
        """A connection, kept for the next request where that may be, else closed. Raises FetchFailed."""
        line = self._lines.take(target) if self._lines is not None else None
        if line is None:
            addresses = resolve(target, deadline)
            check(addresses, self._allowed)
            line = line_to(target, addresses, self._context)
        line.deadline, kept = deadline, False
        try:
            yield line
            if self._lines is not None and line.is_free:
                self._lines.give(target, line)
                kept = True
        finally:
            if not kept:
                line.close()

    def _body(self, response: BaseHTTPResponse, headers: Mapping[str, str]) -> bytes:
        if int(headers.get("content-length") or 0) > self._limit:
            raise TooLarge
        unpacker = _unpacker(headers.get("content-encoding", ""), self._limit)
        taken, body = 0, bytearray()
        while chunk := response.read1(_CHUNK, decode_content=False):
            taken += len(chunk)
            body += unpacker.feed(chunk)
            if taken > self._limit or len(body) > self._limit:
                raise TooLarge
        unpacker.finish()
        return bytes(body)


class _Plain:
    """A body as it is."""

    def feed(self, chunk: bytes) -> bytes:
        return chunk

    def finish(self) -> None:
        """Nothing can be missing."""


class _Gzip(_Plain):
    """A packed body, never unpacked further than one byte over the limit."""

    def __init__(self, limit: int) -> None:
        self._left, self._member = limit + 1, zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._begun = False

    def feed(self, chunk: bytes) -> bytes:
        out = bytearray()
        while chunk and self._left > 0:
            if self._member.eof:
                self._member = zlib.decompressobj(16 + zlib.MAX_WBITS)
            part = self._member.decompress(chunk, self._left)
            self._left -= len(part)
            self._begun = True
            out += part
            chunk = self._member.unconsumed_tail or self._member.unused_data
        return bytes(out)

    def finish(self) -> None:
        if self._begun and not self._member.eof:
            raise BrokenAnswer


def _unpacker(encoding: str, limit: int) -> _Plain:
    match encoding.strip().casefold():
        case "" | "identity":
            return _Plain()
        case "gzip" | "x-gzip":
            return _Gzip(limit)
    raise BrokenAnswer


@contextmanager
def _troubles() -> Iterator[None]:
    """Turns what libraries raise into a sentence of ours, without the cause: it would name the address."""
    try:
        yield
    except (ssl.SSLError, HTTPError) as error:
        raise _named(error) from None
    except TimeoutError:
        raise TooSlow from None
    except (HTTPException, zlib.error, ValueError):
        raise BrokenAnswer from None
    except OSError:
        raise NoAnswer from None


def _named(error: Exception) -> FetchFailed:
    inner = error.args[-1] if error.args else None
    if any(isinstance(each, ssl.SSLCertVerificationError) for each in (error, inner)):
        return NotTrusted()
    if isinstance(inner, TimeoutError) or "timed out" in str(error):
        return TooSlow()
    return BrokenAnswer()
