"""Who wants to know that agents' hours may have opened: a registry filled once, when the app is made."""

from datetime import datetime
from typing import Protocol


class Hears(Protocol):
    """Is told in the transaction of the cause."""

    def __call__(self, *, now: datetime) -> None: ...


_listeners: list[Hears] = []


def when_hours_open(listener: Hears) -> None:
    """Has `listener` told from now on; saying it twice changes nothing."""
    if listener not in _listeners:
        _listeners.append(listener)


def hours_opened(*, now: datetime) -> None:
    """Tells whoever wants to know."""
    for listener in _listeners:
        listener(now=now)
