"""Repair of a published round: what it would move, and the button that does it."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from gemba.clock import now
from gemba.db import db
from gemba.people.rules import Role
from gemba.people.service.lookups import names_of
from gemba.rounds import service
from gemba.rounds.service import repairing
from gemba.rounds.service.repairing import Fell, Step
from gemba.rounds.views.edge import because_words, blueprint
from gemba.web.access import me, requires
from gemba.web.limits import limiter
from gemba.web.pages import Answer


@blueprint.get("/<int:round_id>/repair")
@limiter.limit("30 per minute")
@requires(Role.ADMIN)
def repair(round_id: int) -> Answer:
    """Whose visit cannot be held, what they would get instead, and who would move for it."""
    chosen = service.managed(me(), round_id)
    found = repairing.look(chosen, now=now())
    return render_template(
        "rounds/repair.html",
        round=chosen,
        found=found,
        lost=[(step, *_words(step)) for step in found.steps if step.fell],
        moved=[(step, *_words(step)) for step in found.steps if not step.fell],
        names=names_of(found.people),
    )


@blueprint.post("/<int:round_id>/repair")
@limiter.limit("20 per minute")
@requires(Role.ADMIN)
def carry_out(round_id: int) -> Answer:
    """Do what was shown (`mark`)."""
    chosen = service.managed(me(), round_id, lock=True)
    done = repairing.carry_out(me(), chosen, request.form.get("mark", ""), now=now())
    db.session.commit()
    helped, moved = done.helped, sum(1 for step in done.steps if not step.fell)
    words = ngettext("%(num)d person has a visit again.", "%(num)d people have a visit again.", helped)
    if moved:
        words += " " + ngettext("%(num)d other moved.", "%(num)d others moved.", moved)
    flash(words, "success")
    return redirect(url_for(".repair", round_id=round_id), 303)


def _words(step: Step) -> tuple[str, list[str]]:
    """Why somebody needs another visit, and what speaks for the new one, in the reader's language."""
    why = {
        Fell.AWAY: _("The agent is away that day."),
        Fell.NO_AGENT: _("The agent takes no visits any more."),
        Fell.NO_MENTOR: _("The mentor cannot come that day."),
        Fell.CALLED_OFF: _("The visit was called off."),
        None: _("Makes room for others."),
    }
    return why[step.fell], because_words([word.value for word in step.to.because]) if step.to else []
