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


Ending = Callable[[datetime], None]
"""What is written down together with the end of its item, given the instant: both or neither."""

Handler = Callable[[Mapping[str, Any], ItemFacts], bytes | Ending | None]
"""Makes the mail to deliver to the recipient, as bytes; None where it did all there was to do. An Ending
where something is to be written down, which the worker commits with the item's end and only then.

Runs with no transaction open, perhaps more than once for an item: it must do the same each time.
Raises Temporary or Permanent with a sentence for the admin. Of other errors those that speak of the
data (ValueError, TypeError, LookupError, …) are taken as permanent, all others as temporary.
"""

_handlers: dict[str, Handler] = {}
_background: set[str] = set()
_lacking: dict[str, Mapping[str, Any]] = {}


def register(
    kind: str, handler: Handler, *, background: bool = False, lacking: Mapping[str, Any] | None = None
) -> None:
    """Says who handles items of a kind. ValueError where another handler already does.

    What runs in the `background` is no message to anyone: mail does not wait for it, and it is not shown
    among messages. `lacking` stands in, where a message is only shown, for what its handler adds to the
    context.
    """
    if _handlers.setdefault(kind, handler) is not handler:
        raise ValueError(f"{kind!r} already has a handler")
    if background:
        _background.add(kind)
    _lacking[kind] = lacking or {}


def background_kinds() -> list[str]:
    """The kinds that run in the background."""
    return sorted(_background)


def lacking(kind: str) -> Mapping[str, Any]:
    """What the kept contexts of a kind lack."""
    return _lacking.get(kind, {})


def handler_of(kind: str) -> Handler:
    """The handler of a kind. Raises Permanent where there is none."""
    try:
        return _handlers[kind]
    except KeyError:
        raise Permanent(f"Nothing here knows how to send “{kind}”.") from None
