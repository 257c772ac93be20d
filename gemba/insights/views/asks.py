"""What we need: the asks of lines, what stands behind them, and what became of each."""

from collections.abc import Mapping
from typing import Any

from flask import Response, render_template, request, url_for
from flask_babel import gettext as _

from gemba.clock import now
from gemba.insights.rules import asks as files
from gemba.insights.rules.kinds import OPEN_STATUSES, Status
from gemba.insights.service import asks
from gemba.insights.service.asks import Wanted
from gemba.insights.views.edge import Answer, blueprint, number_of
from gemba.people import service as people
from gemba.programmes import service as programmes
from gemba.web.access import me, signed_in
from gemba.web.filters import local

PAGE = 50
PAGES_MAX = asks.FILE_MAX // PAGE
STATES: dict[str, tuple[Status, ...]] = {
    "": (),
    "open": OPEN_STATUSES,
    "done": (Status.DONE,),
    "declined": (Status.DECLINED,),
}


@blueprint.get("/backlog/asks")
@signed_in
def asked_for() -> Answer:
    """The asks that the address asks for, newest first."""
    asked, page = _asked(), _page()
    every = people.all_lines()
    found = asks.of_lines(me(), _wanted(asked), start=(page - 1) * PAGE, limit=PAGE + 1, now=now())
    return render_template(
        "insights/asks.html",
        asks=found[:PAGE],
        next_url=url_for(".asked_for", page=page + 1, **asked) if found[PAGE:] and page < PAGES_MAX else None,
        prev_url=url_for(".asked_for", page=page - 1 if page > 2 else None, **asked) if page > 1 else None,
        asked=asked,
        states=_states(asked),
        lines=every,
        programmes=programmes.list_programmes(me()),
        file_url=url_for(".asks_file", **asked),
    )


@blueprint.get("/backlog/asks/export")
@signed_in
def asks_file() -> Response:
    """All that the page's filters ask for, as CSV."""
    data = files.to_csv(asks.rows(asks.of_lines(me(), _wanted(_asked()), now=now())))
    answer = Response(data, content_type="text/csv; charset=utf-8")
    name = f"gemba-asks-{local(now()).date().isoformat()}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _page() -> int:
    """Which page the address asks for, the first where it says nothing of use."""
    return min(max(number_of(request.args.get("page", "")) or 1, 1), PAGES_MAX)


def _asked() -> dict[str, Any]:
    """What of the address says something; what cannot be read in it is left out."""
    state = request.args.get("state", "")
    asked: dict[str, Any] = {"state": state} if state in STATES and state else {}
    for name in ("line", "programme"):
        if (number := number_of(request.args.get(name, ""))) is not None:
            asked[name] = number
    return asked


def _wanted(asked: Mapping[str, Any]) -> Wanted:
    return Wanted(asked.get("line"), asked.get("programme"), STATES[asked.get("state", "")])


def _states(asked: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """How far they have come, as links that keep the other filters."""
    words = {"": _("All"), "open": _("Open"), "done": _("Done"), "declined": _("Declined")}
    chosen = asked.get("state", "")
    return [
        (label, url_for(".asked_for", **{**asked, "state": state or None}), state == chosen)
        for state, label in words.items()
    ]
