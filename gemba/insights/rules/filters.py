"""What of the backlog is asked for: the same words in the page's address, the API and the export."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gemba.insights.rules.kinds import OPEN_STATUSES, TAG_MAX, TOOL_MAX, Hurts, Kind, Status, _n

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
    HAND = "hand"

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
    Order.HAND: _n("by hand"),
}


class Due(StrEnum):
    """Until when something is promised."""

    OVERDUE = "overdue"
    WEEK = "week"
    MONTH = "month"
    SET = "set"


NAMES = (
    "q",
    "status",
    "own_status",
    "product",
    "kind",
    "owner",
    "tag",
    "tool",
    "hurts",
    "due",
    "seen",
    "made",
    "order",
)
"""The arguments of addresses and calls that make a filter."""
MINE = "me"
NOBODY = "none"
DAYS_MAX = 3650


DUE_LABELS: dict[Due, str] = {
    Due.OVERDUE: _n("overdue"),
    Due.WEEK: _n("in the next 7 days"),
    Due.MONTH: _n("in the next 31 days"),
    Due.SET: _n("has a day"),
}


@dataclass(frozen=True)
class InsightFilter:
    """A question to the backlog. `statuses` and `kinds` empty mean any; `product` is an id or a name.

    `owner` is an id, MINE or NOBODY; `seen` and `made` are days back from now, so that a kept question
    rolls on; `tag` and `tool` are whole words as people wrote them; `own_status` is the id of one of a
    programme's own; `programme` is the id of one, which pages ask for and addresses do not.
    """

    q: str = ""
    statuses: tuple[Status, ...] = ()
    kinds: tuple[Kind, ...] = ()
    product: str = ""
    order: Order = Order.SCORE
    owner: str = ""
    tag: str = ""
    tool: str = ""
    hurts: str = ""
    due: str = ""
    seen: int | None = None
    made: int | None = None
    own_status: str = ""
    programme: int | None = None

    @property
    def narrows(self) -> bool:
        """Whether it asks for more than statuses."""
        return self != InsightFilter(statuses=self.statuses, order=self.order)


class BadFilter(ValueError):
    """A filter's value is not one of those there are; `field` names it."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def read(args: Mapping[str, str], default_status: str = ALL) -> InsightFilter:
    """The filter that the query arguments NAMES ask for.

    `status` and `kind` may be several, parted by commas; `open` and `all` are statuses too; an own status
    alone asks for all five. Raises BadFilter.
    """
    q = args.get("q", "").strip()[:QUERY_MAX]
    default_order = Order.RELEVANCE if q else Order.SCORE
    try:
        order = Order(args.get("order") or default_order)
    except ValueError as error:
        raise BadFilter("order") from error
    own_status = _one_of(args, "own_status", (), numbers=True)
    return InsightFilter(
        q=q,
        statuses=_statuses(args.get("status") or (ALL if own_status else default_status)),
        own_status=own_status,
        kinds=_kinds(args.get("kind", "")),
        product=args.get("product", "").strip(),
        order=default_order if order is Order.RELEVANCE else order,
        owner=_one_of(args, "owner", (MINE, NOBODY), numbers=True),
        tag=args.get("tag", "").strip().strip("#").casefold()[:TAG_MAX],
        tool=args.get("tool", "").strip()[:TOOL_MAX],
        hurts=_one_of(args, "hurts", tuple(Hurts)),
        due=_one_of(args, "due", tuple(Due)),
        seen=_days(args, "seen"),
        made=_days(args, "made"),
    )


def _one_of(args: Mapping[str, str], name: str, words: tuple[str, ...], *, numbers: bool = False) -> str:
    value = args.get(name, "").strip()
    if not value or value in words or (numbers and value.isascii() and value.isdigit() and len(value) < 10):
        return value
    raise BadFilter(name)


def _days(args: Mapping[str, str], name: str) -> int | None:
    value = args.get(name, "").strip()
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:6]) <= DAYS_MAX):
        raise BadFilter(name)
    return int(value)


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
