"""The mapping page: which of ours goes into which of theirs, and which status comes back."""

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid
from gemba.insights.rules.kinds import Status
from gemba.trackers.rules.kinds import CATEGORY_LABELS, Category
from gemba.trackers.rules.mapping import Keep, Ours, unfilled
from gemba.trackers.service import connections
from gemba.trackers.views.edge import Answer, admins, blueprint
from gemba.web.access import me

CORE = ("title", "body", "labels")


@blueprint.route("/trackers/<int:tracker_id>/mapping", methods=["GET", "POST"])
@admins
def mapping(tracker_id: int) -> Answer:
    """Fields, statuses and the rule."""
    row = connections.get(tracker_id, me(), manage=True)
    document: Mapping[str, Any] = connections.plan_of(row).plain()
    rule, errors = "" if row.rule_score is None else str(row.rule_score), {}
    if request.method == "POST":
        document, rule = _typed(), request.form.get("rule_score", "").strip()
        try:
            values = {"mapping": document, "rule_score": _score(rule)}
            changed = connections.change(tracker_id, me(), values, now=now())
            db.session.commit()
        except Invalid as invalid:
            db.session.rollback()
            errors = {name: [_(words) for words in sentences] for name, sentences in invalid.errors.items()}
        else:
            missing = unfilled(connections.plan_of(changed), connections.fields_of(changed))
            if missing:
                names = ", ".join(missing)
                flash(_("Saved. Still required before an export can begin: %(names)s.", names=names), "info")
            else:
                flash(_("Saved."), "success")
            return redirect(url_for("trackers.show", tracker_id=tracker_id), 303)
    page = render_template(
        "trackers/mapping.html",
        tracker=row,
        fields=connections.fields_of(row),
        missing=unfilled(connections.plan_of(row), connections.fields_of(row)),
        document=document,
        ours=list(Ours),
        keeps=list(Keep),
        categories=[(each, _(CATEGORY_LABELS[each])) for each in Category],
        statuses=list(Status),
        rule=rule,
        errors=errors,
    )
    return page, 422 if errors else 200


def _typed() -> dict[str, Any]:
    """What was chosen, as a mapping's JSON; whether it can be is the service's question."""
    form = request.form
    fields = {
        name.removeprefix("from:"): {
            "from": value,
            "value": form.get(f"value:{name.removeprefix('from:')}", ""),
            "keep": form.get(f"keep:{name.removeprefix('from:')}", "once"),
        }
        for name, value in form.items()
        if name.startswith("from:")
    }
    return {
        **{name: form.get(f"core:{name}", "once") for name in CORE},
        "fields": fields,
        "statuses": {each.value: form.get(f"status:{each.value}", "") for each in Category},
        "status_out": form.get("status_out") == "1",
    }


def _score(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 100:
        raise Invalid({"rule_score": [_("Give a whole number from 1 to 100, or nothing.")]})
    return int(text)
