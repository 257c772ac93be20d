"""The backlog: list, search, filters, and the same to take away as a file."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, render_template, request, url_for
from flask_babel import gettext as _

from gemba.clock import now
from gemba.config import current_settings
from gemba.errors import Invalid
from gemba.insights import service
from gemba.insights.models_backlog import ProgrammeStatus
from gemba.insights.rules import columns
from gemba.insights.rules import filters as rules
from gemba.insights.rules.columns import Column
from gemba.insights.rules.export import FileFormat, render
from gemba.insights.rules.filters import ALL, DUE_LABELS, OPEN, BadFilter, InsightFilter, Order
from gemba.insights.rules.kinds import OPEN_STATUSES, REASON_MAX, Hurts, Kind, Status
from gemba.insights.service import saved
from gemba.insights.views import shown
from gemba.insights.views.edge import Answer, blueprint, own_statuses
from gemba.people.rules import Role
from gemba.web.access import me, signed_in
from gemba.web.filters import local

PAGE = 30
SHOWN = "shown"
"""The format that holds the columns of the list."""
ROLLING = (7, 30, 90, 365)
"""Days back that the filters offer; the address takes any number."""


@blueprint.get("/backlog")
@signed_in
def backlog() -> Answer:
    """The insights that the filters in the address ask for."""
    asked = _asked()
    filters = _filters(asked)
    page = service.list_insights(filters, me(), cursor=request.args.get("cursor"), limit=PAGE, now=now())
    summary = service.summary(me(), now())
    return render_template(
        "insights/backlog.html",
        page=page,
        summary=summary,
        filters=filters,
        asked=asked,
        board_asked={name: value for name, value in asked.items() if name != "status"},
        products=service.products(),
        kinds=list(Kind),
        orders=[order for order in Order if order is not Order.RELEVANCE or filters.q],
        formats=list(FileFormat),
        statuses=_status_chips(asked, summary, counted=not filters.narrows),
        narrowed=filters.narrows,
        owners=service.owners(),
        every_status=list(Status),
        own_statuses=own_statuses(),
        columns=columns.chosen(request.args.getlist("col")),
        every_column=list(Column),
        views=saved.of(me()),
        today=local(now()).date(),
        hurts=list(Hurts),
        dues=DUE_LABELS,
        rolling=ROLLING,
        next_url=_url(asked, cursor=page.next) if page.next else None,
        first_url=_url(asked) if request.args.get("cursor") else None,
    )


@blueprint.get("/backlog/board")
@signed_in
def board() -> Answer:
    """The same by status, side by side."""
    asked = {name: value for name, value in _asked().items() if name != "status"}
    filters = _filters(asked)
    may_move = me().has(Role.OWNER, Role.ADMIN)
    found, counts = service.board(filters, me(), now=now())
    return render_template(
        "insights/board.html",
        columns=_columns(found, may_move),
        counts={status: _up_to(count) for status, count in counts.items()},
        most=service.BOARD_MAX,
        may_move=may_move,
        reason_max=REASON_MAX,
        narrowed=bool(asked),
        list_url=_url(asked),
    )


@dataclass(frozen=True)
class Group:
    """Cards of a column that carry the same own status; `own` is None for those without one."""

    items: list[service.Item]
    own: ProgrammeStatus | None = None
    name: str = ""


def _columns(board: Mapping[Status, list[service.Item]], may_move: bool) -> dict[Status, list[Group]]:
    """The board's columns in groups by own status; empty groups only for whoever may drop a card there."""
    columns: dict[Status, list[Group]] = {}
    named = own_statuses()
    for status, items in board.items():
        by_own: dict[int | None, list[service.Item]] = defaultdict(list)
        for item in items:
            by_own[item.insight.own_status_id].append(item)
        columns[status] = [Group(by_own[None])]
        columns[status] += [
            Group(by_own[row.id], row, name)
            for row, name in named
            if row.category == status and (may_move or by_own[row.id])
        ]
    return columns


@blueprint.get("/backlog/export")
@signed_in
def export() -> Answer | Response:
    """Exactly what the filters show, as a file."""
    if request.args.get("format") == SHOWN:
        return _as_shown()
    try:
        file_format = FileFormat(request.args.get("format", FileFormat.CSV))
    except ValueError as error:
        raise Invalid({"format": [_("Choose one of the formats.")]}) from error
    base = current_settings().base_url
    rows = service.export_rows(
        _filters(_asked()),
        me(),
        url_of=lambda insight_id: base + url_for(".show", insight_id=insight_id),
        now=now(),
    )
    answer = Response(render(file_format, rows), content_type=file_format.content_type)
    name = file_format.filename(local(now()).date())
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _as_shown() -> Response:
    """The chosen columns of all that matches, in the reader's words, as CSV."""
    items = service.every_matching(_filters(_asked()), me(), now=now())
    data = columns.to_csv(shown.table(items, columns.chosen(request.args.getlist("col"))))
    answer = Response(data, content_type="text/csv; charset=utf-8")
    name = f"gemba-backlog-{local(now()).date().isoformat()}-shown.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _asked() -> dict[str, str]:
    """The filters of the address that say something."""
    return {name: value for name in rules.NAMES if (value := request.args.get(name, "").strip())}


def _filters(asked: Mapping[str, str]) -> InsightFilter:
    """The filter asked for; what cannot be read in an address somebody typed is left out."""
    known = dict(asked)
    while True:
        try:
            return rules.read(known, default_status=OPEN)
        except BadFilter as bad:
            del known[bad.field]


def list_url(**more: str) -> str:
    """The list with the filters of this address."""
    return _url({**_asked(), **more})


def _url(asked: Mapping[str, str], **more: str) -> str:
    values: dict[str, Any] = {**asked, **more}
    if shown := request.args.getlist("col"):
        values["col"] = shown
    return url_for(".backlog", **values)


def _status_chips(
    asked: Mapping[str, str], summary: service.Summary, *, counted: bool
) -> list[tuple[Any, ...]]:
    """The statuses as links that keep the other filters; numbers of the whole only beside the whole."""
    now_chosen = asked.get("status", ALL if asked.get("own_status") else OPEN)
    counts = summary.by_status
    rows = [(OPEN, _("Open"), sum(counts[status] for status in OPEN_STATUSES))]
    rows += [(status.value, _(status.label).capitalize(), counts[status]) for status in Status]
    rows.append((ALL, _("All"), summary.total))
    rest = {name: value for name, value in asked.items() if name != "status"}
    return [
        (label, _url(rest, status=value), value == now_chosen, *([_up_to(count)] if counted else []))
        for value, label, count in rows
    ]


def _up_to(count: int) -> str:
    """A count, or that there are more than anybody counted."""
    most = service.COUNTED_UP_TO
    return f"{most}+" if count >= most else str(count)
