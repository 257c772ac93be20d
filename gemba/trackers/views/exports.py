"""Exporting: exactly what would be sent, the start, and how far it has come."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gemba.clock import now
from gemba.db import db
from gemba.errors import Refused
from gemba.insights.rules import filters as filter_rules
from gemba.insights.rules.filters import OPEN, BadFilter
from gemba.insights.service import documents_among, every_matching
from gemba.trackers.rules.bodies import shown
from gemba.trackers.rules.kinds import TRAITS, Action, ItemState, TrackerKind
from gemba.trackers.service import connections, exports, pictures
from gemba.trackers.service.exports import MOST
from gemba.trackers.views.edge import Answer, blueprint, editors, url_of
from gemba.web.access import me
from gemba.web.limits import limiter
from gemba.web.pages import say

FILTERS = filter_rules.NAMES
SHOWN = 50
PAGE = 100


@blueprint.get("/trackers/export")
@editors
def choose() -> Answer:
    """From a choice of tracker to its preview, with all that was chosen."""
    chosen = request.args.get("tracker", "")
    if chosen.isascii() and chosen.isdigit() and len(chosen) < 10:
        rest: dict[str, Any] = {
            name: request.args.getlist(name) for name in ("ids", *FILTERS) if request.args.get(name)
        }
        return redirect(url_for("trackers.preview", tracker_id=int(chosen), **rest), 303)
    return redirect(url_for("trackers.index"), 303)


@blueprint.post("/trackers/export")
@editors
def choose_ticked() -> Answer:
    """From what is ticked in the backlog to its preview; nothing is sent yet."""
    chosen = _numbers(request.form.get("tracker", ""))
    ids = [number for text in request.form.getlist("insight") for number in _numbers(text)]
    if len(chosen) != 1 or not ids:
        flash(_("Choose insights first, then where they go."), "error")
        return redirect(url_for("insights.backlog"), 303)
    listed = ",".join(map(str, ids[: MOST + 1]))
    return redirect(url_for("trackers.preview", tracker_id=chosen[0], ids=listed), 303)


@blueprint.get("/trackers/<int:tracker_id>/export")
@editors
def preview(tracker_id: int) -> Answer:
    """Everything that would be sent, as it would be sent."""
    ids = _chosen()
    if len(ids) > MOST:
        flash(
            _(
                "At most %(most)s insights can be exported at once. Choose fewer, or narrow the filters.",
                most=MOST,
            ),
            "error",
        )
        return redirect(url_for("insights.backlog"), 303)
    found = exports.preview(tracker_id, me(), ids, url_of=url_of, now=now())
    attached = [picture for each in found.planned[:SHOWN] for picture in each.pictures]
    return render_template(
        "trackers/preview.html",
        tracker=found.tracker,
        found=found,
        shown=[(each, shown(each.draft.body or "")) for each in found.planned[:SHOWN]],
        documents=documents_among(attached),
        rest=max(len(found.planned) - SHOWN, 0),
        names={field.id: field.name for field in connections.fields_of(found.tracker)},
        attaches=TRAITS[TrackerKind(found.tracker.kind)].attaches,
        counts={action: found.count(action) for action in Action},
        ids=",".join(str(each.row.id) for each in found.planned),
    )


@blueprint.post("/trackers/<int:tracker_id>/export")
@editors
@limiter.limit("20 per minute")
def start(tracker_id: int) -> Answer:
    """Begins an export."""
    try:
        export = exports.start(
            tracker_id, me(), _numbers(request.form.get("ids", "")), url_of=url_of, now=now()
        )
        db.session.commit()
    except Refused as refused:
        db.session.rollback()
        flash(say(refused), "error")
        return redirect(url_for("trackers.show", tracker_id=tracker_id), 303)
    return redirect(url_for("trackers.export", export_id=export.id), 303)


@blueprint.get("/exports/<int:export_id>")
@editors
def export(export_id: int) -> Answer:
    """How far an export has come; its script asks again while it runs."""
    progress = exports.progress(export_id, me())
    asked = request.args.get("state", "")
    state = ItemState(asked) if asked in list(ItemState) else None
    after = request.args.get("after", "")
    begin = int(after) if after.isascii() and after.isdigit() and len(after) < 10 else 0
    items = exports.items(export_id, state=state, after=begin, limit=PAGE + 1)
    more = items[PAGE - 1].id if len(items) > PAGE else None
    return render_template(
        "trackers/export.html",
        progress=progress,
        pictures=pictures.of_export(export_id),
        export=progress.export,
        tracker=progress.export.tracker,
        items=items[:PAGE],
        state=state,
        more=more,
        begin=begin,
        now=now(),
    )


def _chosen() -> list[int]:
    """The insights named by `ids`, else those the filters of the backlog show."""
    if request.args.get("ids"):
        return [number for text in request.args.getlist("ids") for number in _numbers(text)]
    known = {name: value for name in FILTERS if (value := request.args.get(name, "").strip())}
    while True:
        try:
            filters = filter_rules.read(known, default_status=OPEN)
            break
        except BadFilter as bad:
            del known[bad.field]
    return [item.insight.id for item in every_matching(filters, me(), now=now())]


def _numbers(text: str) -> list[int]:
    parts = (part.strip() for part in text.split(",")[: MOST + 1])
    return [int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 10]
