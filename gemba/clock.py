"""The only place that reads the computer's clock."""

from collections.abc import Callable
from datetime import UTC, datetime

from flask import current_app

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The current instant, aware, in UTC."""
    return datetime.now(UTC)


def now() -> datetime:
    """The instant of the running app's clock (a test may have set another), for entry points only."""
    clock: Clock = current_app.extensions["gemba_clock"]
    return clock()
