"""Lists in parts: `?limit=` and an opaque `?cursor=`, answered as `{items, next}`."""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import request

from gemba.config import current_settings
from gemba.errors import Invalid

LIMIT, LIMIT_MAX = 50, 200
NOT_OURS = "Give a cursor as it stood in next, or leave it out."

_MAX = 2**53
Row = TypeVar("Row")


def seal(*parts: int) -> str:
    """A cursor made of numbers."""
    return base64.urlsafe_b64encode(".".join(map(str, parts)).encode()).decode().rstrip("=")


def unseal(cursor: str | None, count: int) -> tuple[int, ...] | None:
    """The `count` numbers of a cursor, None where there is none. Raises Invalid."""
    if cursor is None:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        parts = tuple(int(part) for part in text.split(".") if len(part) <= 18)
    except (ValueError, binascii.Error) as error:
        raise Invalid({"cursor": [NOT_OURS]}) from error
    if len(parts) != count or any(not 0 <= part <= _MAX for part in parts):
        raise Invalid({"cursor": [NOT_OURS]})
    return parts


def answer(items: Sequence[Any], cursor: str | None) -> dict[str, Any]:
    """The answer's document; `cursor` leads on, None is the end."""
    return {"items": items, "next": _next(cursor) if cursor else None}


def part(
    rows: Sequence[Row], limit: int, key: Callable[[Row], Sequence[int]]
) -> tuple[Sequence[Row], str | None]:
    """The first `limit` of rows (one more was asked for), and the cursor behind them."""
    shown = rows[:limit]
    return shown, seal(*key(shown[-1])) if len(rows) > limit else None


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(instant: datetime) -> int:
    """An instant as the number of a cursor: microseconds since 1970."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def instant_of(number: int) -> datetime:
    """Undoes `micros`."""
    return _EPOCH + timedelta(microseconds=number)


def _next(cursor: str) -> str:
    query = {**request.args.to_dict(), "cursor": cursor}
    return f"{current_settings().base_url}{request.path}?{urlencode(query)}"
