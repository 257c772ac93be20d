"""A mail as bytes: addresses, texts and MIME (RFC 5322, 2045-2047), deterministic and safe.

Pure: the same values always give the same bytes, so a mail sent twice is the same mail.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.charset import BASE64, QP, Charset
from email.header import Header
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.policy import compat32
from email.utils import format_datetime, formataddr
from typing import Any

SUBJECT_LENGTH = 900  # octets are bounded by folding; this bounds what a reader must show
NAME_LENGTH = 120
LONGEST_WORD = 60
_LONGEST_LINE = 900

_NEWLINES = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# C0, DEL, C1, lone surrogates, byte order marks, and what turns the direction of later text (spoofing).
_UNSAFE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")
_MAILBOX = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_DISPLAY = str.maketrans(dict.fromkeys('@:,"<>\\;'))  # taken for phishing, or ending the name early


def clean_text(value: str) -> str:
    """Text of several lines without controls, lone surrogates and direction overrides; newlines are `\\n`."""
    return _UNSAFE.sub("", _NEWLINES.sub("\n", value).replace("\t", " ")).strip()


def clean_line(value: str) -> str:
    """The same in one line: runs of white space become one space."""
    return " ".join(clean_text(value).split())


def mailbox(value: str) -> str:
    """A bare address with its domain in ASCII. ValueError where it is none."""
    local, _, domain = value.strip().rpartition("@")
    try:
        address = f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        address = ""
    if not _MAILBOX.fullmatch(address):
        raise ValueError(f"Not a mail address: {value!r}")
    return address


def utc(value: datetime) -> datetime:
    """An instant in whole UTC seconds. ValueError without a zone."""
    if value.tzinfo is None:
        raise ValueError("An instant needs its zone.")
    return value.astimezone(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Address:
    """A mailbox and the name of its owner; the domain is kept in ASCII. ValueError where it is no address."""

    email: str
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "email", mailbox(self.email))
        object.__setattr__(self, "name", clean_line(self.name)[:NAME_LENGTH].strip())


def message_id(dedup_key: str, domain: str) -> str:
    """The Message-ID of an outbox row: the same for every attempt, and no other row has it."""
    digest = hashlib.sha256(dedup_key.encode("utf-8", "surrogatepass")).hexdigest()[:40]
    return f"<{mailbox(f'{digest}@{domain}')}>"


def _is_plain(line: str) -> bool:
    """Whether a header can hold it as it is: ASCII that folds between words and is no encoded word."""
    return line.isascii() and "=?" not in line and max(map(len, line.split()), default=0) <= LONGEST_WORD


def _mail_address(field_name: str, address: Address) -> Header | str:
    name = clean_line(address.name.translate(_DISPLAY))
    if _is_plain(name):
        return formataddr((name, address.email))
    header = Header(name, "utf-8", header_name=field_name)
    header.append(f"<{address.email}>", "us-ascii")
    return header


def _subject(subject: str) -> Header:
    line = clean_line(subject)[:SUBJECT_LENGTH].strip()
    return Header(line, "us-ascii" if _is_plain(line) else "utf-8", header_name="Subject")


def _text_part(subtype: str, content: str, method: str | None = None) -> "Message[Any, Any]":
    charset = Charset("utf-8")
    # Spam filters frown on base64 over plain ASCII; quoted-printable would triple Cyrillic.
    charset.body_encoding = QP if content.isascii() and not method else BASE64
    part = MIMENonMultipart("text", subtype, charset="utf-8")
    if method:
        part.set_param("method", str(method))
    part.set_payload(content, charset)
    return part


def _body(
    text: str, html: str | None, calendar: bytes | None, method: str | None, boundary: str
) -> "Message[Any, Any]":
    parts = [_text_part("plain", clean_text(text) + "\n")]
    if html is not None:
        parts.append(_text_part("html", clean_text(html) + "\n"))
    if calendar is not None and method is not None:
        parts.append(_text_part("calendar", calendar.decode(), method))
    return parts[0] if len(parts) == 1 else MIMEMultipart("alternative", boundary, parts)


def compose(
    *,
    sender: Address,
    to: Address,
    subject: str,
    text: str,
    html: str | None = None,
    message_id: str,
    date: datetime,
    calendar: bytes | None = None,
    method: str | None = None,
    unsubscribe: str = "",
) -> bytes:
    """One mail to one person, ready for SMTP: CRLF, ASCII, the same bytes for the same values.

    `calendar` and its `method` come together (ValueError otherwise) and `sender` is then its ORGANIZER.
    The calendar part is the last alternative and no attachment, which is what shows accept and decline.
    `unsubscribe` is the address that ends mails like this one with one POST (RFC 8058).
    """
    if (calendar is None) != (method is None) or (
        calendar and f"\r\nMETHOD:{method}\r\n".encode() not in calendar
    ):
        raise ValueError("A calendar part needs the method it was made with.")
    if not re.fullmatch(r"<[\x21-\x7e]+@[\x21-\x7e]+>", message_id):
        raise ValueError(f"Not a Message-ID: {message_id!r}")
    # `=_` occurs neither in quoted-printable nor in base64, so no content can end a part.
    boundary = "=_" + hashlib.sha256(message_id.encode()).hexdigest()[:32]
    message = _body(text, html, calendar, method, boundary)
    message["From"] = _mail_address("From", sender)
    message["To"] = _mail_address("To", to)
    message["Subject"] = _subject(subject)
    message["Date"] = format_datetime(utc(date))
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"
    if unsubscribe:
        if not re.fullmatch(r"https?://[\x21-\x3b\x3d\x3f-\x7e]+", unsubscribe):
            raise ValueError(f"Not an address to unsubscribe at: {unsubscribe!r}")
        # Folded addresses are misread: as ASCII in a header of its own line it stays whole.
        message["List-Unsubscribe"] = Header(f"<{unsubscribe}>", "us-ascii", maxlinelen=_LONGEST_LINE)
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return message.as_bytes(policy=compat32.clone(linesep="\r\n"))
