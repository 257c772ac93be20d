"""What every tracker can do for us: the shape of an adapter. The plainest one is redmine.py; copy that.

An adapter knows one API and nothing else: no database, no retries, no clock. Each call is one or two
requests. What a tracker answers wrongly is caught by the caller, who looks at every hit's marker again.
"""

import hashlib
import hmac
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, ClassVar, Self
from urllib.parse import quote

from gemba.fetch import Lines
from gemba.trackers.adapters.wire import Wire
from gemba.trackers.rules.drafts import Checked, Draft, Field, Ticket, carries
from gemba.trackers.rules.kinds import Category, TrackerKind

MOST_PAGES = 10
SEARCHED = 10


class Tracker(ABC):
    """A connection to one project of one tracker. Everything raises TrackerError's kin."""

    kind: ClassVar[TrackerKind]

    def __init__(self, wire: Wire, project: str, item_type: str = "") -> None:
        self.wire, self.project, self.item_type = wire, project, item_type

    def over(self, lines: Lines) -> Self:
        """The same, whose connections are kept in `lines`."""
        return type(self)(replace(self.wire, lines=lines), self.project, self.item_type)

    @staticmethod
    @abstractmethod
    def headers(credentials: Mapping[str, str]) -> dict[str, str]:
        """What signs in."""

    @abstractmethod
    def check(self) -> Checked:
        """Who the token is, what it may do in the project, and when it ends."""

    @abstractmethod
    def fields(self) -> list[Field]:
        """The fields a new ticket can or must have, beside title, description and labels."""

    @abstractmethod
    def find(self, marker: str, since: datetime) -> list[Ticket]:
        """Tickets that may carry the marker, made `since`; may hold any others, `found` sorts them out."""

    @abstractmethod
    def create(self, draft: Draft) -> Ticket:
        """Makes a ticket, with one request. Raises Uncertain where no answer came."""

    @abstractmethod
    def update(self, ref: str, changes: Draft) -> None:
        """Changes only what the draft says."""

    @abstractmethod
    def get(self, ref: str) -> Ticket:
        """A ticket as it is now. Raises Gone, NotAllowed."""

    @abstractmethod
    def changed_since(self, since: datetime) -> list[Ticket]:
        """The project's tickets that changed since then; some more do no harm."""

    @abstractmethod
    def search(self, words: str) -> list[Ticket]:
        """Tickets a person may mean by a key or words, at most ten."""

    def move(self, ref: str, category: Category) -> None:
        """Brings a ticket into a status of this category, where the tracker's workflow allows it."""
        return

    def attach(self, ref: str, name: str, content: bytes) -> None:
        """Adds a file to a ticket; those without such a call (Traits.attaches) keep the link."""
        return

    def attached(self, ref: str) -> set[str]:
        """The names of a ticket's files, those of other people too."""
        return set()

    def found(self, marker: str, since: datetime) -> Ticket | None:
        """The marker's ticket, the oldest where somebody copied it; what else a search brings is left out."""
        hits = [ticket for ticket in self.find(marker, since) if carries(ticket, marker)]
        return min(hits, key=lambda ticket: (len(ticket.ref), ticket.ref)) if hits else None

    @staticmethod
    def verify(headers: Mapping[str, str], raw: bytes, secret: str, now: datetime) -> bool:
        """Whether a webhook comes from who knows the secret: by default it stands in a header of ours."""
        return same(headers.get("x-gemba-secret", ""), secret)

    @staticmethod
    def refs_in(document: Any) -> list[str]:
        """The tickets a webhook's body speaks of, only as a hint of what to read again."""
        return []


def same(given: str, expected: str) -> bool:
    """Compares in constant time; an empty secret is nobody's."""
    return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())


def signed(raw: bytes, secret: str) -> str:
    """The hex HMAC-SHA256 most trackers sign with."""
    return hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def seg(text: str) -> str:
    """A part of a path; whatever it holds, it stays one part."""
    return quote(text, safe="")


def repo(project: str) -> str:
    """owner/name as two parts of a path."""
    owner, _slash, name = project.partition("/")
    return f"{seg(owner)}/{seg(name)}"


def day(text: object) -> date | None:
    """The date at the start of a text, where there is one."""
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        return None


def stamp(at: datetime) -> str:
    """An instant in UTC as 2026-11-23T09:00:00Z; `at` is aware and in UTC, as all instants here."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def name_of(value: Any, *names: str) -> str:
    """The first of these names an object has a word for, "" for none."""
    if not isinstance(value, Mapping):
        return ""
    return next((str(value[name]) for name in names if value.get(name)), "")


def first(rows: Sequence[Any]) -> Any:
    """The first, None for none."""
    return rows[0] if rows else None


def dug(document: Any, *path: str) -> Any:
    """What lies at a path of names, None where something on it is missing."""
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def hook_json(raw: bytes) -> Any:
    """The JSON of a webhook's body, None where it is none."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
