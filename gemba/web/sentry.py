"""Unexpected errors of web and worker go to Sentry where a DSN is set; what people wrote never does."""

import sys
from collections.abc import MutableMapping
from typing import Any

from gemba.config import Settings
from gemba.web.addresses import without_secrets

Event = MutableMapping[str, Any]


def start(settings: Settings) -> bool:
    """Gets the reporter ready; False where no DSN is set. Bodies, cookies and local values stay here."""
    if settings.sentry_dsn is None:
        return False
    import sentry_sdk

    sentry_sdk.init(
        dsn=settings.sentry_dsn,
        send_default_pii=False,
        max_request_body_size="never",
        include_local_variables=False,
        before_send=scrub,
        before_breadcrumb=scrub,
    )
    return True


def scrub(event: Event, _hint: object = None) -> Event:
    """What is about to leave, without the secrets of addresses."""
    return {name: _scrubbed(value) for name, value in event.items()}


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, dict):
        return {name: _scrubbed(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed(each) for each in value]
    return value


def tell(_logger: object, _method: str, event: Event) -> Event:
    """A structlog processor: hands the exception of a log line over and leaves the line as it is."""
    import sentry_sdk

    error = event.get("exc_info")
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        sentry_sdk.capture_exception(error)
    return event
