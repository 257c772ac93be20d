"""How far programmes are from their goals, for admins and for heads of lines and departments."""

from flask import render_template, request

from gemba.clock import now
from gemba.errors import NotFound
from gemba.programmes import service as programmes
from gemba.rounds.service.goals import TOGETHER, progress
from gemba.rounds.views.edge import blueprint
from gemba.web.access import me, signed_in
from gemba.web.pages import Answer


@blueprint.get("/goals")
@signed_in
def goals() -> Answer:
    """Who came, and visits of each line, of the programme in the address or the first that has a goal."""
    running = [each for each in programmes.list_programmes(me()) if each.active]
    slug = request.args.get("programme")
    with_goal = [each for each in running if each.goal_share or each.goal_visits]
    named = [each for each in running if each.slug == slug] if slug else with_goal or running
    if not named:
        raise NotFound
    return render_template(
        "rounds/goals.html",
        programme=named[0],
        programmes=running,
        found=progress(me(), named[0], now=now()),
        together=TOGETHER,
    )
