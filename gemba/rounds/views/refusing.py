"""A refusal says so beside the way back to the page it came from, instead of leading to the start page."""

from flask import render_template, request, url_for
from flask_babel import gettext as _

from gemba.db import db
from gemba.errors import Refused
from gemba.rounds.views.edge import blueprint
from gemba.web.pages import Answer, say

OF_PROPOSAL = frozenset({"propose", "stop", "pin", "drop", "change", "publish"})
OF_ROUND = frozenset({"invite", "remind", "ask_agents", "close", "edit"})


@blueprint.errorhandler(Refused)
def refused(error: Refused) -> Answer:
    """What cannot be done as things are now, and where to go on."""
    db.session.rollback()
    round_id, name = (request.view_args or {}).get("round_id"), (request.endpoint or "").rpartition(".")[2]
    if round_id is None:
        back, words = url_for("home.home"), _("Go to the start page")
    elif name in OF_PROPOSAL:
        back, words = url_for("rounds.proposal", round_id=round_id), _("Back to the proposal")
    elif name in OF_ROUND:
        back, words = url_for("rounds.manage", round_id=round_id), _("Back to the round")
    elif name == "carry_out":
        back, words = url_for("rounds.repair", round_id=round_id), _("Back to the repair")
    else:
        back, words = url_for("rounds.show", round_id=round_id), _("Back to the round")
    page = render_template("rounds/refused.html", sentence=say(error), back=back, words=words)
    return page, error.status
