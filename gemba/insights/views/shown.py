"""The list as a table of words: the columns shown, in the reader's language, for the file of these."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from flask_babel import get_locale
from flask_babel import gettext as _

from gemba.insights.models import Insight
from gemba.insights.rules.columns import Column
from gemba.insights.rules.kinds import Hurts
from gemba.insights.service import Item
from gemba.insights.views.edge import kind_label, status_label, status_name
from gemba.web.filters import local


def _said(value: object) -> str:
    return "" if value is None else str(value)


def _own_status(insight: Insight) -> str:
    return insight.own_status.name_in(str(get_locale())) if insight.own_status else ""


_CELLS: Mapping[Column, Callable[[Item], str]] = {
    Column.SCORE: lambda item: str(item.score.score) if item.score else "",
    Column.KIND: lambda item: kind_label(item.insight.kind),
    Column.STATUS: lambda item: status_label(item.insight.status),
    Column.OWN_STATUS: lambda item: _own_status(item.insight),
    Column.PRODUCT: lambda item: item.insight.product.name if item.insight.product else "",
    Column.OWNER: lambda item: item.insight.owner.name if item.insight.owner else "",
    Column.TAGS: lambda item: item.insight.tags,
    Column.DUE: lambda item: _said(item.insight.due),
    Column.HURTS: lambda item: _(Hurts(item.insight.hurts).label) if item.insight.hurts else "",
    Column.MINUTES: lambda item: _said(item.insight.minutes_lost),
    Column.TOOL: lambda item: item.insight.tool,
    Column.VOTES: lambda item: str(item.votes),
    Column.VISITS: lambda item: str(item.counts.visits),
    Column.SEEN: lambda item: (
        local(item.insight.last_seen).date().isoformat() if item.insight.last_seen else ""
    ),
}
"""What a cell of the list says; days as YYYY-MM-DD, which every spreadsheet reads as a day."""


def table(items: Iterable[Item], columns: Sequence[Column]) -> Iterator[list[str]]:
    """Heads, then a row for each: number, title and the columns. As in the list, a status goes by the name
    of the programme's own where that has no column of its own.
    """
    cells = dict(_CELLS)
    if Column.OWN_STATUS not in columns:
        cells[Column.STATUS] = lambda item: status_name(item.insight)
    yield [_("Number"), _("Insight"), *(_(column.label) for column in columns)]
    for item in items:
        yield [str(item.insight.id), item.insight.title, *(cells[column](item) for column in columns)]
