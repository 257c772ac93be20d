"""One ticket spoken about with its tracker: find, make once, find again; or change what is still ours.

Runs in threads of the worker with no database at all. Every way a tracker can fail becomes an Outcome.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

import structlog

from gemba.trackers.adapters import Tracker
from gemba.trackers.adapters.errors import (
    Gone,
    NotAllowed,
    RateLimited,
    SignInRefused,
    TrackerError,
    Unavailable,
    Uncertain,
    keep,
)
from gemba.trackers.rules.bodies import print_of
from gemba.trackers.rules.drafts import Draft, Ticket, fingerprint
from gemba.trackers.rules.kinds import Category

log = structlog.get_logger()
UNREADABLE = (KeyError, TypeError, AttributeError, IndexError, ValueError)
"""What reading an answer of another shape than promised raises."""
Answer = TypeVar("Answer")


class What(StrEnum):
    """What came of speaking with a tracker."""

    FOUND = "found"
    EMPTY = "empty"
    MADE = "made"
    UPDATED = "updated"
    UNCERTAIN = "uncertain"
    AWAY = "away"
    BUSY = "busy"
    TOKEN = "token"  # noqa: S105
    GONE = "gone"
    FORBIDDEN = "forbidden"
    REFUSED = "refused"
    HELD = "held"


@dataclass(frozen=True)
class Task:
    """One item's work: the claim it belongs to, the draft, and what we know was sent before.

    The end of its lease is also its token: what another worker leased since has another one. What is `fresh`
    was never sent. `anew` is not empty where title and description are written whatever they hold now, as
    words were struck out of them.
    """

    item_id: int
    claim_id: int
    draft: Draft
    since: datetime
    lease: datetime | None = None
    fresh: bool = False
    prints: Mapping[str, str] = field(default_factory=dict)
    category: str = ""
    ref: str = ""
    sent: Mapping[str, Any] = field(default_factory=dict)
    known_category: str = ""
    anew: str = ""


@dataclass(frozen=True)
class Outcome:
    """What came of a task. `said` is an English sentence or the tracker's own words; `wait` in seconds."""

    task: Task
    what: What
    ticket: Ticket | None = None
    said: str = ""
    wait: int = 0
    sent: Mapping[str, Any] = field(default_factory=dict)
    edited: tuple[str, ...] = ()


def look(tracker: Tracker, task: Task) -> Outcome:
    """Whether the ticket is there."""

    def ask() -> Outcome:
        ticket = _read(lambda: tracker.found(task.draft.marker, task.since))
        if ticket is None:
            return Outcome(task, What.EMPTY)
        return Outcome(task, What.FOUND, ticket, sent=echoes(task.prints, ticket, made=False))

    return _safely(task, ask)


def make(tracker: Tracker, task: Task) -> Outcome:
    """Makes the ticket with one request; where no clear answer comes, looks once at once."""

    def ask() -> Outcome:
        try:
            ticket = _written(lambda: tracker.create(task.draft))
        except Uncertain as uncertain:
            seen = look(tracker, task)
            if seen.what is What.FOUND:
                return seen
            return Outcome(task, What.UNCERTAIN, said=_sentence(uncertain), wait=uncertain.wait)
        if task.category and task.category != ticket.category:
            ticket = _moved(tracker, ticket, task.category)
        return Outcome(task, What.MADE, ticket, sent=echoes(task.prints, ticket, made=True))

    return _safely(task, ask)


def change(tracker: Tracker, task: Task) -> Outcome:
    """Changes the fields that still hold what we sent; what people edited in the tracker wins."""

    def ask() -> Outcome:
        now = _read(lambda: tracker.get(task.ref))
        ours = ("title", "body") if task.anew else ()
        edited = tuple(name for name in task.prints if name not in ours and _was_edited(name, now, task.sent))
        wanted = without(task.draft, edited)
        if not wanted.is_empty:
            if wanted.labels is not None:
                wanted = Draft(
                    **{**vars(wanted), "labels": tuple(dict.fromkeys((*now.labels, *wanted.labels)))}
                )
            _written(lambda: tracker.update(task.ref, wanted))
        if task.category and now.category == task.known_category:
            _moved(tracker, now, task.category)
        after = _read(lambda: tracker.get(task.ref))
        written = {name: value for name, value in task.prints.items() if name not in edited}
        return Outcome(task, What.UPDATED, after, sent=echoes(written, after, made=True), edited=edited)

    outcome = _safely(task, ask)
    # Changing again does no harm, so an unclear answer is only an unavailable tracker.
    return outcome if outcome.what is not What.UNCERTAIN else Outcome(task, What.AWAY, said=outcome.said)


def enclose(tracker: Tracker, task: Task, name: str, content: bytes, *, tried: bool) -> Outcome:
    """Attaches a file of this name, unless it is there from a request whose answer was lost."""

    def ask() -> Outcome:
        if tried and name in _read(lambda: tracker.attached(task.ref)):
            return Outcome(task, What.FOUND)
        _written(lambda: tracker.attach(task.ref, name, content))
        return Outcome(task, What.MADE)

    return _safely(task, ask)


def without(draft: Draft, edited: tuple[str, ...]) -> Draft:
    """The draft without these fields."""
    return Draft(
        marker=draft.marker,
        title=None if "title" in edited else draft.title,
        body=None if "body" in edited else draft.body,
        labels=draft.labels,
        fields={name: value for name, value in draft.fields.items() if f"field:{name}" not in edited},
    )


def echoes(ours: Mapping[str, str], ticket: Ticket, *, made: bool) -> dict[str, Any]:
    """By field, the fingerprints of what we sent and of what stands there. A ticket that answered only its id
    is taken to hold what was sent. One that was found counts as holding what stands there: the next export
    then puts right what differs."""
    bare = made and not ticket.title and not ticket.body
    there = {name: value if bare else _print(name, ticket) for name, value in ours.items()}
    return {name: [value if made else there[name], there[name]] for name, value in ours.items()}


def _print(name: str, ticket: Ticket) -> str:
    match name:
        case "title":
            return fingerprint(ticket.title)
        case "body":
            return print_of(ticket.body)
        case "labels":
            return fingerprint(ticket.labels)
    return fingerprint(ticket.fields.get(name.removeprefix("field:"), ""))


def _was_edited(name: str, ticket: Ticket, sent: Mapping[str, Any]) -> bool:
    if name == "labels" or name not in sent:
        return False
    return _print(name, ticket) not in sent[name]


def _moved(tracker: Tracker, ticket: Ticket, category: str) -> Ticket:
    """The ticket in the wanted status, or as it was where the workflow forbids: it is made all the same."""
    try:
        _written(lambda: tracker.move(ticket.ref, Category(category)))
        return _read(lambda: tracker.get(ticket.ref))
    except TrackerError:
        return ticket


def _read(call: Callable[[], Answer]) -> Answer:
    try:
        return call()
    except UNREADABLE:
        raise Unavailable("Its answer cannot be read.") from None


def _written(call: Callable[[], Answer]) -> Answer:
    try:
        return call()
    except UNREADABLE:
        raise Uncertain("Its answer cannot be read.") from None


_MEANINGS: Mapping[type[TrackerError], What] = {
    SignInRefused: What.TOKEN,
    RateLimited: What.BUSY,
    Unavailable: What.AWAY,
    Uncertain: What.UNCERTAIN,
    Gone: What.GONE,
    NotAllowed: What.FORBIDDEN,
}


def _safely(task: Task, ask: Callable[[], Outcome]) -> Outcome:
    try:
        return ask()
    except TrackerError as error:
        meaning = _MEANINGS.get(type(error), What.REFUSED)
        return Outcome(task, meaning, said=_sentence(error), wait=error.wait)
    except Exception as error:
        # A thread that dies silently would leave its ticket in the air.
        log.exception("trackers.surprise", claim=task.claim_id)
        return Outcome(task, What.UNCERTAIN, said=type(error).__name__)


def _sentence(error: TrackerError) -> str:
    return keep(error.code, error.said)
