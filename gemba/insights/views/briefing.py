"""Before a visit: what visitors confirm once."""

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _

from gemba.clock import now
from gemba.db import db
from gemba.insights import service
from gemba.insights.views.edge import Answer, blueprint
from gemba.web.access import me, safe_next, signed_in


@blueprint.post("/visits/<int:visit_id>/consent")
@signed_in
def consent(visit_id: int) -> Answer:
    """Confirms what the programme asks of its visitors, once for all of its visits."""
    visit = service.visit_for_notes(me(), visit_id)
    target = safe_next(request.form.get("next")) if request.form.get("next") else ""
    if request.form.get("agreed") != "1":
        flash(_("Tick the box to confirm."), "error")
    else:
        service.confirm_consent(me(), visit, now())
        db.session.commit()
        flash(_("Confirmed. You are not asked again in this programme."), "success")
    return redirect(target or url_for(".notes", visit_id=visit_id), 303)
