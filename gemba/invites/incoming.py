"""A mail from outside taken apart within bounds: headers and leaves, never more than a fixed amount of work.

Pure. The standard library's parser descends as deep as the mail says and looks at each line once per level:
a mail of 1 MiB can keep it busy for minutes. This one splits at the boundaries, a few levels deep, and
does not open mails within the mail.
"""

import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import getaddresses

from gemba.outbox.mime import clean_line

LARGEST = 1024 * 1024
"""Octets of a mail that is looked at."""
DEEPEST = 6
MOST_PARTS = 60
LONGEST_HEAD = 128 * 1024
LONGEST_FIELD = 2000
SHOWN = 200
"""Characters kept of what is only shown to people."""

_HEAD_ENDS = re.compile(rb"\r?\n\r?\n")
_CHARSET = re.compile(
    r"(utf|us-ascii|ascii|iso-?8859|latin|windows|cp|koi8|gb|big5|shift|euc|iso-2022)[\w-]*"
)


class TooMuch(ValueError):
    """The mail is nested deeper, or has more parts, than answers have."""


@dataclass(frozen=True)
class Leaf:
    """A part without parts of its own; `type` in lower case, `data` as transported."""

    head: "Message[str, str]"
    data: bytes

    @property
    def type(self) -> str:
        """Such as `text/calendar`."""
        return self.head.get_content_type()

    def parameter(self, name: str) -> str:
        """A parameter of Content-Type in lower case; empty where there is none."""
        return _parameter(self.head, name).strip().lower()

    @property
    def filename(self) -> str:
        """The name it would be stored under, in lower case."""
        return (self.head.get_filename() or "").strip().lower() if _is_short(self.head) else ""

    def content(self) -> bytes:
        """The data without its transfer encoding; what cannot be decoded is left as it is."""
        encoding = str(self.head.get("Content-Transfer-Encoding", "")).strip().lower()
        try:
            if encoding == "base64":
                return binascii.a2b_base64(self.data)
            if encoding == "quoted-printable":
                return quopri.decodestring(self.data)
        except (binascii.Error, ValueError):
            return self.data
        return self.data

    def text(self) -> str:
        """The content as text: UTF-8 where it is, else the charset it says, else Latin-1."""
        return decode(self.content(), self.parameter("charset"))


def decode(data: bytes, charset: str) -> str:
    """Text of bytes whatever they are, for clients often name the wrong charset."""
    said = charset if _CHARSET.fullmatch(charset) else "utf-8"
    tries = (said, "utf-16", "utf-8") if b"\0" in data else ("utf-8-sig", said)
    for name in tries:
        try:
            return data.decode(name)
        except (UnicodeError, LookupError):
            continue
    return data.decode("latin-1")


def header_of(raw: bytes) -> tuple["Message[str, str]", bytes]:
    """The header fields of a mail or part, and what follows them. Raises TooMuch."""
    found = _HEAD_ENDS.search(raw, 0, LONGEST_HEAD)
    if found is None and len(raw) > LONGEST_HEAD:
        raise TooMuch
    end, rest = found.span() if found else (len(raw), len(raw))
    return BytesHeaderParser().parsebytes(raw[:end] + b"\n\n"), raw[rest:]


def leaves(raw: bytes) -> Iterator[Leaf]:
    """The parts of a mail in order. Raises TooMuch."""
    waiting, seen = [(raw, 0)], 0
    while waiting:
        part, depth = waiting.pop()
        head, body = header_of(part)
        seen += 1
        if seen > MOST_PARTS or depth > DEEPEST:
            raise TooMuch
        boundary = _boundary(head)
        if boundary is None:
            yield Leaf(head, body)
        else:
            waiting += [(inner, depth + 1) for inner in reversed(_split(body, boundary))]


def _boundary(head: "Message[str, str]") -> bytes | None:
    if head.get_content_maintype() != "multipart" or not _is_short(head):
        return None
    boundary = (head.get_boundary() or "").encode("ascii", "surrogateescape")
    return boundary if 0 < len(boundary) <= SHOWN else None


def _split(body: bytes, boundary: bytes) -> list[bytes]:
    """The parts between the lines of a boundary; the last may lack its end."""
    line = re.compile(rb"^--" + re.escape(boundary) + rb"(--)?[ \t]*\r?$", re.MULTILINE)
    parts: list[bytes] = []
    start = None
    for found in line.finditer(body):
        if start is not None:
            parts.append(body[start : found.start()])
        start = found.end() + 1
        if found[1]:
            return parts
        if len(parts) > MOST_PARTS:
            raise TooMuch
    return parts if start is None else [*parts, body[start:]]


def _is_short(head: "Message[str, str]") -> bool:
    """Whether the fields that have parameters are of a length whose parsing takes no time to speak of."""
    fields = ("Content-Type", "Content-Disposition")
    return all(len(str(head.get(name, ""))) <= LONGEST_FIELD for name in fields)


def _parameter(head: "Message[str, str]", name: str) -> str:
    if not _is_short(head):
        return ""
    value = head.get_param(name, "")
    return str(value[2] if isinstance(value, tuple) else value)


def shown(value: object) -> str:
    """A header's words on one line, decoded and cut, safe to show."""
    text = str(value)[:LONGEST_FIELD]
    try:
        text = str(make_header(decode_header(text)))
    except (HeaderParseError, UnicodeError, LookupError, ValueError):
        text = text.encode("utf-8", "replace").decode()
    return clean_line(text)[:SHOWN]


def addresses(head: "Message[str, str]", *names: str) -> list[str]:
    """The bare addresses in these fields, in lower case."""
    values = [str(value)[: LONGEST_FIELD * 2] for name in names for value in head.get_all(name, [])[:20]]
    return [each.strip().lower() for _name, each in getaddresses(values) if "@" in each]
