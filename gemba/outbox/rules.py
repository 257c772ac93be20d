"""When a message is tried again, what a refusal means, and how a snapshot is kept. Pure."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

from gemba.people.rules import clean_line

LEASE = timedelta(seconds=60)
TRIES = 12
LONGEST_WAIT = timedelta(hours=1)
QUICK = timedelta(seconds=30)
SLOW = timedelta(minutes=2)
LATE = timedelta(minutes=5)
WORKER_SILENT = timedelta(minutes=1)
ERROR_LENGTH = 300


class State(StrEnum):
    """Where an item stands; the last three are final: nothing waits for them."""

    READY = "ready"
    LEASED = "leased"
    DONE = "done"
    DEAD = "dead"
    DROPPED = "dropped"


FINAL = frozenset({State.DONE, State.DEAD, State.DROPPED})
WAITING = frozenset({State.READY, State.LEASED})


class Failed(Exception):
    """A try did not work; the message is one sentence for the admin, without secrets."""


class Temporary(Failed):
    """Worth another try: after `wait` at first, then twice as long each time."""

    def __init__(self, sentence: str, wait: timedelta = QUICK) -> None:
        super().__init__(sentence)
        self.wait = wait


class Permanent(Failed):
    """Another try would fail the same way."""


class Stage(StrEnum):
    """What a mail server's reply was about."""

    RECIPIENT = "recipient"
    MESSAGE = "message"


def verdict(stage: Stage, code: int, sentence: str) -> Failed:
    """What a refusal by SMTP means for the message (RFC 5321 4.2.1).

    A recipient refused for now is usually greylisting, and 432 a busy Microsoft server: both need minutes.
    Only for replies once the message is named: what is refused before (greeting, TLS, login) is not the
    message's fault and stays temporary, as a wrong password must not bury the whole outbox.
    """
    if 500 <= code < 600:
        return Permanent(sentence)
    if stage is Stage.RECIPIENT or code == 432:
        return Temporary(sentence, SLOW)
    return Temporary(sentence)


def backoff(item_id: int, attempt: int, first: timedelta = QUICK) -> timedelta:
    """The wait after the `attempt`-th try (from 1): `first`, doubled each time, an hour at most, ±50 %.

    The jitter comes from id and attempt, so that a crowd of failures scatters and a test can repeat it.
    """
    doublings: int = 2 ** min(attempt - 1, 20)
    seed = hashlib.sha256(f"{item_id}:{attempt}".encode()).digest()[0]
    return min(first * doublings, LONGEST_WAIT) * (0.5 + seed / 255)


def sentence_of(text: str) -> str:
    """A reason as it is stored: one line, bounded."""
    line = clean_line(text)
    return line if len(line) <= ERROR_LENGTH else line[: ERROR_LENGTH - 1] + "…"


_PLAIN = frozenset({str, int, float, bool, type(None)})


def freeze(value: Any) -> Any:
    """A template's context as plain JSON: instants and days become `{"$instant": …}` and `{"$day": …}`.

    TypeError for anything else JSON does not know, ValueError for an instant without a zone
    or a name that begins with `$`.
    """
    if type(value) in _PLAIN:
        return value
    if isinstance(value, Mapping):
        if any(str(key).startswith("$") for key in value):
            raise ValueError("names that begin with $ are the outbox's own")
        return {str(key): freeze(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [freeze(item) for item in value]
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("an instant without a time zone cannot be stored")
        return {"$instant": value.astimezone(UTC).isoformat()}
    if isinstance(value, date):
        return {"$day": value.isoformat()}
    if isinstance(value, str):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be kept in the outbox")


def thaw(value: Any) -> Any:
    """What was frozen; equal to it, tuples as lists and instants in UTC."""
    if isinstance(value, list):
        return [thaw(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"$instant"}:
        return datetime.fromisoformat(value["$instant"])
    if set(value) == {"$day"}:
        return date.fromisoformat(value["$day"])
    return {key: thaw(item) for key, item in value.items()}


def without_secrets(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload with its secret (a sign-in code or link) taken out, for items that are final."""
    context = payload.get("context")
    if not isinstance(context, Mapping) or "secret" not in context:
        return dict(payload)
    return {**payload, "context": {**context, "secret": None}}


def lost_its_secret(payload: Mapping[str, Any]) -> bool:
    """Whether the words of this message cannot be written again."""
    context = payload.get("context")
    return isinstance(context, Mapping) and "secret" in context and context["secret"] is None
