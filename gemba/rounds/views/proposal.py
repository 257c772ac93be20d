"""The proposal: asked for, looked at, pinned, changed, published."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _

from gemba.clock import now
from gemba.db import db
from gemba.errors import NotFound
from gemba.people.rules import Role
from gemba.people.service.lookups import names_of
from gemba.rounds import service
from gemba.rounds.models import Round, RoundRun
from gemba.rounds.rules import NOT_PROPOSED, UNDER_WAY
from gemba.rounds.service import looking, proposing, publishing
from gemba.rounds.views.edge import (
    SHOWN,
    because_words,
    blueprint,
    helps_of,
    number,
    start_of,
    why_words,
    works_of,
)
from gemba.web.access import me, requires
from gemba.web.limits import limiter
from gemba.web.pages import Answer


@blueprint.post("/<int:round_id>/propose")
@limiter.limit("20 per minute")
@requires(Role.ADMIN)
def propose(round_id: int) -> Answer:
    """Look for pairs."""
    chosen = service.managed(me(), round_id)
    proposing.queue(proposing.start(me(), chosen, now=now()), now=now())
    db.session.commit()
    return redirect(url_for(".proposal", round_id=round_id), 303)


@blueprint.post("/<int:round_id>/stop")
@requires(Role.ADMIN)
def stop(round_id: int) -> Answer:
    """Stop looking; what was found stays."""
    if proposing.stop(me(), service.managed(me(), round_id, lock=True), now=now()):
        flash(_("The search is stopped."), "success")
    db.session.commit()
    return redirect(url_for(".proposal", round_id=round_id), 303)


@blueprint.get("/<int:round_id>/proposal")
@requires(Role.ADMIN)
def proposal(round_id: int) -> Answer:
    """Figures, pairs with why, and who is left out with reasons."""
    chosen = service.managed(me(), round_id)
    view, page, search = request.args.get("view", ""), number("page"), request.args.get("q", "")[:80]
    found = looking.proposal(
        chosen, search=search, only_left=view == "left", limit=SHOWN, offset=SHOWN * page
    )
    left = looking.left_out(chosen, found.plan)
    part = left[SHOWN * page : SHOWN * page + SHOWN] if view == "left" else left[:5]
    waiting, helping = proposing.publishing_count(chosen), looking.help_names(part)
    return render_template(
        "rounds/proposal.html",
        round=chosen,
        run=found.run,
        plan=found.plan,
        unseen=sum(each["code"] == NOT_PROPOSED for each in left),
        running=found.run is not None and found.run.state in UNDER_WAY,
        counts=service.counts(chosen),
        publishing=waiting > 0 or publishing.is_under_way(chosen),
        waiting=waiting,
        mark=_mark(chosen, found.run),
        pairs=[(pair, start_of(pair.tick), because_words(pair.because)) for pair in found.pairs],
        total=len(left) if view == "left" else found.total,
        left=[(each, [*why_words(each), *helps_of(chosen, each, helping)], works_of(each)) for each in part],
        left_total=len(left),
        names=names_of(each["person"] for each in part),
        view=view,
        search=search,
        page=page,
        shown=SHOWN,
        match=format_decimal(found.plan.figures["score"]) if found.plan and found.plan.figures else "",
    )


@blueprint.get("/<int:round_id>/progress")
@requires(Role.ADMIN)
def progress(round_id: int) -> Answer:
    """How far a search or a publication is, for the page that waits for it."""
    chosen = service.managed(me(), round_id)
    return jsonify({"mark": _mark(chosen, proposing.newest_run(chosen))})


def _mark(chosen: Round, run: RoundRun | None) -> str:
    """Another one as soon as the page of the proposal would show something else."""
    left = f"{proposing.publishing_count(chosen)}:{publishing.is_under_way(chosen)}"
    return f"{run.id}:{run.state}:{run.step}:{left}" if run else left


@blueprint.post("/<int:round_id>/people/<int:person_id>/pin")
@requires(Role.ADMIN)
def pin(round_id: int, person_id: int) -> Answer:
    """Pin a pair (`on` is yes), or let it go."""
    chosen = service.managed(me(), round_id, lock=True)
    proposing.pin(me(), chosen, person_id, pinned=request.form.get("on") != "no", now=now())
    db.session.commit()
    return redirect(_back(round_id, person_id), 303)


@blueprint.post("/<int:round_id>/people/<int:person_id>/drop")
@requires(Role.ADMIN)
def drop(round_id: int, person_id: int) -> Answer:
    """Take a pair out of the proposal."""
    proposing.drop(me(), service.managed(me(), round_id, lock=True), person_id, now=now())
    db.session.commit()
    flash(_("The pair is taken out."), "success")
    return redirect(_back(round_id, person_id), 303)


def _why(chosen: Round, left: Mapping[str, Any]) -> list[str]:
    return [*why_words(left), *helps_of(chosen, left, looking.help_names([left]))]


@blueprint.get("/<int:round_id>/people/<int:person_id>")
@requires(Role.ADMIN)
def person(round_id: int, person_id: int) -> Answer:
    """What somebody wished, what they got, and what else there would be."""
    chosen = service.managed(me(), round_id)
    found = looking.wish_of(chosen, person_id)
    left = next((one for one in looking.left_out(chosen, found.plan) if one["person"] == person_id), None)
    options = looking.options(chosen, found.sign, now=now()) if found.can_change else []
    return render_template(
        "rounds/person.html",
        round=chosen,
        found=found,
        start=start_of(found.pair.tick) if found.pair is not None else None,
        words=because_words(found.pair.because) if found.pair is not None else [],
        why=_why(chosen, left) if left is not None else [],
        options=[(each, start_of(each.start), because_words(each.because)) for each in options],
        names=names_of(each.agent for each in options),
    )


@blueprint.post("/<int:round_id>/people/<int:person_id>")
@requires(Role.ADMIN)
def change(round_id: int, person_id: int) -> Answer:
    """Give somebody this agent and hour (`choice`: agent and tick)."""
    chosen = service.managed(me(), round_id, lock=True)
    agent, _dash, tick = request.form.get("choice", "").partition("-")
    if not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in (agent, tick)):
        raise NotFound
    start = datetime.fromtimestamp(int(tick) * 300, UTC)
    proposing.change(me(), chosen, person_id, int(agent), start, now=now())
    db.session.commit()
    flash(_("Changed and pinned. Propose the rest again to see what follows from it."), "success")
    return redirect(url_for(".person", round_id=round_id, person_id=person_id), 303)


@blueprint.post("/<int:round_id>/publish")
@limiter.limit("20 per minute")
@requires(Role.ADMIN)
def publish(round_id: int) -> Answer:
    """Book all proposed pairs, or those of the chosen people (`person`)."""
    chosen = service.managed(me(), round_id)
    ids = [int(one) for one in request.form.getlist("person") if one.isascii() and one.isdigit()][:2000]
    some = request.form.get("which") == "some"
    count = publishing.start(me(), chosen, only=ids if some else None, now=now())
    db.session.commit()
    flash(
        ngettext(
            "%(num)d visit is being booked. Invites go out as each is.",
            "%(num)d visits are being booked. Invites go out as each is.",
            count,
        ),
        "success",
    )
    return redirect(url_for(".proposal", round_id=round_id), 303)


def _back(round_id: int, person_id: int) -> str:
    if request.form.get("back") == "person":
        return url_for(".person", round_id=round_id, person_id=person_id)
    page = request.form.get("page", "")
    return url_for(".proposal", round_id=round_id, page=page if page.isdigit() else None)
