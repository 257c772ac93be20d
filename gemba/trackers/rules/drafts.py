"""The values that go to a tracker and come from it, and the marker by which a ticket is known again."""

import hashlib
import hmac
import re
import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gemba.trackers.rules.kinds import Category, Right

MARKER = re.compile(r"gemba-[0-9a-f]{8}-[0-9]{1,10}")


@dataclass(frozen=True)
class Draft:
    """A ticket to be made, or what is to be changed in one: None and missing fields stay as they are.

    `body` is written in the tracker's own format (ADF as a dict); `fields` are values by their field's id.
    """

    marker: str = ""
    title: str | None = None
    body: str | dict[str, Any] | None = None
    labels: tuple[str, ...] | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing."""
        return self.title is None and self.body is None and self.labels is None and not self.fields


@dataclass(frozen=True)
class Ticket:
    """A ticket as the tracker tells it. `ref` never changes, `key` is what people call it.

    `body` is its text without format; `status` is the tracker's own word.
    """

    ref: str
    key: str
    url: str = ""
    title: str = ""
    body: str = ""
    labels: tuple[str, ...] = ()
    status: str = ""
    category: Category = Category.TODO
    assignee: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    warning: str = ""


@dataclass(frozen=True)
class Field:
    """A field of the tracker. `sort` is text, number, option, options or labels; `options` are (value, name).

    `type` is the tracker's own word, where creating needs it.
    """

    id: str
    name: str
    sort: str = "text"
    required: bool = False
    options: tuple[tuple[str, str], ...] = ()
    type: str = ""


@dataclass(frozen=True)
class Checked:
    """What a look at the tracker found: the account, its rights (missing: not told), when the token ends."""

    account: str
    project: str
    rights: Mapping[Right, bool] = field(default_factory=dict)
    expires: date | None = None
    types: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def house_mark(secret: str) -> str:
    """Eight hex digits that tell this installation's tickets from another's, a restored copy's included
    once it has a secret of its own."""
    return hmac.new(secret.encode(), b"gemba tracker marker", hashlib.sha256).hexdigest()[:8]


def marker_of(house: str, insight_id: int) -> str:
    """What stands in the ticket of an insight, such as gemba-1a2b3c4d-12."""
    return f"gemba-{house}-{insight_id}"


def native_id(marker: str) -> str:
    """A UUID in the form of version 4 that is the same for the same marker, for trackers that take one."""
    raw = bytearray(hashlib.sha256(f"ticket {marker}".encode()).digest()[:16])
    raw[6], raw[8] = raw[6] & 0x0F | 0x40, raw[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(raw)))


def carries(ticket: Ticket, marker: str) -> bool:
    """Whether this really is the marker's ticket, whatever a search said: it stands in a label, or whole in
    the text (gemba-…-1 is not gemba-…-12)."""
    return marker in ticket.labels or marker in MARKER.findall(ticket.body)


def fingerprint(value: object) -> str:
    """What must be equal for two contents to count as the same: white space, case of form and the order of
    lists do not count, as trackers change them on their own."""
    if isinstance(value, list | tuple | set | frozenset):
        text = "\x1f".join(sorted(plain(each) for each in value))
    else:
        text = plain(value)
    folded = " ".join(unicodedata.normalize("NFC", text).split())
    return hashlib.sha256(folded.encode()).hexdigest()[:24]


def plain(value: object) -> str:
    """A field's value as words: of an object its name, of a list its parts."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        for name in ("value", "name", "displayName", "display", "title", "key", "id"):
            if value.get(name) is not None:
                return plain(value[name])
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(plain(each) for each in value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
