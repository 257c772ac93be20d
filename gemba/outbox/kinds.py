"""What each kind of outbox item does: a registry filled once, when the app is made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gemba.outbox.rules import Permanent


@dataclass(frozen=True)
class ItemFacts:
    """What a handler may know of its item beside the payload; `attempt` counts from 1."""

    id: int
    kind: str
    dedup_key: str
    group_key: str
    recipient: str
    attempt: int
    created_at: datetime


Handler = Callable[[Mapping[str, Any], ItemFacts], bytes | None]
"""Makes the mail to deliver to the recipient, as bytes; None where it did all there was to do.

Runs with no transaction open, perhaps more than once for an item: it must do the same each time.
Raises Temporary or Permanent with a sentence for the admin. Of other errors those that speak of the
data (ValueError, TypeError, LookupError, …) are taken as permanent, all others as temporary.
"""

_handlers: dict[str, Handler] = {}


def register(kind: str, handler: Handler) -> None:
    """Says who handles items of a kind. ValueError where another handler already does."""
    if _handlers.setdefault(kind, handler) is not handler:
        raise ValueError(f"{kind!r} already has a handler")


def handler_of(kind: str) -> Handler:
    """The handler of a kind. Raises Permanent where there is none."""
    try:
        return _handlers[kind]
    except KeyError:
        raise Permanent(f"Nothing here knows how to send “{kind}”.") from None
