"""Pages on what comes first: weights, rank by hand, insights beside visits, the top for a meeting."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gemba.clock import now
from gemba.db import db
from gemba.errors import Invalid
from gemba.insights import service
from gemba.insights.rules.filters import InsightFilter
from gemba.insights.rules.kinds import OPEN_STATUSES, Kind, Status
from gemba.insights.rules.score import WEIGHT_MAX, Weights
from gemba.insights.service import ranking, talk
from gemba.insights.service import statuses as own
from gemba.insights.views.backlog import list_url
from gemba.insights.views.edge import Answer, blueprint, number_of
from gemba.people.rules import Role
from gemba.programmes import service as programmes
from gemba.web.access import me, requires, signed_in

editors = requires(Role.OWNER, Role.ADMIN)
admins = requires(Role.ADMIN)
PARTS = ("severity", "reach", "agents", "hurts", "minutes", "fresh")
PAINS = tuple(kind for kind in Kind if kind.is_pain)
TOP = 10
PREVIEWED = 30


@blueprint.get("/backlog/top")
@signed_in
def top() -> Answer:
    """The ten that hurt most, large enough for a meeting."""
    filters = InsightFilter(statuses=OPEN_STATUSES, kinds=PAINS)
    items = service.list_insights(filters, me(), limit=TOP, now=now()).items
    asks = talk.asks(me(), [item.insight.id for item in items])
    shown = programmes.list_programmes(me()) if service.may_edit(me()) else []
    return render_template("insights/top.html", items=items, asks=asks, programmes=shown)


@blueprint.get("/backlog/matrix")
@signed_in
def matrix() -> Answer:
    """Insights beside the visits that saw them."""
    return render_template("insights/matrix.html", matrix=ranking.matrix(me(), now=now()))


@blueprint.get("/programmes/<slug>/weights")
@editors
def weights(slug: str) -> Answer:
    """What each part of the score counts, with what comes first then."""
    programme = programmes.get_programme(slug)
    kept = ranking.weights_of(programme.id)
    tried = Weights(**{name: _per_cent(request.args.get(name), getattr(kept, name)) for name in PARTS})
    return _weights_page(slug, tried)


@blueprint.post("/programmes/<slug>/weights")
@editors
def save_weights(slug: str) -> Answer:
    """Keeps the weights and scores all anew, or only shows what they would do."""
    programme = programmes.get_programme(slug)
    if request.form.get("act") == "try":
        # Not a form that GETs: its token would stand in the address.
        asked: dict[str, Any] = {name: request.form.get(name, "") for name in PARTS}
        return redirect(url_for(".weights", slug=slug, **asked), 303)
    tried = Weights(**{name: _per_cent(request.form.get(name), -1) for name in PARTS})
    try:
        ranking.set_weights(programme.id, me(), tried, now=now())
        db.session.commit()
    except Invalid:
        db.session.rollback()
        flash(_("Give whole per cent from 0 to 200."), "error")
        return _weights_page(slug, ranking.weights_of(programme.id)), 422
    flash(_("Kept. All insights are scored anew."), "success")
    return redirect(url_for(".weights", slug=slug), 303)


@blueprint.route("/programmes/<slug>/statuses", methods=["GET", "POST"])
@admins
def statuses(slug: str) -> Answer:
    """The programme's own statuses."""
    programme = programmes.get_programme(slug)
    errors: dict[str, list[str]] = {}
    if request.method == "POST":
        form = request.form
        try:
            said = (form.get("name", ""), form.get("name_ru", ""), form.get("category", ""))
            if (removed := number_of(form.get("remove", ""))) is not None:
                own.remove(programme.id, removed, me(), now=now())
            elif (changed := number_of(form.get("change", ""))) is not None:
                own.change(programme.id, changed, me(), *said, now=now())
            else:
                own.add(programme.id, me(), *said, now=now())
            db.session.commit()
            return redirect(url_for(".statuses", slug=slug), 303)
        except Invalid as invalid:
            db.session.rollback()
            errors = {name: [_(one) for one in many] for name, many in invalid.errors.items()}
    return render_template(
        "insights/statuses.html",
        programme=programme,
        rows=own.of(programme.id),
        held=own.held(programme.id),
        changing=number_of(request.form.get("change", "")),
        categories=list(Status),
        errors=errors,
        typed=request.form,
    ), 422 if errors else 200


@blueprint.post("/insights/<int:insight_id>/rank")
@editors
def rank(insight_id: int) -> Answer:
    """Moves it in the order by hand; the filters of the list stand in the address."""
    form = request.form
    ranking.rank(insight_id, me(), form.get("way", ""), beside=number_of(form.get("beside", "")), now=now())
    db.session.commit()
    return redirect(f"{list_url(order='hand')}#row-{insight_id}", 303)


def _weights_page(slug: str, tried: Weights) -> str:
    programme = programmes.get_programme(slug)
    filters = InsightFilter(statuses=OPEN_STATUSES, kinds=PAINS, programme=programme.id)
    items = service.list_insights(filters, me(), limit=PREVIEWED, now=now()).items
    parts: list[dict[str, Any]] = []
    for item in items:
        if item.score is None:
            continue
        plain = ranking.plain_parts(item)
        parts.append({"item": item, "factors": plain, "score": ranking.weighed(plain, tried)})
    parts.sort(key=lambda row: -row["score"])
    return render_template(
        "insights/weights.html",
        programme=programme,
        rows=parts,
        tried=tried,
        most=WEIGHT_MAX,
        names={
            "severity": _("How bad it is"),
            "reach": _("In how many visits it was seen"),
            "agents": _("With how many agents"),
            "hurts": _("Who it hurts"),
            "minutes": _("Minutes lost"),
            "fresh": _("How fresh it is"),
        },
    )


def _per_cent(text: str | None, otherwise: int) -> int:
    given = text or ""
    return int(given) if given.isascii() and given.isdigit() and len(given) < 4 else otherwise
