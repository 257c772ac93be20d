"""What of the backlog is asked for: the same words in the page's address, the API and the export."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gemba.insights.rules.kinds import OPEN_STATUSES, Kind, Status, _n

QUERY_MAX = 200
OPEN = "open"
ALL = "all"


class Order(StrEnum):
    """How the backlog is ordered, best or newest first."""

    RELEVANCE = "relevance"
    SCORE = "score"
    SEEN = "seen"
    VOTES = "votes"
    RECENT = "recent"

    @property
    def label(self) -> str:
        """The msgid of the order's name."""
        return ORDER_LABELS[self]


ORDER_LABELS: dict[Order, str] = {
    Order.RELEVANCE: _n("best match"),
    Order.SCORE: _n("score"),
    Order.SEEN: _n("seen most"),
    Order.VOTES: _n("most votes"),
    Order.RECENT: _n("newest"),
}


@dataclass(frozen=True)
class InsightFilter:
    """A question to the backlog. `statuses` and `kinds` empty mean any; `product` is an id or a name."""

    q: str = ""
    statuses: tuple[Status, ...] = ()
    kinds: tuple[Kind, ...] = ()
    product: str = ""
    order: Order = Order.SCORE


class BadFilter(ValueError):
    """A filter's value is not one of those there are; `field` names it."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def read(args: Mapping[str, str], default_status: str = ALL) -> InsightFilter:
    """The filter that query arguments `q status product kind order` ask for.

    `status` and `kind` may be several, parted by commas; `open` and `all` are statuses too. Raises BadFilter.
    """
    q = args.get("q", "").strip()[:QUERY_MAX]
    default_order = Order.RELEVANCE if q else Order.SCORE
    try:
        order = Order(args.get("order") or default_order)
    except ValueError as error:
        raise BadFilter("order") from error
    return InsightFilter(
        q=q,
        statuses=_statuses(args.get("status") or default_status),
        kinds=_kinds(args.get("kind", "")),
        product=args.get("product", "").strip(),
        order=default_order if order is Order.RELEVANCE else order,
    )


def _statuses(text: str) -> tuple[Status, ...]:
    if text == ALL:
        return ()
    if text == OPEN:
        return OPEN_STATUSES
    try:
        return tuple(dict.fromkeys(Status(word.strip()) for word in text.split(",")))
    except ValueError as error:
        raise BadFilter("status") from error


def _kinds(text: str) -> tuple[Kind, ...]:
    try:
        return tuple(dict.fromkeys(Kind(word.strip()) for word in text.split(",") if word.strip()))
    except ValueError as error:
        raise BadFilter("kind") from error
